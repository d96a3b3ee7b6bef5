"""How well do the baselines obey the sentence? The scores of `t2v evaluate`, for each of them.

python experiments/baselines/compare.py --baseline=frames --workdir=runs/frames --output=frames.json
"""

import json
import pathlib

from absl import app, flags
from networks import BASELINES
from players import load

from t2v_jax.evaluation.evaluate import evaluate_model
from t2v_jax.evaluation.report import to_text

BASELINE = flags.DEFINE_enum("baseline", None, list(BASELINES), "which of them", required=True)
WORKDIR = flags.DEFINE_string("workdir", None, "where it was trained", required=True)
OUTPUT = flags.DEFINE_string("output", None, "the report as JSON", required=True)
CLIPS = flags.DEFINE_integer("clips", 1000, "clips of each split and seed")


def main(_):
    params = load(BASELINE.value, WORKDIR.value).params
    report = evaluate_model(params, CLIPS.value)
    pathlib.Path(OUTPUT.value).write_text(json.dumps(report, indent=1))
    print(to_text(report))


if __name__ == "__main__":
    app.run(main)
