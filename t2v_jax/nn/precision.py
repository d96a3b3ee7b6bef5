"""The precision of the networks' activations."""

import jax
import jax.numpy as jnp


def compute_dtype(config):
    """The type that `config.dtype` asks for; auto: bfloat16, but float32 on CPUs, where that is faster."""
    if config.dtype == "auto":
        return jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16
    return jnp.dtype(config.dtype)


def widened(array):
    """The same numbers in float32 at least: sums and norms lose too much in bfloat16."""
    return array.astype(jnp.promote_types(array.dtype, jnp.float32))
