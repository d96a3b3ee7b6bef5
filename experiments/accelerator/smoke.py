"""Does it run here? A small run by the command, stopped and gone on with; clips and a stream of its model.

    python experiments/accelerator/smoke.py --output=smoke.json

Writes the losses of the first steps and pixels as JSON; `visit.py` lays those of an accelerator and of a CPU
side by side.
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile

import jax
import numpy as np
from absl import app, flags

import t2v_jax

OUTPUT = flags.DEFINE_string("output", None, "the JSON file to write", required=True)

ROOT = pathlib.Path(__file__).parents[2]
PROMPT = "digit 3 is up and down."
COMPARED = 20  # steps whose losses are told


def train(workdir):
    """A run that is stopped after its tenth step, or a little later, and goes on."""
    command = [
        sys.executable,
        "-m",
        "t2v_jax.cli",
        "train",
        "--config=tests/small.py",
        f"--workdir={workdir}",
    ]
    command += [f"--config.steps={2 * COMPARED}", "--config.checkpoint_every=1000", "--config.dtype=float32"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("step 10/"):
            process.send_signal(signal.SIGTERM)
            break
    output, errors = process.communicate(timeout=120)
    if process.returncode:
        raise SystemExit(f"the small run ended with {process.returncode}: {errors}")
    subprocess.run(command, cwd=ROOT, check=True, timeout=300, capture_output=True)
    return output


def main(_):
    with tempfile.TemporaryDirectory() as directory:
        workdir = pathlib.Path(directory, "run")
        stopped = train(workdir).strip()
        lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
        params = t2v_jax.load(workdir)
    clip = t2v_jax.generate(params, PROMPT, seed=1)
    stream = t2v_jax.Stream(params, PROMPT, seed=1)
    streamed = np.stack([next(stream) for _ in range(len(clip))])
    shipped = t2v_jax.generate(t2v_jax.load("moving-digits"), "the digit 5 is moving up and down")
    found = {
        "backend": jax.default_backend(),
        "stopped": stopped.rsplit(": ")[-1],
        "steps": [line["step"] for line in lines],
        "losses": [line["discriminator_loss"] for line in lines[:COMPARED]],
        "stream_is_the_clip": int(np.abs(np.asarray(clip, int) - streamed).max()),
        "clip": np.asarray(shipped).ravel().tolist(),
    }
    pathlib.Path(OUTPUT.value).write_text(json.dumps(found))


if __name__ == "__main__":
    app.run(main)
