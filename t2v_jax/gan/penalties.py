"""Gradient penalties: E ||grad_x D(x, s)||², summed over pixels (Mescheder et al. 2018, arXiv 1801.04406).

On real clips it is R1, on generated ones R2; R3GAN (arXiv 2501.05441) uses both at every step.
"""

import jax
import jax.numpy as jnp


def exact(score, seen):
    """E ||grad_x score(x)||² per discriminator, by a second derivative: -> scalar.

    score: what D sees, a pytree of arrays [b, ...], -> [discriminators, b].
    """
    scores, pullback = jax.vjp(score, seen)
    discriminators, clips = scores.shape
    total = 0.0
    for index in range(discriminators):
        (gradient,) = pullback(jnp.zeros_like(scores).at[index].set(1))
        total += sum(jnp.sum(jnp.square(part)) for part in jax.tree.leaves(gradient)) / clips
    return total / discriminators


def finite_difference(perturbed_scores, scores, sigma):
    """Estimate of `exact` with no second derivative: E (score(x + sigma e) - score(x))² / sigma².

    e ~ N(0, I), whose projection on the gradient has the gradient's squared norm as its mean square;
    sigma is in units of pixels in [-1, 1].
    """
    return jnp.mean(jnp.square((perturbed_scores - scores) / sigma))


def weight(config, progress):
    """gamma in a penalised step, from its first to its last value along a geometric path. config:
    config.loss.

    One of `penalty_every` steps is penalised, so many times as much (Karras et al. 2020, arXiv 1912.04958).
    """
    ratio = config.final_penalty_weight / config.penalty_weight
    return config.penalty_every * config.penalty_weight * ratio**progress
