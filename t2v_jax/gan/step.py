"""The minimax step: one update of both players from one generator forward pass.

min_G max_D E[log D(V_r)] + E[log(1 - D(G(s, z)))] (or a successor of that loss) is played
simultaneously: both gradients are taken at the same parameters.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from t2v_jax.gan import penalties
from t2v_jax.gan.augmentation import augment
from t2v_jax.gan.losses import LOSSES, each, energy_distance, mismatched, own, wrong_captions
from t2v_jax.gan.state import State, update_average
from t2v_jax.nn.attention import entropy
from t2v_jax.nn.layers import deviation, mean_each


class Frames(NamedTuple):
    """How much of a clip a step works on: computed by the ConvLSTM, painted, seen by the frame judge."""

    computed: int
    painted: int
    looked: int


def to_unit_range(clips):
    """uint8 [0, 255] -> float32 [-1, 1]."""
    return clips.astype(jnp.float32) / 127.5 - 1


def choose_frames(key, frames):
    """Random frames of a clip: `painted` evenly spaced ones, and which of those the frame judge sees.

    At a random pace, so that few frames show both how the clip goes on at once and where it ends.
    """
    stride_key, start_key, look_key = jax.random.split(key, 3)
    gaps = max(1, frames.painted - 1)
    stride = jax.random.randint(stride_key, (), 1, max(1, (frames.computed - 1) // gaps) + 1)
    start = jax.random.randint(start_key, (), 0, frames.computed - stride * (frames.painted - 1))
    look = jax.random.choice(look_key, frames.painted, (frames.looked,), replace=False)
    return start + stride * jnp.arange(frames.painted), look


def penalty_weight(config, step):
    """gamma of a penalised step, from its first to its last value along a geometric path.

    Of so many steps one is penalised, and so many times as much (Karras et al. 2020, arXiv 1912.04958).
    """
    ratio = config.final_penalty_weight / config.penalty_weight
    return config.penalty_every * config.penalty_weight * ratio ** _progress(config, step)


def contrast_weight(config, step):
    """Weight of own over wrong captions in G's loss, falling to zero.

    It finds the words that matter; in the end it would let nothing be painted but what is most typical.
    """
    return config.contrast_weight * (1 - _progress(config, step))


def _progress(config, step):
    return jnp.clip(step / config.decay_steps, 0, 1)


def choose_moments(key, latest, clips):
    """When each clip begins, frames [clips]: half of them at once, the others up to `latest` frames late."""
    late_key, moment_key = jax.random.split(key)
    late = jax.random.bernoulli(late_key, shape=(clips,))
    return late * jax.random.randint(moment_key, (clips,), 0, latest + 1)


def late_start(play, config, key, captions, noise):
    """What `play`, the generator's `apply`, is told of the frames before its first; nothing if all begin."""
    if not config.latest_start:
        return {}
    moments = choose_moments(key, config.latest_start, len(noise))
    memory = play(captions, noise, moments, config.latest_start, method="memory_at")
    # A scene is dear: all run unseen for one moment, and not each for as long as the latest.
    return {"memory": memory, "unseen": moments[0]}


