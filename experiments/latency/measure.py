"""How long does one take to get a clip: from a cold machine, from a warm one, from a running program?

    python experiments/latency/measure.py

Each of the first two is a whole `t2v generate`, process start to file; the third one call of
`t2v_jax.generate`, already compiled. The last line is a JSON object, in seconds.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from absl import app

import t2v_jax

PROMPT = "the digit 3 is moving up and down"


def command_seconds(directory):
    """One `t2v generate` with the compilation cache in `directory`."""
    arguments = ["generate", f"--prompt={PROMPT}", f"--output={directory / 'clip.gif'}"]
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "t2v_jax.cli", *arguments],
        env=os.environ | {"XDG_CACHE_HOME": str(directory)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def call_seconds(params, seed):
    start = time.perf_counter()
    np.asarray(t2v_jax.generate(params, PROMPT, seed=seed))
    return time.perf_counter() - start


def main(_):
    with tempfile.TemporaryDirectory() as name:
        cold, *warm = [command_seconds(pathlib.Path(name)) for _ in range(4)]
    params = t2v_jax.load("moving-digits")
    _, *calls = [call_seconds(params, seed) for seed in range(21)]
    result = {"cold": cold, "warm": statistics.median(warm), "compiled": statistics.median(calls)}
    print(json.dumps({key: round(value, 4) for key, value in result.items()}))


if __name__ == "__main__":
    app.run(main)
