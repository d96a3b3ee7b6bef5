"""Video files, which FFmpeg reads through PyAV: frames in their order and time, upright, in their colours."""

import collections
import itertools
import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from t2v_jax.data.videos import pictures
from t2v_jax.data.videos.pictures import TimedPicture, UnusableVideo, check_size

_DAMAGED = 10  # one packet in so many may be
_STANDARD_HEIGHT = 576  # pixels: a taller frame that does not name its colours has those of BT.709
_UNSPECIFIED, _BT2020 = 2, 9  # colours, as H.273 numbers them
_HIGH_RANGE = {16: "PQ", 18: "HLG"}  # transfer characteristics


def stream_pictures(file, kind: str, remarks: dict[str, str]) -> Iterator[TimedPicture]:
    """The pictures of an open file that FFmpeg reads as `kind`; `remarks` as in `read_pictures`."""
    import av

    # The codecs themselves refuse a larger frame, wherever in the stream it comes.
    bound = {"max_pixels": str(pictures.MOST_PIXELS)}
    with av.open(file, format=kind, options=bound, metadata_errors="replace") as container:
        stream = container.streams.best("video")  # not the picture on its cover
        if stream is None:
            raise UnusableVideo("no video inside")
        if stream.codec_context is None:
            raise UnusableVideo("its codec is not known here")
        check_size(stream.codec_context.width, stream.codec_context.height)
        stream.codec_context.options = bound
        stream.codec_context.thread_count = 1  # files are decoded side by side instead
        frames = itertools.islice(_frames(container, stream, remarks), pictures.MOST_FRAMES)
        for start, end, frame in _timed(frames, _pace(stream)):
            if dynamic := _HIGH_RANGE.get(frame.color_trc) or _wide_colours(frame):
                remarks["colours"] = f"{dynamic} colours, which come out pale: convert it to BT.709"
            transposed, *flips = _orientation(frame)
            aspect = _plausible(stream.sample_aspect_ratio, 1 / 4, 4, 1)
            paint = _painter(frame, transposed, flips)
            yield TimedPicture(start, end, paint, 1 / aspect if transposed else aspect)


def _frames(container, stream, remarks) -> Iterator[tuple]:
    """(time in seconds or None, frame) in the order in which they are seen.

    What cannot be decoded is passed over. An AVI file has no times: its packets come at an even pace, and as
    many frames come out of them, in another order.
    """
    import av

    times, damaged, timeless = collections.deque(), 0, container.format.name == "avi"
    for number, packet in enumerate(container.demux(stream), 1):
        last = packet.pts is None and packet.dts is None
        if not packet.size and not last:
            continue  # the frame before is shown once more
        times.append(packet.dts)
        try:
            frames = packet.decode()
        except av.error.InvalidDataError as error:
            times.pop()
            damaged += 1
            if damaged > 1 + number // _DAMAGED:
                raise UnusableVideo(f"damaged: {damaged} of {number} packets cannot be decoded") from error
            remarks["damage"] = f"damaged: what is missing was passed over (packets: {damaged})"
            continue
        for frame in frames:
            stamp = (times.popleft() if times else None) if timeless else frame.pts
            yield None if stamp is None else float(stamp * stream.time_base), frame


def _wide_colours(frame) -> str:
    return "BT.2020" if frame.color_primaries == _BT2020 else ""


def _orientation(frame) -> tuple[bool, bool, bool]:
    """Whether rows and columns are to be exchanged; then left and right, top and bottom."""
    from av.sidedata.sidedata import Type

    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return False, False, False
    # A point (x, y) is shown at (a x + c y, b x + d y).
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    transposed = abs(a) + abs(d) < abs(b) + abs(c)
    return (True, c < 0, b < 0) if transposed else (False, a < 0, d < 0)


def _painter(frame, transposed: bool, flips: list[bool]) -> Callable:
    def paint():
        from PIL import Image

        check_size(frame.width, frame.height)
        unnamed = frame.colorspace == _UNSPECIFIED and frame.height > _STANDARD_HEIGHT
        pixels = frame.to_image(**{"src_colorspace": "ITU709"} if unnamed else {})
        pixels = np.asarray(pixels)
        if frame.interlaced_frame:  # every other row is of another moment
            pixels = pixels[::2].repeat(2, axis=0)[: len(pixels)]
        if transposed:
            pixels = pixels.swapaxes(0, 1)
        left_right, top_bottom = (-1 if flip else 1 for flip in flips)
        return Image.fromarray(np.ascontiguousarray(pixels[::top_bottom, ::left_right]))

    return paint


def _pace(stream) -> float:
    """Seconds from one frame to the next, where the frames do not say."""
    return 1 / _plausible(stream.average_rate, 0.01, 1000, 25)


def _plausible(ratio, low: float, high: float, default: float) -> float:
    """A ratio that a file declares, unless it is absent or beyond belief."""
    return float(ratio) if ratio and low <= ratio <= high else default


def _timed(frames: Iterable[tuple], pace: float) -> Iterator[tuple]:
    """(start, end, frame) from 0 on; a frame ends where the next begins, times never run backwards."""
    previous, start, origin = None, 0.0, 0.0
    for time, frame in frames:
        time = time if time is not None and math.isfinite(time) else None
        if previous is None:
            origin = time or 0.0
        else:
            end = start + pace if time is None else max(start, time - origin)
            yield start, end, previous
            start = end
        previous = frame
    if previous is not None:
        yield start, start + _duration(previous, pace), previous


def _duration(frame, pace: float) -> float:
    """Seconds that the last frame is seen."""
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else pace