def losses(networks, config, frames, penalised, key, generator, discriminator, batch, step):
    """Both players' losses and gradients at the same parameters.

    batch: `clip` uint8 [b, t, h, w, c], `captions`, `meaning` int [b] (equal where captions say the
    same), and `rivals` and `rival_meanings` like them (see `data.rivals`). `penalised`: whether D's loss has
    its gradient penalties in this step. Returns (generator's gradient, discriminator's gradient, metrics).
    """
    noise_key, frames_key, moments_key, attention_key, *penalty_keys = jax.random.split(key, 6)
    real_key, fake_key = jax.random.split(jax.random.fold_in(key, 1))
    loss = LOSSES[config.loss]
    captions, meaning = batch["captions"], batch["meaning"]
    wrong = dict(zip(("mismatch_loss", "rival_loss"), wrong_captions(meaning, batch["rival_meanings"])))
    with_rivals = jax.tree.map(lambda *parts: jnp.concatenate(parts), captions, batch["rivals"])
    width = networks.generator.config.generator.noise_width
    noise = jax.random.normal(noise_key, (meaning.shape[0], width))
    keep, look = choose_frames(frames_key, frames)
    changed = functools.partial(augment, names=config.augment, ground=networks.generator.config.data.ground)
    clips = to_unit_range(batch["clip"])[:, keep]
    real = changed(real_key, clips)

    def generate(generator):
        play = functools.partial(networks.generator.apply, generator, rngs={"attention": attention_key})
        late = late_start(play, config, moments_key, captions, noise)
        film = play(captions, noise, frames.computed, keep, **late)
        off = mean_each(jnp.abs(film.clips - clips))
        return (changed(fake_key, film.clips), film.likelihood, off), entropy(film.attention).mean()

    def judge(discriminator, clips):
        return networks.discriminator.apply(discriminator, clips, with_rivals, look)

    # The one generator pass; its pullback later carries the generator's gradient home.
    (fake, _, off), generator_pullback, spread = jax.vjp(generate, generator, has_aux=True)
    judged = {"real": real, "fake": fake}
    if penalised and config.penalty == "finite_difference":
        for name, key in zip(("real", "fake"), penalty_keys):
            shift = config.penalty_sigma * jax.random.normal(key, real.shape)
            judged[f"moved_{name}"] = judged[name] + shift
    judgements, pullbacks = {}, {}
    for name, batch_clips in judged.items():
        judgements[name], pullbacks[name] = jax.vjp(judge, discriminator, batch_clips)

    def discriminator_loss(judgements):
        logits = {name: judgement.logits for name, judgement in judgements.items()}
        real, fake = own(logits["real"]), own(logits["fake"])
        terms = {
            name: mismatched(loss.discriminator, logits["real"], pairs).mean()
            for name, pairs in wrong.items()
        }
        value = config.mismatch_weight * sum(terms.values())
        terms["discriminator_loss"] = loss.discriminator(real, fake)
        value += terms["discriminator_loss"]
        if "moved_real" in logits:
            sigma = config.penalty_sigma
            terms["r1"] = penalties.finite_difference(own(logits["moved_real"]), real, sigma)
            terms["r2"] = penalties.finite_difference(own(logits["moved_fake"]), fake, sigma)
            value += penalty_weight(config, step) / 2 * (terms["r1"] + terms["r2"])
        return value, terms

    def generator_loss(fake, off):
        real = judgements["real"]
        played = each(loss.generator)(own(real.logits), own(fake.logits)).mean(0)
        contrast = sum(mismatched(loss.discriminator, fake.logits, pairs) for pairs in wrong.values())
        energy = energy_distance(real.features, fake.features, meaning[:, None] == meaning[None])
        lost = played + contrast_weight(config, step) * contrast
        lost += config.reconstruction_weight * off + config.energy_weight * energy
        return lost.mean(), (lost, {"generator_loss": played.mean(), "energy_distance": energy.mean()})

    cotangents, terms = jax.grad(discriminator_loss, has_aux=True)(judgements)
    parts = [pullbacks[name](cotangents[name])[0] for name in judged]
    if penalised and config.penalty == "exact":
        gradient, (terms["r1"], terms["r2"]) = jax.grad(_exact_penalties, has_aux=True)(
            discriminator, judge, real, fake
        )
        weight = penalty_weight(config, step) / 2
        parts.append(jax.tree.map(lambda leaf: weight * leaf, gradient))
    discriminator_gradient = jax.tree.map(lambda *leaves: sum(leaves), *parts)
    (cotangent, off_cotangent), (lost, g_terms) = jax.grad(generator_loss, (0, 1), has_aux=True)(
        judgements["fake"], off
    )
    # What was heard is likelier to be heard again the less it lost (REINFORCE, Williams 1992): the gradient
    # through hard attention tells how the word should change, not what another word would have given.
    regret = (lost - lost.mean()) / len(lost)
    (generator_gradient,) = generator_pullback((pullbacks["fake"](cotangent)[1], regret, off_cotangent))

    others = wrong["mismatch_loss"]
    real_logits, fake_logits = judgements["real"].logits, judgements["fake"].logits
    wrong_scores = jnp.sum(real_logits * others[None], (1, 2)) / jnp.maximum(others.sum(), 1)
    metrics = (
        terms
        | g_terms
        | {
            "reconstruction_loss": off.mean(),
            "real_score": own(real_logits).mean(),
            "fake_score": own(fake_logits).mean(),
            "wrong_caption_score": wrong_scores.mean(),
            "attention_entropy": spread,
            "diversity": deviation(fake),
            "real_diversity": deviation(real),
        }
    )
    return generator_gradient, discriminator_gradient, metrics


def _exact_penalties(discriminator, judge, real, fake):
    r1, r2 = (penalties.exact(lambda x: own(judge(discriminator, x).logits), x) for x in (real, fake))
    return r1 + r2, (r1, r2)


def minimax_step(networks, optimizers, config, frames, penalised, seed, state, batch):
    """One update of both players: (state, batch) -> (state, metrics). Pure; randomness from state.step."""
    key = jax.random.fold_in(jax.random.key(seed), state.step)
    g_gradient, d_gradient, metrics = losses(
        networks, config, frames, penalised, key, state.generator, state.discriminator, batch, state.step
    )
    generator, generator_adam = _apply(
        optimizers.generator, g_gradient, state.generator_adam, state.generator
    )
    discriminator, discriminator_adam = _apply(
        optimizers.discriminator, d_gradient, state.discriminator_adam, state.discriminator
    )
    average = update_average(state.average, generator, state.step, config.average_decay)
    state = State(state.step + 1, generator, discriminator, generator_adam, discriminator_adam, average)
    return state, metrics


def _apply(optimizer, gradient, adam, parameters):
    updates, adam = optimizer.update(gradient, adam, parameters)
    return optax.apply_updates(parameters, updates), adam
