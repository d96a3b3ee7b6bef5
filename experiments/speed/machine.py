"""The machine's ceilings, and what the data sources give."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import timing

from t2v_jax.data.source import drawn_worlds

SIDE, COPIED = 2048, 2**26  # of the matrices; float32 numbers


def measure(repeats) -> Iterator[dict]:
    """A large matrix product, a large copy, and clips a second of each world on one core."""
    yield _ceilings(repeats)
    yield from (_source(name, repeats) for name in drawn_worlds())


def _ceilings(repeats):
    matrix, numbers = jnp.ones((SIDE, SIDE)), jnp.ones(COPIED)
    product = jax.jit(lambda matrix: matrix @ matrix)
    copy = jax.jit(lambda numbers: numbers + 1)
    times = timing.interleaved({"product": lambda: product(matrix), "copy": lambda: copy(numbers)}, repeats)
    return {
        "row": "ceilings",
        "gigaflops": round(2 * SIDE**3 / times["product"]["milliseconds"] / 1e6, 1),
        "gigabytes_per_second": round(2 * numbers.nbytes / times["copy"]["milliseconds"] / 1e6, 1),
    }


def _source(name, repeats, clips=200):
    source = drawn_worlds()[name]()
    times = timing.interleaved({name: lambda: [source[index]["clip"] for index in range(clips)]}, repeats)
    return {"row": f"data, {name}", "clips_per_second": round(1e3 * clips / times[name]["milliseconds"])}
