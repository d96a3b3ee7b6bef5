"""Another colour behind what a video shows, where its background is one flat colour."""

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.inference.video_array import Video

TOLERANCE = 14  # levels of 255 by which background differs from its colour
FAINTEST = 64  # levels by which the border of a thing differs, or is taken for noise in part
SMALLEST_SHARE = 0.5  # of the edge of the frames, in the colour of the background


def parse_color(text: str) -> tuple[int, int, int]:
    """Red, green and blue of a name or code as on web pages: navy, #203040. Raises UsageError."""
    from PIL import ImageColor

    try:
        return ImageColor.getrgb(text)[:3]
    except ValueError as error:
        raise UsageError(f"--background={text}; expected a colour, as navy or #203040") from error


def replace_background(video: np.ndarray, color: tuple[int, int, int]) -> Video:
    """uint8 [frames, h, w, 1 or 3] -> uint8 [frames, h, w, 3], the background in that colour.

    Background is what has the colour of most of the frames' edge and is connected with it, so that a white
    shirt stays white before white. Pixels beside it are mixtures, by the share that is not background (image
    matting: p = a F + (1 - a) B). Raises UsageError where less than half of the edge has one colour.
    """
    video = np.broadcast_to(video, (*video.shape[:3], 3)).astype(np.float32)
    edge = np.concatenate([video[:, [0, -1]].reshape(-1, 3), video[:, :, [0, -1]].reshape(-1, 3)])
    old = np.median(edge, axis=0)
    if (np.abs(edge - old).max(-1) <= TOLERANCE).mean() < SMALLEST_SHARE:
        raise UsageError(
            "the whole frame changes, there is no background of one colour; leave out --background"
        )
    behind = np.stack([1 - _opacity(frame, old) for frame in video])[..., None]
    replaced = video + behind * (np.asarray(color, np.float32) - old)
    return np.clip(replaced.round(), 0, 255).astype(np.uint8).view(Video)


def _opacity(frame, background):
    """0 in the background, 1 in things, between at their borders: [h, w, 3], [3] -> [h, w]."""
    from scipy import ndimage

    distance = np.abs(frame - background).max(-1)
    regions, _ = ndimage.label(distance <= TOLERANCE)
    at_edge = np.unique(np.concatenate([*regions[[0, -1]], *regions[:, [0, -1]].T]))
    empty = np.isin(regions, at_edge[at_edge > 0])
    border = ndimage.binary_dilation(empty, np.ones((3, 3))) & ~empty
    # A border pixel is a mixture of the background and of the colour beside it, or else a faint speck.
    share = distance / np.maximum(ndimage.maximum_filter(distance, 3), FAINTEST)
    return np.where(empty, 0, np.where(border, share, 1))
