"""Training steps with large arrays in huge pages, kept by glibc or not, and in pages of 4 KiB, in turns."""

import functools
import os
import subprocess
import sys

import jax
import step
import timing
from absl import app, flags

from t2v_jax.data.pipeline import clip_batches
from t2v_jax.runtime.huge_pages import TUNABLE, VARIABLE

_CONFIGS = flags.DEFINE_list("configs", ["moving_shapes", "two_digits"], "Which of configs/.")
_TURNS = flags.DEFINE_integer("turns", 7, "How often each process takes its turn.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 4, "Steps of a turn.", lower_bound=1)
_SERVE = flags.DEFINE_string("serve", None, "A config: take a turn for each line of standard input.")

# 64 GiB: nothing goes back to the system.
_KEPT = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736"
_PAGES = {"huge": f"{TUNABLE}=1", "4 KiB": f"{TUNABLE}=0", "kept": f"{TUNABLE}=1:{_KEPT}"}


def main(_):
    if _SERVE.value:
        _serve(_SERVE.value)
    else:
        for name in _CONFIGS.value:
            times = _interleaved(name)
            faster, kept = (timing.ratio(times, "4 KiB", pages) for pages in ("huge", "kept"))
            told = f"{faster} times as fast with huge pages, {kept} times where they are kept"
            print(f"{name}: {told}; a turn took {times}", flush=True)


def _interleaved(name):
    """`timing.interleaved` of the turns of a process for each kind of pages."""
    command = [sys.executable, __file__, f"--serve={name}", f"--steps={_STEPS.value}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    processes = {
        pages: subprocess.Popen(command, env={**os.environ, VARIABLE: tunables}, **pipes)
        for pages, tunables in _PAGES.items()
    }
    turns = {pages: functools.partial(_turn, process) for pages, process in processes.items()}
    times = timing.interleaved(turns, _TURNS.value)
    for process in processes.values():
        process.communicate()
    return times


def _turn(process):
    process.stdin.write("\n")
    if not process.stdout.readline():
        raise ChildProcessError("a training process ended before its turn; what it says is above")


def _serve(name):
    """The first stage of a config's training, through the loader: for each line, a turn and a line."""
    run, state, batch = step.started(step.CONFIGS / f"{name}.py")
    update = functools.partial(step.one_update, run, step.stages(run.config)[0])
    program = timing.compiled(update, state, batch)
    batches = clip_batches(run.source, run.language, run.config.batch_size)
    for _ in sys.stdin:
        for _ in range(_STEPS.value):
            state, _ = program(state, next(batches))
        jax.block_until_ready(state)
        print("done", flush=True)


if __name__ == "__main__":
    app.run(main)
