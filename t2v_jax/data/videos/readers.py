"""What a video file shows, picture by picture: PyAV reads videos, Pillow animated pictures.

Files are read as a stream; the bounds below hold for any file, however damaged, and keep a process
below 640 MiB (measured: 500 MiB for H.264 with 16 reference frames of the largest size).
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

MOST_PIXELS = 4096 * 2304  # of one frame: all of 4K
MOST_FRAMES = 50_000  # decoded from one file: half an hour at 25 a second
MOST_BYTES = 1 << 28  # of an animated picture, which Pillow may read whole
_BROWSERS_DELAY = 0.1  # seconds that browsers show a frame which asks for next to none


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


def read_pictures(file, ending: str) -> Iterator[TimedPicture]:
    """The pictures of an open file whose name ends in one of ENDINGS, in order, the first from 0 on.

    Raises UnusableVideo for a file beyond the bounds, and anything at all for a damaged one.
    """
    # The ending decides the format: FFmpeg left to guess also follows playlists to other files.
    read, kind = _READERS[ending]
    return read(file, kind)


def _video_pictures(file, kind: str) -> Iterator[TimedPicture]:
    import av

    # The codecs themselves refuse a larger frame, wherever in the stream it comes.
    bound = {"max_pixels": str(MOST_PIXELS)}
    with av.open(file, format=kind, options=bound, metadata_errors="replace") as container:
        if not container.streams.video:
            raise UnusableVideo("no video inside")
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise UnusableVideo("its codec is not known here")
        _check_size(stream.codec_context.width, stream.codec_context.height)
        stream.codec_context.options = bound
        stream.codec_context.thread_count = 1  # files are decoded side by side instead
        frames = itertools.islice(container.decode(stream), MOST_FRAMES)
        for start, end, frame in _timed(frames, _pace(stream)):
            turns = round(frame.rotation / 90)
            aspect = _plausible(stream.sample_aspect_ratio, 1 / 4, 4, 1)
            yield TimedPicture(start, end, _painter(frame, turns), 1 / aspect if turns % 2 else aspect)


def _painter(frame, turns: int) -> Callable:
    def paint():
        _check_size(frame.width, frame.height)
        return frame.to_image().rotate(90 * turns, expand=True)

    return paint


def _pace(stream) -> float:
    """Seconds from one frame to the next, where the frames do not say."""
    return 1 / _plausible(stream.average_rate, 0.01, 1000, 25)


def _plausible(ratio, low: float, high: float, default: float) -> float:
    """A ratio that a file declares, unless it is absent or beyond belief."""
    return float(ratio) if ratio and low <= ratio <= high else default


def _timed(frames: Iterable, pace: float) -> Iterator[tuple]:
    """(start, end, frame) from 0 on; a frame ends where the next begins, times never run backwards."""
    previous, start, origin = None, 0.0, 0.0
    for frame in frames:
        time = frame.time if frame.time is not None and math.isfinite(frame.time) else None
        if previous is None:
            origin = time or 0.0
        else:
            end = start + pace if time is None else max(start, time - origin)
            yield start, end, previous
            start = end
        previous = frame
    if previous is not None:
        yield start, start + pace, previous


def _animation_pictures(file, kind: str) -> Iterator[TimedPicture]:
    from PIL import Image, UnidentifiedImageError

    if file.seek(0, 2) > MOST_BYTES:
        raise UnusableVideo(f"too large: {file.tell()} bytes, at most {MOST_BYTES} of a {kind} are read")
    file.seek(0)
    start = 0.0
    try:
        opened = Image.open(file, formats=[kind])
    except UnidentifiedImageError as error:  # whose text names the file object
        raise ValueError(f"not recognised as {kind}") from error
    with opened as image:
        _check_size(*image.size)
        for index in range(min(getattr(image, "n_frames", 1), MOST_FRAMES)):
            image.seek(index)
            _check_size(*image.size)  # a GIF's canvas may grow
            image.load()
            delay = image.info.get("duration", 0) / 1000
            end = start + (delay if delay > 0.01 else _BROWSERS_DELAY)
            yield TimedPicture(start, end, lambda: on_background(image, "white"))
            start = end


def on_background(image, colour: str):
    """A PIL image as a page of a colour that Pillow knows shows it where it is transparent."""
    from PIL import Image

    above = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, colour), above).convert("RGB")


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise UnusableVideo(f"too large: {width} x {height} pixels a frame, at most {MOST_PIXELS} are read")


_READERS = {
    ".mp4": (_video_pictures, "mov"),
    ".mov": (_video_pictures, "mov"),
    ".webm": (_video_pictures, "matroska"),
    ".mkv": (_video_pictures, "matroska"),
    ".avi": (_video_pictures, "avi"),
    ".ogv": (_video_pictures, "ogg"),
    ".gif": (_animation_pictures, "GIF"),
    ".webp": (_animation_pictures, "WEBP"),
    ".apng": (_animation_pictures, "PNG"),
}
ENDINGS = tuple(_READERS)
