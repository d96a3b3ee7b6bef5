"""Convolution in two dimensions that is fast on the CPU too, whatever its shape, and so are its gradients.

XLA's CPU compiler is slow where few channels come in or go out, and in the images' gradient of strides,
which it computes with zeros between the pixels: there the convolution is computed in other forms
(experiments/speed).
"""

import functools

import jax
import jax.numpy as jnp
from jax import lax

DIMENSIONS = ("NHWC", "HWIO", "NHWC")
FEW = 4  # channels at most that come in, where blocks of pixels are faster than strides
THIN = 64  # numbers a pixel, at most, that products may make on the way to few channels


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv(images, kernel, stride=1):
    """Convolution of images [n, h, w, c], padded with zeros, with a kernel [k, k, c, d].

    Returns [n, ceil(h / stride), ceil(w / stride), d]. Differentiable twice in reverse mode.
    """
    return _forward_form(kernel.shape, stride)(images, kernel, stride)


def plain_conv(images, kernel, stride=1):
    """`conv` as XLA differentiates it."""
    return lax.conv_general_dilated(images, kernel, (stride,) * 2, "SAME", dimension_numbers=DIMENSIONS)


def _forward(images, kernel, stride):
    return conv(images, kernel, stride), (images, kernel)


def _reverse(stride, residuals, cotangent):
    images, kernel = residuals
    form = _transposed_form(kernel.shape, stride)
    pull_back = jax.linear_transpose(lambda images: form(images, kernel, stride), images)
    return *pull_back(cotangent), kernel_gradient(images, cotangent, kernel, stride)


conv.defvjp(_forward, _reverse)


def kernel_gradient(images, cotangent, kernel, stride=1):
    """The gradient of `conv`'s kernel, whose shape counts, [k, k, c, d]: images [n, h, w, c], cotangent."""
    form = _conv_of_products if _is_thin_out(kernel.shape, stride) else plain_conv
    return jax.linear_transpose(lambda kernel: form(images, kernel, stride), kernel)(cotangent)[0]


def _forward_form(shape, stride):
    """Which of the forms below is fast forward, for a kernel of this shape."""
    if _is_thin_out(shape, stride):
        return _conv_of_products
    return _conv_of_blocks if _on_cpu() and stride > 1 and shape[2] <= FEW else plain_conv


def _transposed_form(shape, stride):
    """And which is transposed, for the images' gradient."""
    if _is_thin_out(shape, stride):
        return _conv_of_products
    return _conv_of_blocks if _on_cpu() and stride > 1 else plain_conv


def _is_thin_out(shape, stride):
    size, _, c, d = shape
    return _on_cpu() and stride == 1 and size * size * d <= min(THIN, c)


def _on_cpu():
    return jax.default_backend() == "cpu"


def _conv_of_products(images, kernel, _):
    """`conv` with stride 1 as a product for each place of the kernel, shifted and added: few go out."""
    size, _, channels, _ = kernel.shape
    images = images @ kernel.transpose(2, 0, 1, 3).reshape(channels, -1)
    for axis in (1, 2):
        length, pads = images.shape[axis], [(0, 0)] * 4
        pads[axis] = _padding(length, length, size, 1)
        parts = jnp.split(jnp.pad(images, pads), size, axis=-1)
        images = sum(lax.slice_in_dim(part, at, at + length, axis=axis) for at, part in enumerate(parts))
    return images


def _conv_of_blocks(images, kernel, stride):
    """`conv` with stride 1 of blocks of stride x stride pixels, laid side by side as channels."""
    size, _, c, d = kernel.shape
    n, *lengths, _ = images.shape
    strides = [-(-length // stride) for length in lengths]
    taps = -(-size // stride)
    blocks = [count + taps - 1 for count in strides]
    before = [_padding(*sides, size, stride)[0] for sides in zip(lengths, strides)]
    pads = [(b, m * stride - length - b) for b, m, length in zip(before, blocks, lengths)]
    images = jnp.pad(images, [(0, 0), *pads, (0, 0)])
    images = images.reshape(n, blocks[0], stride, blocks[1], stride * c).swapaxes(2, 3)
    images = images.reshape(n, *blocks, stride * stride * c)
    kernel = jnp.pad(kernel, [(0, taps * stride - size)] * 2 + [(0, 0)] * 2)
    kernel = kernel.reshape(taps, stride, taps, stride, c, d).swapaxes(1, 2)
    kernel = kernel.reshape(taps, taps, stride * stride * c, d)
    return lax.conv_general_dilated(images, kernel, (1, 1), "VALID", dimension_numbers=DIMENSIONS)


def _padding(length, strides, size, stride):
    """Zeros before and after an axis, as XLA's padding SAME has them."""
    total = max(stride * (strides - 1) + size - length, 0)
    return total // 2, total - total // 2
