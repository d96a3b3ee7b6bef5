"""Train the reader on the real clips of the split train.

python experiments/characters/train.py --steps=4000
"""

import time

import numpy as np
from absl import app, flags
from reader import BATCH, COUNTS, on_black, save, source, wanted

from t2v_jax.evaluation.classifier_networks import FrameNetwork
from t2v_jax.evaluation.classifier_training import fit, with_noise

STEPS = flags.DEFINE_integer("steps", 4000, "of Adam", lower_bound=1)


def batches(clips):
    """Endless batches of frames uint8 [n, 64, 64, 3], each of another clip, and labels [n, attributes, 1]."""
    rng = np.random.default_rng(0)
    while True:
        batch = clips.batch(rng.choice(len(clips), BATCH, replace=False))
        times = rng.integers(clips.shape[0], size=BATCH)
        yield on_black(batch["clip"][np.arange(BATCH), times]), wanted(batch["caption"])[..., None]


def main(argv):
    """Trains and writes."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    begin = time.monotonic()
    network = FrameNetwork(sum(COUNTS.values()))
    save(fit(network, COUNTS, batches(source("train")), with_noise, STEPS.value))
    print(f"trained in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    app.run(main)
