"""Training steps with large arrays in huge pages and without, of two processes that take turns."""

import functools
import os
import statistics
import subprocess
import sys
import time

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


def main(_):
    if _SERVE.value:
        _serve(_SERVE.value)
    else:
        for name in _CONFIGS.value:
            print(f"{name}: {_described(_interleaved(name))}", flush=True)


def _described(seconds):
    medians = {pages: statistics.median(times) for pages, times in seconds.items()}
    spreads = (
        f"{pages} {medians[pages]:.3f} s a step ({min(times):.3f} to {max(times):.3f})"
        for pages, times in seconds.items()
    )
    return f"{medians['4 KiB'] / medians['huge']:.2f} times as fast with huge pages; {'; '.join(spreads)}"


def _interleaved(name):
    """Seconds of each turn of a process with huge pages, and of one without."""
    command = [sys.executable, __file__, f"--serve={name}", f"--steps={_STEPS.value}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    processes = {
        pages: subprocess.Popen(command, env={**os.environ, VARIABLE: f"{TUNABLE}={number}"}, **pipes)
        for pages, number in (("huge", 1), ("4 KiB", 0))
    }
    turns = [{pages: _turn(process) for pages, process in processes.items()} for _ in range(_TURNS.value + 1)]
    for process in processes.values():
        process.communicate()
    return {pages: [turn[pages] for turn in turns[1:]] for pages in processes}  # the first one warms up


def _turn(process):
    process.stdin.write("\n")
    return float(process.stdout.readline())


def _serve(name):
    """The first stage of a config's training, through the loader: for each line, the seconds of a step."""
    run, state, batch = step.started(step.CONFIGS / f"{name}.py")
    update = functools.partial(step.one_update, run, step.stages(run.config)[0])
    program = timing.compiled(update, state, batch)
    batches = clip_batches(run.source, run.language, run.config.batch_size)
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in range(_STEPS.value):
            state, _ = program(state, next(batches))
        jax.block_until_ready(state)
        print((time.perf_counter() - start) / _STEPS.value, flush=True)


if __name__ == "__main__":
    app.run(main)
