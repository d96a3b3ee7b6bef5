"""How fast is it, and what is the limit? One run, every row.

    python experiments/speed/measure.py [--output=FILE.json] [--repeats=5]

Prints the rows as they come, ratios first; writes them as JSON with the machine's description. The last rows,
those of the twin in PyTorch, need PyTorch, which nothing else here does.
"""

import importlib.util
import json
import platform

import conv_lstm
import generation
import jax
import kernel_gradient
import machine
import step
from absl import app, flags

REPEATS = flags.DEFINE_integer("repeats", 5, "timed runs of each program, in turns")
OUTPUT = flags.DEFINE_string("output", None, "also write all rows to this file")


def main(_):
    facts = {
        "device": jax.devices()[0].device_kind,
        "jax": jax.__version__,
        "python": platform.python_version(),
    }
    parts, rows = [machine, generation, step, kernel_gradient, conv_lstm], []
    if importlib.util.find_spec("torch"):
        import torch
        import twin

        facts["torch"] = torch.__version__
        parts.append(twin)
    else:
        facts["torch"] = "not installed: no rows of the twin"
        print(json.dumps({"torch": facts["torch"]}), flush=True)
    for part in parts:
        for row in part.measure(REPEATS.value):
            rows.append(row)
            print(json.dumps(row), flush=True)
            _write({**facts, "rows": rows})


def _write(results):
    """As soon as a row is there, for all of them take an hour."""
    if OUTPUT.value:
        with open(OUTPUT.value, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    app.run(main)
