"""Makes a folder of emoji that pass behind or in front of others, over gradients and photographs.

    pip install resvg_py
    npm pack @iconify-json/{noto,twemoji,fluent-emoji-flat,emojione,openmoji}
    apt-get download mate-backgrounds opencv-doc && for deb in *.deb; do dpkg-deb -x $deb photographs; done
    python experiments/folders/hidden.py --icons=. --photographs=photographs --output=hidden

A clip is told as "a banana moving left behind a cat"; the ground is not told.
"""

import random
from typing import NamedTuple

import folder
import icons
import numpy as np
import scenes
from absl import app
from photographs import PHOTOGRAPHS, photograph
from ways import DIRECTIONS, start

MOVING, STANDING = 20, 26  # pixels
ORDERS = ("behind", "in front of")
_TRAVELS = (30, 42)  # pixels from the first frame to the last
_SIDES = (0.4, 1.0)  # of a ground's part of a photograph, over its shorter side


class Gradient(NamedTuple):
    """From a colour in the left upper corner to one in the right lower corner."""

    first: tuple[int, int, int]
    last: tuple[int, int, int]

    def paint(self):
        """An RGBA image."""
        from PIL import Image

        ramp = np.linspace(0, 0.5, folder.SIZE)
        share = (ramp[:, None] + ramp)[..., None]
        pixels = (1 - share) * self.first + share * self.last
        return Image.fromarray(pixels.round().astype(np.uint8)).convert("RGBA")


class Part(NamedTuple):
    """A square of a photograph: its left upper corner (0 to 1 of the room) and side."""

    name: str
    place: tuple[float, float]
    side: float

    def paint(self):
        """An RGBA image."""
        from PIL import Image

        image = photograph(self.name)
        side = self.side * min(image.size)
        left, top = (share * (length - side) for share, length in zip(self.place, image.size))
        box, shape = (left, top, left + side, top + side), (folder.SIZE, folder.SIZE)
        return image.resize(shape, Image.Resampling.LANCZOS, box).convert("RGBA")


class Scene(NamedTuple):
    """A thing that moves past one that stands; `start` and `stand` are left upper corners."""

    things: tuple[str, str]
    styles: tuple[str, str]
    direction: str
    order: str
    start: tuple[float, float]
    travel: float
    stand: tuple[int, int]
    background: Gradient | Part

    @property
    def caption(self) -> str:
        """What the clip shows."""
        moving, standing = self.things
        return f"a {moving} moving {self.direction} {self.order} a {standing}"


def draw(rng: random.Random) -> Scene:
    """A scene in which the way leads over the thing that stands, and both stay within the frame."""
    things = tuple(rng.sample(list(icons.THINGS), 2))
    styles = rng.choice(icons.STYLES), rng.choice(icons.STYLES)
    direction, order = rng.choice(list(DIRECTIONS)), rng.choice(ORDERS)
    travel = rng.uniform(*_TRAVELS)
    way = tuple(travel * step for step in DIRECTIONS[direction])
    corner = start(way, MOVING, rng)
    middle = (first + along / 2 + (MOVING - STANDING) / 2 for first, along in zip(corner, way))
    stand = tuple(_within(round(place + rng.uniform(-3, 3)), folder.SIZE - STANDING) for place in middle)
    return Scene(things, styles, direction, order, corner, travel, stand, _ground(rng))


def _within(value: int, room: int) -> int:
    return min(max(value, 0), room)


def _ground(rng: random.Random) -> Gradient | Part:
    if rng.random() < 0.5:
        return Gradient(*(tuple(rng.randrange(256) for _ in range(3)) for _ in range(2)))
    place = rng.random(), rng.random()
    return Part(rng.choice(list(PHOTOGRAPHS)), place, rng.uniform(*_SIDES))


def render(scene: Scene) -> np.ndarray:
    """The clip of a scene: uint8 [frames, height, width, 3]."""
    sizes = MOVING, STANDING
    moving, standing = map(icons.picture, scene.things, scene.styles, sizes)
    background, way = scene.background.paint(), np.array(DIRECTIONS[scene.direction]) * scene.travel
    frames = []
    for share in np.linspace(0, 1, folder.FRAMES):
        frame = background.copy()
        corner = tuple(map(int, np.rint(scene.start + share * way)))
        laid = [(moving, corner), (standing, scene.stand)]
        for picture, place in laid if scene.order == "behind" else reversed(laid):
            frame.alpha_composite(picture, place)
        frames.append(np.asarray(frame.convert("RGB")))
    return np.stack(frames)


main = folder.command(lambda: scenes.made_up(draw), render)

if __name__ == "__main__":
    app.run(main)
