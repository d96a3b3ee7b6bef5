"""Timing that a busy machine upsets least: contenders take turns, the median counts."""

import statistics
import time
from collections.abc import Callable

import jax

from t2v_jax.runtime import jit

BY_ITSELF = ", as XLA compiles it by itself"


def compiled(function, *arguments, options=None) -> Callable:
    """The program of a function for these arguments, with `t2v_jax.runtime.jit`'s options or other ones."""
    options = jit.options() if options is None else options
    return jax.jit(function, compiler_options=options).lower(*arguments).compile()


def memory(program) -> float:
    """What a compiled program needs beside its arguments and outputs, in MiB."""
    return program.memory_analysis().temp_size_in_bytes / 2**20


def interleaved(programs: dict[str, Callable], repeats: int) -> dict[str, dict]:
    """{name: {"milliseconds": median, "low", "high": the fastest and the slowest}} of programs by name.

    They run in turns, A-B-A-B, after one round that warms up; each returns arrays, which are waited for.
    """
    seconds = {name: [] for name in programs}
    for turn in range(repeats + 1):
        for name, program in programs.items():
            start = time.perf_counter()
            jax.block_until_ready(program())
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: _spread(values) for name, values in seconds.items()}


def ratio(times: dict[str, dict], slower: str, faster: str) -> float:
    """How many times as long one takes as the other."""
    return round(times[slower]["milliseconds"] / times[faster]["milliseconds"], 2)


def ratios(times: dict[str, dict], ours: str) -> dict[str, float]:
    """{"other / ours": how many times as long it takes} of all others."""
    return {f"{other} / {ours}": ratio(times, other, ours) for other in times if other != ours}


def _spread(seconds) -> dict:
    numbers = {"milliseconds": statistics.median(seconds), "low": min(seconds), "high": max(seconds)}
    return {name: round(1e3 * value, 3) for name, value in numbers.items()}
