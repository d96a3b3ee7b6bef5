"""What the worlds of handwritten digits share: the glyphs, and drawing one that slides along an axis."""

import dataclasses

import numpy as np

from t2v_jax.data.digits import SIZE, load_digits
from t2v_jax.data.world import World
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
        images = _resize(images, self.digit_size)
        self._glyphs = [images[labels == digit] for digit in range(10)]
        self._span = self.size - self.digit_size

    def _check(self) -> None:
        super()._check()
        if not 1 <= self.digit_size < self.size:
            raise UsageError(f"digit_size={self.digit_size}: expected 1 to {self.size - 1}, less than size")

    def _slide(self, digit, along, vertical, rng) -> np.ndarray:
        """A clip of one of the digit's glyphs at the places `along` [frames] of an axis, pixels.

        Its place on the other axis is random and stays.
        """
        glyph = self._glyphs[digit][rng.integers(len(self._glyphs[digit]))]
        track = rng.integers(self._span + 1)
        clip = np.zeros((self.frames, self.size, self.size, 1), np.uint8)
        for frame, place in zip(clip[..., 0], np.rint(along).astype(int).tolist()):
            top, left = (place, track) if vertical else (track, place)
            frame[top : top + self.digit_size, left : left + self.digit_size] = glyph
        return clip


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
