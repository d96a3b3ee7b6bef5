"""DiffAugment for clips: D sees real and generated clips changed in the same ways (arXiv 2006.10738).

So it cannot learn few clips by heart, and G need not paint the changes, for its gradient passes through them.
All frames of a clip are changed in the same way: what moves goes on moving as it did.
"""

import jax
import jax.numpy as jnp

from t2v_jax import registry
from t2v_jax.nn.geometry import place

SHARE = 1 / 8  # of the frame's side, by which a clip is shifted at most
HOLE = 1 / 2  # of the frame's side: a side of the square that is cut out


def translation(key, clips, background):
    """Each clip shifted by up to an eighth of the frame; what comes in is empty."""
    size = clips.shape[2]
    centres = 0.5 + jax.random.randint(key, (len(clips), 1, 2), *_shifts(size)) / size
    centres = jnp.broadcast_to(centres, (*clips.shape[:2], 2))
    return place(clips - background, centres, size) + background


def cutout(key, clips, _):
    """A square of half the frame's side somewhere in each clip, as far as it is inside, is gray."""
    size = clips.shape[2]
    centres = jax.random.randint(key, (len(clips), 2, 1), 0, size)
    far = jnp.abs(jnp.arange(size)[None, None] - centres) >= size * HOLE / 2
    seen = far[:, 0, :, None] | far[:, 1, None, :]
    return clips * seen[:, None, :, :, None]


def color(key, clips, _):
    """Brightness, saturation and contrast of each clip, about as much as in DiffAugment."""
    shape = len(clips), 1, 1, 1, 1
    bright, saturated, contrasted = jax.random.uniform(key, (3, *shape))
    clips = clips + bright - 0.5
    gray = clips.mean(-1, keepdims=True)
    clips = gray + 2 * saturated * (clips - gray)
    middle = clips.mean((1, 2, 3, 4), keepdims=True)
    return middle + (0.5 + contrasted) * (clips - middle)


def augment(key, clips, names, background=-1.0):
    """Change clips [b, t, h, w, c] in [-1, 1] by the named augmentations, each clip in its own way.

    `background` is the brightness where nothing is.
    """
    for number, name in enumerate(names):
        change = registry.resolve("augmentation", name)
        clips = change(jax.random.fold_in(key, number), clips, background)
    return clips


def _shifts(size):
    furthest = round(size * SHARE)
    return -furthest, furthest + 1
