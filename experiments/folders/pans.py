"""Makes a folder of pans and zooms over photographs.

    apt-get download mate-backgrounds opencv-doc && for deb in *.deb; do dpkg-deb -x $deb photographs; done
    python experiments/folders/pans.py --photographs=photographs --output=pans

A clip is told as "the camera pans left over a dune by the sea"; where it begins and its pace are not told.
"""

import random
from typing import NamedTuple

import folder
import numpy as np
import scenes
from absl import app
from photographs import PHOTOGRAPHS, photograph

MOVES = {  # how the window's left, top and logarithm of its side change
    "pans left over": (-1, 0, 0),
    "pans right over": (1, 0, 0),
    "pans up over": (0, -1, 0),
    "pans down over": (0, 1, 0),
    "zooms in on": (0, 0, -1),
    "zooms out from": (0, 0, 1),
}
_SIDES = (0.5, 0.57)  # of the smaller window, over the photograph's shorter side
_TRAVELS = (0.3, 0.55)  # of a window's side, or of the logarithm of one


class Scene(NamedTuple):
    """A move over a photograph: the window's left upper corner (0 to 1 of the room), side and travel."""

    photograph: str
    move: str
    place: tuple[float, float]
    side: float
    travel: float

    @property
    def caption(self) -> str:
        """What the clip shows."""
        return f"the camera {self.move} {self.photograph}"


def draw(rng: random.Random) -> Scene:
    """Any move over any photograph."""
    name, move = rng.choice(list(PHOTOGRAPHS)), rng.choice(list(MOVES))
    place = rng.random(), rng.random()
    return Scene(name, move, place, rng.uniform(*_SIDES), rng.uniform(*_TRAVELS))


def render(scene: Scene) -> np.ndarray:
    """The clip of a scene: uint8 [frames, height, width, 3]."""
    from PIL import Image

    image, move = photograph(scene.photograph), np.array(MOVES[scene.move])
    side = scene.side * min(image.size)
    steps = np.linspace(0, scene.travel, folder.FRAMES)[:, None] * np.abs(move)
    if move.sum() < 0:
        steps = steps[::-1]
    centres, halves = side * steps[:, :2], side * np.exp(steps[:, 2:]) / 2
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    boxes += np.tile(scene.place * (image.size - (high - low)) - low, 2)
    shape = folder.SIZE, folder.SIZE
    return np.stack([np.asarray(image.resize(shape, Image.Resampling.LANCZOS, tuple(box))) for box in boxes])


main = folder.command(lambda: scenes.made_up(draw), render)

if __name__ == "__main__":
    app.run(main)
