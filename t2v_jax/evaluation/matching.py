"""Evaluation by a matcher, of a model of any captioned clips: generated clips beside real held-back ones."""

import functools
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict
from scipy.spatial.distance import pdist

from t2v_jax.data.source import ClipSource, read_batch
from t2v_jax.errors import UsageError
from t2v_jax.evaluation import nearest
from t2v_jax.evaluation.matcher import Matcher
from t2v_jax.evaluation.matcher_training import RealClips, matcher_for, real_clips
from t2v_jax.evaluation.retrieval import Retrieval
from t2v_jax.evaluation.statistics import frechet_distance, mean, relative, share
from t2v_jax.inference.generation import LARGEST_BATCH, generate
from t2v_jax.progress import Progress

HALVINGS = 5  # of the held-back clips, for the distance of real clips from real ones
_FEWEST = 4  # clips that can be halved


class Readings(NamedTuple):
    """What is kept of n clips: captions, the matcher's vectors and features, thumbnails: each [n, ...]."""

    captions: list[str]
    vectors: np.ndarray
    features: np.ndarray
    pictures: np.ndarray


def evaluate_model(
    params,
    directory: pathlib.Path,
    clips: int = 1000,
    seeds: Sequence[int] = (0, 1, 2),
    data: str | None = None,
) -> dict:
    """As `evaluate_matching`, of `t2v_jax.load`'s params, with the world, size and frames of its clips.

    The matcher is that in the model's `directory`; where there is none it is trained and kept there. `data`
    is where the prepared clips are, if no longer where training found them. Raises UsageError where they
    are gone, or of another shape.
    """
    config = ConfigDict(params.config)
    if data:
        config.data.directory = data
    real = _find_clips(config)
    matcher = matcher_for(directory, real)
    facts = {name: config.data[name] for name in ("world", "size", "frames")}
    return facts | evaluate_matching(functools.partial(generate, params), matcher, real, clips, seeds)


def _find_clips(config) -> RealClips:
    try:
        real = real_clips(config)
    except UsageError as error:
        raise UsageError(f"{error}; if they are elsewhere, say where with --data=DIR") from error
    data, shape = config.data, real.training[0]["clip"].shape
    expected = data.frames, data.size, data.size, data.channels
    if shape != expected:
        raise UsageError(
            f"the clips in {data.directory} are of [frames, height, width, channels] = {list(shape)}, the "
            f"model's of {list(expected)}; name with --data=DIR those that it was trained on"
        )
    return real


def evaluate_matching(
    paint: Callable, matcher: Matcher, real: RealClips, clips: int = 1000, seeds: Sequence[int] = (0, 1, 2)
) -> dict:
    """The report on `paint(prompts, seed)` -> uint8 [n, frames, h, w, c]: a dict, ready for JSON.

    For each of at most `clips` held-back clips, and for each seed of the noise, a clip is generated of its
    caption; and as many of captions of training clips. The report is
      clips, seeds      how many held-back clips; of the noise
      matcher           {"training_clips", "held_back_clips", "known_captions", "among"}: clips in all, those
                        of `clips` whose caption training has, and how many captions one is chosen among
      right_caption     {"held_back": {"generated", "real", "relative"}, "training": {"generated"}}: shares
                        of clips that fit their own caption best
      diversity, frechet_distance, nearest  see the functions of these names
    A score is {"value", "low", "high", "by_seed"}, as `statistics.share` and `mean` make it.
    """
    _check_numbers(clips, seeds)
    to_read = sum(min(clips, len(source)) for source in real) * (len(seeds) + 1)
    with Progress(to_read, 1, every=500) as progress:
        read = _Reader(matcher, progress)
        trained, held_back = (read(_real(source, clips)) for source in real)
        of_trained, generated = (
            [read(_painted(paint, sample.captions, seed)) for seed in seeds]
            for sample in (trained, held_back)
        )
    retrieval = Retrieval(matcher, real.captions())
    return {
        "clips": len(held_back.captions),
        "seeds": list(seeds),
        "matcher": _facts(real, held_back, retrieval),
        "right_caption": {
            "held_back": _beside_real(_right(retrieval, generated), _right(retrieval, [held_back])),
            "training": {"generated": _right(retrieval, of_trained)},
        },
        "diversity": diversity(held_back, generated),
        "frechet_distance": halved_distance(held_back, generated),
        "nearest": nearness(held_back, generated, of_trained, real.training),
    }


class _Reader:
    """Batches of clips and their captions -> readings; shows how many it has read."""

    def __init__(self, matcher, progress):
        self._matcher, self._progress, self._done = matcher, progress, 0

    def __call__(self, batches: Iterable[tuple[np.ndarray, list[str]]]) -> Readings:
        parts = [self._read(clips, captions) for clips, captions in batches]
        captions, *arrays = zip(*parts)
        return Readings(sum(captions, []), *map(np.concatenate, arrays))

    def _read(self, clips, captions):
        self._done += len(clips)
        self._progress.update(self._done, {})
        return captions, *self._matcher.clips(clips), nearest.thumbnails(clips)


