"""The minimax step: one update of both players from one generator forward pass.

min_G max_D E[log D(V_r)] + E[log(1 - D(G(s, z)))] (or a successor of that loss) is played
simultaneously: both gradients are taken at the same parameters.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from t2v_jax.gan import penalties
from t2v_jax.gan.augmentation import augment
from t2v_jax.gan.losses import LOSSES, each, energy_distance, mismatched, own, wrong_captions
from t2v_jax.gan.state import State, rate, update_average
from t2v_jax.nn.attention import entropy
from t2v_jax.nn.layers import deviation, groups, mean_each


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


def penalty_weight(config, progress):
    """gamma of a penalised step, from its first to its last value along a geometric path.

    Of so many steps one is penalised, and so many times as much (Karras et al. 2020, arXiv 1912.04958).
    """
    ratio = config.final_penalty_weight / config.penalty_weight
    return config.penalty_every * config.penalty_weight * ratio**progress


def contrast_weight(config, progress):
    """Weight of own over wrong captions in G's loss, falling to zero.

    It finds the words that matter; in the end it would let nothing be painted but what is most typical.
    """
    return config.contrast_weight * (1 - progress)


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


class Drawn(NamedTuple):
    """What a step draws: noise [b, z], the frames that are kept and looked at, and keys for the rest."""

    noise: jax.Array
    keep: jax.Array
    look: jax.Array
    start_key: jax.Array
    attention_key: jax.Array
    penalty_keys: Sequence[jax.Array]
    augment_keys: Sequence[jax.Array]


def draw(key, frames, clips, noise_width):
    """What a step over so many `clips` draws."""
    noise_key, frames_key, start_key, attention_key, *penalty_keys = jax.random.split(key, 6)
    augment_keys = jax.random.split(jax.random.fold_in(key, 1))
    noise = jax.random.normal(noise_key, (clips, noise_width))
    return Drawn(
        noise, *choose_frames(frames_key, frames), start_key, attention_key, penalty_keys, augment_keys
    )


class Wrong(NamedTuple):
    """Which captions of its group are wrong for a clip, bool [groups, n, m]; see `losses.wrong_captions`."""

    mismatch_loss: jax.Array
    rival_loss: jax.Array


class Generated(NamedTuple):
    """Clips [b, t, h, w, c], the likelihood of what was heard [b], the distance from real pixels [b]."""

    clips: jax.Array
    likelihood: jax.Array
    off: jax.Array


def gradients(networks, config, frames, penalised, key, generator, discriminator, batch, progress):
    """Both players' gradients, at the same parameters, and the metrics.

    batch: `clip` uint8 [b, t, h, w, c], `captions`, `meaning` int [b] (equal where captions say the
    same), and `rivals` and `rival_meanings` like them (see `data.rivals`). `penalised`: whether D's loss has
    its gradient penalties in this step. `progress`: see `State`.

    Returns (generator's gradient, discriminator's gradient, metrics).
    """
    settings = networks.generator.config
    drawn = draw(key, frames, len(batch["meaning"]), settings.generator.noise_width)
    clips = to_unit_range(batch["clip"])[:, drawn.keep]
    changed = functools.partial(augment, names=config.augment, ground=settings.data.ground)
    real = changed(drawn.augment_keys[0], clips)
    meaning = groups(batch["meaning"], len(clips))
    wrong = Wrong(*jax.vmap(wrong_captions)(meaning, groups(batch["rival_meanings"], len(clips))))
    captions = jax.tree.map(lambda *parts: jnp.concatenate(parts), batch["captions"], batch["rivals"])

    def generate(generator):
        film = _film(networks.generator, config, frames, drawn, generator, batch["captions"])
        off = mean_each(jnp.abs(film.clips - clips))
        generated = Generated(changed(drawn.augment_keys[1], film.clips), film.likelihood, off)
        return generated, entropy(film.attention).mean()

    def listen(discriminator):
        return networks.discriminator.apply(discriminator, captions, method="listen")

    def judge(discriminator, sentences, clips):
        return networks.discriminator.apply(discriminator, clips, sentences, drawn.look, method="judge")

    # The one generator pass; its pullback later carries the generator's gradient home.
    generated, generator_pullback, spread = jax.vjp(generate, generator, has_aux=True)
    sentences, listen_pullback = jax.vjp(listen, discriminator)
    judged = {"real": real, "fake": generated.clips}
    if penalised and config.penalty == "finite_difference":
        for name, key in zip(("real", "fake"), drawn.penalty_keys):
            shift = config.penalty_sigma * jax.random.normal(key, real.shape)
            judged[f"moved_{name}"] = judged[name] + shift
    judgements, pullbacks = {}, {}
    for name, shown in judged.items():
        judgements[name], pullbacks[name] = jax.vjp(judge, discriminator, sentences, shown)

    cotangents, terms = jax.grad(_discriminator_loss, has_aux=True)(judgements, wrong, config, progress)
    discriminator_gradient, heard = _added(*(pullbacks[name](cotangents[name])[:2] for name in judged))
    discriminator_gradient = _added(discriminator_gradient, *listen_pullback(heard))
    if penalised and config.penalty == "exact":
        gradient, (terms["r1"], terms["r2"]) = jax.grad(_exact_penalties, has_aux=True)(
            discriminator, lambda d, x: judge(d, listen(d), x), real, generated.clips
        )
        weight = penalty_weight(config, progress) / 2
        discriminator_gradient = _added(
            discriminator_gradient, jax.tree.map(lambda leaf: weight * leaf, gradient)
        )

    (cotangent, off), (lost, g_terms) = jax.grad(_generator_loss, (0, 1), has_aux=True)(
        judgements["fake"], generated.off, judgements["real"], wrong, meaning, config, progress
    )
    # What was heard is likelier to be heard again the less it lost (REINFORCE, Williams 1992): the gradient
    # through hard attention tells how the word should change, not what another word would have given.
    regret = (lost - lost.mean()) / len(lost)
    shown = pullbacks["fake"](cotangent)[2]
    (generator_gradient,) = generator_pullback(Generated(shown, regret, off))
    measured = {"attention_entropy": spread, "reconstruction_loss": generated.off.mean()}
    metrics = terms | g_terms | measured | _scores(judgements, wrong) | _diversities(real, generated.clips)
    return generator_gradient, discriminator_gradient, metrics


def _film(network, config, frames, drawn, parameters, captions):
    play = functools.partial(network.apply, parameters, rngs={"attention": drawn.attention_key})
    late = late_start(play, config, drawn.start_key, captions, drawn.noise)
    return play(captions, drawn.noise, frames.computed, drawn.keep, **late)


def _discriminator_loss(judgements, wrong, config, progress):
    """D's loss of the judgements by name, real, fake and perhaps moved ones, and its terms."""
    loss = LOSSES[config.loss].discriminator
    logits = {name: judgement.logits for name, judgement in judgements.items()}
    real, fake = own(logits["real"]), own(logits["fake"])
    terms = {name: mismatched(loss, logits["real"], pairs).mean() for name, pairs in wrong._asdict().items()}
    value = config.mismatch_weight * sum(terms.values())
    terms["discriminator_loss"] = loss(real, fake)
    value += terms["discriminator_loss"]
    if "moved_real" in logits:
        sigma = config.penalty_sigma
        terms["r1"] = penalties.finite_difference(own(logits["moved_real"]), real, sigma)
        terms["r2"] = penalties.finite_difference(own(logits["moved_fake"]), fake, sigma)
        value += penalty_weight(config, progress) / 2 * (terms["r1"] + terms["r2"])
    return value, terms


