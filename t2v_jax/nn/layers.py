"""What both networks are made of: convolution, resampling and feature-wise modulation."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import lax

from t2v_jax.nn.convolution import conv
from t2v_jax.nn.precision import widened
from t2v_jax.text.encoder import rms_normalise

GROUP = 64  # clips of a batch, at most, that are compared with one another
leaky_relu = nn.leaky_relu
he_normal = nn.initializers.he_normal()


class Modulation(nn.Module):
    """FiLM of normalised features (Perez 2018, arXiv 1709.07871): images [..., h, w, c], style [..., d].

    Each pixel's features have unit root mean square before the scale and shift, so that no layer's
    gain can run away.
    """

    @nn.compact
    def __call__(self, images, style):
        channels = images.shape[-1]
        scale_shift = nn.Dense(2 * channels, name="scale_shift")(style)[..., None, None, :]
        scale, shift = jnp.split(scale_shift.astype(images.dtype), 2, axis=-1)
        return rms_normalise(images) * (1 + scale) + shift


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


def alike(key, shape, dtype=jnp.float32):
    """A kernel [k, k, c, 4d] whose four pixels of `depth_to_space` begin alike, without a checkerboard.

    ICNR (Aitken et al. 2017, arXiv 1707.02937).
    """
    return jnp.tile(he_normal(key, (*shape[:-1], shape[-1] // 4), dtype), 4)


def depth_to_space(images):
    """[n, h, w, 4c] -> [n, 2h, 2w, c]."""
    n, h, w, c = images.shape
    blocks = images.reshape(n, h, w, 2, 2, c // 4)
    return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, c // 4)


def smooth(images):
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


def sum_first(arrays):
    """The sum over the first axis: [n, ...] -> [...].

    A matrix product: of long rows XLA's CPU compiler makes a sum that takes 5 to 200 times as long.
    """
    ones = jnp.ones((1, len(arrays)), arrays.dtype)
    return (ones @ arrays.reshape(len(arrays), -1)).reshape(arrays.shape[1:])


def weighted_distances(first, second, weights):
    """How far the first [..., n, d] are from the second [..., m, d], by feature: weights [..., n, m]."""
    far = jnp.abs(first[..., :, None, :] - second[..., None, :, :])
    return jnp.einsum("...ij,...ijd->...id", weights, far)


def groups(rows, clips):
    """Rows that belong to the clips of a batch, as many to each: [r * clips, ...] -> [groups, n, ...].

    A group is GROUP clips, or the next smaller number that divides the batch, or where there is none all of
    it: what is computed of each pair of clips is of pairs within a group, so that its cost grows with the
    batch, not with its square.
    """
    size = next((size for size in range(GROUP, 1, -1) if clips % size == 0), clips)
    return rows.reshape(clips // size, -1, *rows.shape[1:])


def mean_each(arrays):
    """The mean of each: [n, ...] -> [n]; see `sum_first`."""
    rows = arrays.reshape(len(arrays), -1)
    return rows @ jnp.full(rows.shape[1], 1 / rows.shape[1], rows.dtype)


def deviation(arrays):
    """The mean standard deviation over the first axis: [n, ...] -> a number; see `sum_first`.

    XLA's GPU compiler (jaxlib 0.10.2) fails on the gradient of `jnp.var` here: it takes it for a softmax.
    """
    arrays = widened(arrays)
    about = arrays - sum_first(arrays)[None] / len(arrays)
    return jnp.sqrt(sum_first(jnp.square(about)) / len(arrays) + 1e-8).mean()


def mean_places(images):
    """The mean over all places: [n, h, w, c] -> [n, c], `widened`."""
    return widened(images).mean((1, 2))


def average_pool(images, factor):
    """Mean over factor x factor blocks: [..., h, w, c] -> [..., h / factor, w / factor, c]."""
    if factor == 1:
        return images
    *lead, h, w, c = images.shape
    blocks = images.reshape(*lead, h // factor, factor, w // factor, factor, c)
    return blocks.mean((-4, -2))


def grid_positions(size):
    """Centres of size x size cells as (y, x) in (0, 1): float32 [size, size, 2]."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    return np.stack(np.meshgrid(centres, centres, indexing="ij"), axis=-1)


