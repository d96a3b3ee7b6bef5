"""Train the readers of the folders on the real clips of the split train, and tell how well they read others.

python experiments/recipe/train_readers.py --prepared=DIR --steps=2000
"""

import pathlib

import numpy as np
from absl import app, flags
from reader import APART, BATCH, CAPTIONS, KINDS, Reader, paired

from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.evaluation.classifier_training import fit, with_noise

PREPARED = flags.DEFINE_string("prepared", "prepared", "directory of the prepared folders, by their names")
STEPS = flags.DEFINE_integer("steps", 2000, "of Adam", lower_bound=1)


def batches(reader, clips):
    """Endless batches of pairs of frames uint8 [n, 64, 64, 6] and labels [n, 2, 1]."""
    rng = np.random.default_rng(0)
    while True:
        batch = clips.batch(rng.choice(len(clips), BATCH, replace=False))
        firsts = rng.integers(clips.shape[0] - APART, size=BATCH)
        yield np.asarray(paired(batch["clip"], firsts)), reader.wanted(batch["caption"])[..., None]


def main(argv):
    """Trains, writes and tells."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    for folder in CAPTIONS:
        directory = pathlib.Path(PREPARED.value) / folder
        source, test = (PreparedClips(directory, part) for part in ("train", "test"))
        reader = Reader(folder, source)
        reader.save(fit(reader.network, reader.counts, batches(reader, source), with_noise, STEPS.value))
        held_back = test.batch(range(len(test)))
        right = reader.read(reader.load(), held_back["clip"]) == reader.wanted(held_back["caption"])
        told = ", ".join(f"{kind} {share:.1%}" for kind, share in zip(KINDS, right.mean(0)))
        print(f"{folder}: right on {len(test)} real clips held back: {told}", flush=True)


if __name__ == "__main__":
    app.run(main)
