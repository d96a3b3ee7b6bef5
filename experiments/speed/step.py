"""The training step of a shipped config against the same game in two updates, and against the machine."""

import functools
import pathlib
import runpy
import tempfile
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import operations
import optax
import timing

from t2v_jax import config as configuration
from t2v_jax import registry
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.gan import losses
from t2v_jax.gan.gradients import to_unit_range
from t2v_jax.gan.sampling import Frames, sample_frames, start
from t2v_jax.gan.state import State, update_ema
from t2v_jax.gan.update import minimax_step
from t2v_jax.runtime import sharding
from t2v_jax.training import first_state, setup

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"


def measure(repeats) -> Iterator[dict]:
    """Of each shipped config and stage: one update, two updates; and sparse beside dense training."""
    for name in ("moving_digits", "moving_shapes"):
        started_run = started(CONFIGS / f"{name}.py")
        for frames in stages(started_run[0].config):
            yield _stage(name, *started_run, frames, repeats)
        yield _sparse(name, *started_run, repeats)


def started(path, changes=()):
    """The `Run` of a config with `changes` of fields by dotted names, its first state and its first batch."""
    config = runpy.run_path(str(path))["get_config"]()
    config.update_from_flattened_dict(dict(changes))
    config = configuration.check(config)
    run = setup.set_up(config, pathlib.Path(tempfile.mkdtemp()) / "run")
    batches = clip_batches(run.source, run.language, config.batch_size, threads=0)
    state = first_state.restore_or_start(run, _NoCheckpoints(), batches)
    return run, state, jax.tree.map(jnp.asarray, sharding.shard_batch(run.mesh, next(batches)))


class _NoCheckpoints:
    def latest_step(self):
        return None


def stages(config):
    """The `Frames` of each."""
    return [Frames(*stage[1:]) for stage in config.schedule.stages]


def one_update(run, frames, state, batch):
    """Our step, without gradient penalties, as three of four are."""
    return minimax_step(run.networks, run.optimizers, run.config, frames, False, state, batch, 0.0)


def _timed(updates, state, batch, repeats, by_itself=()):
    """`timing.interleaved` of updates, compiled; of some of them as XLA does by itself too."""
    programs = {name: timing.compiled(update, state, batch) for name, update in updates.items()} | {
        name + timing.BY_ITSELF: timing.compiled(updates[name], state, batch, options={})
        for name in by_itself
    }
    calls = {name: functools.partial(program, state, batch) for name, program in programs.items()}
    return timing.interleaved(calls, repeats)


def _sparse(name, run, state, batch, repeats):
    """All stages beside training in which each frame is computed, painted and judged."""
    number = run.config.data.frames
    updates = {
        f"{frames.computed} computed, {frames.painted} painted": functools.partial(one_update, run, frames)
        for frames in [*stages(run.config), Frames(number, number, number)]
    }
    times = _timed(updates, state, batch, repeats)
    *sparse, dense = times
    return {
        "row": f"sparse training, {name}",
        "ratios": {f"dense / {stage}": timing.ratio(times, dense, stage) for stage in sparse},
        "times": times,
    }


def _stage(name, run, state, batch, frames, repeats):
    updates = {
        "one update": functools.partial(one_update, run, frames),
        "two updates": functools.partial(two_updates, run, frames),
    }
    times = _timed(updates, state, batch, repeats, by_itself=["one update"])
    counted = {kind: operations.count(update, state, batch) for kind, update in updates.items()}
    seconds = times["one update"]["milliseconds"] / 1e3
    return {
        "row": f"training step, {name}, {frames.computed} frames computed, {frames.painted} painted",
        "ratios": timing.ratios(times, "one update")
        | {"operations, two updates / one update": round(counted["two updates"] / counted["one update"], 2)},
        "times": times,
        "operations": counted["one update"],
        "gigaflops": round(counted["one update"] / seconds / 1e9, 1),
        "clips_per_second": round(run.config.batch_size / seconds, 1),
    }


def two_updates(run, frames, state, batch):
    """The textbook's step: D's update on clips that G paints for it, then G's on clips that it paints anew.

    No gradient penalties, as in three of our four steps.
    """
    weights, networks, captions = run.config.loss, run.networks, batch["captions"]
    loss = registry.resolve("loss", weights.kind)
    wrong = [
        pairs[None] for pairs in losses.wrong_captions(batch["caption_class"], batch["negative_classes"])
    ]
    with_negatives = jax.tree.map(lambda *parts: jnp.concatenate(parts), captions, batch["negatives"])
    noise_key, frames_key, start_key, attention_key = jax.random.split(jax.random.key(0), 4)
    noise = jax.random.normal(noise_key, (len(batch["caption_class"]), run.config.generator.noise_width))
    painted_frames, scored_frames = sample_frames(frames_key, frames)
    real = to_unit_range(batch["clip"])[:, painted_frames]

    def generate(generator):
        apply = functools.partial(networks.generator.apply, generator, rngs={"attention": attention_key})
        late = start(apply, run.config.schedule.max_start_offset, start_key, captions, noise)
        output = apply(captions, noise, frames.computed, painted_frames, **late)
        return output.clips, output.log_prob

    def score(discriminator, clips):
        return networks.discriminator.apply(discriminator, clips, with_negatives, scored_frames).logits

    def mismatched(logits):
        return sum(losses.mismatched(loss.discriminator, logits, pairs) for pairs in wrong)

    def discriminator_loss(discriminator, fake):
        logits = score(discriminator, real)
        value = loss.discriminator(losses.own(logits), losses.own(score(discriminator, fake)))
        return value + weights.mismatch_weight * mismatched(logits).mean()

    def generator_loss(generator, discriminator):
        clips, log_prob = generate(generator)
        logits = score(discriminator, clips)
        lost = losses.each(loss.generator)(losses.own(score(discriminator, real)), losses.own(logits)).mean(0)
        lost += weights.contrast_weight * mismatched(logits)
        return lost.mean() + jnp.mean(jax.lax.stop_gradient(lost - lost.mean()) * log_prob)

    fake = jax.lax.optimization_barrier(generate(state.generator)[0])
    gradient = jax.grad(discriminator_loss)(state.discriminator, fake)
    updates, discriminator_adam = run.optimizers.discriminator.update(gradient, state.discriminator_adam)
    discriminator = optax.apply_updates(state.discriminator, updates)
    # Without the barrier XLA would notice that both players' clips are the same.
    generator, discriminator = jax.lax.optimization_barrier((state.generator, discriminator))
    gradient = jax.grad(generator_loss)(generator, discriminator)
    updates, generator_adam = run.optimizers.generator.update(gradient, state.generator_adam)
    generator = optax.apply_updates(state.generator, updates)
    ema = update_ema(state.ema, generator, state.step, run.config.optimizer.ema_decay)
    return State(
        state.step + 1, state.progress, generator, discriminator, generator_adam, discriminator_adam, ema
    )
