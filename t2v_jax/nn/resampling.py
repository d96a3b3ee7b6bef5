"""Images made larger, smaller or smoother."""

import jax.numpy as jnp
from jax import lax


def depth_to_space(images):
    """[n, h, w, 4c] -> [n, 2h, 2w, c]."""
    n, h, w, c = images.shape
    blocks = images.reshape(n, h, w, 2, 2, c // 4)
    return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, c // 4)


def blur(images):
    """Each pixel's mean with its neighbours, weights 1, 2, 1 along either axis: images [n, h, w, c].

    Nothing is left of what alternates from pixel to pixel, as the pixels of `depth_to_space` may (Zhang 2019,
    arXiv 1904.11486; Karras et al. 2019, arXiv 1812.04948). Beyond its edges an image goes on as there.
    """
    for axis in (1, 2):
        length, pads = images.shape[axis], [(0, 0)] * 4
        pads[axis] = (1, 1)
        padded = jnp.pad(images, pads, mode="edge")
        before, at, after = (lax.slice_in_dim(padded, i, i + length, axis=axis) for i in range(3))
        images = (before + 2 * at + after) / 4
    return images


def average_pool(images, factor):
    """Mean over factor x factor blocks: [..., h, w, c] -> [..., h / factor, w / factor, c]."""
    if factor == 1:
        return images
    *lead, h, w, c = images.shape
    blocks = images.reshape(*lead, h // factor, factor, w // factor, factor, c)
    return blocks.mean((-4, -2))
