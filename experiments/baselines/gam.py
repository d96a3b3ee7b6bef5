"""Whose discriminator is fooled by whose clips? The generative adversarial metric (GAM, arXiv 1602.05110).

    python experiments/baselines/gam.py --ours=runs/digits --theirs=runs/frames

Each model's D scores real clips that neither was trained on, and the other model's clips. With e(.) the share
that it takes for the wrong kind, and our model as the first,

    r_test   = e(D1(real)) / e(D2(real))    near 1: neither D is the better one on real clips
    r_sample = e(D1(G2)) / e(D2(G1))        below 1: ours fool theirs more often than theirs ours

A D takes for real what scores above the level at which it errs equally often over its own G's clips and
over real ones it was trained on: scores of a relativistic D have no zero of their own.
"""

import json
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
from absl import app, flags

from t2v_jax.data.source import make_source
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.gan.gradients import to_unit_range
from t2v_jax.gan.losses import own
from t2v_jax.inference.generation import generate
from t2v_jax.inference.model import Model, load, load_discriminator
from t2v_jax.networks import protocol

OURS = flags.DEFINE_string("ours", None, "our run's workdir", required=True)
THEIRS = flags.DEFINE_string("theirs", None, "the other run's workdir", required=True)
CLIPS = flags.DEFINE_integer("clips", 992, "of each kind, a multiple of the batch")

BATCH = 32


class Pair(NamedTuple):
    """A trained G, D's module and D's parameters."""

    model: Model
    network: nn.Module
    discriminator: Any


def load_pair(workdir) -> Pair:
    """Both networks of a run, at its newest checkpoint."""
    model = load(workdir)
    network = protocol.build("discriminator", model.config, model.language.vocabulary_size)
    return Pair(model, network, load_discriminator(workdir))


def battle(first, second, clips):
    """{"r_test", "r_sample"} and the four shares they are made of."""
    painted = [_painted(pair, clips) for pair in (first, second)]
    levels = [
        _level(_scores(pair, *_real(pair, "train", clips)), _scores(pair, *own_clips))
        for pair, own_clips in zip((first, second), painted)
    ]
    missed_real = [
        _share(_scores(pair, *_real(pair, "test", clips)) <= level)
        for pair, level in zip((first, second), levels)
    ]
    fooled = [
        _share(_scores(pair, *others) > level)
        for pair, level, others in zip((first, second), levels, painted[::-1])
    ]
    return {
        "r_test": missed_real[0] / missed_real[1],
        "r_sample": fooled[0] / fooled[1],
        "missed_real": missed_real,
        "fooled": fooled,
    }


def _prompts(pair, split, clips):
    return prompts_of.balanced(make_source(pair.model.config, split), clips)


def _painted(pair, clips):
    """A model's clips of the trained combinations, and their prompts."""
    prompts = [prompt.text for prompt in _prompts(pair, "test", clips)]
    return np.asarray(generate(pair.model, prompts)), prompts


def _real(pair, split, clips):
    prompts = _prompts(pair, split, clips)
    real = prompts_of.real_clips(make_source(pair.model.config, split))
    return real(prompts, 0, pair.model.config.data.frames), [prompt.text for prompt in prompts]


def _scores(pair, clips, prompts):
    """D's scores of clips uint8 [n, t, h, w, c] with their prompts: [n], the mean over its discriminators.

    It sees as many frames, as evenly spaced, as in the last stage of training.
    """
    painted = pair.model.config.schedule.stages[-1][2]
    frame_indices = np.linspace(0, clips.shape[1] - 1, painted).round().astype(int)
    captions = pair.model.language.encode(prompts)

    @jax.jit
    def score(clips, captions):
        output = pair.network.apply(pair.discriminator, clips, captions, np.arange(painted))
        return own(output.logits).mean(0)

    batches = [slice(start, start + BATCH) for start in range(0, len(clips), BATCH)]
    return np.concatenate(
        [
            score(
                to_unit_range(clips[rows][:, frame_indices]),
                type(captions)(*(part[rows] for part in captions)),
            )
            for rows in batches
        ]
    )


def _level(real, fake):
    """The score at which as large a share of the real clips is below as of the others above."""
    levels = np.sort(np.concatenate([real, fake]))
    below = np.searchsorted(np.sort(real), levels, side="right") / len(real)
    above = 1 - np.searchsorted(np.sort(fake), levels, side="right") / len(fake)
    return levels[np.abs(below - above).argmin()]


def _share(wrong):
    """Of verdicts bool [n]; half a clip at either end, so that no ratio is infinite."""
    return (wrong.sum() + 0.5) / (len(wrong) + 1)


def main(_):
    print(json.dumps(battle(load_pair(OURS.value), load_pair(THEIRS.value), CLIPS.value), indent=1))


if __name__ == "__main__":
    app.run(main)
