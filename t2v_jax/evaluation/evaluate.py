"""Evaluation of a trained model: prompts, generated clips, real ones beside them, a report."""

import collections
import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from t2v_jax.data.moving_digits import MOTIONS, TEMPLATES, MovingDigits
from t2v_jax.errors import UsageError
from t2v_jax.evaluation.judge import DigitJudge
from t2v_jax.evaluation.scores import Sample, compare, score
from t2v_jax.sampling import LARGEST_BATCH, generate

SET = 64  # clips of one caption, for the diversity
_FEWEST_FRAMES = 5  # in fewer a digit can turn at a border and end where it began


class Wish(NamedTuple):
    """A prompt and what a clip that obeys it shows; `motion` is an index into MOTIONS."""

    prompt: str
    digit: int
    motion: int


# Digits change fastest, so that any number of wishes from the start is balanced.
WISHES = [
    Wish(template.format(digit=digit, motion=name), digit, motion)
    for template in TEMPLATES
    for motion, name in enumerate(MOTIONS)
    for digit in range(10)
]
SET_WISHES = WISHES[::8]  # five captions: five digits, both motions, both templates


def evaluate_model(
    params,
    clips: int = 500,
    seeds: Sequence[int] = (0,),
    progress: Callable[[int, int], None] | None = None,
) -> dict:
    """The report on a model, `t2v_jax.load`'s params: a dict (`scores.compare`), ready for JSON.

    For each seed `clips` clips, of all 40 captions in turn, and for the diversity 64 of each of
    five captions; beside them as many real clips of held-out digits as for one seed. `progress` is
    called with the number of clips painted and of all to paint. Raises UsageError for a model of
    another world than moving digits and for a number out of range. `scores.to_text` makes tables.
    """
    paint = functools.partial(generate, params)
    return evaluate(paint, params.config.data, clips, seeds, progress)


def evaluate(paint, data, clips=500, seeds=(0,), progress=None) -> dict:
    """As `evaluate_model`, of any `paint(prompts, seed)` -> uint8 [n, frames, size, size, c].

    `data` is that part of a configuration: world, size, frames, digit_size, directory.
    """
    _check(data, clips, seeds)
    judge = DigitJudge.shipped()
    wishes = [WISHES[i % len(WISHES)] for i in range(clips)]
    wishes += [wish for wish in SET_WISHES for _ in range(SET)]
    # Real clips first: what the judges cannot read must show before the painting, which takes long.
    real = score(judge, _sample([_real_clips(wishes, data)], wishes, clips))
    painted = _paint_all(paint, [wish.prompt for wish in wishes], seeds, progress)
    return compare(judge, score(judge, _sample(painted, wishes, clips)), real)


def _check(data, clips, seeds) -> None:
    if data.world != "moving_digits":
        raise UsageError(
            f"no judge for the world {data.world!r}; evaluation expects a model of moving_digits"
        )
    if data.frames < _FEWEST_FRAMES:
        raise UsageError(
            f"data.frames={data.frames} shows no motion to judge; expected {_FEWEST_FRAMES} or more"
        )
    if clips < 1 or not seeds or min(seeds) < 0:
        raise UsageError(f"clips={clips}, seeds={tuple(seeds)}; expected one clip or more, seeds from 0 on")


def _sample(painted, wishes, clips) -> Sample:
    """One or more runs through the wishes, the first `clips` of which are no sets."""
    single = wishes[:clips] * len(painted)
    return Sample(
        clips=np.concatenate([run[:clips] for run in painted]),
        digits=np.array([wish.digit for wish in single]),
        motions=np.array([wish.motion for wish in single]),
        sets=np.concatenate([run[clips:].reshape(len(SET_WISHES), SET, *run.shape[1:]) for run in painted]),
    )


def _paint_all(paint, prompts, seeds, progress) -> list[np.ndarray]:
    """For each seed the clips of all prompts, uint8 [prompts, t, h, w, c]."""
    runs = []
    for seed in seeds:
        batches = []
        for start in range(0, len(prompts), LARGEST_BATCH):
            batch = prompts[start : start + LARGEST_BATCH]
            batches.append(np.asarray(paint(batch, _seed(seed, start))))
            if progress is not None:
                done = len(runs) * len(prompts) + start + len(batch)
                progress(done, len(seeds) * len(prompts))
        runs.append(np.concatenate(batches))
    return runs


def _seed(seed: int, start: int) -> int:
    """A seed for the batch from prompt `start` on, in 0 .. 2^31 - 1."""
    return int(np.random.SeedSequence([seed, start]).generate_state(1)[0] >> 1)


def _real_clips(wishes, data) -> np.ndarray:
    """A real clip of held-out digits for each wish: uint8 [wishes, t, h, w, 1]."""
    source = MovingDigits(
        "test",
        100 * len(wishes),
        frames=data.frames,
        size=data.size,
        digit_size=data.digit_size,
        directory=data.directory or None,
    )
    waiting = collections.defaultdict(list)
    for place, wish in enumerate(wishes):
        waiting[wish.digit, wish.motion].append(place)
    clips = np.empty((len(wishes), data.frames, data.size, data.size, 1), np.uint8)
    for element in source:
        places = waiting.get((element["digit"], element["motion"]))
        if places:
            clips[places.pop()] = element["clip"]
        if not any(waiting.values()):
            return clips
    raise UsageError(f"too few test digits of a kind in {data.directory}; name a directory with all of MNIST")
