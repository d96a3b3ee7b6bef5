"""Random configurations: each is refused in one line that names a field, or its training step is traced.

    PYTHONPATH=. python experiments/survival/configs.py --number=5000

Each changes one to four fields of the smallest run to values at random, a third of them extreme. What
`t2v train` checks before it compiles is checked for each; a training step of those that are accepted is
traced, by shapes, unless one was that `program` says is the same. Every so many of the small ones are
trained for a step.
"""

import argparse
import collections
import contextlib
import gc
import io
import pathlib
import random
import re
import tempfile
import time
import traceback

import commands
import jax
from absl import logging
from ml_collections import ConfigDict

from t2v_jax import config as configuration
from t2v_jax.config.checks import AUGMENT, CHANNELS, CHOICES, EXTRA_WORDS, RANGES
from t2v_jax.config.fields import flat
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.errors import UsageError
from t2v_jax.registry import names
from t2v_jax.training import first_state, loop, setup, steps
from t2v_jax.training.budget import Budget
from t2v_jax.training.checkpoints import Checkpoints
from tests import small

EXTREME = [0, -1, 1, 2, 3, 2**31, 2**32 - 1, 10**12, 10**30, 1e-300, 1e300, float("inf"), float("nan")]
LARGEST = 2**26  # bytes of the state and the batch of those that are trained
# What a training step is not made of, but for the shapes of its arguments.
OUTSIDE = [
    *("steps", "minutes", "log_every", "sample_every", "checkpoint_every", "keep_checkpoints", "init_from"),
    *("batch_size", "mesh.data", "mesh.model", "data.world", "data.dataset", "data.directory", "data.clips"),
    *("data.digit_size", "data.clips_per_caption", "text.model", "text.vocabulary_size", "text.max_tokens"),
    *("text.vectors", "text.extra_words"),
]
# Constants of a step's program, which does not look into them but for the ends of their ranges.
CONSTANTS = [name for name in RANGES if name.startswith(("loss.", "optimizer.", "seed", "data.background"))]


def number(name, rng):
    """Any number, one in or near the range, or one near the default."""
    low, high = RANGES[name]
    default = flat(small.get_config().to_dict())[name]
    kind = type(default)
    chosen = rng.random()
    if chosen < 0.33:
        value = rng.choice([*EXTREME, low, high, low - 1, high + 1])
    elif chosen < 0.66:
        value = rng.uniform(low, high)
    else:
        value = default * rng.choice([0.5, 1, 2, 4]) + rng.choice([0, 1])
    return kind(value) if kind is int and abs(value) < 1e300 else value


def channels(rng):
    return tuple(rng.choice([*range(1, 33), 0, -1, 4096, 4097]) for _ in range(rng.randint(0, 5)))


def stages(rng):
    row = lambda first: (first, *(rng.choice([1, 1, 2, 3, 4, 0, -1, 10**9]) for _ in range(3)))  # noqa: E731
    return tuple(row(rng.choice([0, 0, 2, 5])) for _ in range(rng.randint(0, 3)))


def value(name, default, rng):
    """A value for a field, of its type."""
    if name in CHOICES:
        return rng.choice([*names(CHOICES[name]), "nosuch", "", "no.such:Thing"])
    if name in RANGES:
        return number(name, rng)
    if name in CHANNELS:
        return channels(rng)
    if name == AUGMENT:
        return tuple(rng.sample([*names("augmentation"), "nosuch"], rng.randint(0, 3)))
    if name == EXTRA_WORDS:
        return rng.choice([(), ("tiny",), ("",), ("a b", "\0")])
    if name == "schedule.stages":
        return stages(rng)
    if isinstance(default, bool):
        return rng.choice([True, False])
    return rng.choice(["", "nosuch", "~nosuch/x", "gs://bucket/x", "\0", "x" * 5000])


def changed(rng):
    """The smallest run's configuration with some fields at random; None where a type does not fit."""
    config = small.get_config()
    fields = flat(config.to_dict())
    chosen = {name: value(name, fields[name], rng) for name in rng.sample([*fields], rng.randint(1, 4))}
    try:
        config.update_from_flattened_dict(chosen)
    except (TypeError, ValueError):  # ml_collections refuses them, and the command line says so
        return chosen, None
    return chosen, config


