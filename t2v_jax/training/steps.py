"""The compiled update, in the variants that a run needs one after another."""

import functools

import jax

from t2v_jax.gan.sampling import Frames
from t2v_jax.gan.update import minimax_step
from t2v_jax.runtime import jit, sharding


def compile_step(run, layout, frames, penalised):
    """The jitted update of a stage, (state, batch, progress) -> (state, metrics); the layout stays."""
    update = functools.partial(minimax_step, run.networks, run.optimizers, run.config, frames, penalised)
    out_shardings = layout, sharding.replicated(run.mesh)
    return jax.jit(update, donate_argnums=0, out_shardings=out_shardings, compiler_options=jit.options())


def variant_at(config, step):
    """The `Frames` of the stage that the update of a step belongs to, and whether it is penalised."""
    frames = [Frames(*stage[1:]) for stage in config.schedule.stages if stage[0] <= step][-1]
    return frames, config.loss.penalty != "none" and (step + 1) % config.loss.penalty_every == 0


def variants_from(config, step):
    """The variants of all updates from a step on, in the order in which they are first needed."""
    every = config.loss.penalty_every
    starts = [step, *(first for first, *_ in config.schedule.stages if step < first)]
    # Each stage has two variants at most, which its first two updates and its first penalised one show.
    firsts = sorted({late for first in starts for late in (first, first + 1, first + (-first - 1) % every)})
    return dict.fromkeys(variant_at(config, late) for late in firsts if late < config.steps)
