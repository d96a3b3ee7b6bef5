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
from t2v_jax import sampling, sharding, train
from t2v_jax.data.rivals import RIVALS
from t2v_jax.model import Params

CONFIGS = sorted((pathlib.Path(__file__).parents[2] / "configs").glob("*.py"))


def prepared(path):
    """The `Run` of a config's file; a drawn world of equal clips stands in for what had to be downloaded."""
    config = runpy.run_path(str(path))["get_config"]()
    if config.data.world in ("tfds", "clips"):
        config.data.world = "moving_shapes"
    with tempfile.TemporaryDirectory() as directory:
        return train.prepare(configuration.check(config), pathlib.Path(directory) / "run")


def programs(run) -> Iterator[tuple]:
    """(name, jitted function, its arguments) of each, laid out for the run's mesh."""
    state = train.abstract_state(run)
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    frames, _ = train.variant_at(run.config, run.config.steps)
    for penalised, name in enumerate(("step", "penalised step")):
        yield (
            name,
            train.compile_step(run, layout, frames, bool(penalised)),
            (state, batch(run), np.float32(0)),
        )
    params = Params(state.average, run.config, run.language)
    paint = functools.partial(sampling._paint, frames=run.config.data.frames)
    many = jnp.uint32(0), 0
    yield "generate", jax.jit(paint), (params, captions(run, sampling.LARGEST_BATCH), *many)
    if run.mesh.size == 1:  # one frame of one clip cannot be shared out
        asked = params, captions(run, 1), jnp.uint32(0)
        memory = jax.eval_shape(sampling._next_frame, *asked, None)[-1]
        yield "frame", jax.jit(sampling._next_frame), (*asked, memory)


def batch(run):
    """As `clip_batches` makes them, but for the labels, which no step reads."""
    count, clip = run.config.batch_size, run.source[0]["clip"]
    return {
        "clip": rows(run, count, clip),
        "captions": captions(run, count),
        "meaning": rows(run, count, np.int32(0)),
        "rivals": captions(run, RIVALS * count),
        "rival_meanings": rows(run, RIVALS * count, np.int32(0)),
    }


def captions(run, count):
    """So many encoded sentences."""
    encoded = run.language.encode([run.source[0]["caption"]])
    return jax.tree.map(lambda field: rows(run, count, field[0]), encoded)


def rows(run, count, row):
    """So many rows like one, shared out."""
    place = sharding.batch_sharding(run.mesh)
    return jax.ShapeDtypeStruct((count, *row.shape), row.dtype, sharding=place)
