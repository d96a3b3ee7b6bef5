"""The table and the figure of all reports.

    python experiments/ablations/table.py

Writes results.json and results.png beside this file, and prints the table. The intervals are Student's over
the trainings, each from another seed. The figure needs matplotlib.
"""

import json
import pathlib

import numpy as np
from absl import app
from config import VARIANTS

from t2v_jax.evaluation.statistics import mean

HERE = pathlib.Path(__file__).parent
REPORTS = HERE / "reports"  # VARIANT-SEED.json, as `t2v evaluate --output` writes them
SCORES = {
    "trained: digit": ("seen", "generated", "accuracy", "digit"),
    "motion": ("seen", "generated", "accuracy", "motion"),
    "both": ("seen", "generated", "accuracy", "all"),
    "held out: both": ("held_out", "generated", "accuracy", "all"),
    "diversity: appearance": ("seen", "relative", "diversity", "appearance"),
    "diversity: motion": ("seen", "relative", "diversity", "motion"),
}


def main(_):
    results = {name: result for name in VARIANTS if (result := _result(name))}
    (HERE / "results.json").write_text(json.dumps(results, indent=1))
    print(_table(results))
    _plot(results, HERE / "results.png")


def _result(name):
    """{score: `statistics.mean`} over a variant's reports; None without any."""
    paths = sorted(REPORTS.glob(f"{name}-*.json"))
    reports = [json.loads(path.read_text()) for path in paths]
    return {title: mean(_values(reports, keys)) for title, keys in SCORES.items()} if reports else None


def _values(reports, keys):
    """A score of each report, found by its keys: [seeds, 1]."""
    for key in keys:
        reports = [report[key] for report in reports]
    return np.array([[report["value"]] for report in reports])


def _table(results):
    rows = [["", *SCORES], ["---"] * (1 + len(SCORES))]
    rows += [[VARIANTS[name].title, *map(_cell, result.values())] for name, result in results.items()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(score):
    half = "" if score["low"] is None else f" ± {score['high'] - score['value']:.2f}"
    return f"{score['value']:.2f}{half}"


def _plot(results, path):
    from matplotlib import pyplot

    shown = "both", "held out: both", "diversity: appearance"
    figure, axes = pyplot.subplots(1, len(shown), figsize=(12, 4), sharey=True, layout="constrained")
    for axis, title in zip(axes, shown):
        for row, result in enumerate(results.values()):
            values = result[title]["by_seed"]
            axis.barh(row, result[title]["value"], color="lightgray")
            axis.plot(values, [row] * len(values), "o", color="black", markersize=4)
        axis.set(title=title, xlim=(0, 1), yticks=range(len(results)))
        axis.set_yticklabels([VARIANTS[name].title for name in results])
        axis.invert_yaxis()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    app.run(main)
