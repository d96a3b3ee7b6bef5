"""Random configurations: each is refused in one line that names a field, or its training step is traced.

    python experiments/survival/configs.py --number=5000 --train_every=50

Each changes one to four fields of the smallest run to values at random, a third of them extreme. A
configuration that is accepted has its step traced, by shapes; every so many of those that are small are
trained for one step.
"""

import argparse
import collections
import pathlib
import random
import tempfile
import traceback

import commands  # noqa: F401, sets how programs are compiled
import jax
from absl import logging

from t2v_jax import config as configuration
from t2v_jax.config.checks import AUGMENT, CHANNELS, CHOICES, EXTRA_WORDS, RANGES
from t2v_jax.config.fields import flat
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.errors import UsageError
from t2v_jax.registry import names
from t2v_jax.training import first_state, loop, setup, steps
from tests import small

EXTREME = [0, -1, 1, 2, 3, 2**31, 2**32 - 1, 10**12, 10**30, 1e-300, 1e300, float("inf"), float("nan")]
LARGEST = 2**22  # values of a batch's clips, of those that are trained


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


def outcome(config, folder, train):
    """What became of a configuration, as one word."""
    if config is None:
        return "refused by type"
    try:
        config = configuration.check(config)
        data = config.data
        if train and config.batch_size * data.frames * data.size**2 * data.channels <= LARGEST:
            loop.train(configuration.check(one_step(config)), folder)
            return "trained"
        run = setup.set_up(config, folder)
        state = first_state.abstract_state(run)
        first_state.check_state(run, first_state.abstract_state, state)
        batch = next(clip_batches(run.source, run.language, config.batch_size, seed=config.seed, threads=0))
        layout = jax.tree.map(lambda leaf: leaf.sharding, state)
        variant = list(steps.variants_from(config, 0))[-1]  # of the last stage, mostly with the penalties
        jax.eval_shape(steps.compile_step(run, layout, *variant), state, batch, 0.5)
        return "traced"
    except FloatingPointError:  # a loss is not finite, which is told
        return "diverged"
    except UsageError as error:
        text = str(error)
        fields = [name for name in flat(config.to_dict()) if name in text or name.split(".")[-1] in text]
        assert "\n" not in text and len(text) < 7000 and fields, text
        return "refused"


def one_step(config):
    config = config.copy_and_resolve_references()
    with config.unlocked():
        config.steps = 1
    return config


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--train_every", type=int, default=50)
    options = parser.parse_args()
    logging.set_verbosity(logging.ERROR)
    counts = collections.Counter()
    for index in range(options.first, options.first + options.number):
        chosen, config = changed(random.Random(index))
        with tempfile.TemporaryDirectory() as folder:
            try:
                told = outcome(config, pathlib.Path(folder, "run"), index % options.train_every == 0)
            except Exception:
                told = "FAILED"
                print(index, ascii(chosen)[:500], traceback.format_exc()[-1500:], flush=True)
        counts[told] += 1
        if index % 20 == 19:
            jax.clear_caches()
            print(index + 1, dict(counts), flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main()
