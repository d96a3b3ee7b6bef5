"""The commands of the experiments start: what they import is there, and no flag is defined twice."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
COMMANDS = sorted(path for path in ROOT.glob("experiments/*/*.py") if "app.run(main)" in path.read_text())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_command_tells_its_flags(command):
    told = subprocess.run([sys.executable, command, "--help"], capture_output=True, text=True)
    own_flags = f"{command}:" if "flags.DEFINE" in command.read_text() else ""
    assert own_flags in told.stdout and "Try --helpfull" in told.stdout, told.stderr
