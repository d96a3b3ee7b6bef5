"""Convolutions and both their gradients, ours against XLA's own, at our layers' shapes."""

import functools
from collections.abc import Iterator

import jax
import timing

from t2v_jax.nn import convolution

# Images, height and width, their channels and the output's, kernel's size, stride.
SHAPES = (
    (512, 8, 32, 128, 3, 1),
    (160, 16, 32, 48, 3, 1),
    (320, 16, 32, 48, 3, 1),
    (160, 32, 48, 64, 3, 1),
    (64, 32, 16, 32, 4, 2),
    (64, 16, 32, 64, 4, 2),
    (64, 64, 1, 16, 4, 2),
    (64, 64, 3, 24, 4, 2),
    (160, 32, 12, 1, 3, 1),
)


def measure(repeats) -> Iterator[dict]:
    """The forward pass and the gradients of the images and of the kernel, at each shape."""
    for shape in SHAPES:
        for what, functions, arguments in programs(*shape):
            yield _row(shape, what, functions, arguments, repeats)


def programs(number, side, channels, outputs, size, stride):
    """Of the forward pass and either gradient: which it is, {whose: function}, the functions' arguments."""
    keys = jax.random.split(jax.random.key(0), 3)
    images = jax.random.normal(keys[0], (number, side, side, channels))
    kernel = jax.random.normal(keys[1], (size, size, channels, outputs))
    cotangent = jax.random.normal(keys[2], (number, side // stride, side // stride, outputs))
    whose = {"ours": convolution.conv, "xla": convolution.plain_conv}

    def gradient(conv, argument):
        def pull_back(images, kernel, cotangent):
            return jax.vjp(lambda *inputs: conv(*inputs, stride), images, kernel)[1](cotangent)[argument]

        return pull_back

    forward = {name: lambda *inputs, conv=conv: conv(*inputs, stride) for name, conv in whose.items()}
    yield "forward", forward, (images, kernel)
    for argument, what in enumerate(("images' gradient", "kernel's gradient")):
        gradients = {name: gradient(conv, argument) for name, conv in whose.items()}
        yield what, gradients, (images, kernel, cotangent)


def label(what, number, side, channels, outputs, size, stride):
    """How a row is called."""
    return f"{what}, {number} x {side} x {side} x {channels} -> {outputs}, {size} x {size} / {stride}"


def _row(shape, what, functions, arguments, repeats):
    number, side, channels, outputs, size, stride = shape
    compiled = {name: timing.compiled(program, *arguments) for name, program in functions.items()}
    compiled["xla" + timing.BY_ITSELF] = timing.compiled(functions["xla"], *arguments, options={})
    calls = {name: functools.partial(program, *arguments) for name, program in compiled.items()}
    times = timing.interleaved(calls, repeats)
    operations = 2 * number * (side // stride) ** 2 * outputs * size**2 * channels
    return {
        "row": label(what, *shape),
        "ratios": timing.ratios(times, "ours"),
        "times": times,
        "gigaflops": {
            name: round(operations / spent["milliseconds"] / 1e6, 1) for name, spent in times.items()
        },
    }
