"""Do shapes obey sentences that training never showed: words left out, and words that no caption has?

python experiments/recipe/phrasings.py --model=moving-shapes
"""

import warnings

import numpy as np
from absl import app, flags

import t2v_jax
from t2v_jax.data.source import make_source
from t2v_jax.evaluation.classifier import Classifier
from t2v_jax.evaluation.prompts import balanced, combinations
from t2v_jax.evaluation.statistics import share
from t2v_jax.inference.generation import UnknownWord

MODEL = flags.DEFINE_string("model", "moving-shapes", "a shipped model, a saved one, or a training workdir")
CLIPS = flags.DEFINE_integer("clips", 256, "of each phrasing", lower_bound=1)

PHRASINGS = (
    "a {size} {color} {shape} is moving {direction} {motion}",
    "a {color} {shape}",
    "{color} {shape} {direction}",
    "a {color} {shape} flies {direction}",
    "a {color} {shape} flies {direction} quickly",
    "look, a {size} {shape} drifting {direction} {motion}",
)


def said(world, phrasing, combination):
    """A phrasing of a combination of the world's values."""
    values = {name: names[i] for (name, names), i in zip(world.attributes.items(), combination)}
    return phrasing.format(**values)


def main(argv):
    """Paints and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    warnings.simplefilter("ignore", UnknownWord)
    params = t2v_jax.load(MODEL.value)
    world, classifier = make_source(params.config, "test"), Classifier.shipped(params.config.data.world)
    wanted = combinations(balanced(world, CLIPS.value))
    for phrasing in PHRASINGS:
        prompts = [said(world, phrasing, combination) for combination in wanted]
        right = classifier(np.asarray(t2v_jax.generate(params, prompts))).values == wanted
        told = [
            f"{name} {share(right[None, :, i])['value']:.1%}"
            for i, name in enumerate(world.attributes)
            if f"{{{name}}}" in phrasing
        ]
        print(f"{phrasing}: {', '.join(told)}", flush=True)


if __name__ == "__main__":
    app.run(main)
