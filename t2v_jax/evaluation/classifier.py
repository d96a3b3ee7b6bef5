"""Attribute classifiers: each names what a clip of its world shows.

They have learnt from real clips alone (experiments/classifiers), and no generator ever sees them.
"""

import functools
import importlib.resources
import io
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import unflatten_dict

from t2v_jax import registry
from t2v_jax.data.worlds.world import World
from t2v_jax.errors import UsageError
from t2v_jax.evaluation import tracks as tracking
from t2v_jax.evaluation.classifier_networks import (
    POINTS,
    SIZE,
    FrameNetwork,
    TrackNetwork,
    appearance,
    count_objects,
    kind,
    movement,
    split,
)
from t2v_jax.runtime.jit import BackendJit

FRAMES = 8  # at most, evenly spread over the clip, by which its appearance is classified
_FOLDER = importlib.resources.files("t2v_jax") / "assets" / "classifiers"
_CLIPS_AT_ONCE = 32
_SHARPNESS = 4  # of the places of two objects: 99.5 % of real tracks follow the right axis, at 1 98.3 %


class ClassifierOutput(NamedTuple):
    """What a classifier says of n clips.

    `values` int [n, attributes]: the index of the likeliest value of each; for an attribute of motion
    one beyond the last if the object stands still. `features` float32 [n, f]: what the networks see;
    over real clips each network's have mean 0 and, on average, variance 1. `tracks` [n, t, 2] as
    `motion.tracks`.
    """

    values: np.ndarray
    features: np.ndarray
    tracks: np.ndarray


class Classifier:
    """Names the attributes of clips of its world, whose sides are 32 pixels or a multiple of 64.

    `held_out_accuracy` is {attribute or "all": share of real held-out clips that it names rightly}.
    `Classifier.shipped(world)` is the one to use.
    """

    def __init__(self, world: type[World], arrays: dict[str, np.ndarray]):
        """`attributes` of the world; `arrays` as experiments/classifiers/train.py writes them."""
        self.attributes = attributes = world.attributes
        weights = {name: np.float32(array) for name, array in arrays.items() if "/" in name}
        self._parameters = unflatten_dict(weights, sep="/")
        self._batch = BackendJit(functools.partial(_classify, world))
        self._mean, self._deviation = arrays["feature_moments"]
        self.held_out_accuracy = dict(zip([*attributes, "all"], arrays["held_out_accuracy"].tolist()))

    @classmethod
    def shipped(cls, world: str) -> "Classifier":
        """The classifier of a world that comes with the package; UsageError where there is none."""
        if world not in cls.worlds():
            known = " or ".join(cls.worlds())
            raise UsageError(f"no classifier for the world {world!r}; expected {known}")
        with np.load(io.BytesIO(_file_of(world).read_bytes()), allow_pickle=False) as arrays:
            return cls(registry.resolve("world", world), dict(arrays))

    @staticmethod
    def worlds() -> list[str]:
        """Those that have a classifier."""
        return sorted(file.name.removesuffix(".npz") for file in _FOLDER.iterdir())

    def __call__(self, clips: np.ndarray) -> ClassifierOutput:
        """uint8 [n, t, h, w, c] -> `ClassifierOutput`; that of one clip does not depend on the others."""
        tracks = tracking.tracks(clips)
        frames = spread(clips)
        starts = range(0, len(clips), _CLIPS_AT_ONCE)
        parts = [
            self._batch_of(frames[i : i + _CLIPS_AT_ONCE], tracks[i : i + _CLIPS_AT_ONCE]) for i in starts
        ]
        values, features = (np.concatenate(part) for part in zip(*parts))
        return ClassifierOutput(values, (features - self._mean) / self._deviation, tracks)

    def _batch_of(self, frames, tracks):
        """One batch, filled up to a power of two with its last clip, so that few sizes are compiled."""
        n = len(frames)
        rows = np.minimum(np.arange(1 << (n - 1).bit_length()), n - 1)
        outputs = self._batch(self._parameters, frames[rows], tracks[rows])
        return [np.asarray(part)[:n] for part in outputs]


def _file_of(world):
    return _FOLDER / f"{world}.npz"


