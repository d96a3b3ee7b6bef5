"""The training state: both networks, both Adam states, the generator's average, the step; one pytree."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class State(NamedTuple):
    """Everything that a step changes. `ema` is the EMA of the generator's parameters.

    progress: the share of the run that was done before the newest step, 0 to 1. penalty_scale: the factor on
    the scheduled penalties that `balance.steered` keeps, 1 or more.
    """

    step: jax.Array
    progress: jax.Array
    penalty_scale: jax.Array
    generator: Any
    discriminator: Any
    generator_adam: Any
    discriminator_adam: Any
    ema: Any


class Optimizers(NamedTuple):
    """Adam for both networks."""

    generator: optax.GradientTransformation
    discriminator: optax.GradientTransformation


def optimizers(config):
    """Adam (Kingma & Ba 2015) on both networks; updates are then scaled by `learning_rate_scale`."""
    adams = (
        optax.chain(optax.scale_by_adam(config.beta_1, config.beta_2), optax.scale(-peak))
        for peak in (config.generator_learning_rate, config.discriminator_learning_rate)
    )
    return Optimizers(*adams)


def learning_rate_scale(config, step, progress):
    """The share of the learning rates at a step, warmed up, then along a cosine over the run's progress."""
    warm = jnp.minimum(1, step / config.warmup_steps) if config.warmup_steps else 1
    return warm * (
        config.final_learning_rate_fraction
        + (1 - config.final_learning_rate_fraction) * (1 + jnp.cos(jnp.pi * progress)) / 2
    )


def create(generator, discriminator, optimizers):
    """The state at step 0 from both networks' first parameters."""
    return State(
        step=jnp.zeros((), jnp.int32),
        progress=jnp.zeros(()),
        penalty_scale=jnp.ones(()),
        generator=generator,
        discriminator=discriminator,
        generator_adam=optimizers.generator.init(generator),
        discriminator_adam=optimizers.discriminator.init(discriminator),
        ema=jax.tree.map(jnp.copy, generator),
    )


def update_ema(ema, parameters, step, decay):
    """Exponential moving average, ramped: the first steps' parameters leave it quickly."""
    ramped = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return jax.tree.map(lambda a, p: a + (1 - ramped) * (p - a), ema, parameters)
