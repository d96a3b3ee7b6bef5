"""What the worlds of handwritten digits share: the glyphs, and drawing one that slides along an axis."""

import dataclasses

import numpy as np

from t2v_jax.data.worlds.mnist import SIZE, load_digits
from t2v_jax.data.worlds.windows import set_windows
from t2v_jax.data.worlds.world import World
from t2v_jax.errors import UsageError

DIGITS = tuple("0123456789")


@dataclasses.dataclass(eq=False, kw_only=True)
class DigitWorld(World):
    """A world of gray clips, 255 = ink, of digits `digit_size` pixels a side, smaller than `size`.

    The split train shows MNIST's training digits, the other splits its test digits: of the shipped
    subset, or of the files in `directory` (`load_digits`).
    """

    digit_size: int = SIZE
    directory: str | None = None

    def __post_init__(self):
        super().__post_init__()
        images, labels = load_digits("train" if self.split == "train" else "test", self.directory)
        missing = sorted(set(range(10)) - set(labels.tolist()))
        if missing:
            raise UsageError(f"no digit {missing[0]} in {self.directory}; name a directory with all of MNIST")
        self._glyphs = _resize(images, self.digit_size)[np.argsort(labels, kind="stable")]
        self._numbers = np.bincount(labels)
        self._span = self.size - self.digit_size

    def _check(self) -> None:
        super()._check()
        if not 1 <= self.digit_size < self.size:
            raise UsageError(f"digit_size={self.digit_size}: expected 1 to {self.size - 1}, less than size")

    def _slide(self, digits, along, vertical, draws) -> np.ndarray:
        """Clips of one glyph of each of the digits [n] at the places `along` [n, frames] of an axis, pixels.

        The axis is that of the rows where `vertical` [n]; the place on the other one is random and stays.
        """
        glyphs = self._some_glyphs(digits, draws)
        places, tracks = np.rint(along).astype(int), draws.integers(self._span + 1)[:, None]
        top, left = (np.where(vertical[:, None] == way, places, tracks) for way in (True, False))
        clips = np.zeros((*along.shape, self.size, self.size, 1), np.uint8)
        set_windows(clips, np.arange(len(clips)), top, left, glyphs[:, None, ..., None])
        return clips

    def _some_glyphs(self, digits, draws) -> np.ndarray:
        first = np.cumsum(self._numbers) - self._numbers
        return self._glyphs[first[digits] + draws.integers(self._numbers[digits])]


def _resize(images: np.ndarray, side: int) -> np.ndarray:
    """Square images uint8 [n, s, s] to [n, side, side], each new pixel the mean of its area."""
    if side == images.shape[1]:
        return images
    weights = _area_weights(images.shape[1], side)
    means = weights @ images.astype(np.float32) @ weights.T
    return np.rint(means).astype(np.uint8)


def _area_weights(old: int, new: int) -> np.ndarray:
    """[new, old]: the share of old pixel j in the stretch that new pixel i covers."""
    edges = np.linspace(0, old, new + 1, dtype=np.float32)
    pixels = np.arange(old, dtype=np.float32)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.maximum(overlap, 0) * np.float32(new / old)
