"""The minimax step: one update of both networks.

min_G max_D E[log D(V_r)] + E[log(1 - D(G(s, z)))] (or a successor of that loss) is played simultaneously:
both gradients are taken at the same parameters.
"""

import jax
import optax

from t2v_jax.gan.balance import steered
from t2v_jax.gan.gradients import gradients
from t2v_jax.gan.state import State, learning_rate_scale, update_ema


def minimax_step(networks, optimizers, config, frames, penalised, state, batch, progress):
    """One update of both networks: (state, batch, progress) -> (state, metrics).

    Pure: its random numbers follow from config.seed and state.step. progress: the share of the run that is
    done, 0 to 1. frames, penalised, batch: see `gradients`.
    """
    key = jax.random.fold_in(jax.random.key(config.seed), state.step)
    parameters = state.generator, state.discriminator
    *both, metrics = gradients(
        networks, config, frames, penalised, key, *parameters, batch, progress, state.penalty_scale
    )
    scale = learning_rate_scale(config.optimizer, state.step, progress)
    adams = state.generator_adam, state.discriminator_adam
    (generator, generator_adam), (discriminator, discriminator_adam) = (
        _apply(*one, scale) for one in zip(optimizers, both, adams, parameters)
    )
    ema = update_ema(state.ema, generator, state.step, config.optimizer.ema_decay)
    penalty_scale = steered(config.loss, state.penalty_scale, metrics["discriminator_loss"])
    learnt = generator, discriminator, generator_adam, discriminator_adam, ema
    return State(state.step + 1, progress, penalty_scale, *learnt), metrics


def _apply(optimizer, gradient, adam, parameters, scale):
    updates, adam = optimizer.update(gradient, adam, parameters)
    return optax.apply_updates(parameters, jax.tree.map(lambda update: scale * update, updates)), adam
