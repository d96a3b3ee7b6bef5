"""The programs of a config, with the shapes and the layout of what they take; nothing of them runs."""

import functools
import pathlib
import runpy
import tempfile
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from t2v_jax import config as configuration
from t2v_jax.data.hard_negatives import NEGATIVES_PER_CLIP
from t2v_jax.inference import generation, stream
from t2v_jax.inference.model import Model
from t2v_jax.runtime import sharding
from t2v_jax.training import first_state, setup, steps

CONFIGS = sorted((pathlib.Path(__file__).parents[2] / "configs").glob("*.py"))


def prepared(path, changes=()):
    """The `Run` of a config's file, with other values of fields by their dotted names.

    A drawn world of equal clips stands in for what had to be downloaded.
    """
    config = runpy.run_path(str(path))["get_config"]()
    config.update_from_flattened_dict(dict(changes))
    if config.data.world in ("tfds", "clips"):
        config.data.world = "moving_shapes"
    with tempfile.TemporaryDirectory() as directory:
        return setup.set_up(configuration.check(config), pathlib.Path(directory) / "run")


def programs(run) -> Iterator[tuple]:
    """(name, jitted function, its arguments) of each, laid out for the run's mesh."""
    state = first_state.abstract_state(run)
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    frames, _ = steps.variant_at(run.config, run.config.steps)
    for penalised, name in enumerate(("step", "penalised step")):
        yield (
            name,
            steps.compile_step(run, layout, frames, bool(penalised)),
            (state, batch(run), np.float32(0)),
        )
    params = Model(state.ema, run.config, run.language)
    paint = functools.partial(generation._paint, frames=run.config.data.frames)
    many = jnp.uint32(0), 0
    yield "generate", jax.jit(paint), (params, captions(run, generation.LARGEST_BATCH), *many)
    if run.mesh.size == 1:  # one frame of one clip cannot be shared out
        asked = params, captions(run, 1), jnp.uint32(0)
        memory = jax.eval_shape(stream._next_frame, *asked, None)[-1]
        yield "frame", jax.jit(stream._next_frame), (*asked, memory)


def batch(run):
    """As `clip_batches` makes them, but for the labels, which no step reads."""
    count, clip = run.config.batch_size, run.source[0]["clip"]
    return {
        "clip": rows(run, count, clip),
        "captions": captions(run, count),
        "caption_class": rows(run, count, np.int32(0)),
        "negatives": captions(run, NEGATIVES_PER_CLIP * count),
        "negative_classes": rows(run, NEGATIVES_PER_CLIP * count, np.int32(0)),
    }


def captions(run, count):
    """So many encoded sentences."""
    encoded = run.language.encode([run.source[0]["caption"]])
    return jax.tree.map(lambda field: rows(run, count, field[0]), encoded)


def rows(run, count, row):
    """So many rows like one, shared out."""
    place = sharding.batch_sharding(run.mesh)
    return jax.ShapeDtypeStruct((count, *row.shape), row.dtype, sharding=place)
