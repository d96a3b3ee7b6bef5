"""How much faster is the ConvLSTM's reverse rule than flax.linen.RNN(ConvLSTMCell)?

    python experiments/conv_lstm/measure.py [--output=FILE.json]

Both run the same recurrence at 16 frames, batch 32, 8 x 8, 64 channels, 3 x 3, float32, forward and forward
with backward (gradients of parameters and inputs), interleaved; the medians count. The last line
is a JSON object.
"""

import json
import platform
import statistics
import time

import flax.linen as nn
import jax
import jax.numpy as jnp
from absl import app, flags

from t2v_jax.nn.conv_lstm import ConvLSTM

FLAGS = flags.FLAGS
flags.DEFINE_integer("repeats", 3, "timed runs of each, interleaved")
flags.DEFINE_string("output", None, "also write the JSON object to this file")

SHAPE = (16, 32, 8, 8, 64)  # frames, batch, height, width, channels


class FlaxConvLSTM(nn.Module):
    """flax's own cell under its own RNN, on time-major frames."""

    channels: int

    @nn.compact
    def __call__(self, frames):
        return nn.RNN(nn.ConvLSTMCell(self.channels, (3, 3)), time_major=True)(frames)


class OurConvLSTM(nn.Module):
    """t2v_jax's ConvLSTM."""

    channels: int

    @nn.compact
    def __call__(self, frames):
        return ConvLSTM(self.channels)(frames)[0]


def programs(module):
    """Compiled forward and forward-with-backward, ready to call."""
    frames = jax.random.normal(jax.random.key(0), SHAPE)
    parameters = jax.jit(module.init)(jax.random.key(1), frames)

    def loss(parameters, frames):
        return jnp.sum(jnp.square(module.apply(parameters, frames)))

    forward = jax.jit(module.apply).lower(parameters, frames).compile()
    both = jax.jit(jax.grad(loss, argnums=(0, 1))).lower(parameters, frames).compile()
    return {
        "forward": lambda: forward(parameters, frames),
        "both": lambda: both(parameters, frames),
    }


def seconds(program):
    start = time.perf_counter()
    jax.block_until_ready(program())
    return time.perf_counter() - start


def main(_):
    contenders = {
        "ours": programs(OurConvLSTM(SHAPE[-1])),
        "flax": programs(FlaxConvLSTM(SHAPE[-1])),
    }
    times = {(name, kind): [] for name in contenders for kind in ("forward", "both")}
    for repeat in range(FLAGS.repeats + 1):
        for (name, kind), values in times.items():
            value = seconds(contenders[name][kind])
            if repeat:  # the first run warms up
                values.append(value)
    medians = {key: statistics.median(values) for key, values in times.items()}
    backward = {name: medians[name, "both"] - medians[name, "forward"] for name in contenders}
    for (name, kind), value in medians.items():
        label = "forward" if kind == "forward" else "forward + backward"
        print(f"{name:<6}{label:<20}{1e3 * value:10.1f} ms")
    result = {
        "shape": SHAPE,
        "device": jax.devices()[0].device_kind,
        "jax": jax.__version__,
        "python": platform.python_version(),
        "milliseconds": {f"{n}_{k}": round(1e3 * v, 1) for (n, k), v in medians.items()},
        "backward_vs_flax": round(backward["flax"] / backward["ours"], 1),
        "forward_and_backward_vs_flax": round(medians["flax", "both"] / medians["ours", "both"], 1),
    }
    if FLAGS.output:
        with open(FLAGS.output, "w") as file:
            json.dump(result, file, indent=1)
    print(json.dumps(result))


if __name__ == "__main__":
    app.run(main)
