"""Do generated emoji show what their captions say? The matcher's word for it, beside that on real clips.

python experiments/emoji/measure.py --workdir=runs/emoji --output=experiments/emoji/results.json
"""

import json
import pathlib

import numpy as np
from absl import app, flags
from loops import HELD_OUT, TRAIN, read
from matcher import load
from scores import chosen, toned

import t2v_jax
from t2v_jax.evaluation.statistics import mean, share

WORKDIR = flags.DEFINE_string("workdir", "animated-emoji", "a training workdir, or a model")
OUTPUT = flags.DEFINE_string("output", None, "the numbers as JSON", required=True)
CLIPS = flags.DEFINE_integer("clips", 1000, "generated ones of each split and seed", lower_bound=1)
SEEDS = flags.DEFINE_multi_integer("seed", [0, 1, 2], "of the noise")


def measure(matcher, loops, captions, paint, seeds):
    """Of clips of the first wordings, over all seeds: shares "right among 64" and "tone", mean "motion"."""
    places = {text: place for place, text in enumerate(captions)}
    right, tones, motion = [], [], []
    for seed in seeds:
        clips, rows = paint(loops, seed)
        own = [places[loops.captions[row]] for row in rows]
        right.append(chosen(matcher(clips, captions), own, np.random.default_rng(seed)))
        tones.append(toned(matcher, clips, [loops.names[row] for row in rows], loops.tones[rows]))
        motion.append(changes(clips))
    shares = {"right among 64": share(np.stack(right)), "tone": share(np.stack(tones))}
    return shares | {"motion": mean(np.stack(motion))}


def changes(clips):
    """How much each clip changes from frame to frame: mean absolute difference, pixels in [0, 1], [n]."""
    return np.array([np.abs(np.diff(clip / np.float32(255), axis=0)).mean() for clip in clips])


def main(_):
    params, matcher = t2v_jax.load(WORKDIR.value), load()
    splits = {split: read(split) for split in (TRAIN, HELD_OUT)}
    captions = [text for loops in splits.values() for text in loops.captions]

    def paint(loops, seed):
        rows = np.arange(CLIPS.value) % len(loops.names)
        return np.asarray(t2v_jax.generate(params, [loops.captions[row] for row in rows], seed)), rows

    def real(loops, _):
        return loops.clips, np.arange(len(loops.names))

    results = {
        split: {
            "generated": measure(matcher, loops, captions, paint, SEEDS.value),
            "real": measure(matcher, loops, captions, real, SEEDS.value[:1]),
        }
        for split, loops in splits.items()
    }
    pathlib.Path(OUTPUT.value).write_text(json.dumps(results, indent=1))
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    app.run(main)
