"""The lock on a directory: held by one process, gone with it."""

import subprocess
import sys

import pytest

from t2v_jax.errors import UsageError
from t2v_jax.runtime.locks import locked

HOLDER = """
import pathlib, sys
from t2v_jax.runtime.locks import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_holds_it_until_it_is_killed(tmp_path):
    command = [sys.executable, "-c", HOLDER, tmp_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match="another run"), locked(tmp_path):
            pass
        holder.kill()
    with locked(tmp_path):
        pass


def test_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot write"), locked(tmp_path / "nosuch"):
        pass
