"""How far a training on a world had come at each of its checkpoints: a table.

python experiments/recipe/curve.py --prepared=DIR --world=plain --workdir=runs/mine
"""

import pathlib

from absl import app, flags
from scores import HEADER, measure, row
from worlds import DIGITS, FOLDERS, world

PREPARED = flags.DEFINE_string("prepared", "prepared", "directory of the prepared folders, by their names")
WORLD = flags.DEFINE_enum("world", "plain", [*FOLDERS, DIGITS], "what was trained on")
WORKDIR = flags.DEFINE_string("workdir", None, "of the training", required=True)
FROM = flags.DEFINE_integer("from", 0, "the first step whose checkpoint is read")


def main(argv):
    """Measures and prints."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    chosen, workdir = world(WORLD.value, pathlib.Path(PREPARED.value)), pathlib.Path(WORKDIR.value)
    kept = sorted(int(path.name) for path in (workdir / "checkpoints").iterdir() if path.name.isdigit())
    print(HEADER)
    for step in kept:
        if step >= FROM.value:
            print(row(WORLD.value, measure(chosen, workdir, step)), flush=True)


if __name__ == "__main__":
    app.run(main)
