"""Signals that end a command: none is lost, and one that comes too early or too late ends it in one line."""

import signal
import subprocess
import sys
import time

import pytest

from t2v_jax.runtime.signals import interruptible

START = """
import os, signal, time
from t2v_jax.runtime import signals
with signals.interruptible(), signals.starting():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
"""
CLOSE = """
import atexit, os, signal, sys
from t2v_jax import cli
atexit.register(os.kill, os.getpid(), signal.SIGINT)
def interrupt(*_): raise KeyboardInterrupt
cli._prepared = lambda *_: interrupt
sys.argv = ["t2v", "models"]
sys.exit(cli.main())
"""


@pytest.mark.parametrize("program", [START, CLOSE], ids=["start", "close"])
def test_a_program_that_starts_or_closes_is_ended_in_one_line(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "t2v: interrupted\n")


def test_an_interrupt_that_a_callback_loses_comes_again():
    class Callback:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), interruptible():
        lose_one_and_wait(Callback)


def lose_one_and_wait(callback):
    callback()  # made and thrown away
    time.sleep(60)
    pytest.fail("no interrupt came")
