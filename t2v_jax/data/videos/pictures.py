"""Pictures with their times, as a video file shows them, and the bounds that hold for any file."""

from collections.abc import Callable
from typing import NamedTuple

MOST_PIXELS = 4096 * 2304  # of one frame: all of 4K
MOST_FRAMES = 50_000  # decoded from one file: half an hour at 25 a second
MOST_BYTES = 1 << 28  # of an animated picture, which Pillow may read whole


class UnusableVideo(Exception):
    """Why a file gives no clip, in one line."""


class TimedPicture(NamedTuple):
    """What is seen from `start` to `end`, seconds: `paint()` makes the PIL image, upright.

    `aspect` is the width of a pixel over its height. To be painted before the next one is asked for.
    """

    start: float
    end: float
    paint: Callable
    aspect: float = 1.0


def check_size(width: int, height: int) -> None:
    """Raises UnusableVideo for a frame of too many pixels."""
    if width * height > MOST_PIXELS:
        raise UnusableVideo(f"too large: {width} x {height} pixels a frame, at most {MOST_PIXELS} are read")
