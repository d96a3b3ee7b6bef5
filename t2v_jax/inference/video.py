"""Video files: animations (.gif .mp4 .webp), contact sheets (.png), arrays (.npy)."""

import fractions
import io
import math
import pathlib

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import check_writable, local_path, write_atomically

FRAMES_PER_SECOND = 10
_VIEWABLE = 256  # pixels of the shorter side that an animation has at least
_SEPARATOR = 128  # gray between the cells of a contact sheet


def save_video(
    video: np.ndarray,
    path: str | pathlib.Path,
    *,
    frames_per_second: float = FRAMES_PER_SECOND,
) -> None:
    """Writes a video, uint8 [frames, height, width, 1 or 3], in the format that `path` ends in.

      .gif .webp  animation that loops for ever; WebP lossless, GIF lossless up to 256 colours
      .mp4        H.264; an odd side grows by one pixel
      .png        contact sheet, the frames side by side
      .npy        the array itself

    Animations are enlarged by the smallest whole factor that brings the shorter side to 256 pixels.
    GIF keeps time in hundredths of a second and shows at most 50 frames a second. The file appears
    whole or not at all. Raises UsageError for any other ending, array, rate or place.
    """
    check_output(path, frames_per_second)
    write_atomically(path, encode_video(video, pathlib.Path(path).suffix, frames_per_second))


def encode_video(video: np.ndarray, ending: str, frames_per_second: float = FRAMES_PER_SECOND) -> bytes:
    """What `save_video` writes to a file of that ending, ".gif" for one. Raises UsageError."""
    encode = _ENCODERS[_checked_format(ending, ending, frames_per_second)]
    return encode(_checked(video, axes=4), frames_per_second)


def check_output(path: str | pathlib.Path, frames_per_second: float = FRAMES_PER_SECOND) -> None:
    """Raises UsageError for a place, ending or rate that `save_video` could not write: ask early."""
    path = local_path(path)
    _checked_format(path.suffix, path.name, frames_per_second)
    check_writable(path)


def _checked_format(ending, name, frames_per_second):
    """The ending in lower case, if it and the rate are ones that can be written."""
    if ending.lower() not in _ENCODERS:
        raise UsageError(f"cannot write {name!r}: expected a name that ends in {' '.join(_ENCODERS)}")
    if not 0.01 <= frames_per_second <= 1000:
        raise UsageError(f"frames_per_second={frames_per_second}: expected 0.01 to 1000")
    return ending.lower()


def save_image(image: np.ndarray, path: str | pathlib.Path) -> None:
    """Writes an image, uint8 [height, width, 1 or 3], as PNG."""
    write_atomically(path, _png(_checked(image, axes=3)))


def contact_sheet(videos: np.ndarray, columns: int | None = None) -> np.ndarray:
    """One image of many clips: a row a clip, a column a frame, thin gray lines between.

    uint8 [n, frames, height, width, channels] to uint8 [sheet height, sheet width, channels].
    `columns` frames spread evenly over the clip are shown, None shows all. Raises UsageError.
    """
    videos = _checked(videos, axes=5)
    frames = videos.shape[1]
    columns = frames if columns is None else columns
    if not 1 <= columns <= frames:
        raise UsageError(f"columns={columns}: expected 1 to {frames}, the number of frames")
    shown = videos[:, np.linspace(0, frames - 1, columns).round().astype(int)]
    edges = ((0, 0), (0, 0), (0, 1), (0, 1), (0, 0))
    cells = np.pad(shown, edges, constant_values=_SEPARATOR)
    clips, _, height, width, channels = cells.shape
    sheet = cells.swapaxes(1, 2).reshape(clips * height, columns * width, channels)
    return sheet[:-1, :-1]


def _checked(array, axes: int) -> np.ndarray:
    array = np.asarray(array)
    layout = ["videos", "frames", "height", "width", "1 or 3"][-axes:]
    if array.dtype != np.uint8 or array.ndim != axes or array.shape[-1] not in (1, 3) or not array.size:
        raise UsageError(
            f"the array is {array.dtype} {list(array.shape)}: expected uint8 [{', '.join(layout)}], "
            "no axis empty"
        )
    return array


def _enlarged(video: np.ndarray) -> np.ndarray:
    factor = math.ceil(_VIEWABLE / min(video.shape[1:3]))
    return video.repeat(factor, axis=1).repeat(factor, axis=2)


def _images(video: np.ndarray) -> list:
    from PIL import Image

    return [Image.fromarray(frame[..., 0] if frame.shape[-1] == 1 else frame) for frame in video]


def _animation(images: list, kind: str, milliseconds: int, **options) -> bytes:
    stream = io.BytesIO()
    first, *rest = images
    first.save(
        stream,
        kind,
        save_all=True,
        append_images=rest,
        duration=milliseconds,
        loop=0,
        **options,
    )
    return stream.getvalue()


def _encode_gif(video: np.ndarray, frames_per_second: float) -> bytes:
    # Browsers show a delay below 20 ms as 100 ms.
    milliseconds = max(20, 10 * round(100 / frames_per_second))
    return _animation(_with_one_palette(_enlarged(video)), "GIF", milliseconds, optimize=False)


def _with_one_palette(video: np.ndarray) -> list:
    """Pillow images with at most 256 colours, the same for all frames: no dither, no flicker."""
    from PIL import Image

    if video.shape[-1] == 1:
        return _images(video)
    frames, height, width, _ = video.shape
    strip = Image.fromarray(video.reshape(frames * height, width, 3))
    strip = strip.quantize(256, dither=Image.Dither.NONE)
    return [strip.crop((0, top, width, top + height)) for top in range(0, strip.height, height)]


def _encode_webp(video: np.ndarray, frames_per_second: float) -> bytes:
    milliseconds = round(1000 / frames_per_second)
    return _animation(_images(_enlarged(video)), "WEBP", milliseconds, lossless=True)


def _encode_mp4(video: np.ndarray, frames_per_second: float) -> bytes:
    import av

    video = _enlarged(video)
    # H.264 halves the resolution of colour, which asks for even sides.
    odd = [(0, side % 2) for side in video.shape[1:3]]
    video = np.pad(video, [(0, 0), *odd, (0, 0)], mode="edge")
    rate = fractions.Fraction(frames_per_second).limit_denominator(1000)
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as container:
        track = container.add_stream("libx264", rate=rate, options={"crf": "18"})
        track.height, track.width = video.shape[1:3]
        track.pix_fmt = "yuv420p"
        for frame in np.broadcast_to(video, (*video.shape[:3], 3)):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(track.encode(picture))
        container.mux(track.encode())
    return stream.getvalue()


def _encode_png(video: np.ndarray, frames_per_second: float) -> bytes:
    return _png(contact_sheet(video[None]))


def _png(image: np.ndarray) -> bytes:
    stream = io.BytesIO()
    _images(image[None])[0].save(stream, "PNG")
    return stream.getvalue()


def _encode_npy(video: np.ndarray, frames_per_second: float) -> bytes:
    stream = io.BytesIO()
    np.save(stream, video, allow_pickle=False)
    return stream.getvalue()


_ENCODERS = {
    ".gif": _encode_gif,
    ".mp4": _encode_mp4,
    ".webp": _encode_webp,
    ".png": _encode_png,
    ".npy": _encode_npy,
}