def outcome(index, chosen, config, folder, train, traced):
    """What became of a configuration, as one word; `traced`: program -> its state."""
    try:
        if config is None:
            refused_by_type(chosen)
            return "refused by type"
        config = configuration.check(config)
        run = setup.set_up(config, folder)
        variants = [*steps.variants_from(config, 0)]
        variant, batch = variants[index % len(variants)], first_batch(run)
        key = program(run, batch, variant)
        state = checked(run, traced.get(key))
        if key not in traced:
            layout = jax.tree.map(lambda leaf: leaf.sharding, state)
            jax.eval_shape(steps.compile_step(run, layout, *variant), state, batch, 0.5)
            traced[key] = state
        if not train or size((state, batch)) > LARGEST:
            return "traced"
        config = ConfigDict(config.to_dict())
        config.steps = 1
        loop.train(config, folder)
        return "trained"
    except FloatingPointError:  # a loss is not finite, which is told
        return "diverged"
    except UsageError as error:
        require_named(str(error), flat(small.get_config().to_dict()))
        return "refused"


def checked(run, state):
    """Shapes of a run's state (None: not known yet), after what training does before it compiles a step."""
    config = run.config
    state = state or first_state.abstract_state(run)
    first_state.check_state(run, first_state.abstract_state, state)
    vectors = first_state.first_vectors(config.text, run.language, run.source.captions(), config.seed)
    if config.init_from:
        networks = {"generator": state.generator, "discriminator": state.discriminator}
        first_state.transferred(config, run.language, vectors, networks)
    with Checkpoints(run.workdir, config.keep_checkpoints):
        Budget(config, 0, 0.0, 1)
    return state


def first_batch(run):
    """Shapes of a run's batch: those of a group of clips but for their number, as a million take minutes."""
    together, threads = run.config.data.clips_per_caption, 0
    batches = clip_batches(run.source, run.language, together, seed=run.config.seed, threads=threads)
    groups = run.config.batch_size // together
    return jax.tree.map(
        lambda part: jax.ShapeDtypeStruct((groups * len(part), *part.shape[1:]), part.dtype), next(batches)
    )


def program(run, batch, variant):
    """What the program of a step is made of; two runs with the same have the same."""
    fields = {name: value for name, value in flat(run.config.to_dict()).items() if name not in OUTSIDE}
    for name in CONSTANTS:
        if fields[name] not in (*RANGES[name], 0):
            fields[name] = "within"
    shapes = tuple(part.shape for part in jax.tree.leaves(batch))
    return tuple(fields.items()), run.language.vocabulary_size, shapes, variant


def size(tree):
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def refused_by_type(chosen):
    """Raises AssertionError where the command line does not refuse these values in one line."""
    flags = [f"--config.{name}={value}" for name, value in chosen.items()]
    ending = commands.run("train", f"--config={small.__file__}", "--workdir=unused", *flags)
    assert ending.status == 2 and ending.is_orderly, ending
    require_named(ending.errors.rstrip(), chosen)


def require_named(text, names):
    """Raises AssertionError where a line does not name a field, as config.data.size or size=."""
    known = [rf"\b{re.escape(name)}\b|\b{name.split('.')[-1]}=" for name in names]
    assert "\n" not in text and len(text) < 7000 and re.search("|".join(known), text), text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--train_every", type=int, default=30)
    options = parser.parse_args()
    logging.set_verbosity(logging.ERROR)
    # Tracing makes millions of objects, and those imported are never garbage.
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    counts, traced = collections.Counter(), {}
    for index in range(options.first, options.first + options.number):
        chosen, config = changed(random.Random(index))
        train = index % options.train_every == 0
        with tempfile.TemporaryDirectory() as folder:
            try:
                with contextlib.redirect_stderr(io.StringIO()):
                    told = outcome(index, chosen, config, pathlib.Path(folder, "run"), train, traced)
            except Exception:
                told = "FAILED"
                print(index, ascii(chosen)[:500], traceback.format_exc()[-1500:], flush=True)
        counts[told] += 1
        if index % 500 == 499:
            jax.clear_caches()
            gc.collect()
        if index % 100 == 99:
            report(index + 1, counts, traced)
    report(options.number, counts, traced)


def report(number, counts, traced):
    seconds = f"{time.process_time():.0f} s of CPU"
    print(number, dict(counts), len(traced), "programs,", seconds, flush=True)


if __name__ == "__main__":
    main()
