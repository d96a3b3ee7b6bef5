"""How many frames a second a model paints at each size, with first parameters.

    python experiments/speed/frames.py [--size=128]

That of configs/moving_shapes.py, of which nothing but the size is changed: clips one by one with `generate`,
frames one by one with `Stream`. The median of the timed clips counts, and of as many stretches of the stream.
"""

import itertools
import statistics
import time

import jax
from absl import app, flags
from step import CONFIGS, started

import t2v_jax
from t2v_jax.inference.model import Model

SIZE = flags.DEFINE_multi_integer("size", [64, 128, 256], "height and width of the frames, pixels")
REPEATS = flags.DEFINE_integer("repeats", 20, "timed clips", lower_bound=1)


def first_model(size):
    """The model before its first step."""
    run, state, _ = started(CONFIGS / "moving_shapes.py", {"data.size": size, "batch_size": 4})
    return Model(state.ema, run.config, run.language)


def rate(paint, frames):
    """Frames a second of a call that paints so many."""
    seconds = []
    jax.block_until_ready(paint())  # compiles
    for _ in range(REPEATS.value):
        start = time.perf_counter()
        jax.block_until_ready(paint())
        seconds.append(time.perf_counter() - start)
    return frames / statistics.median(seconds)


def main(_):
    print("| frames | generate, frames/s | Stream, frames/s |\n|---|---|---|")
    prompt = "a large red square is moving left in a straight line"
    for size in SIZE.value:
        params = first_model(size)
        number, stream = params.config.data.frames, t2v_jax.Stream(params, prompt)
        at_once = rate(lambda: t2v_jax.generate(params, prompt), number)  # noqa: B023
        each = rate(lambda: [*itertools.islice(stream, number)], number)  # noqa: B023
        print(f"| {size} x {size} | {at_once:.0f} | {each:.0f} |", flush=True)


if __name__ == "__main__":
    app.run(main)
