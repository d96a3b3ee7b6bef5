"""Every mesh of CPU devices trains the same 20 steps, and goes on from the 10th of every other one.

python experiments/hosts/measure.py [meshes, as 1x1 2x2: processes x devices]    prints the README's table
"""

import pathlib
import runpy
import shutil
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import t2v_jax  # noqa: E402
from tests import launch, test_hosts  # noqa: E402

MESHES = ["1x1", "1x2", "1x4", "1x8", "2x2"]
STEPS, HALF = 20, 10


def train(mesh, workdir):
    """Runs `t2v train` on a mesh until the last step."""
    processes, devices = map(int, mesh.split("x"))
    arguments = [f"--workdir={workdir}", *test_hosts.flags(steps=STEPS, checkpoint_every=HALF)]
    started = launch.start_all(processes, arguments, devices)
    statuses, _, errors = launch.finish(started)
    assert statuses == [0] * processes, errors


def compare(workdir, reference):
    """The largest difference of a loss, relative to its scale, and of a pixel of two clips, in levels."""
    losses = [
        abs(line[name] - one[name]) / max(1, abs(one[name]))
        for line, one in zip(test_hosts.scores(workdir), test_hosts.scores(reference), strict=True)
        for name in one
        if name.endswith("loss")
    ]
    clips, ones = (
        np.int32(t2v_jax.generate(t2v_jax.load(run), test_hosts.PROMPTS)) for run in (workdir, reference)
    )
    return f"{max(losses):.1e}, {np.abs(clips - ones).max()}"


def main(meshes):
    with tempfile.TemporaryDirectory() as folder:
        runs = {mesh: pathlib.Path(folder, mesh) for mesh in meshes}
        for mesh, workdir in runs.items():
            train(mesh, workdir)
        print("| first ten steps on | " + " | ".join(f"last ten on {mesh}" for mesh in meshes) + " |")
        print("|---" * (len(meshes) + 1) + "|")
        for first, workdir in runs.items():
            row = []
            for last in meshes:
                turned = pathlib.Path(folder, f"{first} {last}")
                shutil.copytree(workdir, turned)
                if last != first:
                    shutil.rmtree(turned / "checkpoints" / str(STEPS))
                    train(last, turned)
                row.append(compare(turned, runs[meshes[0]]))
            print(f"| {first} | " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    runpy.run_path(str(ROOT / "tests" / "conftest.py"))
    main(sys.argv[1:] or MESHES)
