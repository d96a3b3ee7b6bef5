"""The ConvLSTM with its own reverse rule against flax's cell and RNN, and against a plain scan."""

import functools
import itertools
from collections.abc import Iterator

import flax.linen as nn
import jax
import jax.numpy as jnp
import timing
from jax import lax

from t2v_jax.nn.conv_lstm import ConvLSTM, cell, zero_state
from t2v_jax.nn.convolution import plain_conv

SHAPES = [
    (16, 32, 8, 8, 32),
    (16, 8, 16, 16, 32),
    (5, 32, 4, 4, 48),
]  # frames, batch, height, width, channels


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


class PlainConvLSTM(nn.Module):
    """The same mathematics as ours, differentiated by JAX."""

    channels: int

    @nn.compact
    def __call__(self, frames):
        time, batch, height, width, features = frames.shape
        gates, init = 4 * self.channels, nn.initializers.lecun_normal()
        input_kernel = self.param("input_kernel", init, (3, 3, features, gates))
        hidden_kernel = self.param("hidden_kernel", init, (3, 3, self.channels, gates))
        inputs = plain_conv(frames.reshape(-1, height, width, features), input_kernel)

        def frame(state, inputs):
            state = cell(inputs + plain_conv(state[0], hidden_kernel), state[1])
            return state, state[0]

        state = tuple(zero_state(batch, height, width, self.channels))
        return lax.scan(frame, state, inputs.reshape(time, batch, height, width, gates))[1]


CONTENDERS = {"t2v_jax": OurConvLSTM, "flax": FlaxConvLSTM, "plain scan": PlainConvLSTM}
OPTIONS = {"": None, timing.BY_ITSELF: {}}


def measure(repeats) -> Iterator[dict]:
    """Forward, and forward with backward to parameters and inputs, at each shape: time and memory."""
    yield from (_at(shape, repeats) for shape in SHAPES)


def _at(shape, repeats):
    calls, memory = {}, {}
    for (name, module), (how, options) in itertools.product(CONTENDERS.items(), OPTIONS.items()):
        for what, program, arguments in _programs(module(shape[-1]), shape, options):
            calls[f"{name}{how}, {what}"] = functools.partial(program, *arguments)
            memory[f"{name}{how}, {what}"] = round(timing.memory(program), 1)
    times = timing.interleaved(calls, repeats)
    backward = {
        name: times[f"{name}, both ways"]["milliseconds"] - times[f"{name}, forward"]["milliseconds"]
        for name in map("".join, itertools.product(CONTENDERS, OPTIONS))
    }
    ratios = {
        f"backward, {name} / t2v_jax": round(backward[name] / backward["t2v_jax"], 1) for name in backward
    }
    row = f"ConvLSTM {' x '.join(map(str, shape))}"
    return {"row": row, "ratios": ratios, "times": times, "mebibytes": memory}


def _programs(module, shape, options):
    """What it computes, the compiled program and its arguments, of forward and of both ways."""
    frames = jax.random.normal(jax.random.key(0), shape)
    parameters = jax.jit(module.init)(jax.random.key(1), frames)

    def loss(parameters, frames):
        return jnp.sum(jnp.square(module.apply(parameters, frames)))

    for what, function in {"forward": module.apply, "both ways": jax.grad(loss, argnums=(0, 1))}.items():
        yield what, timing.compiled(function, parameters, frames, options=options), (parameters, frames)
