"""Runs commands of t2v, in this process or in one of their own, and says how each ended."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback
from typing import NamedTuple

# Set before anything imports JAX: what hundreds of starts compile is compiled once, and not for speed. The
# legacy emitters take half as long as those of fusions (15 s and 25 s for a run of one step).
_CACHE = pathlib.Path(tempfile.gettempdir(), "t2v_jax_survival")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false")

from t2v_jax import cli  # noqa: E402

SMALL = [  # a run that trains in seconds
    "--config=configs/moving_digits.py",
    *(
        f"--config.{field}"
        for field in (
            "batch_size=4",
            "data.size=16",
            "data.frames=5",
            "data.clips=64",
            "data.clips_per_caption=1",
            "loss.energy_weight=0",
            "text.word_width=8",
            "text.width=16",
            "generator.noise_width=8",
            "generator.style_width=16",
            "generator.scene_channels=16",
            "generator.painter_channels=(8,)",
            "discriminator.frame_channels=(8,)",
            "discriminator.clip_channels=(8,)",
            "schedule.stages=((0,5,2,1),)",
            "schedule.max_start_offset=3",
            "log_every=1",
            "sample_every=1000",
            "checkpoint_every=2",
        )
    ),
]


LIMIT = 600  # seconds, after which a process hangs


class Ending(NamedTuple):
    """Exit status, stderr and seconds of a command; status None: a traceback, in `errors`."""

    status: int | None
    errors: str
    seconds: float

    @property
    def is_orderly(self) -> bool:
        """Whether the command did its work, or refused it in one line."""
        refusals = [line for line in self.errors.splitlines() if line.startswith("t2v: ")]
        refused = self.status == 2 and len(refusals) == 1 and self.errors.rstrip().endswith(refusals[0])
        return self.status == 0 or refused


def run(*arguments) -> Ending:
    """A command in this process."""
    began, errors = time.monotonic(), io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            status = cli.main([*map(str, arguments)])
        except Exception:
            status = None
            traceback.print_exc()
    return Ending(status, errors.getvalue(), time.monotonic() - began)


def run_alone(*arguments) -> Ending:
    """A command in a process of its own; raises subprocess.TimeoutExpired for one that hangs."""
    began, command = time.monotonic(), [sys.executable, "-m", "t2v_jax.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    status = None if "Traceback" in done.stderr else done.returncode
    return Ending(status, done.stderr, time.monotonic() - began)
