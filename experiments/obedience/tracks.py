"""How differently the clips of one caption move: the variance of their tracks by axis, beside real ones.

    python experiments/obedience/tracks.py --model=moving-shapes

A track is the ink's way about its mean, [frames, 2] in sides of the frame. Prints, over several captions, the
variance along the principal axes of all real tracks of a caption, summed over the frames, times 10,000; and
how far real and generated looks and tracks differ (`scores.diversity`).
"""

import numpy as np
from absl import app, flags

import t2v_jax
from t2v_jax.data.source import make_source
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.evaluation import scores
from t2v_jax.evaluation import tracks as tracking
from t2v_jax.evaluation.classifier import Classifier

MODEL = flags.DEFINE_string("model", "moving-shapes", "a shipped model, a saved one, or a training workdir")
CAPTIONS, CLIPS, AXES = 8, 64, 5


def about(clips):
    """uint8 [n, t, h, w, c] -> the tracks about their means and about the mean track, [n, 2 t]."""
    tracks = tracking.tracks(clips)
    tracks = tracks - tracks.mean(1, keepdims=True)
    return (tracks - tracks.mean(0)).reshape(len(tracks), -1)


def axes(real, generated):
    """The variance of both along the principal axes of the real: two rows of AXES numbers."""
    _, _, directions = np.linalg.svd(real, full_matrices=False)
    return [1e4 * (tracks @ directions[:AXES].T).var(0) for tracks in (real, generated)]


def main(_):
    params = t2v_jax.load(MODEL.value)
    world = make_source(params.config, "test")
    classifier, paint = Classifier.shipped(params.config.data.world), prompts_of.real_clips(world)
    asked, variances, ratios = prompts_of.repeated(world, CAPTIONS, CLIPS), [], []
    for start in range(0, len(asked), CLIPS):
        sample = asked[start : start + CLIPS]
        real = paint(sample, 0, params.config.data.frames)
        generated = np.asarray(t2v_jax.generate(params, [prompt.text for prompt in sample]))
        variances.append(axes(about(real), about(generated)))
        theirs, ours = (scores.diversity(scores.read(classifier, clips)) for clips in (real, generated))
        ratios.append({kind: ours[kind] / theirs[kind] for kind in ("appearance", "place", "motion")})
        print(sample[0].text, *(f"{kind} {ratio:.2f}" for kind, ratio in ratios[-1].items()), flush=True)
    print("mean", *(f"{kind} {np.mean([of[kind] for of in ratios]):.2f}" for kind in ratios[0]))
    for name, row in zip(("real", "generated"), np.mean(variances, axis=0)):
        print(f"{name:<10}", *(f"{value:8.1f}" for value in row))


if __name__ == "__main__":
    app.run(main)
