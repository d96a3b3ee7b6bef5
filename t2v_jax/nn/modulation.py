"""Normalisation and feature-wise modulation."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from t2v_jax.nn.precision import widened


def rms_normalise(vectors):
    """Scale to unit root mean square over the last axis (Zhang & Sennrich 2019, arXiv 1910.07467)."""
    size = jnp.mean(jnp.square(widened(vectors)), -1, keepdims=True)
    return vectors * jax.lax.rsqrt(size + 1e-6).astype(vectors.dtype)


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
