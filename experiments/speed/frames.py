"""How many frames a second models paint, of whatever size theirs are.

    python experiments/speed/frames.py --model=runs/mine --model=moving-shapes --prompt="a red cat"

Of each shipped name, exported directory or workdir: clips one by one with `generate`, frames one by one with
`Stream`. The median of the timed clips counts, and of as many stretches of the stream.
"""

import itertools
import statistics
import time

import jax
from absl import app, flags

import t2v_jax

MODELS = flags.DEFINE_multi_string("model", None, "name or directory of a model", required=True)
PROMPT = flags.DEFINE_string("prompt", "a large red square moving left", "what is painted")
REPEATS = flags.DEFINE_integer("repeats", 20, "timed clips", lower_bound=1)


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
    print("| model | frames | generate, frames/s | Stream, frames/s |\n|---|---|---|---|")
    for name in MODELS.value:
        params = jax.device_put(t2v_jax.load(name))
        data, stream = params.config.data, t2v_jax.Stream(params, PROMPT.value)
        at_once = rate(lambda: t2v_jax.generate(params, PROMPT.value), data.frames)  # noqa: B023
        each = rate(lambda: [*itertools.islice(stream, data.frames)], data.frames)  # noqa: B023
        print(f"| {name} | {data.size} x {data.size} | {at_once:.0f} | {each:.0f} |", flush=True)


if __name__ == "__main__":
    app.run(main)
