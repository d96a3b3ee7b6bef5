"""Convolution: its gradients against those of XLA's own, and what its compiled gradient is made of."""

import jax
import jax.numpy as jnp
import pytest
from jax import lax

from t2v_jax.nn.convolution import conv

# Images, size of the kernel, its channels, stride.
CASES = [
    ((6, 8, 8, 3), 3, 5, 1),
    ((4, 9, 7, 3), 4, 5, 2),
    ((3, 8, 8, 4), 1, 2, 1),
    ((5, 5, 6, 2), 3, 4, 2),
    ((7, 4, 4, 3), 3, 2, 1),
    ((3, 9, 7, 1), 3, 12, 1),
    ((3, 9, 8, 1), 4, 16, 2),
    ((2, 6, 7, 3), 4, 24, 2),
    ((3, 5, 7, 12), 3, 1, 1),
    ((2, 5, 6, 18), 2, 3, 1),
    ((2, 10, 7, 5), 5, 4, 3),
]


def plain(images, kernel, stride):
    return lax.conv_general_dilated(
        images, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def arguments(shape, size, channels):
    keys = jax.random.split(jax.random.key(0))
    kernel = jax.random.normal(keys[1], (size, size, shape[-1], channels)) / size
    return jax.random.normal(keys[0], shape), kernel


def loss_of(convolve, stride):
    return lambda images, kernel: jnp.sum(jnp.sin(convolve(images, kernel, stride)))


def gradient_norm_of(convolve, stride):
    """A loss of the gradient itself: its gradient is of second order."""
    gradients = jax.grad(loss_of(convolve, stride), (0, 1))
    return lambda *inputs: sum(jnp.sum(jnp.square(leaf)) for leaf in gradients(*inputs))


@pytest.mark.parametrize("objective", [loss_of, gradient_norm_of], ids=["first", "second"])
@pytest.mark.parametrize(("shape", "size", "channels", "stride"), CASES, ids=str)
def test_gradients_are_those_of_xlas_convolution(shape, size, channels, stride, objective):
    inputs = arguments(shape, size, channels)
    got = jax.jit(jax.grad(objective(conv, stride), (0, 1)))(*inputs)
    wanted = jax.jit(jax.grad(objective(plain, stride), (0, 1)))(*inputs)
    for a, b in zip(got, wanted, strict=True):
        assert jnp.linalg.norm(a - b) < 1e-5 * jnp.linalg.norm(b)


@pytest.mark.parametrize(("shape", "size", "channels", "stride"), CASES, ids=str)
def test_values_are_those_of_xlas_convolution(shape, size, channels, stride):
    inputs = arguments(shape, size, channels)
    assert jnp.allclose(conv(*inputs, stride), plain(*inputs, stride), atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "size", "channels", "stride", "convolutions"),
    [
        ((9, 8, 8, 12), 3, 1, 1, 0),  # few channels go out
        ((9, 8, 8, 3), 4, 24, 2, 3),  # forward and both gradients
        ((9, 8, 8, 16), 4, 32, 2, 3),
    ],
)
def test_no_convolution_is_left_that_xlas_cpu_compiler_is_slow_at(
    shape, size, channels, stride, convolutions
):
    gradients = jax.jit(jax.grad(loss_of(conv, stride), (0, 1)))
    program = gradients.lower(*arguments(shape, size, channels)).compile().as_text()
    assert program.count(" convolution(") == convolutions
    assert "lhs_dilate" not in program  # the images' gradient of a stride, as XLA has it
