"""Photographs of two packages, by what they show."""

import functools
import pathlib

from absl import flags

_PHOTOGRAPHS = flags.DEFINE_string("photographs", None, "Directory of the two packages.", required=True)

_DATA, _NATURE = "usr/share/doc/opencv-doc/examples/data", "usr/share/backgrounds/mate/nature"
PHOTOGRAPHS = {
    "a drop of water": f"{_NATURE}/Aqua.jpg",
    "a green leaf": f"{_NATURE}/Blinds.jpg",
    "a dune by the sea": f"{_NATURE}/Dune.jpg",
    "an orange flower": f"{_NATURE}/FreshFlower.jpg",
    "a red flower": f"{_NATURE}/Garden.jpg",
    "green grass": f"{_NATURE}/GreenMeadow.jpg",
    "blades of grass with drops": f"{_NATURE}/RainDrops.jpg",
    "dark clouds": f"{_NATURE}/Storm.jpg",
    "white wood": f"{_NATURE}/Wood.jpg",
    "a yellow flower": f"{_NATURE}/YellowFlower.jpg",
    "a plant in a pot": f"{_DATA}/aloeL.jpg",
    "an apple": f"{_DATA}/apple.jpg",
    "the face of a baboon": f"{_DATA}/baboon.jpg",
    "a white building": f"{_DATA}/building.jpg",
    "a butterfly": f"{_DATA}/butterfly.jpg",
    "fruits": f"{_DATA}/fruits.jpg",
    "a yellow palace": f"{_DATA}/home.jpg",
    "a squirrel": f"{_DATA}/squirrel_cls.jpg",
    "an orange": f"{_DATA}/orange.jpg",
    "a painted wall": f"{_DATA}/graf1.png",
    "brick houses": f"{_DATA}/leuvenA.jpg",
    "wooden toys": f"{_DATA}/rubberwhale1.png",
}
_SIDE = 480  # pixels: large enough for any part that a clip shows


@functools.cache
def photograph(name: str):
    """What `name` tells, an RGB image whose shorter side is 480 pixels or less."""
    from PIL import Image

    image = Image.open(pathlib.Path(_PHOTOGRAPHS.value, PHOTOGRAPHS[name])).convert("RGB")
    shrink = min(1, _SIDE / min(image.size))
    return image.resize([round(side * shrink) for side in image.size], Image.Resampling.BOX)
