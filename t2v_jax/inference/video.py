"""Video files: animations (.gif .mp4 .webp), contact sheets (.png), arrays (.npy)."""

import fractions
import io
import math
import pathlib
import tempfile
from collections.abc import Sequence

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.inference import metadata
from t2v_jax.runtime.files import check_writable, local_path, write_atomically

FRAMES_PER_SECOND = 10
_VIEWABLE = 256  # pixels of the shorter side that an animation has at least
_SEPARATOR = 128  # gray between the cells of a contact sheet
SLOWEST, FASTEST = 0.01, 1000  # frames a second
# Browsers hold a frame of a GIF below 20 ms, and one of a WebP up to 10 ms, for 100 ms.
_FASTEST_OF = {".gif": 50, ".webp": 90}


def save_video(
    video: np.ndarray,
    path: str | pathlib.Path,
    *,
    frames_per_second: float = FRAMES_PER_SECOND,
    made_from: dict | None = None,
) -> None:
    """Writes a video, uint8 [frames, height, width, 1 or 3], in the format that `path` ends in.

      .gif .webp  animation that loops for ever; WebP lossless, GIF lossless up to 256 colours
      .mp4        H.264; an odd side grows by one pixel
      .png        contact sheet, the frames side by side
      .npy        the array itself

    Animations are enlarged by the smallest whole factor that brings the shorter side to 256 pixels.
    `frames_per_second`: 0.01 to 50 for GIF, to 90 for WebP, else to 1000. GIF keeps time in hundredths
    of a second, WebP in thousandths: a frame begins at the nearest one. `made_from`: names and values
    that `t2v show` prints of the file (see `metadata`); .npy keeps none. The file appears whole or not at
    all. Raises UsageError for any other ending, array, rate or place.
    """
    check_output(path, frames_per_second)
    data = encode_video(video, pathlib.Path(path).suffix, frames_per_second, made_from)
    write_atomically(path, data)


def encode_video(
    video: np.ndarray,
    ending: str,
    frames_per_second: float = FRAMES_PER_SECOND,
    made_from: dict | None = None,
) -> bytes:
    """What `save_video` writes to a file of that ending, ".gif" for one. Raises UsageError."""
    encode = _ENCODERS[_checked_format(ending, ending, frames_per_second)]
    text = metadata.to_text(made_from) if made_from else ""
    return encode(_checked(video, axes=4), frames_per_second, text)


def preview(video: np.ndarray) -> bytes:
    """A small WebP animation in the video's own size, lossy: for pages that embed it."""
    video = _checked(video, axes=4)
    return _animation(_images(video), "WEBP", _durations(len(video), FRAMES_PER_SECOND, unit=1), quality=90)


def check_output(path: str | pathlib.Path, frames_per_second: float = FRAMES_PER_SECOND) -> None:
    """Raises UsageError for a place, ending or rate that `save_video` could not write: ask early."""
    path = local_path(path)
    _checked_format(path.suffix, path.name, frames_per_second)
    check_writable(path)


def _checked_format(ending, name, frames_per_second):
    """The ending in lower case, if it and the rate are ones that can be written."""
    if ending.lower() not in _ENCODERS:
        raise UsageError(f"cannot write {name!r}: expected a name that ends in {' '.join(_ENCODERS)}")
    ending = ending.lower()
    fastest = _FASTEST_OF.get(ending, FASTEST)
    if not SLOWEST <= frames_per_second <= fastest:
        expected = f"{SLOWEST} to {fastest} for a {ending} file"
        raise UsageError(f"{frames_per_second:g} frames a second; expected {expected}")
    return ending


def save_image(image: np.ndarray, path: str | pathlib.Path, made_from: dict | None = None) -> None:
    """Writes an image, uint8 [height, width, 1 or 3], as PNG; `made_from` as in `save_video`."""
    text = metadata.to_text(made_from) if made_from else ""
    write_atomically(path, _png(_checked(image, axes=3), text))


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