def fourier_features(positions, channels):
    """Sines and cosines of positions (y, x): [..., 2] -> [..., channels], values in [-1, 1].

    The channels run through the lowest frequencies of the unit square, so that a linear map of them
    can place a smooth bump anywhere (Tancik et al. 2020, arXiv 2006.10739).
    """
    highest = int(np.sqrt(channels)) + 1
    waves = [(y, x) for y in range(highest) for x in range(1 - highest, highest) if (y, x) > (0, 0)]
    waves = sorted(waves, key=lambda wave: (wave[0] ** 2 + wave[1] ** 2, wave))[: channels // 2]
    phases = jnp.pi * jnp.matmul(positions, np.asarray(waves, np.float32).T)
    return jnp.concatenate([jnp.sin(phases), jnp.cos(phases)], axis=-1)


def place(canvases, centres, size):
    """Set canvases into frames of size x size pixels, between pixels by `cubic` interpolation.

    canvases [..., side, side, c]; centres [..., 2] as (y, x), the frame from 0 to 1 -> [..., size, size, c].
    What reaches beyond the frame is cut off; where no canvas is, the frame is zero. Linear interpolation
    blurs half-way between pixels and nowhere else, so that painters learn edges that overshoot.
    """
    side = canvases.shape[-2]
    corners = centres * size - side / 2
    shifts = np.subtract.outer(np.arange(size), np.arange(side))  # pixel of the frame - of the canvas
    weights = cubic(corners[..., None, None] - shifts[(None,) * (corners.ndim)])
    rows, columns = jnp.moveaxis(weights.astype(canvases.dtype), -3, 0)
    return jnp.einsum("...yi,...ijc,...xj->...yxc", rows, canvases, columns)


def cubic(distances):
    """The weights of samples so far away, in pixels, of any shape, in an interpolation by piecewise cubics.

    Exact for parabolas (Keys 1981, "Cubic convolution interpolation for digital image processing", eq. 15).
    """
    outer, inner = nn.relu(2 - jnp.abs(distances)), nn.relu(1 - jnp.abs(distances))
    return outer**2 * (outer - 1) / 2 + inner**2 * (1 - 2 * inner)


def leaky_clip(images):
    """Bring pixels to [-1, 1], but for a tenth of what is beyond.

    Squashing functions die on a black ground: tanh is flat there, and an opacity gets no gradient where the
    colour is the backdrop's, nor a colour where the opacity is zero.
    """
    inside = jnp.clip(images, -1, 1)
    return inside + 0.1 * (images - inside)


def time_major(frames):
    """[b, t, ...] -> [t, b, ...], and back."""
    return jnp.swapaxes(frames, 0, 1)


def fold(frames):
    """[a, b, ...] -> [a * b, ...]: frames become images.

    The batch goes first: of a product of axes a mesh can share out the first alone, else it gathers them all.
    """
    return frames.reshape(-1, *frames.shape[2:])


def unfold(images, batch):
    """[batch * t, ...] -> [batch, t, ...]."""
    return images.reshape(batch, -1, *images.shape[1:])


def with_position(images, channels=16):
    """Append where each pixel is, as Fourier features: [n, h, w, c] -> [n, h, w, c + channels].

    Without it a discriminator that pools over positions could not object to a generator that
    always paints in the same place.
    """
    position = fourier_features(grid_positions(images.shape[1]), channels).astype(images.dtype)
    return jnp.concatenate([images, jnp.broadcast_to(position, (*images.shape[:-1], channels))], axis=-1)


def standard_deviation_channel(images):
    """Append one channel: the batch's mean standard deviation (Karras et al. 2018, arXiv 1710.10196).

    It shows a discriminator how varied a batch is: [n, h, w, c] -> [n, h, w, c + 1].
    """
    channel = jnp.broadcast_to(deviation(images), (*images.shape[:-1], 1))
    return jnp.concatenate([images, channel.astype(images.dtype)], axis=-1)
