"""Whose discriminator is fooled by whose clips? The generative adversarial metric (GAM, arXiv 1602.05110).

    python experiments/baselines/gam.py --ours=runs/digits --baseline=frames --workdir=runs/frames

Each player's D judges real clips that no player was trained on, and the other player's clips. With e(.) the
share that it takes for the wrong kind, and us as the first player,

    r_test   = e(D1(real)) / e(D2(real))    near 1: none of the two is the better judge of real clips
    r_sample = e(D1(G2)) / e(D2(G1))        below 1: ours fool theirs more often than theirs ours

A D takes for real what scores above the level at which it errs equally often over its own G's clips and
over real ones it was trained on: scores of a relativistic D have no zero of their own.
"""

import json

import jax
import numpy as np
from absl import app, flags
from networks import BASELINES
from players import load

from t2v_jax.data.source import make_source
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.gan.gradients import to_unit_range
from t2v_jax.gan.losses import own
from t2v_jax.inference.generation import generate

OURS = flags.DEFINE_string("ours", None, "our run's workdir", required=True)
BASELINE = flags.DEFINE_enum("baseline", None, list(BASELINES), "the other player", required=True)
WORKDIR = flags.DEFINE_string("workdir", None, "where it was trained", required=True)
CLIPS = flags.DEFINE_integer("clips", 992, "of each kind, a multiple of the batch")

BATCH = 32


def battle(first, second, clips):
    """{"r_test", "r_sample"} and the four shares they are made of."""
    painted = [_painted(player, clips) for player in (first, second)]
    levels = [
        _level(_scores(player, *_real(player, "train", clips)), _scores(player, *own_clips))
        for player, own_clips in zip((first, second), painted)
    ]
    missed_real = [
        _share(_scores(player, *_real(player, "test", clips)) <= level)
        for player, level in zip((first, second), levels)
    ]
    fooled = [
        _share(_scores(player, *others) > level)
        for player, level, others in zip((first, second), levels, painted[::-1])
    ]
    return {
        "r_test": missed_real[0] / missed_real[1],
        "r_sample": fooled[0] / fooled[1],
        "missed_real": missed_real,
        "fooled": fooled,
    }


def _prompts(player, split, clips):
    return prompts_of.balanced(make_source(player.params.config, split), clips)


def _painted(player, clips):
    """A player's clips of the trained combinations, and their prompts."""
    prompts = [prompt.text for prompt in _prompts(player, "test", clips)]
    return np.asarray(generate(player.params, prompts)), prompts


def _real(player, split, clips):
    prompts = _prompts(player, split, clips)
    real = prompts_of.real_clips(make_source(player.params.config, split))
    return real(prompts, 0, player.params.config.data.frames), [prompt.text for prompt in prompts]


def _scores(player, clips, prompts):
    """D's scores of clips uint8 [n, t, h, w, c] with their prompts: [n], the mean of its judges'.

    It sees as many frames, as evenly spaced, as in the last stage of training.
    """
    painted = player.params.config.schedule.stages[-1][2]
    frame_indices = np.linspace(0, clips.shape[1] - 1, painted).round().astype(int)
    captions = player.params.language.encode(prompts)

    @jax.jit
    def score(clips, captions):
        output = player.discriminator.apply(player.arrays, clips, captions, np.arange(painted))
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
    players = load("ours", OURS.value), load(BASELINE.value, WORKDIR.value)
    print(json.dumps(battle(*players, CLIPS.value), indent=1))


if __name__ == "__main__":
    app.run(main)
