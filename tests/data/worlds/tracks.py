"""Where the paint of a clip is."""

import numpy as np


def track(clip):
    """[frames, height, width, channels] -> [frames, 2]: the row and column of the paint's centroid."""
    paint = clip.sum(-1, dtype=float)
    rows, columns = np.indices(paint.shape[1:])
    moments = np.stack([(paint * rows).sum((1, 2)), (paint * columns).sum((1, 2))], 1)
    return moments / paint.sum((1, 2))[:, None]
