"""One video file becomes clips of one shape: a square from the centre, frames at an even pace."""

import contextlib
import dataclasses
import itertools
import math
import pathlib
import warnings
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from t2v_jax.data.videos.pictures import TimedPicture, UnusableVideo
from t2v_jax.data.videos.readers import read_pictures
from t2v_jax.errors import UsageError

_EARLY = 1e-3  # seconds: containers round the time of a frame


@dataclasses.dataclass(frozen=True)
class ClipSpec:
    """What clips are to be: `frames` at `fps` a second, `size` pixels square, `channels` 1 gray or 3 RGB.

    A long file gives up to `segments` clips, which begin `stride` frames apart (None: end to end).
    Raises UsageError for a value out of range.
    """

    frames: int = 16
    fps: float = 10.0
    size: int = 64
    channels: int = 3
    stride: int | None = None
    segments: int = 16

    def __post_init__(self):
        if self.stride is None:
            object.__setattr__(self, "stride", self.frames)
        for name in ("frames", "size", "stride", "segments"):
            if not 1 <= getattr(self, name) <= 4096:
                raise UsageError(f"{name}={getattr(self, name)}: expected 1 to 4096")
        if not 0.01 <= self.fps <= 1000:
            raise UsageError(f"fps={self.fps}: expected 0.01 to 1000")
        if self.channels not in (1, 3):
            raise UsageError(f"channels={self.channels}: expected 1 (gray) or 3 (RGB)")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of a clip: [frames, height, width, channels]."""
        return self.frames, self.size, self.size, self.channels


class Decoded(NamedTuple):
    """clips uint8 [n >= 1, frames, size, size, channels], and the file's width and height in pixels.

    `remark`: what is not as it should be, in one line, empty where all is well.
    """

    clips: np.ndarray
    width: int
    height: int
    remark: str = ""


def decode(path: pathlib.Path, spec: ClipSpec) -> Decoded:
    """The clips of a video file, read no further than they need.

    Raises UnusableVideo for a file that is damaged, too large, too short or not what its ending says.
    """
    ending, remarks = path.suffix.lower(), {}
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            for category in (UserWarning, RuntimeWarning):  # what Pillow says of damaged and huge files
                warnings.simplefilter("error", category)
            file = stack.enter_context(path.open("rb"))
            pictures = stack.enter_context(contextlib.closing(read_pictures(file, ending, remarks)))
            return _cut(pictures, spec)._replace(remark="; ".join(remarks.values()))
    except UnusableVideo:
        raise
    # What libraries raise on damaged bytes is open-ended: ValueError, IndexError, struct.error ...
    except Exception as error:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        text = " ".join(text.split())[:200]
        raise UnusableVideo(f"damaged, or no {ending} file by its content ({text})") from error


def _cut(pictures: Iterator[TimedPicture], spec: ClipSpec) -> Decoded:
    first = next(pictures, None)
    if first is None:
        raise UnusableVideo("it shows no picture")
    width, height = first.paint().size
    needed = (spec.segments - 1) * spec.stride + spec.frames
    seen = itertools.islice(_at_even_pace(itertools.chain([first], pictures), spec), needed)
    frames = [frame for frame in seen if frame is not None]
    starts = range(0, len(frames) - spec.frames + 1, min(spec.stride, spec.frames))
    if not starts:
        lasts, needs = len(frames) / spec.fps, spec.frames / spec.fps
        expected = f"{spec.frames} frames at {spec.fps:g} a second need {needs:.2f} s"
        raise UnusableVideo(f"too short: {lasts:.2f} s; {expected}{_fast_enough(len(frames), spec)}")
    return Decoded(np.stack([frames[i : i + spec.frames] for i in starts]), width, height)


def _fast_enough(seen: int, spec: ClipSpec) -> str:
    """The pace at which a file of which so many frames are seen has one clip, for its error."""
    if seen < 2:  # a picture that stands still
        return ""
    # Its last frame may end as soon as it begins. Rounded up, for the clip to fit.
    hundredths = math.ceil(100 * spec.fps * (spec.frames - 1) / (seen - 1) - _EARLY)
    return f", it fits with --fps={hundredths / 100:g}"


def _at_even_pace(pictures: Iterable[TimedPicture], spec: ClipSpec) -> Iterator[np.ndarray | None]:
    """What is seen at 0, 1/fps, 2/fps ... seconds: uint8 [size, size, channels], None between clips."""
    tick = 0
    for picture in pictures:
        frame = None
        while picture.start <= tick / spec.fps + _EARLY < picture.end:
            wanted = tick % spec.stride < spec.frames
            if wanted and frame is None:
                frame = square(picture, spec)
            yield frame if wanted else None
            tick += 1


def square(picture: TimedPicture, spec: ClipSpec) -> np.ndarray:
    """The centre of a picture, averaged over areas: uint8 [size, size, channels]."""
    from PIL import Image

    image = picture.paint()
    side = min(image.width * picture.aspect, image.height)
    left, top = (image.width - side / picture.aspect) / 2, (image.height - side) / 2
    left, top = max(left, 0), max(top, 0)  # not below, by rounding
    box = left, top, image.width - left, image.height - top
    small = image.resize((spec.size, spec.size), Image.Resampling.BOX, box)
    return np.asarray(small.convert("L" if spec.channels == 1 else "RGB")).reshape(spec.shape[1:])
