"""How fast is it, and what is the limit? One run, every row.

    python experiments/speed/measure.py [--output=FILE.json] [--repeats=5]

Prints the rows as they come, ratios first; writes them as JSON with the machine's description. The last rows,
those of the twin in PyTorch, need PyTorch, which nothing else here does.
"""

import importlib.util
import json
import os
import pathlib
import platform

import conv_lstm
import convolutions
import data
import generation
import jax
import machine
import step
from absl import app, flags

from t2v_jax.runtime.files import write_atomically

REPEATS = flags.DEFINE_integer("repeats", 5, "timed runs of each program, in turns")
OUTPUT = flags.DEFINE_string("output", None, "also write all rows to this file")

INFORMATION = pathlib.Path("/proc/cpuinfo")


def main(_):
    facts = {
        "device": jax.devices()[0].device_kind,
        "processor": f"{os.cpu_count()} cores of {_processor()}",
        "jax": jax.__version__,
        "python": platform.python_version(),
    }
    parts, rows = [machine, generation, data, conv_lstm, convolutions, step], []
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


def _processor():
    """The name of this machine's processor, where Linux tells it."""
    lines = INFORMATION.read_text().splitlines() if INFORMATION.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _write(results):
    """As soon as a row is there, for all of them take an hour."""
    if OUTPUT.value:
        write_atomically(OUTPUT.value, json.dumps(results, indent=1).encode())


if __name__ == "__main__":
    app.run(main)
