"""Gradient penalties: E ||grad_x D(x, s)||², summed over pixels (Mescheder et al. 2018, arXiv 1801.04406).

On real clips it is R1, on generated ones R2; R3GAN (arXiv 2501.05441) uses both at every step.
"""

import jax
import jax.numpy as jnp


def exact(judge, clips):
    """E ||grad_x judge(x)||² per judge, by a second derivative: judge [b, ...] -> [judges, b]; -> scalar."""
    _, pullback = jax.vjp(judge, clips)
    judges = jax.eval_shape(judge, clips).shape[0]
    total = 0.0
    for index in range(judges):
        cotangent = jnp.zeros((judges, clips.shape[0]), clips.dtype).at[index].set(1)
        (gradient,) = pullback(cotangent)
        total += jnp.sum(jnp.square(gradient)) / clips.shape[0]
    return total / judges


def finite_difference(moved_scores, scores, sigma):
    """Estimate of `exact` with no second derivative: E (judge(x + sigma e) - judge(x))² / sigma².

    e ~ N(0, I), whose projection on the gradient has the gradient's squared norm as its mean square;
    sigma is in units of pixels in [-1, 1].
    """
    return jnp.mean(jnp.square((moved_scores - scores) / sigma))
