"""What `generate` returns: an array that plays in a notebook and saves itself."""

import base64
import pathlib

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.inference.video import FRAMES_PER_SECOND, encode_video, save_video, side_by_side


class Video(np.ndarray):
    """An array uint8 [frames, height, width, 1 or 3], or [n, ...] for n videos; a notebook plays it.

    In all else a NumPy array; what is computed from it is played as long as it has that form.
    """

    def save(
        self, path: str | pathlib.Path, *, frames_per_second: float = FRAMES_PER_SECOND, made_from=None
    ) -> None:
        """Writes a file as `save_video` does, n videos side by side. Raises UsageError."""
        video = side_by_side(self) if self.ndim == 5 else self
        save_video(video, path, frames_per_second=frames_per_second, made_from=made_from)

    def show(self) -> None:
        """Plays in a notebook, where it is called. Raises UsageError elsewhere."""
        try:
            from IPython import display, get_ipython
        except ImportError:
            in_notebook = False
        else:
            in_notebook = get_ipython() is not None
        if not in_notebook:
            raise UsageError('no notebook to show the video in; write it with video.save("clip.gif")')
        display.display(self)

    def _repr_html_(self) -> str | None:
        """The videos in a row, inside the text; None, which shows numbers, for any other form of array."""
        if self.dtype != np.uint8 or self.ndim not in (4, 5) or self.shape[-1] not in (1, 3) or not self.size:
            return None
        videos = self if self.ndim == 5 else [self]
        return "\n".join(map(_image, videos))


def _image(video):
    data = base64.b64encode(encode_video(video, ".webp")).decode()
    return f'<img alt="a video of {len(video)} frames" src="data:image/webp;base64,{data}">'
