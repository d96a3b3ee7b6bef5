"""Trains the judge of a world and writes t2v_jax/assets/classifiers/<world>.npz; README.md has the commands.

python experiments/classifiers/train.py --world=moving_shapes --steps=1500
"""

import pathlib
import time

import clips
import jax.numpy as jnp
import numpy as np
from absl import app, flags
from augment import disturb
from flax.traverse_util import flatten_dict, unflatten_dict

from t2v_jax.data.source import drawn_worlds
from t2v_jax.evaluation.classifier import Classifier, align
from t2v_jax.evaluation.classifier_networks import (
    FRAME_FEATURES,
    FrameNetwork,
    TrackNetwork,
    appearance,
    movement,
)
from t2v_jax.evaluation.classifier_training import fit

_WORLD = flags.DEFINE_enum("world", None, [*drawn_worlds()], "The world to judge.", required=True)
_DIRECTORY = flags.DEFINE_string("directory", "", "MNIST's IDX files; default: the shipped subset.")
_START = flags.DEFINE_string("start", None, "A judge's file, whose frame network to start from.")
_STEPS = flags.DEFINE_integer("steps", 2000, "Steps of Adam on frames.", lower_bound=0)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of parameters, order and augmentation.")

TRACK_STEPS = 4_000
HELD_OUT_CLIPS = 4_000


def fit_frames(start):
    """The frame network's parameters."""
    if not _STEPS.value:
        return start
    counts = appearance(drawn_worlds()[_WORLD.value])
    frames = clips.BATCH * (_STEPS.value + 1)
    source = clips.all_combinations(_WORLD.value, "train", frames, frames=1, directory=_DIRECTORY.value)
    batches = clips.frame_batches(source, _SEED.value)
    return fit(FrameNetwork(sum(counts.values())), counts, batches, disturb, _STEPS.value, _SEED.value, start)


def fit_tracks(frames):
    """The track network's parameters, on the tracks that the frame network leads to."""
    counts = movement(drawn_worlds()[_WORLD.value])
    sources = [
        clips.all_combinations(_WORLD.value, "train", clips.TRACKS // len(clips.LENGTHS), frames=length)
        for length in clips.LENGTHS
    ]
    batches = clips.track_batches(sources, frames, _SEED.value)
    return fit(
        TrackNetwork(sum(counts.values())),
        counts,
        batches,
        lambda _, tracks: tracks,
        TRACK_STEPS,
        _SEED.value,
    )


def verdicts(classifier, source):
    """Features [n, f] of all clips of a source, and whether each attribute is right, [n, attributes]."""
    features, right = [], []
    for elements in clips.in_batches(source, clips.BATCH):
        told = classifier(clips.stack(elements))
        wanted = np.array([[element[name] for name in classifier.attributes] for element in elements])
        features.append(told.features)
        right.append(align(classifier.attributes, told.values[None], wanted)[0] == wanted)
    return np.concatenate(features), np.concatenate(right)


def measure(arrays):
    """The moments of the features on real clips, and the share right of held-out ones, of each and of all."""
    world = drawn_worlds()[_WORLD.value]
    attributes = world.attributes
    blank = {"feature_moments": np.array([[0], [1]]), "held_out_accuracy": np.zeros(len(attributes) + 1)}
    classifier = Classifier(world, arrays | blank)
    features, _ = verdicts(classifier, clips.all_combinations(_WORLD.value, "train", 2_000))
    # One unit for all features of a network: in its own, one that hardly ever fires would weigh too much.
    parts = np.split(features, [FRAME_FEATURES], axis=1)
    units = [np.full(part.shape[1], np.sqrt(part.var(0).mean())) for part in parts]
    moments = np.stack([features.mean(0), np.concatenate(units)])
    held_out = clips.all_combinations(_WORLD.value, "test", HELD_OUT_CLIPS, directory=_DIRECTORY.value)
    _, right = verdicts(classifier, held_out)
    accuracy = np.array([*right.mean(0), right.all(1).mean()])
    print(dict(zip([*attributes, "all"], accuracy.tolist())))
    return {"feature_moments": moments, "held_out_accuracy": accuracy}


def read_frame_network(path):
    """The frame network's parameters in a judge's file."""
    with np.load(path) as arrays:
        flat = {name: jnp.float32(arrays[name]) for name in arrays.files if "/" in name}
    return unflatten_dict(flat, sep="/")["frames"]


def main(argv):
    """Trains, measures, writes."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    begin = time.monotonic()
    frames = fit_frames(read_frame_network(_START.value) if _START.value else None)
    tracks = fit_tracks(frames)
    print(f"trained in {time.monotonic() - begin:.0f} s")
    flat = flatten_dict({"frames": frames, "tracks": tracks}, sep="/")
    arrays = {name: np.float16(array) for name, array in flat.items()}
    output = pathlib.Path(f"t2v_jax/assets/classifiers/{_WORLD.value}.npz")
    np.savez_compressed(output, **arrays, **measure(arrays))
    print(f"{output}: {output.stat().st_size / 1e3:.0f} kB, {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    app.run(main)