def _real(source: ClipSource, clips: int):
    """At most so many clips of a source, in mixed order, and their captions, batch by batch."""
    places = np.random.default_rng(0).permutation(len(source))[:clips]
    for start in range(0, len(places), LARGEST_BATCH):
        batch = read_batch(source, places[start : start + LARGEST_BATCH])
        yield batch["clip"], batch["caption"]


def _painted(paint, captions, seed):
    """A clip of each caption, batch by batch."""
    for start in range(0, len(captions), LARGEST_BATCH):
        batch = captions[start : start + LARGEST_BATCH]
        own_seed = int(np.random.SeedSequence([seed, start]).generate_state(1)[0] >> 1)
        yield np.asarray(paint(batch, own_seed)), batch


def _facts(real, held_back, retrieval) -> dict:
    known = real.training.captions()
    return {
        "training_clips": len(real.training),
        "held_back_clips": len(real.held_back),
        "known_captions": sum(caption in known for caption in held_back.captions),
        "among": retrieval.among,
    }


def _right(retrieval, runs) -> dict:
    return share(np.stack([retrieval(run.vectors, run.captions, seed) for seed, run in enumerate(runs)]))


def _beside_real(generated, real) -> dict:
    return {"generated": generated, "real": real, "relative": relative(generated, real)}


def diversity(held_back: Readings, generated: Sequence[Readings]) -> dict | None:
    """How different clips of one caption are: {"captions", "generated", "real", "relative"}.

    The mean over captions of the mean distance of two clips, root mean square of their features in
    deviations of real clips: 0 where noise changes nothing. Of each caption there are as many generated
    clips as held-back ones. None where no caption has two.
    """
    captions = np.array(held_back.captions)
    sets = [np.flatnonzero(captions == caption) for caption in dict.fromkeys(held_back.captions)]
    sets = [rows for rows in sets if len(rows) > 1]
    if not sets:
        return None
    unit = _deviation(held_back) * np.sqrt(held_back.features.shape[1])
    runs = [
        [[pdist(run.features[rows]).mean() / unit for rows in sets] for run in kind]
        for kind in (generated, [held_back])
    ]
    return {"captions": len(sets), **_beside_real(*(mean(np.array(run)) for run in runs))}


def halved_distance(held_back: Readings, generated: Sequence[Readings]) -> dict | None:
    """Fréchet distances in the matcher's features: {"clips", "generated", "real"}.

    Of half of the held-back clips, `clips` many, from the other half; and of the clips generated of their
    captions from that other half: the mean over five halvings. Features have variance 1, on average, over
    real clips. None for fewer than four clips.
    """
    half = len(held_back.captions) // 2
    if half < _FEWEST // 2:
        return None
    unit = _deviation(held_back)
    orders = [np.random.default_rng(number).permutation(2 * half) for number in range(HALVINGS)]

    def distances(run):
        return [
            frechet_distance(run.features[order[:half]] / unit, held_back.features[order[half:]] / unit)
            for order in orders
        ]

    generated, real = (mean(np.array([distances(run) for run in runs])) for runs in (generated, [held_back]))
    return {"clips": half, "generated": generated, "real": real}


def _deviation(readings) -> float:
    return float(np.sqrt(readings.features.var(0).mean() + 1e-12))


def nearness(
    held_back: Readings, generated: Sequence[Readings], of_trained: Sequence[Readings], training: ClipSource
) -> dict:
    """Whether clips are learnt by heart: {"training_clips", "nearer", "ratio", "training_ratio"}.

    `nearer` is the share of generated clips that are nearer to a training clip than the held-back one of
    their caption is, about a half where they are as new; `ratio` how far they are, by medians, as a
    multiple of held-back ones: 0 by heart. `training_ratio` is the same of clips of the captions of training
    clips, `of_trained`, which may be known by heart where held-back captions cannot. By thumbnails, see
    `nearest`.
    """
    pictures = [run.pictures for run in (held_back, *generated, *of_trained)]
    ends = np.cumsum([*map(len, pictures)])
    real, *runs = np.split(nearest.distances(np.concatenate(pictures), training), ends[:-1])
    ratios = np.array([[np.median(run) / max(np.median(real), 1e-12)] for run in runs])
    return {
        "training_clips": len(nearest.looked_through(training)),
        "nearer": share(np.stack(runs[: len(generated)]) < real[None]),
        "ratio": mean(ratios[: len(generated)]),
        "training_ratio": mean(ratios[len(generated) :]),
    }


def _check_numbers(clips, seeds) -> None:
    if clips < 2 or not seeds or min(seeds) < 0:
        raise UsageError(f"clips={clips}, seeds={tuple(seeds)}; expected two clips or more, seeds from 0 on")
