"""The convolutional layer of both networks, with its activation and initialisation."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from t2v_jax.nn.convolution import conv

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


def icnr(key, shape, dtype=jnp.float32):
    """A kernel [k, k, c, 4d] whose four pixels of `depth_to_space` begin equal, without a checkerboard.

    ICNR (Aitken et al. 2017, arXiv 1707.02937).
    """
    return jnp.tile(he_normal(key, (*shape[:-1], shape[-1] // 4), dtype), 4)
