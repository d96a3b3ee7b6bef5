"""Evaluation of a trained model: generated clips, real ones beside them, a report."""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from t2v_jax.data.worlds import make_source
from t2v_jax.errors import UsageError
from t2v_jax.evaluation import wishes as wishes_of
from t2v_jax.evaluation.judge import Judge
from t2v_jax.evaluation.scores import accuracy, join, ratios, read, score
from t2v_jax.metrics import Progress
from t2v_jax.sampling import LARGEST_BATCH, generate

SPLITS = {"seen": "test", "held_out": "held_out"}  # combinations that training shows, or never
SETS, SET = 4, 64  # captions, and clips of each, for the diversity
LONG = 10  # so many times the training length ...
ONE_IN = 5  # ... has one long clip for so many others
_FEWEST_FRAMES = 5  # in fewer an object can turn and end where it began


def evaluate_model(params, clips: int = 1000, seeds: Sequence[int] = (0, 1, 2)) -> dict:
    """The report on a model, `t2v_jax.load`'s params: a dict, ready for JSON; `report.to_text` prints it.

    For captions that training shows, then for combinations that it never does, and for each seed of
    the noise: `clips` clips of all combinations in turn and, for the diversity, 64 of each of four
    captions; beside them as many real clips, of held-out glyphs; and a fifth of `clips`, over all
    seeds, ten times as long. Shows its progress on stderr. Raises UsageError for a world without a
    judge and for a number out of range.
    """
    return evaluate(functools.partial(generate, params), params.config, clips, seeds)


def evaluate(paint, config, clips=1000, seeds=(0, 1, 2)) -> dict:
    """As `evaluate_model`, of any `paint(prompts, seed, frames)` -> uint8 [n, frames, h, w, c].

    `config` is a model's configuration, whose part `data` describes the clips. The report is
      world, size, frames, clips, seeds
      judge            {attribute or "all": share of real held-out clips that the judge reads rightly}
      seen, held_out   {"generated", "real": `scores.score`, "relative": `scores.ratios`, "long"};
                       long is {"frames", "clips", "first", "last"}: accuracies in the first and the
                       last stretch of the training length, over the clips of all seeds
    A score is {"value", "low", "high", "by_seed"}, as `statistics.share` and `mean` make it.
    """
    judge = Judge.shipped(config.data.world)
    _check(config.data, clips, seeds)
    facts = {name: config.data[name] for name in ("world", "size", "frames")}
    facts |= {"clips": clips, "seeds": list(seeds), "judge": judge.held_out_accuracy}
    with Progress(_to_judge(clips, len(seeds)), 1, every=500) as progress:
        run = _Run(judge, config.data.frames, clips, tuple(seeds), _counter(progress))
        splits = {name: run.split(paint, make_source(config, split)) for name, split in SPLITS.items()}
    return facts | splits


def _check(data, clips, seeds) -> None:
    if data.frames < _FEWEST_FRAMES:
        raise UsageError(
            f"data.frames={data.frames} shows no motion to judge; expected {_FEWEST_FRAMES} or more"
        )
    if clips < 2 or not seeds or min(seeds) < 0:
        raise UsageError(f"clips={clips}, seeds={tuple(seeds)}; expected two clips or more, seeds from 0 on")


def _long_clips(clips, seeds) -> int:
    """Long clips of each seed."""
    return math.ceil(clips / ONE_IN / seeds)


def _to_judge(clips, seeds) -> int:
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
    """What an evaluation asks for in every split; `tell` hears of clips that are done."""

    judge: Judge
    frames: int
    clips: int
    seeds: tuple[int, ...]
    tell: Callable[[int], None]

    def split(self, paint, world) -> dict:
        """The scores of a split; real clips first, for what cannot be judged must show at once."""
        real_clips = wishes_of.real_clips(world)
        wishes = wishes_of.balanced(world, self.clips)
        reference = self._read(real_clips, wishes, max(self.seeds) + 1).features
        real = self._score(real_clips, world, reference)

        def ask(wishes, seed, frames):
            return paint([wish.prompt for wish in wishes], seed, frames)

        generated = self._score(ask, world, reference)
        scores = {"generated": generated, "real": real, "relative": ratios(generated, real)}
        return scores | {"long": self._long(ask, world)}

    def _score(self, paint, world, reference) -> dict:
        wishes = wishes_of.balanced(world, self.clips)
        alike = wishes_of.alike(world, SETS, SET)
        runs = [self._read(paint, [*wishes, *alike], seed) for seed in self.seeds]
        singles = [run.rows(0, self.clips) for run in runs]
        starts = range(self.clips, self.clips + len(alike), SET)
        sets = [[run.rows(start, start + SET) for start in starts] for run in runs]
        return score(self.judge, singles, wishes_of.combinations(wishes), sets, reference)

    def _read(self, paint, wishes, seed):
        return join(read(self.judge, clips) for clips in self._batches(paint, wishes, seed))

    def _long(self, paint, world) -> dict:
        wishes = wishes_of.balanced(world, _long_clips(self.clips, len(self.seeds)))
        ends = [self._read_ends(paint, wishes, seed) for seed in self.seeds]
        wanted = wishes_of.combinations(wishes)
        first, last = (accuracy(self.judge, np.stack(values), wanted) for values in zip(*ends))
        return {"frames": LONG * self.frames, "clips": len(wishes) * len(ends), "first": first, "last": last}

    def _read_ends(self, paint, wishes, seed) -> list[np.ndarray]:
        """The values in the first and in the last frames, as many as in training: int [n, attributes]."""
        batches = [
            (self.judge(clips[:, : self.frames]).values, self.judge(clips[:, -self.frames :]).values)
            for clips in self._batches(paint, wishes, seed, LONG)
        ]
        return [np.concatenate(values) for values in zip(*batches)]

    def _batches(self, paint, wishes, seed, times=1):
        """The wishes' clips, `times` as long as in training, no more than one batch of them at once."""
        size = LARGEST_BATCH >> (times - 1).bit_length()  # a power of two, for so large batches are painted
        for start in range(0, len(wishes), size):
            batch = wishes[start : start + size]
            yield np.asarray(paint(batch, _batch_seed(seed, times, start), times * self.frames))
            self.tell(times * len(batch))


def _batch_seed(*numbers: int) -> int:
    """A seed for the batch of these numbers, in 0 .. 2^31 - 1."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)
