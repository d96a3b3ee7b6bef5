"""How many of a few generated clips fit their own captions best, while a model trains."""

import pathlib

import numpy as np

from t2v_jax.evaluation.classifier import Classifier
from t2v_jax.evaluation.matcher_training import matcher_for, real_clips
from t2v_jax.evaluation.retrieval import Retrieval
from t2v_jax.evaluation.statistics import share
from t2v_jax.inference.generation import generate
from t2v_jax.text.examples import evenly_spread

CAPTIONS = 64  # of the training split, one clip each
FIRST_STEP = 1_000  # a matcher takes minutes to train: not before there is something to see
_CLIPS_AT_ONCE = 16  # as a sample sheet, whose program there is already


def has_matcher(config) -> bool:
    """Whether a matcher scores the clips of a configuration; drawn worlds have classifiers."""
    return config.data.world not in Classifier.worlds()


class CaptionMatch:
    """Scores a model again and again, by the same captions and the same noise."""

    def __init__(self, config, workdir: pathlib.Path):
        """Trains the workdir's matcher, unless there is one: see `matcher_for`."""
        real = real_clips(config)
        matcher = matcher_for(workdir, real)
        self._prompts = evenly_spread(real.training.captions(), CAPTIONS)
        self._matcher, self._retrieval = matcher, Retrieval(matcher, real.captions())
        self.of_real_clips = matcher.held_back["value"]

    def __call__(self, params) -> dict:
        """The share of right captions, as `statistics.share`; `of_real_clips` is that of held-back ones."""
        starts = range(0, len(self._prompts), _CLIPS_AT_ONCE)
        return share(np.concatenate([self._right(params, start) for start in starts])[None])

    def _right(self, params, start):
        prompts = self._prompts[start : start + _CLIPS_AT_ONCE]
        clips = np.asarray(generate(params, prompts, seed=start))
        return self._retrieval(self._matcher.clips(clips).vectors, prompts, seed=start)