def _classify(world, parameters, clips, tracks):
    """Frames of clips uint8 [n, t, h, w, c], tracks -> values [n, attributes], features [n, f]."""
    attributes, objects, kinds = world.attributes, count_objects(world.attributes), appearance(world)
    looks, seen, evidence = look(kinds, parameters["frames"], clips)
    values = {name: jax.lax.top_k(likely, objects)[1] for name, likely in looks.items()}
    # Of several objects each is followed by the first kind of attribute that a frame shows.
    tracks = tracks[:, None] if objects == 1 else follow(evidence, values[next(iter(kinds))])
    moves, moved = move(movement(world), parameters["tracks"], tracks)
    values |= {name: logits.argmax(-1) for name, logits in moves.items()}
    named = [values[kind(name)][:, i * objects // len(attributes)] for i, name in enumerate(attributes)]
    return jnp.stack(named, axis=1), jnp.concatenate([seen, moved], axis=1)


def look(counts, parameters, clips):
    """Clips uint8 [n, t, h, w, c] -> {kind: mean log-probabilities [n, count]}, features, evidence.

    Features [n, 96] are means over frames too, evidence [n, t, 8, 8, values] is that of each frame.
    """
    n, t = clips.shape[:2]
    frames = to_frames(clips.reshape(n * t, *clips.shape[2:]))
    outputs = FrameNetwork(sum(counts.values())).apply({"params": parameters}, frames)
    logits, features, evidence = (output.reshape(n, t, *output.shape[1:]) for output in outputs)
    likely = {name: jax.nn.log_softmax(part).mean(1) for name, part in split(logits, counts).items()}
    return likely, features.mean(1), evidence


def follow(evidence, values):
    """Where each object is, by the evidence for its value [n, t, h, w, values]: tracks [n, objects, t, 2]."""
    n, t, height, width = evidence.shape[:4]
    # A place must speak for the value, and more so than for others: two objects are often close.
    evidence = _SHARPNESS * (evidence + jax.nn.log_softmax(evidence))
    evidence = jnp.take_along_axis(evidence, values[:, None, None, None], axis=-1)
    shares = jax.nn.softmax(evidence.reshape(n, t, height * width, -1), axis=2)
    places = jnp.stack(jnp.meshgrid(jnp.arange(height), jnp.arange(width), indexing="ij"), -1) + 0.5
    places = places.reshape(-1, 2) / jnp.array([[height, width]])
    return jnp.einsum("ntpo,pk->notk", shares, places)


def move(counts, parameters, tracks):
    """Tracks [n, objects, t, 2] -> {kind: logits [n, objects, count]}, features [n, 32], their mean."""
    n, objects = tracks.shape[:2]
    points = resample(tracks).reshape(n * objects, POINTS, 2)
    outputs = TrackNetwork(sum(counts.values())).apply({"params": parameters}, points)
    logits, features = (output.reshape(n, objects, -1) for output in outputs)
    return split(logits, counts), features.mean(1)


def resample(tracks):
    """The same tracks by POINTS evenly spread points, interpolated: [..., t, 2] -> [..., POINTS, 2]."""
    frames = tracks.shape[-2]
    times = np.linspace(0, frames - 1, POINTS)
    weights = np.array([np.interp(times, np.arange(frames), corner) for corner in np.eye(frames)], np.float32)
    return jnp.einsum("tp,...tk->...pk", weights, tracks)


def to_frames(frames):
    """uint8 [n, h, w, c] -> [n, 64, 64, c] in [0, 1]: each pixel enlarged, or blocks averaged."""
    n, h, w, c = frames.shape
    if h == w == SIZE // 2:
        frames, h, w = frames.repeat(2, 1).repeat(2, 2), SIZE, SIZE
    if h != w or h % SIZE:
        raise UsageError(
            f"frames of {h}x{w} pixels; the classifier expects squares with a side of {SIZE // 2} or a "
            f"multiple of {SIZE}: set config.data.size so"
        )
    return frames.reshape(n, SIZE, h // SIZE, SIZE, w // SIZE, c).mean((2, 4)) / 255


def spread(clips: np.ndarray) -> np.ndarray:
    """At most FRAMES frames of each clip, from the first to the last."""
    frames = clips.shape[1]
    return clips[:, np.linspace(0, frames - 1, min(FRAMES, frames)).round().astype(int)]


def align(attributes, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Values [seeds, n, attributes] of two objects in the order that agrees more with wanted [n, attributes].

    Those of one object as they are.
    """
    if count_objects(attributes) == 1:
        return values
    swapped = np.roll(values, len(attributes) // 2, axis=-1)
    agree, swapped_agree = ((read == wanted[None]).sum(-1) for read in (values, swapped))
    return np.where((swapped_agree > agree)[..., None], swapped, values)
