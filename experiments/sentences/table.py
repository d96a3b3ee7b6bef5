"""The results of `measure.py` as tables: shares by model, and every sentence.

python experiments/sentences/table.py
"""

import json
import pathlib

import numpy as np
from absl import app
from judges import SEEDS

from t2v_jax.evaluation.statistics import share

RESULTS = pathlib.Path(__file__).parent / "results"


def row(name, lines):
    """Sentences whose clip of seed 0 is right, the share of all clips, and the sentences called far."""
    shown = share(np.array([[not line["wrong"] for line in lines]]))
    clips = sum(line["clips"] for line in lines)
    count, interval = sum(not line["wrong"] for line in lines), f"{shown['low']:.0%} - {shown['high']:.0%}"
    far = [line for line in lines if "far from all" in line["says"]]
    wrong = sum(bool(line["wrong"]) for line in far)
    share_of_clips = f"{clips / (SEEDS * len(lines)):.0%}"
    return f"| {name} | {count} of {len(lines)} | {interval} | {share_of_clips} | {len(far)}, {wrong} wrong |"


def main(_):
    results = {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}
    lines = [line for each in results.values() for line in each]
    kinds = {"written for this": False, "after public requests": True}
    print(f"| | shown, seed 0 | 95 % interval | of {SEEDS} seeds | called far |\n|---|---|---|---|---|")
    for name, each in results.items():
        print(row(name, each))
    for name, read in kinds.items():
        print(row(name, [line for line in lines if line["read"] == read]))
    print(row("**all**", lines))
    print("\n| sentence | read as | shown | wrong in the clip of seed 0 |\n|---|---|---|---|")
    for line in lines:
        wrong = ", ".join(line["wrong"]).replace("_", " ") or "-"
        print(f"| {line['sentence']} | {line['reads']} | {line['clips']} of {SEEDS} | {wrong} |")


if __name__ == "__main__":
    app.run(main)
