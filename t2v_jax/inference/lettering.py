"""Words in pictures, in the font that comes with Pillow."""

import bisect
import functools

INK, PAPER = "#202020", "white"


def write(pen, place: tuple[int, int], text: str, size: int, colour: str) -> None:
    """Writes a line with a `PIL.ImageDraw` pen; `place` is its left upper corner, `size` in pixels."""
    pen.text(place, text, fill=colour, font=_font(size))


def width(text: str, size: int) -> int:
    """How wide a line is, pixels."""
    return round(_font(size).getlength(text))


def shortened(text: str, size: int, room: int) -> str:
    """The text as far as it fits into `room` pixels, ending in … where some is left out."""
    if width(text, size) <= room:
        return text
    longer = bisect.bisect_right(range(len(text)), room, key=lambda kept: width(f"{text[:kept]}…", size))
    return f"{text[: max(longer - 1, 0)]}…"


def wrapped(text: str, size: int, room: int, most: int) -> list[str]:
    """The text in at most so many lines of `room` pixels, broken between words, the last one `shortened`."""
    lines, words = [], text.split()
    while words and len(lines) < most - 1:
        fitting = 1
        while fitting < len(words) and width(" ".join(words[: fitting + 1]), size) <= room:
            fitting += 1
        lines.append(shortened(" ".join(words[:fitting]), size, room))
        words = words[fitting:]
    return lines + [shortened(" ".join(words), size, room)] * bool(words)


@functools.cache
def _font(size):
    from PIL import ImageFont

    return ImageFont.load_default(size)
