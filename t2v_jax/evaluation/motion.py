"""Where the ink of a clip is, and so its motion: left and right, up and down, or none."""

import numpy as np

STILL = -1  # the verdict on a clip that goes nowhere
_LEAST_TRAVEL = 1 / 16  # of the frame's side; real clips of five frames travel further
_INK = 0.5  # share of the clip's brightest level above which a pixel is ink, not haze


def tracks(clips: np.ndarray) -> np.ndarray:
    """Where the ink is: uint8 [n, t, h, w, c] -> [n, t, 2], its centroid's row and column.

    In shares of the frame's height and width, 0 = top left. Only what rises above half the clip's
    brightest level counts, as far as it does, so a faint background pulls nothing towards the
    middle. A frame without such ink keeps the place before it; the frames before the first ink have
    the first place, and a clip without any (a blank one) rests in the middle.
    """
    ink = clips.mean(-1, dtype=np.float32)
    ink = np.maximum(ink - _INK * ink.max((1, 2, 3), keepdims=True), 0)
    mass = ink.sum((2, 3))
    seen = mass > 0
    height, width = ink.shape[2:]
    moments = ink.sum(3) @ _centres(height), ink.sum(2) @ _centres(width)
    places = np.stack(moments, -1) / np.where(seen, mass, 1)[..., None]
    return np.take_along_axis(np.where(seen[..., None], places, 0.5), _latest(seen)[..., None], 1)


def cut_out(clips: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """What moves, held still: [n, t, h, w, c] and tracks [n, t, 2] -> float32 [n, h / 2, w / 2].

    The mean over frames of the window around the track, in [0, 255]; what lies beyond the border is
    black. The same pixels at another place give the same picture.
    """
    ink = clips.mean(-1, dtype=np.float32)
    height, width = ink.shape[2:]
    half = height // 4, width // 4
    padded = np.pad(ink, ((0, 0), (0, 0), (half[0],) * 2, (half[1],) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * half[0], 2 * half[1]), (2, 3))
    top, left = np.moveaxis(np.rint(tracks * (height, width)).astype(int), -1, 0)
    n, t = np.indices(top.shape, sparse=True)
    return windows[n, t, top, left].mean(1)


def travel(tracks: np.ndarray) -> np.ndarray:
    """How far each track reaches down and across: [n, t, 2] -> [n, 2], in sides of the frame."""
    return np.ptp(tracks, axis=1)


def motions(tracks: np.ndarray) -> np.ndarray:
    """The axis of the larger travel: [n, t, 2] -> int [n], an index into MOTIONS, or STILL.

    0 = left and right, 1 = up and down, as in `t2v_jax.data.moving_digits.MOTIONS`.
    """
    down, across = travel(tracks).T
    return np.where(np.maximum(down, across) < _LEAST_TRAVEL, STILL, (down > across).astype(int))


def _centres(side: int) -> np.ndarray:
    return (np.arange(side, dtype=np.float32) + 0.5) / side


def _latest(seen: np.ndarray) -> np.ndarray:
    """[n, t]: the last frame with ink up to each frame; before the first one, that one."""
    frames = np.where(seen, np.arange(seen.shape[1]), seen.argmax(1)[:, None])
    return np.maximum.accumulate(frames, axis=1)
