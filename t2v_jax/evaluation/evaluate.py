"""Evaluation of a trained model: generated clips, real ones beside them, a report."""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from t2v_jax.data.source import make_source
from t2v_jax.errors import UsageError
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.evaluation.classifier import Classifier
from t2v_jax.evaluation.scores import accuracy, join, ratios, read, score
from t2v_jax.inference.generation import LARGEST_BATCH, generate
from t2v_jax.progress import Progress

SPLITS = {"seen": "test", "held_out": "held_out"}  # combinations that training shows, or never
SETS, SET = 4, 64  # captions, and clips of each, for the diversity
LONG = 10  # so many times the training length ...
ONE_IN = 5  # ... has one long clip for so many others
_FEWEST_FRAMES = 5  # in fewer an object can turn and end where it began


def evaluate_model(params, clips: int = 1000, seeds: Sequence[int] = (0, 1, 2)) -> dict:
    """The report on a model, `t2v_jax.load`'s params: a dict, ready for JSON; `report.to_text` prints it.

    For captions that training shows, then for combinations that it never does, and for each seed of
    the noise: `clips` clips of all combinations in turn and, for the diversity, 64 of each of four
    captions; beside them as many real clips that training never shows; and a fifth of `clips`, over all
    seeds, ten times as long. Shows its progress on stderr. Raises UsageError for a world without a
    classifier and for a number out of range.
    """
    return evaluate(functools.partial(generate, params), params.config, clips, seeds)


def evaluate(paint, config, clips=1000, seeds=(0, 1, 2)) -> dict:
    """As `evaluate_model`, of any `paint(prompts, seed, frames)` -> uint8 [n, frames, h, w, c].

    `config` is a model's configuration, whose part `data` describes the clips. The report is
      world, size, frames, clips, seeds
      classifier       {attribute or "all": share of real held-out clips that it reads rightly}
      seen, held_out   {"generated", "real": `scores.score`, "relative": `scores.ratios`, "long"};
                       long is {"frames", "clips", "first", "last"}: accuracies in the first and the
                       last stretch of the training length, over the clips of all seeds
    A score is {"value", "low", "high", "by_seed"}, as `statistics.share` and `mean` make it.
    """
    classifier = Classifier.shipped(config.data.world)
    _check(config.data, clips, seeds)
    facts = {name: config.data[name] for name in ("world", "size", "frames")}
    facts |= {"clips": clips, "seeds": list(seeds), "classifier": classifier.held_out_accuracy}
    with Progress(_to_classify(clips, len(seeds)), 1, every=500) as progress:
        run = _Run(classifier, config.data.frames, clips, tuple(seeds), _counter(progress))
        splits = {name: run.split(paint, make_source(config, split)) for name, split in SPLITS.items()}
    return facts | splits


def _check(data, clips, seeds) -> None:
    if data.frames < _FEWEST_FRAMES:
        raise UsageError(f"data.frames={data.frames} shows no motion; expected {_FEWEST_FRAMES} or more")
    if clips < 2 or not seeds or min(seeds) < 0:
        raise UsageError(f"clips={clips}, seeds={tuple(seeds)}; expected two clips or more, seeds from 0 on")


def _long_clips(clips, seeds) -> int:
    """Long clips of each seed."""
    return math.ceil(clips / ONE_IN / seeds)


def _to_classify(clips, seeds) -> int:
    """All clips of a run, real ones too, a long one counted as LONG."""
    one_seed = 2 * (clips + SETS * SET) + LONG * _long_clips(clips, seeds)
    return len(SPLITS) * (seeds * one_seed + clips)


def _counter(progress) -> Callable[[int], None]:
    done = 0

    def add(clips):
        nonlocal done
        done += clips
        progress.update(done, {})

    return add


@dataclasses.dataclass(frozen=True)
class _Run:
    """What an evaluation asks for in every split; `report` is called with the number of clips done."""

    classifier: Classifier
    frames: int
    clips: int
    seeds: tuple[int, ...]
    report: Callable[[int], None]

    def split(self, paint, world) -> dict:
        """The scores of a split; real clips first, so that what cannot be classified shows at once."""
        real_clips = prompts_of.real_clips(world)
        prompts = prompts_of.balanced(world, self.clips)
        reference = self._read(real_clips, prompts, max(self.seeds) + 1).features
        real = self._score(real_clips, world, reference)

        def ask(prompts, seed, frames):
            return paint([prompt.text for prompt in prompts], seed, frames)

        generated = self._score(ask, world, reference)
        scores = {"generated": generated, "real": real, "relative": ratios(generated, real)}
        return scores | {"long": self._long(ask, world)}

    def _score(self, paint, world, reference) -> dict:
        prompts = prompts_of.balanced(world, self.clips)
        repeated = prompts_of.repeated(world, SETS, SET)
        runs = [self._read(paint, [*prompts, *repeated], seed) for seed in self.seeds]
        singles = [run.rows(0, self.clips) for run in runs]
        starts = range(self.clips, self.clips + len(repeated), SET)
        sets = [[run.rows(start, start + SET) for start in starts] for run in runs]
        return score(self.classifier, singles, prompts_of.combinations(prompts), sets, reference)

    def _read(self, paint, prompts, seed):
        return join(read(self.classifier, clips) for clips in self._batches(paint, prompts, seed))

    def _long(self, paint, world) -> dict:
        prompts = prompts_of.balanced(world, _long_clips(self.clips, len(self.seeds)))
        ends = [self._read_ends(paint, prompts, seed) for seed in self.seeds]
        wanted = prompts_of.combinations(prompts)
        first, last = (accuracy(self.classifier, np.stack(values), wanted) for values in zip(*ends))
        return {"frames": LONG * self.frames, "clips": len(prompts) * len(ends), "first": first, "last": last}

    def _read_ends(self, paint, prompts, seed) -> list[np.ndarray]:
        """The values in the first and in the last frames, as many as in training: int [n, attributes]."""
        batches = [
            (
                self.classifier(clips[:, : self.frames]).values,
                self.classifier(clips[:, -self.frames :]).values,
            )
            for clips in self._batches(paint, prompts, seed, LONG)
        ]
        return [np.concatenate(values) for values in zip(*batches)]

    def _batches(self, paint, prompts, seed, times=1):
        """The prompts' clips, `times` as long as in training, no more than one batch of them at once."""
        size = LARGEST_BATCH >> (times - 1).bit_length()  # a power of two, for so large batches are painted
        for start in range(0, len(prompts), size):
            batch = prompts[start : start + size]
            yield np.asarray(paint(batch, _batch_seed(seed, times, start), times * self.frames))
            self.report(times * len(batch))


def _batch_seed(*numbers: int) -> int:
    """A seed for the batch of these numbers, in 0 .. 2^31 - 1."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)
