"""One recipe on all worlds: trains each for so many steps, reads its clips, and prints one table.

    python experiments/recipe/compare.py --prepared=DIR --output=runs/recipe --steps=1500
    python experiments/recipe/compare.py ... --change=loss.penalty_weight=0.1 --change=game.balance=0.0

Steps and not minutes, so that what else a machine does makes no difference. What is trained already is not
trained again: the same command reads it anew.
"""

import ast
import json
import pathlib

from absl import app, flags
from scores import HEADER, measure, row
from worlds import DIGITS, FOLDERS, world

from t2v_jax.training.loop import train

PREPARED = flags.DEFINE_string("prepared", "prepared", "directory of the prepared folders, by their names")
OUTPUT = flags.DEFINE_string("output", None, "directory of the workdirs, and of the table", required=True)
STEPS = flags.DEFINE_integer("steps", 1500, "of each training", lower_bound=1)
WORLDS = flags.DEFINE_list("worlds", [*FOLDERS, DIGITS], "what to train")
CHANGES = flags.DEFINE_multi_string("change", [], "a field of every config, as loss.penalty_weight=0.1")


def changed(config):
    """The config of so many steps, with the changes that were asked for."""
    config.minutes, config.steps = 0.0, STEPS.value
    for change in CHANGES.value:
        name, value = change.split("=", 1)
        config.update_from_flattened_dict({name: ast.literal_eval(value)})
    return config


def main(argv):
    """Trains, measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    output, results = pathlib.Path(OUTPUT.value), {}
    for name in WORLDS.value:
        chosen = world(name, pathlib.Path(PREPARED.value))
        train(changed(chosen.config), output / name)
        results[name] = measure(chosen, output / name)
        print(row(name, results[name]), flush=True)
    (output / "results.json").write_text(json.dumps(results, indent=1))
    print("\n".join([HEADER, *(row(*result) for result in results.items())]))


if __name__ == "__main__":
    app.run(main)
