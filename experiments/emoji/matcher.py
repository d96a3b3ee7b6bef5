"""The matcher: which of many captions tells what a clip shows? Learnt from real clips alone.

A clip and a caption each become a vector, and a pair fits as well as their product is large (as in CLIP,
arXiv 2103.00020). A clip's is read off its frames, their mean and how they differ; a caption's is the sum of
its words', so that a tone and an emoji known from other pairs are known together.
"""

import pathlib
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict
from loops import words

from t2v_jax.nn.layers import Convolution

PATH = pathlib.Path(__file__).parent / "matcher.npz"
WIDTH = 96
FRAMES = 4  # of a clip, evenly spread
BATCH = 64


class ClipTower(nn.Module):
    """Clips [n, t, 64, 64, 3] in [0, 1] -> vectors [n, WIDTH] of length 1."""

    @nn.compact
    def __call__(self, clips):
        n, t = clips.shape[:2]
        images = 1 - clips.reshape(n * t, *clips.shape[2:])  # the ground is white
        for level, channels in enumerate((24, 48, 96)):
            images = nn.relu(Convolution(channels, 4, 2, name=f"down_{level}")(images))
        images = nn.relu(Convolution(128, name="last")(images))
        seen = jnp.concatenate([images.max((1, 2)), images.mean((1, 2))], axis=-1).reshape(n, t, -1)
        # Never zero, where a square root has no slope: many features are the same in all frames.
        change = jnp.sqrt(seen.var(1) + 1e-6)
        told = jnp.concatenate([seen.mean(1), change], axis=-1)
        return unit(nn.Dense(WIDTH, name="vector")(nn.relu(nn.Dense(2 * WIDTH, name="hidden")(told))))


class CaptionTower(nn.Module):
    """How often each word is in each caption [m, vocabulary] -> vectors [m, WIDTH] of length 1."""

    @nn.compact
    def __call__(self, counts):
        return unit(nn.Dense(WIDTH, use_bias=False, name="words")(counts))


class Matcher(nn.Module):
    """Clips and word counts -> how well each clip fits each caption, [n, m]."""

    @nn.compact
    def __call__(self, clips, counts):
        warmth = self.param("warmth", nn.initializers.constant(2.5), ())
        return jnp.exp(warmth) * ClipTower(name="clips")(clips) @ CaptionTower(name="captions")(counts).T


class Trained(NamedTuple):
    """Its arrays and its words, in the order of the counts."""

    arrays: Any
    vocabulary: list[str]

    def __call__(self, clips: np.ndarray, captions: list[str]) -> np.ndarray:
        """uint8 [n, t, 64, 64, 3], m captions -> scores [n, m]."""
        counts = count(captions, self.vocabulary)
        scores = jax.jit(Matcher().apply)
        parts = (clips[start : start + BATCH] for start in range(0, len(clips), BATCH))
        return np.concatenate([scores({"params": self.arrays}, spread(part) / 255, counts) for part in parts])


def unit(vectors):
    return vectors / jnp.sqrt(jnp.square(vectors).sum(-1, keepdims=True) + 1e-6)


def spread(clips):
    """FRAMES of each clip, from the first on."""
    return clips[:, :: clips.shape[1] // FRAMES]


def count(captions, vocabulary) -> np.ndarray:
    """float32 [m, vocabulary]; words that it lacks are not heard."""
    told = [words(caption) for caption in captions]
    return np.array([[caption.count(word) for word in vocabulary] for caption in told], np.float32)


def save(trained):
    """Write the matcher beside this file, as float16."""
    arrays = {name: np.float16(array) for name, array in flatten_dict(trained.arrays, sep="/").items()}
    np.savez_compressed(PATH, vocabulary=np.array(trained.vocabulary), **arrays)


def load() -> Trained:
    """The matcher that `train_matcher.py` wrote."""
    with np.load(PATH) as file:
        arrays = {name: jnp.float32(file[name]) for name in file.files if name != "vocabulary"}
        return Trained(unflatten_dict(arrays, sep="/"), file["vocabulary"].tolist())
