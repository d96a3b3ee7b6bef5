"""The caption-clip matcher: how well does a clip fit a caption?

A clip and a caption each become a vector of length 1; they fit as well as their product is large (CLIP,
Radford et al. 2021, arXiv 2103.00020). It learns from real clips alone, see `matcher_training`.
"""

import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from t2v_jax.errors import UsageError
from t2v_jax.evaluation.statistics import share
from t2v_jax.nn.layers import Convolution
from t2v_jax.runtime.files import local_path, write_atomically
from t2v_jax.runtime.jit import BackendJit
from t2v_jax.text.words import fold_case, split_words

FRAMES = 8  # of a clip, evenly spread
SIDE = 64  # of a frame, pixels, at most
WIDTH = 128  # of a vector
FEATURES = 256
_SHARPEST = 100  # of the scale of the products, as CLIP's
_CLIPS_AT_ONCE = 64


class Vocabulary:
    """Terms by number, from 1 on: the words of captions and each two words side by side.

    The order of words says who does what: "a cat behind a banana" has other pairs than "a banana
    behind a cat".
    """

    def __init__(self, terms: Sequence[str]):
        self.terms = list(terms)
        self._numbers = {term: number for number, term in enumerate(self.terms, 1)}

    @classmethod
    def of(cls, captions: Iterable[str]) -> "Vocabulary":
        """All terms of some captions."""
        return cls(sorted({term for caption in captions for term in _terms(caption)}))

    def __call__(self, captions: Sequence[str]) -> np.ndarray:
        """Numbers int32 [m, n], each row filled up with 0; terms that no caption had are left out."""
        rows = [[self._numbers[term] for term in _terms(c) if term in self._numbers] for c in captions]
        longest = max(map(len, rows))
        # As few lengths as possible: each is a program to compile.
        places = 8 * max(1, -(-longest // 8))
        return np.array([row + [0] * (places - len(row)) for row in rows], np.int32)


def _terms(caption: str) -> list[str]:
    words = [fold_case(word) for word in split_words(caption)]
    return words + [" ".join(pair) for pair in zip(["", *words], [*words, ""])]


class ClipEncoder(nn.Module):
    """Frames [n, FRAMES, h, w, c] in [-1, 1] -> vectors [n, WIDTH] of length 1, features [n, FEATURES].

    Few frames are seen finely, for what things look like, and all of them coarsely, for how they move
    (Feichtenhofer et al. 2019, arXiv 1812.03982).
    """

    @nn.compact
    def __call__(self, frames):
        seen = jnp.concatenate(
            [Appearance(name="appearance")(frames), Motion(name="motion")(frames)], axis=-1
        )
        features = nn.relu(nn.Dense(FEATURES, name="features")(seen))
        return _unit(nn.Dense(WIDTH, name="vector")(features)), features


class Appearance(nn.Module):
    """Frames [n, FRAMES, h, w, c] -> what is seen in two of them, wherever and whenever, [n, 2 * 96]."""

    @nn.compact
    def __call__(self, frames):
        chosen = frames[:, FRAMES // 4 :: FRAMES // 2]
        images = chosen.reshape(-1, *frames.shape[2:])
        for level, (channels, size) in enumerate(((24, 4), (48, 4), (96, 3))):
            images = nn.relu(Convolution(channels, size, 2, name=f"down_{level}")(images))
        return _pooled(images).reshape(*chosen.shape[:2], -1).max(1)


class Motion(nn.Module):
    """Frames [n, FRAMES, h, w, c] -> what is seen in all, and in either half of them, [n, 6 * 64].

    Patches of two frames (tubelets, Arnab et al. 2021, arXiv 2103.15691), then convolutions that see those
    before and after, so that directions can be told apart.
    """

    @nn.compact
    def __call__(self, frames):
        n, pairs = len(frames), FRAMES // 2
        images = jnp.concatenate([frames[:, ::2], frames[:, 1::2]], axis=-1)
        images = images.reshape(n * pairs, *images.shape[2:])
        images = nn.relu(Convolution(16, 4, 4, name="patches")(images))
        for level, channels in enumerate((32, 64)):
            images = Convolution(channels, 3, 2, name=f"down_{level}")(_with_neighbours(images, pairs))
            images = nn.relu(images)
        halves = _pooled(images).reshape(n, 2, pairs // 2, -1)  # what comes first, what comes later
        return jnp.concatenate([halves.max((1, 2)), halves.mean(2).reshape(n, -1)], axis=-1)


def _pooled(images):
    """Maximum and mean over places: [n, h, w, c] -> [n, 2 * c]."""
    return jnp.concatenate([images.max((1, 2)), images.mean((1, 2))], axis=-1)


class CaptionEncoder(nn.Module):
    """Numbers of terms, int [m, n], 0 for none -> vectors [m, WIDTH] of length 1.

    A sum over terms: a word known from other captions means the same in a new one.
    """

    terms: int

    @nn.compact
    def __call__(self, numbers):
        vectors = self.param("vectors", nn.initializers.normal(0.1), (self.terms + 1, WIDTH))
        return _unit((vectors[numbers] * (numbers > 0)[..., None]).sum(1))


class MatcherNetwork(nn.Module):
    """Frames as `ClipEncoder`, numbers as `CaptionEncoder` -> logits [n, m]."""

    terms: int

    def setup(self):
        self.clips, self.captions = ClipEncoder(), CaptionEncoder(self.terms)
        self.log_scale = self.param("log_scale", nn.initializers.constant(np.log(1 / 0.07)), ())

    def __call__(self, frames, numbers):
        scale = jnp.exp(jnp.minimum(self.log_scale, np.log(_SHARPEST)))
        return scale * self.clips(frames)[0] @ self.captions(numbers).T


def _with_neighbours(images, times):
    """Images [n * times, h, w, c], each with those before and after it: [n * times, h, w, 3 * c]."""
    clips = images.reshape(-1, times, *images.shape[1:])
    before, after = (np.clip(np.arange(times) + step, 0, times - 1) for step in (-1, 1))
    clips = jnp.concatenate([clips[:, before], clips, clips[:, after]], axis=-1)
    return clips.reshape(len(images), *clips.shape[2:])


def _unit(vectors):
    return vectors / jnp.sqrt(jnp.square(vectors).sum(-1, keepdims=True) + 1e-6)


def spread(clips: np.ndarray) -> np.ndarray:
    """FRAMES of each clip, from its first to its last: [n, t, h, w, c] -> [n, FRAMES, h, w, c]."""
    return clips[:, np.linspace(0, clips.shape[1] - 1, FRAMES).round().astype(int)]


def to_frames(clips):
    """uint8 [n, FRAMES, h, w, c] -> float32 in [-1, 1], no side longer than SIDE, by averaging."""
    n, t, h, w, c = clips.shape
    frames = clips.astype(jnp.float32) / 127.5 - 1
    sides = min(h, SIDE), min(w, SIDE)
    return frames if sides == (h, w) else jax.image.resize(frames, (n, t, *sides, c), "linear")


class Encoded(NamedTuple):
    """What the matcher makes of n clips: vectors [n, WIDTH], features [n, FEATURES], float32."""

    vectors: np.ndarray
    features: np.ndarray


class Matcher:
    """A trained matcher.

    `held_back` is its score on real clips that it never saw: the share whose own caption it chooses, as
    `statistics.share`.
    """

    def __init__(self, parameters: Any, vocabulary: Vocabulary, held_back: dict | None = None):
        self.parameters, self.vocabulary, self.held_back = parameters, vocabulary, held_back

    def clips(self, clips: np.ndarray) -> Encoded:
        """Of clips uint8 [n, t, h, w, c], of any number of frames and any size."""
        frames = spread(clips)
        starts = range(0, len(frames), _CLIPS_AT_ONCE)
        parts = [self._padded(frames[start : start + _CLIPS_AT_ONCE]) for start in starts]
        return Encoded(*map(np.concatenate, zip(*parts)))

    def captions(self, captions: Sequence[str]) -> np.ndarray:
        """Vectors float32 [m, WIDTH]; terms that the matcher never learnt are left out."""
        return np.asarray(_encode_captions(self.parameters, self.vocabulary(captions)))

    def _padded(self, frames):
        """One batch, filled up to a power of two with its last clip, so that few sizes are compiled."""
        n = len(frames)
        rows = np.minimum(np.arange(1 << (n - 1).bit_length()), n - 1)
        return [np.asarray(part)[:n] for part in _encode_clips(self.parameters, frames[rows])]

    def save(self, path: str | os.PathLike) -> None:
        """Write it to a file .npz, its arrays as float16."""
        flat = flatten_dict(jax.device_get(self.parameters), sep="/")
        arrays = {name: np.float16(array) for name, array in flat.items()}
        counts = [self.held_back[name] for name in ("right", "clips")]
        file = io.BytesIO()
        np.savez_compressed(file, terms=np.array(self.vocabulary.terms), held_back=counts, **arrays)
        write_atomically(path, file.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Matcher":
        """The matcher of a file. Raises UsageError where it is damaged."""
        try:
            with open(local_path(path), "rb") as file, np.load(file) as arrays:
                flat = {name: np.float32(arrays[name]) for name in arrays.files if "/" in name}
                (right, clips), terms = arrays["held_back"], arrays["terms"].tolist()
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise UsageError(f"{path} is damaged ({error}); remove it, and it is made again") from error
        held_back = share(np.arange(clips)[None] < right)
        return cls(unflatten_dict(flat, sep="/"), Vocabulary(terms), held_back)


@BackendJit
def _encode_clips(parameters, frames):
    return ClipEncoder().apply({"params": parameters["clips"]}, to_frames(frames))


@BackendJit
def _encode_captions(parameters, numbers):
    terms = len(parameters["captions"]["vectors"]) - 1
    return CaptionEncoder(terms).apply({"params": parameters["captions"]}, numbers)