def side_by_side(videos: Sequence[np.ndarray]) -> np.ndarray:
    """One video of several of one shape, from left to right, thin gray lines between."""
    videos = _checked(np.stack(videos), axes=5)
    edges = ((0, 0), (0, 0), (0, 0), (0, 1), (0, 0))
    lined = np.pad(videos, edges, constant_values=_SEPARATOR)
    return np.concatenate([*lined], axis=2)[:, :, :-1]


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


def _durations(frames: int, frames_per_second: float, unit: int) -> list:
    """Milliseconds of each frame, in whole units, so that no frame begins half a unit off its time."""
    starts = np.round(np.arange(frames + 1) * 1000 / frames_per_second / unit)
    return (unit * np.diff(starts)).astype(int).tolist()


def _animation(images: list, kind: str, milliseconds: list, **options) -> bytes:
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


def _encode_gif(video: np.ndarray, frames_per_second: float, text: str) -> bytes:
    times = _durations(len(video), frames_per_second, unit=10)
    images = _with_one_palette(_enlarged(video))
    try:
        return _animation(images, "GIF", times, optimize=False, comment=text.encode())
    except OverflowError as error:  # frames that are alike become one, which lasts as long as all of them
        raise UsageError(
            f"a still of a .gif file lasts 655 seconds at most, not {len(video)} frames at "
            f"{frames_per_second:g} a second; choose more frames a second, or .mp4"
        ) from error


def _with_one_palette(video: np.ndarray) -> list:
    """Pillow images with at most 256 colours, the same for all frames: no dither, no flicker."""
    from PIL import Image

    if video.shape[-1] == 1:
        return _images(video)
    frames, height, width, _ = video.shape
    strip = Image.fromarray(video.reshape(frames * height, width, 3))
    strip = strip.quantize(256, dither=Image.Dither.NONE)
    return [strip.crop((0, top, width, top + height)) for top in range(0, strip.height, height)]


def _encode_webp(video: np.ndarray, frames_per_second: float, text: str) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    if text:
        exif[metadata.EXIF_DESCRIPTION] = text
    times = _durations(len(video), frames_per_second, unit=1)
    return _animation(_images(_enlarged(video)), "WEBP", times, lossless=True, exif=exif)


def _encode_mp4(video: np.ndarray, frames_per_second: float, text: str) -> bytes:
    """H.264 with BT.709 colours, the index before the frames, so that a browser plays at once."""
    video = _enlarged(video)
    # H.264 halves the resolution of colour, which asks for even sides.
    odd = [(0, side % 2) for side in video.shape[1:3]]
    video = np.pad(video, [(0, 0), *odd, (0, 0)], mode="edge")
    rate = fractions.Fraction(frames_per_second).limit_denominator(1000)
    # The index moves to the front when the file is done, for which FFmpeg opens it by its name once more.
    try:
        with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
            _mux_mp4(video, file.name, rate, text)
            return pathlib.Path(file.name).read_bytes()
    except OSError as error:
        place = "free some space for temporary files, or name another place in TMPDIR"
        raise UsageError(f"cannot write the video: {error.strerror}; {place}") from error


def _mux_mp4(video, path, rate, text):
    import av

    with av.open(path, "w", options={"movflags": "faststart"}) as container:
        container.metadata["comment"] = text
        track = container.add_stream("libx264", rate=rate, options={"crf": "18"})
        track.height, track.width = video.shape[1:3]
        track.pix_fmt = "yuv420p"
        _tag_bt709(track.codec_context)
        for frame in np.broadcast_to(video, (*video.shape[:3], 3)):
            container.mux(track.encode(_bt709_picture(frame)))
        container.mux(track.encode())


def _tag_bt709(codec):
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    codec.color_primaries, codec.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG


def _bt709_picture(frame):
    import av
    from av.video.reformatter import ColorRange, Colorspace

    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
    return picture.reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )


def _encode_png(video: np.ndarray, frames_per_second: float, text: str) -> bytes:
    return _png(contact_sheet(video[None]), text)


def _png(image: np.ndarray, text: str) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    info, stream = PngInfo(), io.BytesIO()
    if text:
        info.add_text("Comment", text)
    _images(image[None])[0].save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def _encode_npy(video: np.ndarray, frames_per_second: float, text: str) -> bytes:
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
