"""How near is each clip to the nearest of the training clips? Learnt by heart, or not."""

import numpy as np

from t2v_jax.data.source import ClipSource, read_batch
from t2v_jax.evaluation.matcher import spread

# Pixels, at most, of the side of a thumbnail: in larger ones a blurred clip is nearer to all others.
SIDE = 16
MOST = 10_000  # training clips that are looked through
_CLIPS_AT_ONCE = 256


def thumbnails(clips: np.ndarray) -> np.ndarray:
    """Some frames of each clip, small, in a row: uint8 [n, t, h, w, c] -> float32 [n, numbers] in [0, 1]."""
    frames = spread(clips)
    for axis in (2, 3):
        side = frames.shape[axis]
        starts = np.arange(min(side, SIDE)) * side // min(side, SIDE)
        widths = np.diff([*starts, side]).astype(np.float32)
        sums = np.add.reduceat(frames, starts, axis, dtype=np.float32)
        frames = np.moveaxis(np.moveaxis(sums, axis, -1) / widths, -1, axis)
    return frames.reshape(len(frames), -1) / 255


def distances(pictures: np.ndarray, source: ClipSource) -> np.ndarray:
    """Root mean square difference of each of n `thumbnails` from the nearest of a source's clips: [n]."""
    least = np.full(len(pictures), np.inf)
    for rows in np.array_split(looked_through(source), -(-min(len(source), MOST) // _CLIPS_AT_ONCE)):
        others = thumbnails(read_batch(source, rows)["clip"])
        # Squares of distances but for a number of each row: too coarse for the distance itself.
        chosen = others[((others**2).sum(1) - 2 * pictures @ others.T).argmin(1)]
        least = np.minimum(least, np.square(pictures - chosen).mean(1))
    return np.sqrt(least)


def looked_through(source: ClipSource) -> np.ndarray:
    """Places of the clips that are compared: all, or MOST drawn from them."""
    return np.random.default_rng(0).permutation(len(source))[:MOST]
