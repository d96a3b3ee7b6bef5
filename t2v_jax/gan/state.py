"""The training state: both networks, both Adam states, the generator's average, the step; one pytree."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax


class State(NamedTuple):
    """Everything that a step changes. `average` is the EMA of the generator's parameters."""

    step: jax.Array
    generator: Any
    discriminator: Any
    generator_adam: Any
    discriminator_adam: Any
    average: Any


class Optimizers(NamedTuple):
    """Adam for both players."""

    generator: optax.GradientTransformation
    discriminator: optax.GradientTransformation


def optimizers(config, steps):
    """Adam (Kingma & Ba 2015) on both networks, its rate warmed up, then a cosine over `steps` steps."""
    warmup = min(config.warmup_steps, steps // 2)
    rate = optax.warmup_cosine_decay_schedule(0.0, 1.0, warmup, steps, config.final_rate)

    def adam(peak):
        return optax.adam(lambda step: peak * rate(step), config.beta_1, config.beta_2)

    return Optimizers(adam(config.generator_rate), adam(config.discriminator_rate))


def create(generator, discriminator, optimizers):
    """The state at step 0 from both networks' first parameters."""
    return State(
        step=jnp.zeros((), jnp.int32),
        generator=generator,
        discriminator=discriminator,
        generator_adam=optimizers.generator.init(generator),
        discriminator_adam=optimizers.discriminator.init(discriminator),
        average=jax.tree.map(jnp.copy, generator),
    )


def update_average(average, parameters, step, decay):
    """Exponential moving average, ramped: the first steps' parameters leave it quickly."""
    ramped = jnp.minimum(decay, (1.0 + step) / (10.0 + step))
    return jax.tree.map(lambda a, p: a + (1 - ramped) * (p - a), average, parameters)
