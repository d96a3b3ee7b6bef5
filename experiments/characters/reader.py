"""The reader: who is in a clip of a character, in which colours, and what they do.

It has learnt from real clips alone. The judges' network for frames reads eight of a clip, and their mean
log-probability decides.
"""

import functools
import pathlib
import re

import jax
import jax.numpy as jnp
import numpy as np
from absl import flags
from flax.traverse_util import flatten_dict, unflatten_dict

from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.evaluation.classifier import look, spread

DIRECTORY = flags.DEFINE_string("directory", "prepared/characters", "of the prepared clips")

PATH = pathlib.Path(__file__).parent / "reader.npz"
BATCH = 64
NONE = "none"  # orcs and skeletons have no hair, a dress leaves no pants to be seen
_DYES = ("red", "yellow", "green", "teal", "blue", "purple", "pink", "black", "white")
_HAIRS = ("black", "blond", "brown", "red", "green", "blue", "purple", "pink", "white")
ATTRIBUTES = {
    "who": ("woman", "man", "orc", "skeleton"),
    "hair": (*_HAIRS, NONE),
    "garment": ("shirt", "dress"),
    "garment's colour": _DYES,
    "pants": (*_DYES, NONE),
    "act": ("casts", "thrusts", "walks", "slashes", "shoots", "falls"),
    "direction": ("away", "left", "toward", "right", "down"),
}
COLOURS = ("hair", "garment's colour", "pants")
COUNTS = {name: len(values) for name, values in ATTRIBUTES.items()}
_CAPTION = re.compile(
    r"an? (\w+)(?: with (\w+) hair)? in a (\w+) (\w+)(?: and (\w+) pants)?"
    r" (\w+) .*?(away|left|toward|right|down)"
)


def wanted(captions) -> np.ndarray:
    """The index of each attribute's value that each caption asks for: int [n, attributes]."""
    return np.array([_asked(caption) for caption in captions])


def _asked(caption):
    who, hair, colour, garment, pants, act, direction = _CAPTION.match(caption).groups()
    told = who, hair or NONE, garment, colour, pants or NONE, act, direction
    return [values.index(value) for values, value in zip(ATTRIBUTES.values(), told)]


def named(values) -> np.ndarray:
    """Whether the caption that asks for values int [n, attributes] names each of them: bool."""
    none = [names.index(NONE) if NONE in names else -1 for names in ATTRIBUTES.values()]
    return values != np.array(none)


def on_black(clips):
    """The ground, which is white, as the network's padding is."""
    return 255 - clips


def read(parameters, clips) -> np.ndarray:
    """uint8 [n, t, 64, 64, 3] -> the likeliest value of each attribute, int [n, attributes]."""
    likeliest = jax.jit(functools.partial(_likeliest, parameters))
    frames = on_black(spread(clips))
    parts = [frames[start : start + BATCH] for start in range(0, len(frames), BATCH)]
    return np.concatenate([likeliest(part) for part in parts])


def _likeliest(parameters, clips):
    likely, *_ = look(COUNTS, parameters, clips)
    return jnp.stack([likely[name].argmax(-1) for name in ATTRIBUTES], axis=1)


def source(split) -> PreparedClips:
    """The real clips of a split, "train" or "test"."""
    return PreparedClips(DIRECTORY.value, split)


def save(parameters):
    """Write the reader beside this file, as float16."""
    flat = flatten_dict(parameters, sep="/")
    np.savez_compressed(PATH, **{name: np.float16(array) for name, array in flat.items()})


def load() -> dict:
    """The parameters that `train.py` wrote."""
    with np.load(PATH) as arrays:
        return unflatten_dict({name: np.float32(arrays[name]) for name in arrays.files}, sep="/")
