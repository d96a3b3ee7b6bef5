"""Makes a folder of pixel-art characters who do something, put together from the LPC sheets.

    git clone https://github.com/makrohn/Universal-LPC-spritesheet lpc
    python experiments/folders/characters.py --sheets=lpc --clips=10000 --output=characters

A clip is told as "a woman with red hair in a teal shirt and blue pants casts a spell to the left". The
colours of hair, shirt and pants are chosen apart; skin, hair style, cut and shoes are not told.
"""

import functools
import pathlib
import random
from typing import NamedTuple

import folder
import numpy as np
import scenes
from absl import app, flags

_SHEETS = flags.DEFINE_string("sheets", None, "Directory of the LPC sheets.", required=True)

_CELL = 64  # pixels; a sheet has an act in each row, or in four: seen from behind, left, front, right
_WHITE = 200  # how bright the white clothes are that are dyed
_WALKS = ("away", "left", "toward us", "right")
_FACES = ("away from us", "to the left", "toward us", "to the right")


class Act(NamedTuple):
    """A deed: the row of its first direction, the columns of a loop, and the sheets of what is held."""

    verb: str
    row: int
    columns: tuple[int, ...]
    held: tuple[str, ...] = ()
    directions: tuple[str, ...] = _FACES


class Person(NamedTuple):
    """Someone: the sex whose clothes fit, body sheets, hair styles (none: bald) and cuts of shirts."""

    name: str
    sex: str
    bodies: tuple[str, ...]
    hairs: tuple[str, ...]
    shirts: tuple[str, ...]


class Layer(NamedTuple):
    """A sheet, and the colour to dye it with, if any."""

    sheet: str
    dye: tuple[int, int, int] | None = None


class Scene(NamedTuple):
    """Layers from the lowest on, and the cells of a loop in them."""

    caption: str
    layers: tuple[Layer, ...]
    row: int
    columns: tuple[int, ...]


ACTS = (
    Act("casts a spell", 0, tuple(range(7))),
    Act("thrusts a spear", 4, tuple(range(8)), ("weapons/both hand/spear",)),
    Act("walks", 8, tuple(range(1, 9)), directions=_WALKS),
    Act("slashes with a dagger", 12, tuple(range(6)), ("weapons/right hand/{sex}/dagger_{sex}",)),
    Act(
        "shoots an arrow",
        16,
        tuple(range(13)),
        ("weapons/right hand/either/bow", "weapons/left hand/either/arrow"),
    ),
    Act("falls", 20, (*range(5), *[5] * (folder.FRAMES - 5)), directions=("down",)),
)
_SKINS = ("light", "tanned", "tanned2", "dark", "dark2")
_SHORT = ("bangs", "bangslong2", "jewfro", "messy1", "messy2", "page", "parted", "plain")
_LONG = ("pixie", "ponytail", "shoulderl", "shoulderr", "xlong")
_SHIRTS = ("shirts/longsleeve/male/white_longsleeve",)
_BLOUSES = ("tunics/female/white_tunic", "shirts/sleeveless/female/white_sleeveless")
PEOPLE = {  # and how often
    Person("a woman", "female", _SKINS, _SHORT + _LONG, _BLOUSES): 4,
    Person("a man", "male", _SKINS, _SHORT, _SHIRTS): 4,
    Person("an orc", "male", ("orc",), (), _SHIRTS): 1,
    Person("a skeleton", "male", ("skeleton",), (), _SHIRTS): 1,
}
HAIRS = {  # how a caption calls a colour: its name in the sheets
    "black": "black",
    "blond": "blonde",
    "brown": "brunette",
    "red": "redhead",
    "green": "green2",
    "blue": "blue",
    "purple": "purple",
    "pink": "pink2",
    "white": "white",
}
DYES = {
    "red": (225, 45, 40),
    "yellow": (255, 225, 60),
    "green": (50, 165, 60),
    "teal": (0, 170, 170),
    "blue": (50, 90, 225),
    "purple": (140, 60, 190),
    "pink": (255, 130, 185),
    "black": (55, 55, 60),
    "white": (255, 255, 255),
}
_SHOES = ("black", "brown", "maroon")
_DRESSED = 0.3  # of women


def draw(rng: random.Random) -> Scene:
    """Someone who does something."""
    (person,) = rng.choices(list(PEOPLE), PEOPLE.values())
    act = rng.choice(ACTS)
    direction = rng.randrange(len(act.directions))
    hair, hair_layers = _hair(person, rng)
    clothes, clothes_layers = _clothes(person, rng)
    caption = f"{person.name}{hair} in {clothes} {act.verb} {act.directions[direction]}"
    body = Layer(f"body/{person.sex}/{rng.choice(person.bodies)}")
    held = [Layer(sheet.format(sex=person.sex)) for sheet in act.held]
    return Scene(caption, (body, *clothes_layers, *hair_layers, *held), act.row + direction, act.columns)


def _hair(person: Person, rng: random.Random) -> tuple[str, list[Layer]]:
    if not person.hairs:
        return "", []
    colour, style = rng.choice(list(HAIRS)), rng.choice(person.hairs)
    return f" with {colour} hair", [Layer(f"hair/{person.sex}/{style}/{HAIRS[colour]}")]


def _clothes(person: Person, rng: random.Random) -> tuple[str, list[Layer]]:
    sex, upper, lower = person.sex, rng.choice(list(DYES)), rng.choice(list(DYES))
    if sex == "female" and rng.random() < _DRESSED:
        return f"a {upper} dress", [Layer("torso/dress_female/underdress", DYES[upper])]
    shoes = Layer(f"feet/shoes/{sex}/{rng.choice(_SHOES)}_shoes_{sex}")
    pants = Layer(f"legs/pants/{sex}/white_pants_{sex}", DYES[lower])
    shirt = Layer(f"torso/{rng.choice(person.shirts)}", DYES[upper])
    return f"a {upper} shirt and {lower} pants", [shoes, pants, shirt]


def render(scene: Scene) -> np.ndarray:
    """The clip of a scene, its loop repeated: uint8 [frames, height, width, 3]."""
    from PIL import Image

    pictures = []
    for column in scene.columns:
        picture = Image.new("RGBA", (_CELL, _CELL), "white")
        for layer in scene.layers:
            picture.alpha_composite(_dyed(_cell(layer.sheet, scene.row, column), layer.dye))
        pictures.append(np.asarray(picture.convert("RGB")))
    return np.stack([pictures[time % len(pictures)] for time in range(folder.FRAMES)])


def _cell(sheet: str, row: int, column: int):
    left, top = _CELL * column, _CELL * row
    return _sheet(sheet).crop((left, top, left + _CELL, top + _CELL))


@functools.lru_cache(64)
def _sheet(name: str):
    from PIL import Image

    return Image.open(pathlib.Path(_SHEETS.value, name).with_suffix(".png")).convert("RGBA")


def _dyed(picture, dye: tuple[int, int, int] | None):
    """White clothes in a colour."""
    if dye is None:
        return picture
    gains = [colour / _WHITE for colour in dye]
    return picture.point([min(255, round(value * gain)) for gain in (*gains, 1) for value in range(256)])


main = folder.command(lambda: scenes.made_up(draw), render)

if __name__ == "__main__":
    app.run(main)
