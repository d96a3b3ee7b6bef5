"""Makes a folder of emoji in five drawing styles that go about on a plain ground.

    pip install resvg_py
    npm pack @iconify-json/{noto,twemoji,fluent-emoji-flat,emojione,openmoji}
    python experiments/folders/plain.py --icons=. --output=plain

A clip is told as "a small red apple moving left"; its style, start and pace are not told.
"""

import random
from typing import NamedTuple

import folder
import icons
import numpy as np
import scenes
from absl import app, flags
from ways import DIRECTIONS, start

_GROUND = flags.DEFINE_string("ground", "white", "Colour of the ground, by name or #rrggbb.")
_SIZE = flags.DEFINE_integer("size", folder.SIZE, "Height and width of a frame, pixels.", lower_bound=16)

# Lengths are pixels in a frame of 64, and scale with the frame.
SIZES = {"small": 14, "large": 24}
PACES = (0.8, 2.5)  # a frame


class Scene(NamedTuple):
    """A thing in a style; `start` is the left upper corner, `pace` in pixels a frame."""

    thing: str
    style: str
    size: str
    direction: str
    start: tuple[float, float]
    pace: float

    @property
    def caption(self) -> str:
        """What the clip shows."""
        return f"a {self.size} {self.thing} moving {self.direction}"


def draw(rng: random.Random) -> Scene:
    """A scene in which the thing stays within the frame."""
    chosen = [rng.choice(list(kind)) for kind in (icons.THINGS, icons.STYLES, SIZES, DIRECTIONS)]
    thing, style, size, direction = chosen
    pace = rng.uniform(*PACES)
    way = tuple(pace * (folder.FRAMES - 1) * step for step in DIRECTIONS[direction])
    return Scene(thing, style, size, direction, start(way, SIZES[size], rng), pace)


def render(scene: Scene) -> np.ndarray:
    """The clip of a scene: uint8 [frames, height, width, 3]."""
    from PIL import Image

    scale = _SIZE.value / folder.SIZE
    picture = icons.picture(scene.thing, scene.style, round(SIZES[scene.size] * scale))
    step = np.array(DIRECTIONS[scene.direction]) * scene.pace
    frames = []
    for time in range(folder.FRAMES):
        frame = Image.new("RGBA", (_SIZE.value,) * 2, _GROUND.value)
        frame.alpha_composite(picture, tuple(map(int, np.rint((scene.start + time * step) * scale))))
        frames.append(np.asarray(frame.convert("RGB")))
    return np.stack(frames)


main = folder.command(lambda: scenes.made_up(draw), render)

if __name__ == "__main__":
    app.run(main)
