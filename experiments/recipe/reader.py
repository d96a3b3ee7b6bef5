"""The readers: what is in a clip of a folder, and how it moves.

Each has learnt from real clips of its folder's kind alone. The judges' network for frames reads pairs of
frames, and their mean log-probability decides.
"""

import functools
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.evaluation.classifier_networks import FrameNetwork, split

KINDS = ("thing", "direction", "order", "standing")  # of values: all captions name the first two
CAPTIONS = {
    "plain": re.compile(r"an? (?:small|large) (?P<thing>.+) moving (?P<direction>\w+)"),
    "pans": re.compile(r"the camera (?P<direction>pans \w+ over|zooms in on|zooms out from) (?P<thing>.+)"),
    "hidden": re.compile(
        r"an? (?P<thing>.+) moving (?P<direction>\w+) (?P<order>behind|in front of) an? (?P<standing>.+)"
    ),
}
APART = 5  # frames between the two of a pair: enough for a move to show, few enough to follow it
PAIRS = 5  # of a clip, evenly spread
BATCH = 64


class Reader:
    """Reads the clips of one folder."""

    def __init__(self, folder: str, source: PreparedClips):
        """`folder` is a name of CAPTIONS; `source` its prepared clips, whose captions name all values."""
        self._pattern, self._path = CAPTIONS[folder], pathlib.Path(__file__).with_name(f"{folder}.npz")
        named = [self._named(caption) for caption in source.captions()]
        kinds = [kind for kind in KINDS if kind in self._pattern.groupindex]
        self.values = {kind: sorted({values[kind] for values in named}) for kind in kinds}
        self.counts = {kind: len(values) for kind, values in self.values.items()}
        self.network = FrameNetwork(sum(self.counts.values()))

    def wanted(self, captions) -> np.ndarray:
        """The indices of the values that each caption names: int [n, kinds], in the order of KINDS."""
        named = map(self._named, captions)
        return np.array([[self.values[kind].index(row[kind]) for kind in self.values] for row in named])

    def read(self, parameters, clips) -> np.ndarray:
        """uint8 [n, t, 64, 64, 3] -> the likeliest values, int [n, kinds]."""
        likeliest = jax.jit(functools.partial(self._likeliest, parameters))
        return np.concatenate([likeliest(clips[i : i + BATCH]) for i in range(0, len(clips), BATCH)])

    def save(self, parameters):
        """Write the reader beside this file, as float16."""
        flat = flatten_dict(parameters, sep="/")
        np.savez_compressed(self._path, **{name: np.float16(array) for name, array in flat.items()})

    def load(self) -> dict:
        """The parameters that `train_readers.py` wrote."""
        with np.load(self._path) as arrays:
            return unflatten_dict({name: np.float32(arrays[name]) for name in arrays.files}, sep="/")

    def _named(self, caption):
        return self._pattern.fullmatch(caption).groupdict()

    def _likeliest(self, parameters, clips):
        firsts = np.linspace(0, clips.shape[1] - 1 - APART, PAIRS).astype(int)
        pairs = jnp.concatenate([paired(clips, np.full(len(clips), first)) for first in firsts])
        logits, *_ = self.network.apply({"params": parameters}, pairs / 255)
        likely = [jax.nn.log_softmax(part) for part in split(logits, self.counts).values()]
        return jnp.stack([part.reshape(PAIRS, len(clips), -1).mean(0).argmax(-1) for part in likely], 1)


def paired(clips, firsts):
    """Of each clip a frame and the one APART later, as channels; the ground, where white, is 0 as padding is.

    uint8 [n, t, h, w, c], int [n] -> uint8 [n, h, w, 2 * c].
    """
    rows = np.arange(len(clips))
    return 255 - jnp.concatenate([clips[rows, firsts], clips[rows, firsts + APART]], axis=-1)
