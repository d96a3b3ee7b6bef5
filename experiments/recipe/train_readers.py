"""Train the readers of the folders on the real clips of the split train, and tell how well they read others.

python experiments/recipe/train_readers.py --prepared=DIR --steps=2000
"""

import pathlib
import re

import numpy as np
from absl import app, flags
from reader import APART, BATCH, CAPTIONS, Reader, paired

from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.evaluation.classifier_training import fit, with_noise

PREPARED = flags.DEFINE_string("prepared", "prepared", "directory of the prepared folders, by their names")
FOLDERS = flags.DEFINE_list("folders", list(CAPTIONS), "whose readers are trained")
GO_ON = flags.DEFINE_bool("go_on", False, "from the readers that are there, in place of new ones")
STEPS = flags.DEFINE_integer("steps", 2000, "of Adam", lower_bound=1)

_BACKWARDS = {"left": "right", "up": "down", "zooms in on": "zooms out from"}
_BACKWARDS |= {after: before for before, after in _BACKWARDS.items()}


def batches(reader, clips):
    """Endless batches of pairs of frames uint8 [n, 64, 64, 6] and labels [n, kinds, 1]; half run back."""
    rng = np.random.default_rng(0)
    while True:
        batch = clips.batch(rng.choice(len(clips), BATCH, replace=False))
        shown, captions = batch["clip"], batch["caption"]
        shown[::2], captions[::2] = shown[::2, ::-1], map(backwards, captions[::2])
        firsts = rng.integers(clips.shape[0] - APART, size=BATCH)
        yield np.asarray(paired(shown, firsts)), reader.wanted(captions)[..., None]


def backwards(caption: str) -> str:
    """The caption of a clip whose last frame comes first."""
    return re.sub(rf"\b({'|'.join(_BACKWARDS)})\b", lambda match: _BACKWARDS[match[0]], caption)


def main(argv):
    """Trains, writes and tells."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    for folder in FOLDERS.value:
        directory = pathlib.Path(PREPARED.value) / folder
        source, test = (PreparedClips(directory, part) for part in ("train", "test"))
        reader = Reader(folder, source)
        examples, start = batches(reader, source), reader.load() if GO_ON.value else None
        parameters = fit(reader.network, reader.counts, examples, with_noise, STEPS.value, start=start)
        reader.save(parameters)
        held_back = test.batch(range(len(test)))
        right = reader.read(reader.load(), held_back["clip"]) == reader.wanted(held_back["caption"])
        told = ", ".join(f"{kind} {share:.1%}" for kind, share in zip(reader.values, right.mean(0)))
        print(f"{folder}: right on {len(test)} real clips held back: {told}", flush=True)


if __name__ == "__main__":
    app.run(main)
