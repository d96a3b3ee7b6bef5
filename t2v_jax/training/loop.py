"""Training: restore or start, then step, log, sample and save until the last step or a request to stop."""

import contextlib
import math
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from t2v_jax import config as configuration
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.progress import TimedIterator
from t2v_jax.runtime import sharding
from t2v_jax.runtime.files import local_path, remove_parts
from t2v_jax.runtime.hosts import unanimous, wait_for_all
from t2v_jax.runtime.locks import locked
from t2v_jax.runtime.memory import return_memory
from t2v_jax.training.budget import Budget
from t2v_jax.training.checkpoints import Checkpoints
from t2v_jax.training.first_state import restore_or_start
from t2v_jax.training.memory import check_program
from t2v_jax.training.preemption import Preemption
from t2v_jax.training.programs import Programs
from t2v_jax.training.reports import Reports, is_due, sheet_is_due
from t2v_jax.training.setup import set_up
from t2v_jax.training.steps import compile_step, variant_at, variants_from
from t2v_jax.training.storage import survived


class Trained(NamedTuple):
    """The last step of a run, and whether nothing is left of it."""

    step: int
    done: bool


def train(config, workdir) -> Trained:
    """Train `config` in `workdir`, from its newest checkpoint if it has one.

    Raises UsageError for a configuration that does not fit itself, the devices or the workdir, and
    FloatingPointError when a loss or a parameter is no longer finite.
    """
    with unanimous():
        run = set_up(configuration.check(config), local_path(workdir))
    return run_training(run)


def run_training(run) -> Trained:
    """The training of a `Run`; see `train`."""
    with _alone_in(run.workdir):
        return _train_alone(run)


def _train_alone(run):
    config, table = run.config, run.workdir / "captions.npz"
    batches = clip_batches(run.source, run.language, config.batch_size, seed=config.seed, table=table)
    with (
        Preemption() as preemption,
        contextlib.closing(batches),
        Checkpoints(run.workdir, config.keep_checkpoints) as checkpoints,
    ):
        state = restore_or_start(run, checkpoints, batches)
        timed = TimedIterator(batches)
        every = config.log_every if jax.process_count() > 1 else 1
        budget = Budget(config, int(state.step), float(state.progress), every)
        with survived(run.workdir), Reports(run, int(state.step), timed, budget) as reports:
            return _loop(run, state, batches, timed, budget, checkpoints, reports, preemption)


@contextlib.contextmanager
def _alone_in(workdir):
    """A block in which the first process holds the lock on the workdir."""
    with contextlib.ExitStack() as held:
        with unanimous():
            if jax.process_index() == 0:
                held.enter_context(locked(workdir))
                for place in (workdir, workdir / "samples"):
                    remove_parts(place)
        yield


def _loop(run, state, batches, timed, budget, checkpoints, reports, preemption):
    config, step, metrics, began = run.config, int(state.step), None, time.monotonic()
    if budget.done:
        return Trained(step, True)
    reports.start(state)
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    batch = sharding.shard_batch(run.mesh, next(timed))
    shapes = jax.tree.map(_shape, (state, batch))

    def compiled(variant):
        program = compile_step(run, layout, *variant).lower(*shapes, np.float32(0)).compile()
        check_program(config, program)
        return_memory()
        return program

    with Programs(compiled, variants_from(config, step, budget.progress)) as programs:
        ready, paused = {}, time.monotonic() - began
        while True:
            variant = variant_at(config, step, budget.progress)
            if variant not in ready:
                # What the device still works on is training, waiting for the compiler is not.
                _report(run, step, metrics, checkpoints, reports)
                metrics, asked = None, time.monotonic()
                ready[variant] = programs[variant]
                wait_for_all(f"compiling for step {step}")
                paused += time.monotonic() - asked
            reports.idle(paused)
            state, new_metrics = ready[variant](state, batch, np.float32(budget.progress))
            # The device works on the new step while the host reads the one before and the next batch.
            _report(run, step, metrics, checkpoints, reports)
            step, metrics = step + 1, new_metrics
            budget.stepped(paused)
            done, paused = budget.done, 0.0
            last = done or preemption.requested(step)
            if last or step % config.checkpoint_every == 0:
                _report(run, step, metrics, checkpoints, reports)
                _check_finite(run, step, state, metrics, checkpoints)
                # Who stops a run does not wait for its score.
                score = reports.caption_match(step, state.ema) if done or not last else None
                checkpoints.save(step, state, batches.get_state(), score)
                metrics = None
                if not last:
                    paused = reports.train_matcher(step)
            if done or sheet_is_due(config, step):
                reports.sheet(step, state.ema)
            if last:
                break
            batch = sharding.shard_batch(run.mesh, next(timed))
    checkpoints.wait()
    return Trained(step, done)


def _shape(array):
    return jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=array.sharding)


def _report(run, step, metrics, checkpoints, reports):
    """Report the metrics of the update that made this step; FloatingPointError if a due one is not finite."""
    if metrics is None:
        return
    jax.block_until_ready(metrics)  # the host is one step ahead, not more: batches take memory
    if is_due(run.config, step):
        metrics = {name: float(value) for name, value in jax.device_get(metrics).items()}
        if not all(map(math.isfinite, metrics.values())):
            raise _diverged(run, step, metrics, checkpoints)
    reports.metrics(step, metrics)


def _check_finite(run, step, state, metrics, checkpoints):
    """FloatingPointError rather than a checkpoint that nothing can go on from."""
    if not _all_finite(state):
        raise _diverged(run, step, metrics, checkpoints)


@jax.jit
def _all_finite(tree):
    return jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]).all()


def _diverged(run, step, metrics, checkpoints):
    values = ", ".join(f"{name} {float(value):.4g}" for name, value in metrics.items())
    good = checkpoints.latest_step()
    kept = "there is no checkpoint" if good is None else f"the last good checkpoint is step {good}"
    return FloatingPointError(
        f"a loss or a parameter is not finite at step {step} ({values}); {kept} in {run.workdir}; train "
        "in a new --workdir with lower config.optimizer.generator_learning_rate and "
        "discriminator_learning_rate or a larger config.loss.penalty_weight"
    )
