"""Is a natural sentence understood, and does the clip show it?

    python experiments/sentences/measure.py --model=moving-digits

Writes results/MODEL.json beside this file: of each sentence in sentences.jsonl for the model what was
understood, what the judge sees in the clip of seed 0, and in how many of SEEDS clips all is there.
"""

import json
import pathlib
import warnings

import numpy as np
from absl import app, flags
from judges import SEEDS, judge_of, shows

import t2v_jax
from t2v_jax.inference.generation import OtherWords, UnknownWord
from t2v_jax.runtime.files import write_atomically
from t2v_jax.text.understanding import understand

MODEL = flags.DEFINE_string("model", None, "a shipped model", required=True)

HERE = pathlib.Path(__file__).parent


def sentences_of(model):
    """The lines of the list that are for a model."""
    lines = (HERE / "sentences.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["model"] == model]


def main(_):
    warnings.simplefilter("ignore", OtherWords)
    warnings.simplefilter("ignore", UnknownWord)
    asked, model, judge = sentences_of(MODEL.value), t2v_jax.load(MODEL.value), judge_of(MODEL.value)
    texts = [line["sentence"] for line in asked]
    found = [judge(np.asarray(t2v_jax.generate(model, texts, seed))) for seed in range(SEEDS)]
    results = []
    for place, line in enumerate(asked):
        understood = understand(model.language, line["sentence"])
        right = [shows(reading[place], line["shows"]) for reading in found]
        results.append(
            line
            | {
                "reads": understood.sentence,
                "says": str(understood),
                "wrong": [name for name, is_right in right[0].items() if not is_right],
                "clips": sum(all(each.values()) for each in right),
            }
        )
        print(f"{results[-1]['clips']} of {SEEDS}: {line['sentence']} | wrong: {results[-1]['wrong']}")
    (HERE / "results").mkdir(exist_ok=True)
    write_atomically(HERE / "results" / f"{MODEL.value}.json", json.dumps(results, indent=1).encode())


if __name__ == "__main__":
    app.run(main)
