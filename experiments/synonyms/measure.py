"""Does a model obey words that no caption of its training had?

    python experiments/synonyms/measure.py --model=moving-shapes --model=runs/glove [--output=FILE.json]

Prompts of moving shapes of which one word is exchanged for a synonym (`words.py`); the judge says whether
the clip shows what the word stands for. Beside it the same prompts as the captions have them, and chance.
"""

import json
import warnings

import numpy as np
from absl import app, flags
from words import SYNONYMS

import t2v_jax
from t2v_jax.data.source import drawn_worlds
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.evaluation.classifier import Classifier
from t2v_jax.evaluation.scores import accuracy
from t2v_jax.evaluation.statistics import share
from t2v_jax.inference.generation import LARGEST_BATCH, UnknownWord
from t2v_jax.runtime.files import write_atomically

MODEL = flags.DEFINE_multi_string("model", None, "shipped model, model directory or workdir", required=True)
CLIPS = flags.DEFINE_integer("clips", 1_000, "of each attribute and seed", lower_bound=1)
SEEDS = flags.DEFINE_multi_integer("seed", [0, 1, 2], "of the noise")
OUTPUT = flags.DEFINE_string("output", None, "also write the results as JSON here")


def exchanged(prompt, attribute, value, turn):
    """The prompt with the value's synonym whose turn it is, and that synonym."""
    synonyms = SYNONYMS[attribute][value]
    synonym = synonyms[turn % len(synonyms)]
    return " ".join(synonym if word == value else word for word in prompt.text.split()), synonym


def values(model, classifier, prompts):
    """What the judge reads off the clips of prompts: int [seeds, n, attributes]."""
    batches = [prompts[start : start + LARGEST_BATCH] for start in range(0, len(prompts), LARGEST_BATCH)]
    return np.stack(
        [
            np.concatenate(
                [classifier(np.asarray(t2v_jax.generate(model, batch, seed))).values for batch in batches]
            )
            for seed in SEEDS.value
        ]
    )


def scores(model, classifier, world, attribute):
    """Shares of clips that show an attribute as they should: by its own words, by synonyms, by each."""
    place, names = list(world.attributes).index(attribute), world.attributes[attribute]
    asked = prompts_of.balanced(world, CLIPS.value)
    wanted = prompts_of.combinations(asked)
    pairs = [
        exchanged(prompt, attribute, names[prompt.combination[place]], turn)
        for turn, prompt in enumerate(asked)
    ]
    prompts, synonyms = zip(*pairs)
    found = values(model, classifier, prompts)
    right = found[..., place] == wanted[:, place]
    of_each = {word: [synonym == word for synonym in synonyms] for word in sorted(set(synonyms))}
    own = values(model, classifier, [prompt.text for prompt in asked])
    return {
        "own words": accuracy(classifier, own, wanted)[attribute],
        "synonyms": share(right),
        "each": {word: share(right[:, rows]) for word, rows in of_each.items()},
        "chance": 1 / len(names),
    }


def main(_):
    classifier, world = Classifier.shipped("moving_shapes"), drawn_worlds()["moving_shapes"]("test")
    warnings.simplefilter("ignore", UnknownWord)
    results = {}
    for name in MODEL.value:
        model = t2v_jax.load(name)
        results[name] = {attribute: scores(model, classifier, world, attribute) for attribute in SYNONYMS}
        for attribute, found in results[name].items():
            own, other = (f"{found[kind]['value']:.1%}" for kind in ("own words", "synonyms"))
            print(f"{name}: {attribute}: own words {own}, synonyms {other}, chance {found['chance']:.0%}")
    if OUTPUT.value:
        write_atomically(OUTPUT.value, json.dumps(results, indent=1).encode())


if __name__ == "__main__":
    app.run(main)
