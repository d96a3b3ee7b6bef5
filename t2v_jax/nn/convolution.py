"""Convolution in two dimensions that is fast on the CPU too, whatever its shape, and so are its gradients.

XLA makes the kernel's gradient one convolution whose kernel is as large as the images, which its CPU compiler
computes at a tenth of the forward pass's speed or less. Here it is matrix products of patches and
cotangents, of few images at a time so that the patches stay in the cache. The same compiler is slow where few
channels come in or go out, and in the images' gradient of strides: there the convolution is computed in other
forms (experiments/speed).
"""

import functools
import math

import jax
import jax.numpy as jnp
from jax import lax

DIMENSIONS = ("NHWC", "HWIO", "NHWC")
CHUNK = 2048  # pixels of the cotangent whose patches are multiplied at once
THIN = 64  # numbers a pixel, at most, that a product may make out of a few channels


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
    return *pull_back(cotangent), kernel_gradient(images, cotangent, kernel.shape[0], stride)


conv.defvjp(_forward, _reverse)


def _forward_form(shape, stride):
    """Which of the forms below is fast forward, for a kernel of this shape."""
    size, _, c, d = shape
    if _on_cpu() and size * size * c <= min(THIN, 2 * d):
        return _conv_of_patches
    return _conv_of_products if _is_thin_out(shape, stride) else plain_conv


def _transposed_form(shape, stride):
    """And which is transposed, for the images' gradient."""
    size, _, c, d = shape
    if _on_cpu() and size * size * c <= min(THIN, d):
        return _conv_of_patches
    if _is_thin_out(shape, stride):
        return _conv_of_products
    return _conv_of_blocks if _on_cpu() and stride > 1 else plain_conv


def _on_cpu():
    return jax.default_backend() == "cpu"


def _is_thin_out(shape, stride):
    size, _, c, d = shape
    return _on_cpu() and stride == 1 and size * size * d <= min(THIN, c)


def _conv_of_patches(images, kernel, stride):
    """`conv` as one product of what the kernel sees at each place: where few channels come in."""
    height, width = (-(-length // stride) for length in images.shape[1:3])
    return _patches(images, len(kernel), stride, height, width) @ kernel.reshape(-1, kernel.shape[-1])


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


def kernel_gradient(images, cotangent, size, stride=1):
    """The gradient of `conv`'s kernel: images [n, h, w, c], cotangent [n, ., ., d] -> [size, size, c, d]."""
    # A loop over images that several devices share would send them about.
    alone = jax.device_count() == 1 and _on_cpu()
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
