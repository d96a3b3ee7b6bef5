"""Small video files of every kind that the loader reads."""

import io
import pathlib

import av
import numpy as np
from PIL import Image

from t2v_jax.data.videos.decode import ClipSpec
from t2v_jax.data.videos.readers import ENDINGS

RECIPE, TEST_SHARE = ClipSpec(frames=4, size=16), 0.1  # of the folder that the tests prepare

_CODECS = {".webm": "libvpx", ".ogv": "libvpx", ".avi": "mpeg4"}
FORMATS = {".mkv": "matroska", ".ogv": "ogg"}
_PICTURES = {".gif": "GIF", ".webp": "WEBP", ".apng": "PNG"}


def moving(frames=20, height=32, width=48, colour=(255, 40, 0)):
    """A film: a square of one colour goes to the right over gray, uint8 [frames, height, width, 3]."""
    film = np.full((frames, height, width, 3), 100, np.uint8)
    for index, frame in enumerate(film):
        left = index * (width - 8) // frames
        frame[8:24, left : left + 8] = colour
    return film


def encode(film, ending, fps=10, codec=None, coded=None, **track) -> bytes:
    """The bytes of a video file; `track` sets attributes of its stream, `coded` how colours are coded.

    Of an animated picture `track` has options of Pillow.
    """
    stream = io.BytesIO()
    if ending in _PICTURES:
        first, *rest = map(Image.fromarray, film)
        options = {"save_all": True, "append_images": rest, "duration": 1000 / fps, **track}
        first.save(stream, _PICTURES[ending], **options)
        return stream.getvalue()
    with av.open(stream, "w", format=FORMATS.get(ending, ending[1:])) as container:
        video = container.add_stream(codec or _CODECS.get(ending, "libx264"), rate=fps)
        video.height, video.width, video.pix_fmt = *film.shape[1:3], "yuv420p"
        for name, value in track.items():
            setattr(video.codec_context, name, value)
        for pixels in film:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(video.encode(frame.reformat(format="yuv420p", **coded) if coded else frame))
        container.mux(video.encode())
    return stream.getvalue()


def write(path: pathlib.Path, film=None, **options) -> pathlib.Path:
    """A video file of a film (None: `moving()`) under a name that ends as its format does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(moving() if film is None else film, path.suffix.lower(), **options))
    return path


def all_kinds(**options) -> dict[str, bytes]:
    """Ending -> the bytes of one small film."""
    return {ending: encode(moving(**options), ending) for ending in ENDINGS}
