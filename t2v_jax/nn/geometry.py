"""Places in an image: positions, their Fourier features, and canvases set where they belong."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np


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


def with_position(images, channels=16):
    """Append where each pixel is, as Fourier features: [n, h, w, c] -> [n, h, w, c + channels].

    Without it a discriminator that pools over positions could not object to a generator that
    always paints in the same place.
    """
    position = fourier_features(grid_positions(images.shape[1]), channels).astype(images.dtype)
    return jnp.concatenate([images, jnp.broadcast_to(position, (*images.shape[:-1], channels))], axis=-1)


def place(canvases, centres, size):
    """Set canvases into frames of size x size pixels, between pixels by `cubic` interpolation.

    canvases [..., side, side, c]; centres [..., 2] as (y, x), the frame from 0 to 1 -> [..., size, size, c].
    What reaches beyond the frame is cut off. Where no canvas is, the frame is zero.
    """
    side = canvases.shape[-2]
    rows, columns = _weights(side, size, side / 2 - centres * size, jnp.ones_like(centres))
    return jnp.einsum("...yi,...ijc,...xj->...yxc", rows.astype(canvases.dtype), canvases, columns)


def view(pictures, centres, shares, size):
    """What a camera sees of pictures, in size x size pixels, between pixels by `cubic` interpolation.

    pictures [b, side, side, c]; centres [t, b, 2] of what is seen as (y, x), the picture from 0 to 1; shares
    [t, b, 1] of the picture's side that are seen -> [t, b, size, size, c]. Nothing is beyond the picture.
    """
    side = pictures.shape[-2]
    steps = jnp.broadcast_to(shares * side / size, centres.shape)
    rows, columns = _weights(side, size, side * (centres - shares / 2), steps)
    return jnp.einsum("tbyi,bijc,tbxj->tbyxc", rows.astype(pictures.dtype), pictures, columns)


def _weights(side, size, corners, steps):
    """Weights of `side` samples in `size` pixels, `steps` apart from `corners`: [..., size, side] twice.

    corners and steps [..., 2] are those of rows and columns, in samples. Linear interpolation blurs half-way
    between pixels and nowhere else, so that painters learn edges that overshoot.
    """
    centres = corners[..., None] + jnp.einsum("...a,s->...as", steps, np.arange(size) + 0.5)
    samples = np.arange(side) + 0.5
    return jnp.moveaxis(cubic(centres[..., None] - samples.reshape((1,) * centres.ndim + (-1,))), -3, 0)


def window(side):
    """How much of each pixel of a canvas is seen that fades out over the last eighth to its edges.

    float32 [side, side, 1], in (0, 1].
    """
    near = np.minimum(np.arange(side), np.arange(side)[::-1]) + 0.5
    shares = np.minimum(1, near * 8 / side).astype(np.float32)
    return np.multiply.outer(shares, shares)[..., None]


def cubic(distances):
    """The weights of samples so far away, in pixels, of any shape, in an interpolation by piecewise cubics.

    Exact for parabolas (Keys 1981, "Cubic convolution interpolation for digital image processing", eq. 15).
    """
    outer, inner = nn.relu(2 - jnp.abs(distances)), nn.relu(1 - jnp.abs(distances))
    return outer**2 * (outer - 1) / 2 + inner**2 * (1 - 2 * inner)
