"""What a video file shows, picture by picture: PyAV reads videos, Pillow animated pictures.

Files are read as a stream; the bounds in `pictures` hold for any file, however damaged, and keep a process
below 640 MiB (measured: 500 MiB for H.264 with 16 reference frames of the largest size).
"""

from collections.abc import Iterator

from t2v_jax.data.videos.animations import animation_pictures
from t2v_jax.data.videos.pictures import TimedPicture
from t2v_jax.data.videos.streams import stream_pictures


def read_pictures(file, ending: str, remarks: dict[str, str]) -> Iterator[TimedPicture]:
    """The pictures of an open file whose name ends in one of ENDINGS, in order, the first from 0 on.

    What is not as it should be, although pictures come, goes into `remarks`: topic -> a line. Raises
    UnusableVideo for a file beyond the bounds, and anything at all for a damaged one.
    """
    # The ending decides the format: FFmpeg left to guess also follows playlists to other files.
    read, kind = _READERS[ending]
    return read(file, kind, remarks)


_READERS = {
    ".mp4": (stream_pictures, "mov"),
    ".mov": (stream_pictures, "mov"),
    ".webm": (stream_pictures, "matroska"),
    ".mkv": (stream_pictures, "matroska"),
    ".avi": (stream_pictures, "avi"),
    ".ogv": (stream_pictures, "ogg"),
    ".gif": (animation_pictures, "GIF"),
    ".webp": (animation_pictures, "WEBP"),
    ".apng": (animation_pictures, "PNG"),
}
ENDINGS = tuple(_READERS)
