"""Balance of the game: a discriminator that wins is held back by stronger gradient penalties.

As adaptive augmentation does (Karras et al. 2020, arXiv 2006.06676), a measure of how far D is ahead steers
what holds it back. Here the measure is D's own loss and the means its penalties.
"""

import jax.numpy as jnp

from t2v_jax import registry

STRONGEST = 100.0  # times the scheduled weight, at most
PACE = 0.04  # change of the logarithm of the scale in a step, per unit of D's share


def undecided_share(config, loss):
    """D's `loss` as a share of that of a D that scores all clips the same: 1 is undecided, 0 has won."""
    equal = jnp.zeros(())
    return loss / registry.resolve("loss", config.kind).discriminator(equal, equal)


def steered(config, scale, loss):
    """The next scale of the penalties, 1 to STRONGEST: it grows while D's share is below `config.balance`.

    Above, it falls back until the schedule alone counts. `scale`, D's `loss`: scalars of this step; config:
    config.loss.
    """
    ahead = config.balance - undecided_share(config, loss)
    # Bounded below, or one batch in which D errs by far would undo the work of many.
    return jnp.clip(scale * jnp.exp(PACE * jnp.maximum(ahead, config.balance - 1)), 1.0, STRONGEST)
