"""A run that is killed again and again, half of the time while it saves, ends in the same parameters.

python experiments/survival/kill.py --number=200
"""

import argparse
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import commands
import jax
import numpy as np

from t2v_jax.training.checkpoints import Checkpoints

LONGEST_LIFE, STEPS_A_LIFE = 16, 20  # steps before a kill; of the run for each, so that it outlasts them
LIMIT = 600  # seconds


def start(workdir, steps):
    """`t2v train`, as a process that writes its progress to a file."""
    flags = [
        *commands.SMALL,
        "--config.checkpoint_every=5",
        f"--config.steps={steps}",
        f"--workdir={workdir}",
    ]
    with open(workdir.with_suffix(".log"), "w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "t2v_jax.cli", "train", *flags], stdout=subprocess.DEVNULL, stderr=log
        )


def log(workdir):
    return workdir.with_suffix(".log").read_text()


def wait_for(process, holds):
    """Whether it holds before the process ends."""
    end = time.monotonic() + LIMIT
    while not holds():
        if process.poll() is not None:
            return False
        if time.monotonic() > end:
            raise TimeoutError(f"nothing for {LIMIT} seconds")
        time.sleep(0.001)
    return True


def steps_of(workdir):
    """Those of the newest life."""
    return [int(step) for step in re.findall(r"^step (\d+)/", log(workdir), re.MULTILINE)]


def killed(workdir, steps, saving, rng):
    """Whether the run was killed, and not done before; checks that it went on from its newest checkpoint."""
    process, life = start(workdir, steps), rng.randint(1, LONGEST_LIFE)
    if not wait_for(process, lambda: len(steps_of(workdir)) >= life):
        assert process.returncode == 0, log(workdir)
        return False
    if saving:
        parts = workdir / "checkpoints"
        wait_for(process, lambda: any(parts.glob("*.orbax-checkpoint-tmp*")))
        time.sleep(rng.uniform(0, 0.02))
    else:
        time.sleep(rng.uniform(0, 0.1))
    was_saving = any((workdir / "checkpoints").glob("*.orbax-checkpoint-tmp*"))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    if process.returncode == 0:
        return False
    first, *_, last = [*steps_of(workdir)[:1], *steps_of(workdir)]
    print(f"from step {first}, killed after {last}{' while saving' if was_saving else ''}", flush=True)
    return was_saving + 1


def arrays(workdir):
    with Checkpoints(workdir) as checkpoints:
        return checkpoints.latest_step(), [checkpoints.restore_arrays(item) for item in ("ema", "training")]


def metrics(workdir):
    """The lines of metrics.jsonl, without the speed, which no two runs share."""
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    return [{name: line[name] for name in line if name != "clips_per_second"} for line in lines]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    rng, steps = random.Random(options.seed), STEPS_A_LIFE * options.number
    with tempfile.TemporaryDirectory() as folder:
        whole, workdir = pathlib.Path(folder, "whole"), pathlib.Path(folder, "killed")
        assert start(whole, steps).wait() == 0, log(whole)
        kills = []
        for index in range(options.number):
            kills.append(killed(workdir, steps, index % 2 == 1, rng))
            if not kills[-1]:
                break
        last = start(workdir, steps)
        assert last.wait() == 0, log(workdir)
        (step, ours), (expected, theirs) = arrays(workdir), arrays(whole)
        equal = jax.tree.leaves(jax.tree.map(np.array_equal, ours, theirs))
        lines = [metrics(path) for path in (workdir, whole)]
    same = "equal" if lines[0] == lines[1] else "different"
    print(
        f"{sum(map(bool, kills))} kills, {kills.count(2)} while saving, as many resumes; steps {step} and "
        f"{expected}; {sum(equal)} of {len(equal)} arrays equal, metrics {same}"
    )


if __name__ == "__main__":
    main()
