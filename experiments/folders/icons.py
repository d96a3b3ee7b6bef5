"""Emoji of five packages, each in a drawing style of its own."""

import functools
import io
import json
import pathlib
import tarfile

from absl import flags

_ICONS = flags.DEFINE_string("icons", None, "Directory of the five packages of emoji.", required=True)

STYLES = ("noto", "twemoji", "fluent-emoji-flat", "emojione", "openmoji")
THINGS = {  # how a caption calls a thing: its name in the packages
    "red apple": "red-apple",
    "banana": "banana",
    "slice of pizza": "pizza",
    "hamburger": "hamburger",
    "cat": "cat-face",
    "penguin": "penguin",
    "fish": "fish",
    "butterfly": "butterfly",
    "red heart": "red-heart",
    "star": "star",
    "guitar": "guitar",
    "soccer ball": "soccer-ball",
    "car": "automobile",
    "rocket": "rocket",
    "rose": "rose",
    "cactus": "cactus",
}


@functools.cache
def picture(thing: str, style: str, size: int):
    """A thing as a square RGBA image."""
    import resvg_py
    from PIL import Image

    icons = _icons(style)
    icon = icons["icons"][THINGS[thing]]
    side = icon.get("width", icons["width"])
    source = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">{icon["body"]}</svg>'
    png = resvg_py.svg_to_bytes(svg_string=source, width=size, height=size, skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


@functools.cache
def _icons(style: str) -> dict:
    (package,) = pathlib.Path(_ICONS.value).glob(f"iconify-json-{style}-[0-9]*.tgz")
    with tarfile.open(package) as tar:
        return json.load(tar.extractfile("package/icons.json"))
