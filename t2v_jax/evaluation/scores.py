"""What is read off clips, and the scores made of it: obedience, diversity, steadiness of colour."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from t2v_jax.evaluation import tracks as tracking
from t2v_jax.evaluation.classifier import Classifier, align
from t2v_jax.evaluation.statistics import frechet_distance, mean, relative, share

KINDS = ("appearance", "place", "motion", "features")


class Readings(NamedTuple):
    """What is kept of n clips, in place of the clips themselves.

    `values` int [n, attributes], `features` [n, f] and `tracks` [n, t, 2] as in `ClassifierOutput`;
    `appearance` [n, h / 2, w / 2] as `motion.cut_out`; `color_distances` [n] as below.
    """

    values: np.ndarray
    features: np.ndarray
    tracks: np.ndarray
    appearance: np.ndarray
    color_distances: np.ndarray

    def rows(self, start: int, end: int) -> "Readings":
        """Those of clips start .. end - 1."""
        return Readings(*(field[start:end] for field in self))


def read(classifier: Classifier, clips: np.ndarray) -> Readings:
    """Clips uint8 [n, t, h, w, c] -> readings."""
    verdict = classifier(clips)
    return Readings(*verdict, tracking.cut_out(clips, verdict.tracks), color_distances(clips))


def join(parts: Iterable[Readings]) -> Readings:
    """The readings of all batches as those of one."""
    return Readings(*map(np.concatenate, zip(*parts)))


def color_distances(clips: np.ndarray) -> np.ndarray:
    """uint8 [n, t, h, w, c] -> [n]: the average colour distance (ACD), in levels of 0 to 255.

    The mean distance of two frames' colours, each the mean over its foreground (MoCoGAN, arXiv 1707.04993);
    a frame without foreground is black. 0 for a colour that stays, and for a frozen clip.
    """
    first, second = np.triu_indices(clips.shape[1], 1)
    colors = mean_colors(clips)
    return np.linalg.norm(colors[:, first] - colors[:, second], axis=-1).mean(1)


def mean_colors(clips: np.ndarray) -> np.ndarray:
    """Each frame's mean colour over its foreground, 0 without: uint8 [n, t, h, w, c] -> [n, t, c]."""
    n, t, h, w, c = clips.shape
    foreground = tracking.foreground_of(clips).reshape(n, t, 1, h * w)
    mass = foreground.sum(-1)
    return (foreground @ clips.reshape(n, t, h * w, c).astype(np.float32))[:, :, 0] / np.where(
        mass > 0, mass, 1
    )


def score(classifier: Classifier, runs, wanted, sets, reference) -> dict:
    """The scores of clips, generated or real: {
      "accuracy"          {attribute or "all": share right}
      "confusion"         {attribute: rows of counts} (`confusion`)
      "travel"            the mean way between a clip's outermost places, in sides of the frame
      "color_distance"    the mean of `color_distances`
      "frechet_distance"  to other real clips, whose features are `reference` [m, f]
      "diversity"         {kind: mean over the sets} (`diversity`) }
    `runs` are the readings of n clips for each seed, `wanted` int [n, attributes] what they were to
    show; `sets` [seeds][captions] are readings of clips of one caption each.
    """
    values = np.stack([run.values for run in runs])
    travels = [tracking.travel(run.tracks).max(1) for run in runs]
    distances = [[frechet_distance(run.features, reference)] for run in runs]
    return {
        "accuracy": accuracy(classifier, values, wanted),
        "confusion": confusion(classifier, values, wanted),
        "travel": mean(np.array(travels)),
        "color_distance": mean(np.array([run.color_distances for run in runs])),
        "frechet_distance": mean(np.array(distances)),
        "diversity": mean_diversity(sets),
    }


def ratios(generated: dict, real: dict) -> dict:
    """`statistics.relative` of all accuracies, the travel and all kinds of diversity, as nested as they."""
    return {
        "accuracy": _ratios(generated["accuracy"], real["accuracy"]),
        "travel": relative(generated["travel"], real["travel"]),
        "diversity": _ratios(generated["diversity"], real["diversity"]),
    }


def _ratios(generated, real) -> dict:
    return {name: relative(generated[name], real[name]) for name in generated}


def accuracy(classifier: Classifier, values: np.ndarray, wanted: np.ndarray) -> dict:
    """{attribute or "all": share right} of values [seeds, n, attributes], wanted [n, attributes], int."""
    right = align(classifier.attributes, values, wanted) == wanted[None]
    shares = {name: share(right[..., i]) for i, name in enumerate(classifier.attributes)}
    return {**shares, "all": share(right.all(-1))}


def confusion(classifier: Classifier, values: np.ndarray, wanted: np.ndarray) -> dict:
    """{attribute: rows}: of the clips wanted with value i, how many show value j.

    The last number of a row counts clips that stand still, where the attribute is of motion.
    """
    values = align(classifier.attributes, values, wanted)
    rows = {}
    for i, (name, names) in enumerate(classifier.attributes.items()):
        counts = np.zeros((len(names), len(names) + 1), int)
        np.add.at(counts, (np.broadcast_to(wanted[:, i], values.shape[:2]), values[..., i]), 1)
        rows[name] = counts.tolist()
    return rows


def diversity(readings: Readings) -> dict:
    """How different clips of one caption are: {kind: mean distance of two of m > 1 clips}.

    A caption leaves open what exactly an object looks like, where it moves and in which phase and
    pace; each has its own distance (root mean square), so that none can stand in for another:
      appearance  of the pictures, held still, in shares of full brightness: 0 for a single picture,
                  however it moves
      place       of the tracks' means, in sides of the frame: 0 where all move around one spot
      motion      of the tracks about their means: 0 for frozen clips, wherever they are
      features    of what the classifier's networks see, in deviations of real clips
    A collapsed generator has 0 in all. A distance of whole clips' pixels would reward frozen clips
    at various places, a single picture at them, and noise. An appearance far more diverse than that of real
    clips means wrong ones among the right.
    """
    tracks = readings.tracks
    places = tracks.mean(1)
    respects = readings.appearance / 255, places, tracks - places[:, None], readings.features
    return {kind: _mean_distance(respect.reshape(len(respect), -1)) for kind, respect in zip(KINDS, respects)}


def mean_diversity(sets: list[list[Readings]]) -> dict:
    """{kind: mean} of sets [seeds][captions]; the interval is of the mean over these captions."""
    distances = [[diversity(readings) for readings in row] for row in sets]
    by_seed = {kind: [np.mean([of[kind] for of in row]) for row in distances] for kind in KINDS}
    return {kind: mean(np.array(values)[:, None]) for kind, values in by_seed.items()}


def _mean_distance(vectors: np.ndarray) -> float:
    """Mean root mean square distance of two of the m vectors: [m, numbers] -> a number."""
    distances = [np.sqrt(((vectors[i + 1 :] - vector) ** 2).mean(1)) for i, vector in enumerate(vectors)]
    return float(np.concatenate(distances).mean())
