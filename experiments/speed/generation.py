"""Generation: clips at once, frames one by one without end, and whole commands from start to file."""

import itertools
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import timing

import t2v_jax

MODEL, PROMPT = "moving-digits", "the digit 7 is moving up and down"
STREAMED = 10_000  # frames


def measure(repeats) -> Iterator[dict]:
    """Clips of 16 frames by batch, a stream, the command line with an empty and a filled cache."""
    params = t2v_jax.load(MODEL)
    yield _clips(params, repeats)
    yield _stream(params)
    yield _commands()


def _clips(params, repeats):
    programs = {
        f"batch {size}": lambda size=size: t2v_jax.generate(params, [PROMPT] * size) for size in (1, 64)
    }
    return {
        "row": "a call of generate, 16 frames of 64 x 64",
        "times": timing.interleaved(programs, 5 * repeats),
    }


def _stream(params):
    stream = t2v_jax.Stream(params, PROMPT)
    for frame in itertools.islice(stream, 100):
        frame.block_until_ready()
    before, start = _peak_mebibytes(), time.perf_counter()
    for frame in itertools.islice(stream, STREAMED):
        frame.block_until_ready()
    seconds = time.perf_counter() - start
    return {
        "row": f"{STREAMED} frames one by one",
        "frames_per_second": round(STREAMED / seconds),
        "peak_memory_growth_mebibytes": round(_peak_mebibytes() - before, 1),
    }


def _peak_mebibytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _commands():
    with tempfile.TemporaryDirectory() as name:
        cold, *warm = [_command_seconds(pathlib.Path(name)) for _ in range(4)]
    return {
        "row": "t2v generate, process start to file",
        "cold_seconds": round(cold, 2),
        "warm_seconds": round(sorted(warm)[1], 2),
    }


def _command_seconds(directory):
    """One `t2v generate` with the compilation cache in `directory`."""
    arguments = ["generate", f"--prompt={PROMPT}", f"--output={directory / 'clip.gif'}"]
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "t2v_jax.cli", *arguments],
        env=os.environ | {"XDG_CACHE_HOME": str(directory)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start
