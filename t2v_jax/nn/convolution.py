"""Convolution in two dimensions whose kernel's gradient is fast on the CPU too.

XLA makes that gradient one convolution whose kernel is as large as the images, which its CPU compiler
computes at a tenth of the forward pass's speed or less. Here it is matrix products of patches and
cotangents, of few images at a time so that the patches stay in the cache (experiments/speed).
"""

import functools
import math

import jax
import jax.numpy as jnp
from jax import lax

DIMENSIONS = ("NHWC", "HWIO", "NHWC")
CHUNK = 2048  # pixels of the cotangent whose patches are multiplied at once


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def conv(images, kernel, stride=1):
    """Convolution of images [n, h, w, c], padded with zeros, with a kernel [k, k, c, d].

    Returns [n, ceil(h / stride), ceil(w / stride), d]. Differentiable twice in reverse mode.
    """
    return plain_conv(images, kernel, stride)


def plain_conv(images, kernel, stride=1):
    """`conv` as XLA differentiates it."""
    return lax.conv_general_dilated(images, kernel, (stride,) * 2, "SAME", dimension_numbers=DIMENSIONS)


def _forward(images, kernel, stride):
    return plain_conv(images, kernel, stride), (images, kernel)


def _reverse(stride, residuals, cotangent):
    images, kernel = residuals
    pull_back = jax.linear_transpose(lambda images: plain_conv(images, kernel, stride), images)
    return *pull_back(cotangent), kernel_gradient(images, cotangent, kernel.shape[0], stride)


conv.defvjp(_forward, _reverse)


def kernel_gradient(images, cotangent, size, stride=1):
    """The gradient of `conv`'s kernel: images [n, h, w, c], cotangent [n, ., ., d] -> [size, size, c, d]."""
    # A loop over images that several devices share would send them about.
    alone = jax.device_count() == 1 and jax.default_backend() == "cpu"
    if alone and math.prod(cotangent.shape[:-1]) > CHUNK:
        return _kernel_gradient_of_patches(images, cotangent, size, stride)
    kernel = jnp.zeros((size, size, images.shape[-1], cotangent.shape[-1]), images.dtype)
    return jax.linear_transpose(lambda kernel: plain_conv(images, kernel, stride), kernel)(cotangent)[0]


def _kernel_gradient_of_patches(images, cotangent, size, stride):
    number, height, width, channels = cotangent.shape
    most = max(1, CHUNK // (height * width))
    few = max(n for n in range(1, most + 1) if number % n == 0)

    def add(gradient, chunk):
        images, cotangent = chunk
        patches = _patches(images, size, stride, height, width).reshape(few * height * width, -1)
        return gradient + cotangent.reshape(-1, channels).T @ patches, None

    chunks = [array.reshape(-1, few, *array.shape[1:]) for array in (images, cotangent)]
    gradient = jnp.zeros((channels, size * size * images.shape[-1]), images.dtype)
    gradient, _ = lax.scan(add, gradient, chunks)
    return gradient.T.reshape(size, size, images.shape[-1], channels)


def _patches(images, size, stride, height, width):
    """What the kernel sees at each place: [n, h, w, c] -> [n, height, width, size * size * c]."""
    pads = [_padding(images.shape[1], height, size, stride), _padding(images.shape[2], width, size, stride)]
    images = jnp.pad(images, [(0, 0), *pads, (0, 0)])
    # Axis by axis: all places at once take XLA twice as long to compile.
    for axis, length in ((2, width), (1, height)):
        last = stride * (length - 1) + 1
        views = [lax.slice_in_dim(images, at, at + last, stride, axis) for at in range(size)]
        images = jnp.concatenate(views, axis=-1)
    return images


def _padding(length, strides, size, stride):
    """Zeros before and after an axis, as XLA's padding SAME has them."""
    total = max(stride * (strides - 1) + size - length, 0)
    return total // 2, total - total // 2
