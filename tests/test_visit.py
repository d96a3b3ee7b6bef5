"""A visit to an accelerator, rehearsed on the CPU: it ends in time, and its runs go on elsewhere."""

import json
import pathlib
import subprocess
import sys
import tarfile

import pytest

import t2v_jax

ROOT = pathlib.Path(__file__).parents[1]
SETTINGS = "--config=tests/small.py --config.steps=1000000 --config.log_every=50"


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """What a visit of a few seconds leaves, unpacked."""
    output, place = tmp_path_factory.mktemp("visit"), tmp_path_factory.mktemp("left")
    command = [sys.executable, "experiments/accelerator/visit.py", f"--output={output}", "--minutes=0.1"]
    command += ["--nochecks", "--evaluated=0", f"--run=small: {SETTINGS}"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert told.returncode == 0, told.stderr
    for path in output.iterdir():
        with tarfile.open(path) as archive:
            archive.extractall(place, filter="data")
    return place


def test_all_is_left_that_a_visit_is_for(left):
    lines = [json.loads(line) for line in (left / "report" / "visit.jsonl").read_text().splitlines()]
    assert lines[0]["trained"] == {"small": 0}, (left / "report" / "small.log").read_text()
    assert "\nstep 1, " in (left / "report" / "small.log").read_text()
    assert list((left / "report" / "small").glob("*.png"))
    video = t2v_jax.generate(t2v_jax.load(left / "models" / "small"), "digit 3 is up and down.")
    assert video.shape == (4, 16, 16, 1)


def test_a_run_goes_on_elsewhere(left):
    (newest,) = (int(path.name) for path in (left / "small" / "checkpoints").iterdir())
    command = [sys.executable, "-m", "t2v_jax.cli", "train", *SETTINGS.split(), f"--workdir={left / 'small'}"]
    command += [f"--config.steps={newest + 1}"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert told.returncode == 0, told.stderr
    assert told.stdout == f"{left / 'small'}: step {newest + 1}\n"
