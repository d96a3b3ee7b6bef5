"""The picture of an explanation: frames in a row, under them for each word a bar in each frame."""

import numpy as np

from t2v_jax.inference.lettering import INK, PAPER, shortened, width, write
from t2v_jax.text.kinds import TAG_KINDS

COLUMNS = 16  # frames shown, spread evenly over the clip
CELL, GAP, MARGIN, NARROWEST = 64, 6, 16, 560  # pixels
ROW, BAR = 36, 11  # height of a word's row, and of each of its two bars
TITLE, WORD, NOTE = 17, 15, 11  # sizes of the letters
FAINT, EMPTY = "#6a6a6a", "#ededed"
MEANINGS = {"#1f6fc4": "appearance: what is seen", "#d9731a": "motion: how it moves"}


def draw(video, parse, attention) -> np.ndarray:
    """Video uint8 [frames, h, w, c], `Parse`, weights [frames, actors, 2, tokens] -> uint8 [h, w, 3]."""
    from PIL import Image, ImageDraw

    shown = np.linspace(0, len(video) - 1, min(COLUMNS, len(video))).round().astype(int)
    actors = attention.shape[1]
    labels = [_label(*token) for token in zip(parse.tokens, parse.tags, parse.kinds)]
    names = max(width(word, WORD) for word, _ in labels), max(width(note, NOTE) for _, note in labels)
    left = MARGIN + max(*names, width("object 1", WORD)) + 2 * GAP
    head = 2 * MARGIN + 4 * TITLE + CELL
    heading = ROW if actors > 1 else 0
    height = head + actors * (heading + ROW * len(labels)) + MARGIN
    across = max(left + len(shown) * (CELL + GAP) + MARGIN, NARROWEST)
    canvas = Image.new("RGB", (across, height), PAPER)
    pen = ImageDraw.Draw(canvas)
    _head(pen, across - 2 * MARGIN, parse)
    write(pen, (MARGIN, head - CELL - GAP - NOTE - 4), "frame", NOTE, FAINT)
    for column, number in enumerate(shown):
        place = left + column * (CELL + GAP), head - CELL - GAP
        canvas.paste(_thumbnail(video[number]), place)
        write(pen, (place[0], place[1] - NOTE - 4), str(number), NOTE, FAINT)
    for actor in range(actors):
        top = head + actor * (heading + ROW * len(labels)) + heading
        if heading:
            write(pen, (MARGIN, top - ROW + GAP), f"object {actor + 1}", WORD, INK)
        for row, label in enumerate(labels):
            _row(pen, left, top + row * ROW, label, attention[shown, actor, :, row])
    return np.asarray(canvas)


def _label(token, tag, kind):
    """A token's text, and what is known of it: its tag, what that means, and its kind of entity."""
    meaning = TAG_KINDS.get(tag[:2], "").rstrip("s")
    return token.piece.lstrip("▁"), ", ".join(filter(None, [tag, meaning, kind]))


def _head(pen, room, parse):
    """The sentence as far as it fits, and under it what the colours mean."""
    title = " ".join(token.piece.lstrip("▁") for token in parse.tokens)
    write(pen, (MARGIN, MARGIN), shortened(title, TITLE, room), TITLE, INK)
    x, y = MARGIN, MARGIN + TITLE + 2 * GAP
    for colour, meaning in MEANINGS.items():
        pen.rectangle((x, y + 2, x + NOTE - 2, y + NOTE), fill=colour)
        write(pen, (x + NOTE + 3, y), meaning, NOTE, INK)
        x += width(meaning, NOTE) + 3 * NOTE
    write(pen, (x, y), "a full bar is 100 % of the attention", NOTE, FAINT)


def _row(pen, left, top, label, weights):
    """A word with its bars: weights [columns, 2]."""
    word, note = label
    write(pen, (MARGIN, top), word, WORD, INK)
    write(pen, (MARGIN, top + WORD + 3), note, NOTE, FAINT)
    for column, pair in enumerate(weights):
        x = left + column * (CELL + GAP)
        for line, (weight, colour) in enumerate(zip(pair, MEANINGS)):
            y = top + 4 + line * (BAR + 2)
            pen.rectangle((x, y, x + CELL - 1, y + BAR - 1), fill=EMPTY)
            length = round(float(weight) * CELL)
            if length:
                pen.rectangle((x, y, x + length - 1, y + BAR - 1), fill=colour)


def _thumbnail(frame):
    from PIL import Image

    image = Image.fromarray(np.broadcast_to(frame, (*frame.shape[:2], 3)).copy())
    enlarged = image.width <= CELL
    return image.resize((CELL, CELL), Image.Resampling.NEAREST if enlarged else Image.Resampling.BOX)
