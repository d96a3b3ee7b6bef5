"""The compiled update, in the variants that a run needs one after another."""

import functools

import jax

from t2v_jax.gan.sampling import Frames
from t2v_jax.gan.update import minimax_step
from t2v_jax.runtime import jit, sharding

# Of a run by the clock, the share after which it is in its last stage: how many steps a machine comes to is
# not known ahead, and G must have learnt whole clips.
LAST_STAGE = 0.6


def compile_step(run, layout, frames, penalised):
    """The jitted update of a stage, (state, batch, progress) -> (state, metrics); the layout stays."""
    update = functools.partial(minimax_step, run.networks, run.optimizers, run.config, frames, penalised)
    out_shardings = layout, sharding.replicated(run.mesh)
    return jax.jit(update, donate_argnums=0, out_shardings=out_shardings, compiler_options=jit.options())


def variant_at(config, step, progress=0.0):
    """The `Frames` of the stage that the update of a step belongs to, and whether it is penalised.

    `progress`: the share of the run that is done.
    """
    begun = [stage for stage in config.schedule.stages if stage[0] <= step]
    late = config.minutes > 0 and progress >= LAST_STAGE
    frames = Frames(*(config.schedule.stages if late else begun)[-1][1:])
    return frames, config.loss.penalty != "none" and (step + 1) % config.loss.penalty_every == 0


def variants_from(config, step, progress=0.0):
    """The variants of the updates from a step on, in the order in which they are first needed.

    Those that need the last stage before its step, as the time is up, are not foreseen.
    """
    every = config.loss.penalty_every
    starts = [step, *(first for first, *_ in config.schedule.stages if step < first)]
    # Each stage has two variants at most, which its first two updates and its first penalised one show.
    firsts = sorted({late for first in starts for late in (first, first + 1, first + (-first - 1) % every)})
    return dict.fromkeys(variant_at(config, late, progress) for late in firsts if late < config.steps)
