"""The convolutional layer of both networks, with its activation and initialisation."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from t2v_jax.nn.convolution import conv

LARGE = 128  # pixels a side, from which on images are computed twice rather than kept
leaky_relu = nn.leaky_relu
he_normal = nn.initializers.he_normal()


class Convolution(nn.Module):
    """Convolution of `images` [n, h, w, c], in their precision, with He initialisation."""

    channels: int
    kernel_size: int = 3
    stride: int = 1
    kernel_init: Callable = he_normal

    @nn.compact
    def __call__(self, images):
        size = (self.kernel_size,) * 2

        def convolve(images, kernel, *_, **__):
            return conv(images, kernel, self.stride)

        layer = nn.Conv(
            self.channels,
            size,
            dtype=images.dtype,
            kernel_init=self.kernel_init,
            conv_general_dilated=convolve,
            name="conv",
        )
        return layer(images)


def sparing_memory(level, side):
    """A level of a network, level(module, channels, *arrays), whose largest images have side x side pixels.

    What a LARGE level leaves behind for the gradient is not kept but computed again when needed (Chen et al.
    2016, arXiv 1604.06174).
    """
    return level if side < LARGE else nn.remat(level, static_argnums=1)


def icnr(key, shape, dtype=jnp.float32):
    """A kernel [k, k, c, 4d] whose four pixels of `depth_to_space` begin equal, without a checkerboard.

    ICNR (Aitken et al. 2017, arXiv 1707.02937).
    """
    return jnp.tile(he_normal(key, (*shape[:-1], shape[-1] // 4), dtype), 4)
