"""The networks of the classifiers: one reads frames, one reads tracks."""

import re

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

SIZE = 64  # height and width of the frames that a network sees, pixels
POINTS = 16  # of a track
FRAME_FEATURES = 96
_LAYERS = ((16, 4, 2), (48, 4, 2), (48, 3, 1), (96, 4, 2), (FRAME_FEATURES, 3, 1))  # channels, size, stride


class FrameNetwork(nn.Module):
    """Frames [n, h, w, c] in [0, 1] -> logits [n, values] of appearance, features [n, 96], evidence.

    Strides come early, for speed; the maximum over places makes the object's place irrelevant. The
    evidence [n, h / 8, w / 8, values] is what each place would say alone (class activation maps,
    Zhou et al., arXiv 1512.04150).
    """

    values: int

    @nn.compact
    def __call__(self, frames):
        for level, (channels, size, stride) in enumerate(_LAYERS):
            convolution = nn.Conv(
                channels,
                (size, size),
                (stride, stride),
                kernel_init=nn.initializers.he_normal(),
                name=f"convolution_{level}",
            )
            frames = nn.relu(convolution(frames))
        features, values = frames.max((1, 2)), nn.Dense(self.values, name="values")
        return values(features), features, values(frames)


class TrackNetwork(nn.Module):
    """Tracks [n, POINTS, 2], shares of the frame -> logits [n, values] of motion, features [n, 32].

    Where the track lies is irrelevant.
    """

    values: int

    @nn.compact
    def __call__(self, tracks):
        moves = tracks - tracks.mean(1, keepdims=True)
        features = moves.reshape(len(moves), -1)
        for level, width in enumerate((64, 32)):
            features = nn.relu(nn.Dense(width, name=f"hidden_{level}")(features))
        return nn.Dense(self.values, name="values")(features), features


def count_objects(attributes) -> int:
    """How many objects a clip shows, each with attributes of all kinds."""
    return len(attributes) // len({kind(name) for name in attributes})


def kind(name: str) -> str:
    """What an attribute is of whichever object: digit_1 and digit_2 are both a digit."""
    return re.sub(r"_\d+$", "", name)


def appearance(world) -> dict[str, int]:
    """The kinds of attributes that a single frame shows -> the number of their values."""
    attributes = world.attributes.items()
    return {kind(name): len(values) for name, values in attributes if kind(name) not in world.temporal}


def movement(world) -> dict[str, int]:
    """The kinds that only a clip shows -> the number of their values, and one for standing still."""
    attributes = world.attributes.items()
    return {kind(name): len(values) + 1 for name, values in attributes if kind(name) in world.temporal}


def split(logits, counts: dict[str, int]) -> dict:
    """Logits [..., sum of counts] -> those of each kind, [..., count]."""
    ends = np.cumsum([*counts.values()])[:-1]
    return dict(zip(counts, jnp.split(logits, ends, axis=-1)))