def _generator_loss(fake, off, real, wrong, meaning, config, progress):
    """G's loss of the judgements of its clips, then what each clip lost, [b], and the terms."""
    loss = LOSSES[config.loss]
    played = each(loss.generator)(own(real.logits), own(fake.logits)).mean(0)
    contrast = sum(mismatched(loss.discriminator, fake.logits, pairs) for pairs in wrong)
    lost, terms = played + contrast_weight(config, progress) * contrast, {"generator_loss": played.mean()}
    if config.energy_weight:
        same = meaning[:, :, None] == meaning[:, None]
        energy = jax.vmap(energy_distance)(real.features, fake.features, same)
        lost, terms = lost + config.energy_weight * energy, terms | {"energy_distance": energy.mean()}
    lost = lost.reshape(-1) + config.reconstruction_weight * off
    return lost.mean(), (lost, terms)


def _exact_penalties(discriminator, judge, real, fake):
    def scores(clips):
        logits = own(judge(discriminator, clips).logits)
        return logits.reshape(len(logits), -1)

    r1, r2 = (penalties.exact(scores, clips) for clips in (real, fake))
    return r1 + r2, (r1, r2)


def _scores(judgements, wrong):
    real, fake = judgements["real"].logits, judgements["fake"].logits
    others = wrong.mismatch_loss
    wrong_scores = jnp.sum(real * others[None], (1, 2, 3)) / jnp.maximum(others.sum(), 1)
    return {
        "real_score": own(real).mean(),
        "fake_score": own(fake).mean(),
        "wrong_caption_score": wrong_scores.mean(),
    }


def _diversities(real, fake):
    return {"diversity": deviation(fake), "real_diversity": deviation(real)}


def _added(*trees):
    return jax.tree.map(lambda *leaves: sum(leaves), *trees)


def minimax_step(networks, optimizers, config, frames, penalised, seed, state, batch, progress):
    """One update of both players: (state, batch, progress) -> (state, metrics).

    Pure; randomness from state.step. `progress`: the share of the run that is done, 0 to 1.
    """
    key = jax.random.fold_in(jax.random.key(seed), state.step)
    players = state.generator, state.discriminator
    g_gradient, d_gradient, metrics = gradients(
        networks, config, frames, penalised, key, *players, batch, progress
    )
    scale = rate(config, state.step, progress)
    generator, generator_adam = _apply(
        optimizers.generator, g_gradient, state.generator_adam, state.generator, scale
    )
    discriminator, discriminator_adam = _apply(
        optimizers.discriminator, d_gradient, state.discriminator_adam, state.discriminator, scale
    )
    average = update_average(state.average, generator, state.step, config.average_decay)
    state = State(
        state.step + 1, progress, generator, discriminator, generator_adam, discriminator_adam, average
    )
    return state, metrics


def _apply(optimizer, gradient, adam, parameters, scale):
    updates, adam = optimizer.update(gradient, adam, parameters)
    return optax.apply_updates(parameters, jax.tree.map(lambda update: scale * update, updates)), adam
