"""The gradient of a convolution's kernel, ours of patches against XLA's own, at our layers' shapes."""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import timing

from t2v_jax.nn import convolution

# Images, height and width, their channels and the output's, kernel's size, stride.
SHAPES = (
    (512, 8, 32, 128, 3, 1),
    (160, 16, 32, 48, 3, 1),
    (320, 16, 32, 48, 3, 1),
    (160, 32, 48, 64, 3, 1),
    (64, 32, 16, 32, 4, 2),
)


def measure(repeats) -> Iterator[dict]:
    """Both at each shape."""
    yield from (_row(*shape, repeats) for shape in SHAPES)


def _row(number, side, channels, outputs, size, stride, repeats):
    keys = jax.random.split(jax.random.key(0))
    images = jax.random.normal(keys[0], (number, side, side, channels))
    cotangent = jax.random.normal(keys[1], (number, side // stride, side // stride, outputs))
    kernel = jnp.zeros((size, size, channels, outputs))

    def xla(images, cotangent):
        _, pull_back = jax.vjp(lambda kernel: convolution.plain_conv(images, kernel, stride), kernel)
        return pull_back(cotangent)[0]

    def ours(images, cotangent):
        return convolution.kernel_gradient(images, cotangent, size, stride)

    programs = {"ours": jax.jit(ours), "xla": jax.jit(xla)}
    times = timing.interleaved(
        {name: lambda program=program: program(images, cotangent) for name, program in programs.items()},
        repeats,
    )
    shape = f"{number} x {side} x {side} x {channels} -> {outputs}, {size} x {size} / {stride}"
    operations = 2 * cotangent.size * size**2 * channels
    return {
        "row": f"kernel gradient, {shape}",
        "ratios": {"xla / ours": timing.ratio(times, "xla", "ours")},
        "times": times,
        "gigaflops": {
            name: round(operations / spent["milliseconds"] / 1e6, 1) for name, spent in times.items()
        },
    }
