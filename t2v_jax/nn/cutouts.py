"""What moves in clips, cut out of them."""

import jax.numpy as jnp
import numpy as np

from t2v_jax.nn.axes import fold, unfold
from t2v_jax.nn.geometry import view
from t2v_jax.nn.resampling import blur

LOOKS = 5  # frames of a clip that are looked at
FAINT, CLEAR = 0.1, 0.25  # differences of colours in [-1, 1]: from none of a change to all of it
HALF, MOST = 0.5, 0.65  # shares of the other frames, from which a pixel differs: it stands still, it moves


def cutouts(clips, count, side):
    """What moves in clips [b, t, h, w, c] before a background of 0: [b, count, side, side, c + 1].

    A pixel of a frame moves if it differs from the same one in most other frames. Of LOOKS frames, evenly
    spread, what moves is cut out of the `count` that show most of it, in a square of `side` pixels about its
    middle. The last channel is how much of a pixel it hides, 0 to 1; the others are multiplied by it
    (premultiplied alpha, Porter & Duff 1984).
    """
    smooth = unfold(blur(fold(clips)), len(clips))
    times = np.linspace(0, clips.shape[1] - 1, max(LOOKS, count)).astype(int)
    hides = jnp.stack([_moving(smooth, time) for time in times], axis=1)[..., None]
    moving = jnp.concatenate([clips[:, times] * hides, hides], axis=-1)
    fullest = jnp.argsort(-hides.sum((2, 3, 4)), axis=1)[:, :count]
    moving = fold(moving[jnp.arange(len(clips))[:, None], fullest])
    shares = jnp.full((1, len(moving), 1), side / clips.shape[2])
    return unfold(view(moving, _middles(moving[..., -1], side)[None], shares, side)[0], len(clips))


def _moving(clips, time):
    """How much of each pixel moves in a frame: [b, t, h, w, c] -> [b, h, w], 0 to 1."""
    different = jnp.abs(clips - clips[:, time : time + 1]).max(-1)
    share = _ramp(different, FAINT, CLEAR).sum(1) / max(clips.shape[1] - 1, 1)  # of the others
    return _ramp(share, HALF, MOST)


def _ramp(values, low, high):
    """From 0 at `low` to 1 at `high`."""
    return jnp.clip((values - low) / (high - low), 0, 1)


def _middles(hides, side):
    """The mean place of what hides [b, h, w] as (y, x), the frame from 0 to 1: [b, 2].

    Rounded, so that a square of `side` pixels about it takes pixels as they are.
    """
    size, total = hides.shape[1], jnp.maximum(hides.sum((1, 2)), 1)
    centres = np.arange(size, dtype=np.float32) + 0.5
    means = jnp.stack([hides.sum(2) @ centres, hides.sum(1) @ centres], axis=-1) / total[:, None]
    return (jnp.round(means - side / 2) + side / 2) / size
