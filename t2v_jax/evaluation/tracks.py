"""Where the foreground of a clip is: its track, and what moves along it."""

import functools

import numpy as np

_THRESHOLD = 0.5  # share of the clip's brightest level above which a pixel is foreground, not haze


def foreground_of(clips: np.ndarray) -> np.ndarray:
    """How far each pixel rises above half the clip's brightest level: [n, t, h, w, c] -> [n, t, h, w].

    So a faint background is no foreground. A pixel is as bright as its brightest channel.
    """
    bright = _brightness(clips)
    return np.maximum(bright - _THRESHOLD * bright.max((1, 2, 3), keepdims=True), 0)


def tracks(clips: np.ndarray) -> np.ndarray:
    """Where the foreground is: uint8 [n, t, h, w, c] -> [n, t, 2], its centroid's row and column.

    In shares of the frame's height and width, 0 = top left. A frame without foreground keeps the place
    before it; the frames before the first foreground have the first place, and a clip without any (a blank
    one) rests in the middle.
    """
    foreground = foreground_of(clips)
    mass = foreground.sum((2, 3))
    seen = mass > 0
    height, width = foreground.shape[2:]
    moments = foreground.sum(3) @ _centres(height), foreground.sum(2) @ _centres(width)
    places = np.stack(moments, -1) / np.where(seen, mass, 1)[..., None]
    return np.take_along_axis(np.where(seen[..., None], places, 0.5), _latest(seen)[..., None], 1)


def cut_out(clips: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """What moves, held still: [n, t, h, w, c] and tracks [n, t, 2] -> float32 [n, h / 2, w / 2].

    The mean over frames of the window around the track, in [0, 255]; what lies beyond the border is
    black. The same pixels at another place give the same picture.
    """
    foreground = _brightness(clips)
    height, width = foreground.shape[2:]
    half = height // 4, width // 4
    padded = np.pad(foreground, ((0, 0), (0, 0), (half[0],) * 2, (half[1],) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * half[0], 2 * half[1]), (2, 3))
    # Rounded from a hair below the half, or a rounding error would move the window between two frames.
    top, left = np.moveaxis((tracks * (height, width) + 0.501).astype(int), -1, 0)
    n, t = np.indices(top.shape, sparse=True)
    return windows[n, t, top, left].mean(1)


def travel(tracks: np.ndarray) -> np.ndarray:
    """How far each track reaches down and across: [n, t, 2] -> [n, 2], in sides of the frame."""
    return np.ptp(tracks, axis=1)


def _brightness(clips):
    """[n, t, h, w, c] -> float32 [n, t, h, w]; channel by channel, for NumPy is slow over a short axis."""
    return functools.reduce(np.maximum, np.moveaxis(clips, -1, 0)).astype(np.float32)


def _centres(side: int) -> np.ndarray:
    return (np.arange(side, dtype=np.float32) + 0.5) / side


def _latest(seen: np.ndarray) -> np.ndarray:
    """[n, t]: the last frame with foreground up to each frame; before the first one, that one."""
    frames = np.where(seen, np.arange(seen.shape[1]), seen.argmax(1)[:, None])
    return np.maximum.accumulate(frames, axis=1)
