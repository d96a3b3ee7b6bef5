"""Small pictures that are set into the frames of many clips at once."""

import numpy as np


def set_windows(
    clips: np.ndarray, which: np.ndarray, top: np.ndarray, left: np.ndarray, windows: np.ndarray
) -> None:
    """Writes windows into the clips of the indices `which` [n], at top left corners int [n, frames].

    clips uint8 [clips, frames, height, width, channels], contiguous; windows [n, frames, lower, narrower,
    channels], wholly inside, or [n, 1, ...] if all frames of a clip show the same.
    """
    frames, height, width, channels = clips.shape[1:]
    lines = clips.reshape(len(clips), frames, height, width * channels)
    windows = windows.reshape(*windows.shape[:3], -1)
    places = np.lib.stride_tricks.sliding_window_view(lines, windows.shape[2:], (2, 3), writeable=True)
    places[which[:, None], np.arange(frames), top, left * channels] = windows
