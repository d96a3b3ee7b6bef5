"""A contact sheet whose rows say what they are to show."""

from collections.abc import Sequence

import numpy as np

from t2v_jax.inference.lettering import INK, PAPER, width, wrapped, write
from t2v_jax.inference.video import contact_sheet

SIZE, LEADING, MARGIN = 12, 14, 4  # of the letters, from line to line, beside and above them: pixels
WIDEST = 180  # of a line, pixels


def captioned_sheet(clips: np.ndarray, captions: Sequence[str]) -> np.ndarray:
    """The `contact_sheet` of clips, all their frames, with the caption of each at the left of its row.

    uint8 [n, frames, height, width, 1 or 3], n captions -> uint8 [sheet height, sheet width, 3]. A caption
    is cut short where the height of a frame has no room for all its lines. Raises UsageError.
    """
    from PIL import Image, ImageDraw

    sheet, row = contact_sheet(clips), clips.shape[2] + 1
    lines = [wrapped(caption, SIZE, WIDEST, max(1, (row - MARGIN) // LEADING)) for caption in captions]
    widest = max((width(line, SIZE) for some in lines for line in some), default=0)
    column = Image.new("RGB", (widest + 2 * MARGIN, len(sheet)), PAPER)
    pen = ImageDraw.Draw(column)
    for number, some in enumerate(lines):
        for place, line in enumerate(some):
            write(pen, (MARGIN, number * row + place * LEADING), line, SIZE, INK)
    return np.concatenate([column, np.broadcast_to(sheet, (*sheet.shape[:2], 3))], axis=1)
