"""Moving digits: one handwritten digit that bounces between two opposite borders, and a caption.

The single-digit benchmark of TGANs-C (arXiv 1804.08264, "SBMG") in the wording of Sync-DRAW
(arXiv 1611.10314), rendered on demand: clip i is a function of the seed, the split and i.
"""

import numpy as np

from t2v_jax.data.digits import SIZE, load_digits
from t2v_jax.errors import UsageError

MOTIONS = ("left and right", "up and down")
TEMPLATES = ("digit {digit} is {motion}.", "the digit {digit} is moving {motion}")
_SPLIT_NUMBERS = {"train": 0, "test": 1}


class MovingDigits:
    """Random-access source of `clips` captioned clips.

    `source[i]` is a dict of
      clip     uint8 [frames, size, size, 1], 0 = background and 255 = ink
      caption  str
      digit    int, 0..9
      motion   int, index into MOTIONS
      meaning  int, equal for captions that ask for the same in other words
    """

    def __init__(
        self,
        split: str = "train",
        clips: int = 12_000,
        *,
        frames: int = 16,
        size: int = 64,
        digit_size: int = SIZE,
        speed: tuple[float, float] = (3.0, 5.0),
        directory: str | None = None,
        seed: int = 0,
    ):
        """Reads the digits and brings them to `digit_size` pixels a side, smaller than `size`.

        `speed` is the slowest and the fastest pace in pixels a frame when `size` is 64, and scales
        with `size`; a clip keeps its pace. `directory` holds the MNIST files (`load_digits`), None
        takes the shipped subset. Raises UsageError for a value out of range.
        """
        self._check(clips, frames, size, digit_size, speed, seed)
        digits = load_digits(split, directory)
        self.clips, self.frames, self.size = clips, frames, size
        self._seed = [seed, _SPLIT_NUMBERS[split]]
        self._span = size - digit_size
        self._speed = tuple(pace * size / 64 for pace in speed)
        self._images = _resize(digits.images, digit_size)
        self._labels = digits.labels.tolist()
        self._name = f"MovingDigits({split!r}, {clips}, frames={frames}, size={size}, " + (
            f"digit_size={digit_size}, speed={speed}, directory={directory!r}, seed={seed})"
        )

    @staticmethod
    def _check(clips, frames, size, digit_size, speed, seed) -> None:
        if clips < 1 or frames < 1:
            raise UsageError(f"clips={clips}, frames={frames}: expected at least 1 of each")
        if not 1 <= digit_size < size:
            raise UsageError(f"digit_size={digit_size}: expected 1 to {size - 1}, less than size")
        if not 0 < speed[0] <= speed[1]:
            raise UsageError(f"speed={speed}: expected (slowest, fastest), 0 < slowest <= fastest")
        if seed < 0:
            raise UsageError(f"seed={seed}: expected 0 or more")

    def __repr__(self) -> str:
        return self._name

    def __len__(self) -> int:
        return self.clips

    def __getitem__(self, index: int) -> dict:
        index = range(self.clips)[index]
        draws = np.random.default_rng([*self._seed, index]).random(6)
        which, motion, template = (draws[:3] * (len(self._images), 2, len(TEMPLATES))).astype(int)
        digit = self._labels[which]
        return {
            "clip": self._render(self._images[which], motion, *draws[3:]),
            "caption": TEMPLATES[template].format(digit=digit, motion=MOTIONS[motion]),
            "digit": digit,
            "motion": int(motion),
            "meaning": digit * len(MOTIONS) + int(motion),
        }

    def captions(self) -> list[str]:
        """Every distinct caption, sorted."""
        return sorted(
            template.format(digit=digit, motion=motion)
            for template in TEMPLATES
            for digit in range(10)
            for motion in MOTIONS
        )

    def _render(self, image, motion, phase, pace, across) -> np.ndarray:
        """The clip; `phase`, `pace`, `across` in [0, 1) place the start, the speed, the track."""
        slow, fast = self._speed
        speed = slow + pace * (fast - slow)
        # The path between the borders, unfolded, is a circle twice their distance round.
        circle = 2 * self._span
        path = (phase * circle + speed * np.arange(self.frames)) % circle
        along = np.rint(self._span - np.abs(path - self._span)).astype(int).tolist()
        track = int(across * (self._span + 1))
        side = len(image)
        clip = np.zeros((self.frames, self.size, self.size, 1), np.uint8)
        for frame, place in zip(clip[..., 0], along, strict=True):
            top, left = (place, track) if motion else (track, place)
            frame[top : top + side, left : left + side] = image
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
