"""Real clips for the judges: batches to learn from, and held-out ones to be measured on."""

import jax
import numpy as np
from augment import crop_to_ink

from t2v_jax import config as configuration
from t2v_jax.data.source import make_source
from t2v_jax.evaluation import classifier
from t2v_jax.evaluation import tracks as tracking
from t2v_jax.evaluation.classifier_networks import appearance, count_objects, kind, movement

BATCH = 64
TRACKS = 12_000
LENGTHS = (6, 10, 16)  # of the clips whose tracks are learnt, frames
STILL = 0.1  # share of the tracks that stand still
SLOWEST = 0.25  # of the others, in paces of real clips
STRONGEST_JITTER = 0.01  # of a track, in sides of the frame


def all_combinations(name, split, clips, **data):
    """Clips of a world in all combinations, those included that no generator trains on.

    The split train has the training glyphs, test the held-out ones; 64 pixels and 16 frames but for
    what `data` says.
    """
    config = configuration.default()
    config.data.update(world=name, clips=clips, **data)
    config = configuration.check(config)
    source = make_source(config, split)
    source.combinations = source.combinations + make_source(config, "held_out").combinations
    return source


def in_batches(source, size):
    """Lists of so many elements, from the first to the last."""
    for start in range(0, len(source), size):
        yield [source[i] for i in range(start, min(start + size, len(source)))]


def stack(elements):
    return np.stack([element["clip"] for element in elements])


def labels(elements, attributes, counts):
    """int [n, kinds, objects]: the values of all attributes of each kind in counts."""
    names = [[name for name in attributes if kind(name) == wanted] for wanted in counts]
    return np.array([[[element[name] for name in row] for row in names] for element in elements], np.int32)


def frame_batches(source, seed):
    """Frames uint8 [n, side, side, c], cropped to the object if there is one, and labels of appearance."""
    rng = np.random.default_rng(seed)
    for elements in in_batches(source, BATCH):
        frames = stack(elements)[:, 0]
        frames = crop_to_ink(frames, rng) if count_objects(source.attributes) == 1 else frames
        yield frames, labels(elements, source.attributes, appearance(source))


def track_batches(sources, frames, seed):
    """Endless batches of tracks [n, 1, POINTS, 2] and labels of motion; some stand still.

    `frames` are the parameters of the network that tells two objects apart.
    """
    parts = [
        _tracks(elements, source, frames) for source in sources for elements in in_batches(source, BATCH)
    ]
    tracks, truth = map(np.concatenate, zip(*parts))
    standing = np.array([*movement(sources[0]).values()])[None, :, None] - 1
    rng = np.random.default_rng(seed)
    while True:
        rows = rng.integers(len(tracks), size=4 * BATCH)
        still = rng.random((len(rows), 1, 1)) < STILL
        pace = np.where(still, 0, rng.uniform(SLOWEST, 1, still.shape))
        jitter = rng.uniform(0, STRONGEST_JITTER, still.shape) * rng.normal(size=tracks[rows].shape)
        yield np.float32(pace * tracks[rows] + jitter), np.where(still, standing, truth[rows])


def _tracks(elements, source, frames):
    """Tracks [n * objects, POINTS, 2] of clips, and labels [n * objects, kinds, 1]."""
    clips, attributes = stack(elements), source.attributes
    objects = count_objects(attributes)
    if objects == 1:
        tracks = tracking.tracks(clips)[:, None]
    else:
        (digits,) = labels(elements, attributes, appearance(source)).swapaxes(0, 1)
        tracks = _followed(frames, classifier.spread(clips), digits)
    tracks = np.asarray(classifier.resample(tracks)).reshape(len(clips) * objects, classifier.POINTS, 2)
    truth = labels(elements, attributes, movement(source))
    return tracks, truth.swapaxes(1, 2).reshape(len(tracks), -1, 1)


@jax.jit
def _followed(frames, clips, digits):
    *_, evidence = classifier.look({"digit": 10}, frames, clips)
    return classifier.follow(evidence, digits)
