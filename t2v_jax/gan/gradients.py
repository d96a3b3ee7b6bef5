"""The gradients of both networks, at the same parameters, from one forward pass of the generator."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from t2v_jax import registry
from t2v_jax.gan import penalties
from t2v_jax.gan.augmentation import augment
from t2v_jax.gan.losses import contrast_weight, each, energy_distance, mismatched, own, wrong_captions
from t2v_jax.gan.sampling import Frames, Samples, sample, start
from t2v_jax.networks.protocol import DiscriminatorOutput
from t2v_jax.nn.attention import entropy
from t2v_jax.nn.cutouts import cutouts
from t2v_jax.nn.statistics import caption_similarity, deviation, groups, mean_each


class Wrong(NamedTuple):
    """Which captions of its group are wrong for a clip, bool [groups, n, m]; see `losses.wrong_captions`."""

    mismatch_loss: jax.Array
    hard_negative_loss: jax.Array


class Alike(NamedTuple):
    """Which clips of a group have one class, bool [groups, n, n], and how similar their captions are to D."""

    same: jax.Array
    similarity: jax.Array


class Seen(NamedTuple):
    """What D sees: clips [b, t, h, w, c], and what moves in them [b, k, side, side, c + 1], or None."""

    clips: jax.Array
    things: jax.Array | None


class Generated(NamedTuple):
    """What D sees; log probabilities of what attention sampled [b]; distances from real pixels [b]."""

    seen: Seen
    log_prob: jax.Array | None
    reconstruction_error: jax.Array


class Forward(NamedTuple):
    """A pass through both networks, and the pullbacks by which gradients go back through it.

    similarity: of the clips' own captions, to D. outputs: by name, real, fake and, in a penalised step, both
    perturbed; each has a pullback to (D's parameters, encoded captions, `Seen`).
    """

    real: Seen
    generated: Generated
    attention_entropy: jax.Array | None
    similarity: jax.Array
    outputs: Mapping[str, DiscriminatorOutput]
    generator_pullback: Callable
    captions_pullback: Callable
    score_pullbacks: Mapping[str, Callable]


def gradients(
    networks, config, frames: Frames, penalised, key, generator, discriminator, batch, progress, scale=1.0
):
    """(the generator's gradient, the discriminator's gradient, metrics).

    batch: `clip` uint8 [b, t, h, w, c], `captions`, `caption_class` int [b] (equal where captions say the
    same), `negatives` and `negative_classes` likewise (see `data.hard_negatives`). penalised: whether D's
    loss has its gradient penalties in this step. progress, scale (of the penalties): see `State`.
    """
    samples = sample(key, frames, len(batch["caption_class"]), config.generator.noise_width)
    classes = groups(batch["caption_class"], len(samples.noise))
    negatives = groups(batch["negative_classes"], len(samples.noise))
    wrong = Wrong(*jax.vmap(wrong_captions)(classes, negatives))
    captions = jax.tree.map(lambda *parts: jnp.concatenate(parts), batch["captions"], batch["negatives"])
    network = functools.partial(_score, networks.discriminator, samples.scored_frames)
    encode = functools.partial(networks.discriminator.apply, captions=captions, method="encode_captions")

    whole = to_unit_range(batch["clip"])
    clips = whole[:, samples.painted_frames]
    asked = frames.computed, samples, batch["captions"], clips
    generate = functools.partial(_generate, networks.generator, config, *asked)
    real = _augment(config, samples.augment_keys[0], Seen(clips, things_of(config, frames.scored, whole)))
    perturbed = penalised and config.loss.penalty == "finite_difference"
    sigma = config.loss.penalty_sigma if perturbed else None
    forward = _forward(generate, encode, network, generator, discriminator, real, samples, sigma)

    gamma = scale * penalties.weight(config.loss, progress)
    d_gradient, terms = _discriminator_gradient(forward, wrong, config.loss, gamma)
    if penalised and config.loss.penalty == "exact":
        score = _penalised_score(network, encode)
        gradient, more = _exact_penalty_gradient(score, discriminator, forward, gamma)
        d_gradient, terms = _sum(d_gradient, gradient), terms | more
    g_gradient, g_terms = _generator_gradient(forward, wrong, classes, config.loss, progress)
    terms |= g_terms | {"penalty_weight": gamma / config.loss.penalty_every}
    return g_gradient, d_gradient, terms | _metrics(forward, wrong)


def to_unit_range(clips):
    """uint8 [0, 255] -> float32 [-1, 1]."""
    return clips.astype(jnp.float32) / 127.5 - 1


def things_of(config, count, clips):
    """What moves in whole real clips [b, t, h, w, c], `count` times each; None where D does not see it."""
    if not config.discriminator.moving:
        return None
    return cutouts(clips - config.data.background, count, config.generator.canvas_size)


def _augment(config, key, seen: Seen):
    change = functools.partial(augment, key, names=config.discriminator.augment)
    things = None if seen.things is None else change(seen.things, background=0.0)
    return Seen(change(seen.clips, background=config.data.background), things)


def _generate(network, config, frames, samples: Samples, captions, real, parameters):
    """`Generated` for captions with their real clips, and the entropy of the generator's attention."""
    apply = functools.partial(network.apply, parameters, rngs={"attention": samples.attention_key})
    latest = config.schedule.max_start_offset
    begun = start(apply, latest, samples.start_key, captions, samples.noise)
    output = apply(captions, samples.noise, frames, samples.painted_frames, **begun)
    error = mean_each(jnp.abs(output.clips - real))
    things = output.things[:, samples.scored_frames] if config.discriminator.moving else None
    seen = _augment(config, samples.augment_keys[1], Seen(output.clips, things))
    spread = None if output.attention is None else entropy(output.attention).mean()
    return Generated(seen, output.log_prob, error), spread


def _score(network, frame_indices, parameters, sentences, seen: Seen):
    things = {} if seen.things is None else {"things": seen.things}
    return network.apply(parameters, seen.clips, sentences, frame_indices, **things, method="score")


def _forward(generate, encode, score, generator, discriminator, real, samples, sigma) -> Forward:
    """sigma: the deviation of the noise on perturbed clips; None: there are none."""
    generated, generator_pullback, spread = jax.vjp(generate, generator, has_aux=True)
    sentences, captions_pullback = jax.vjp(encode, discriminator)
    seen = {"real": real, "fake": generated.seen}
    if sigma is not None:
        for name, key in zip(("real", "fake"), samples.penalty_keys):
            seen[f"perturbed_{name}"] = _perturbed(key, seen[name], sigma)
    clips = len(real.clips)
    similarity = caption_similarity(groups(sentences[:clips], clips))
    passes = {name: jax.vjp(score, discriminator, sentences, shown) for name, shown in seen.items()}
    outputs, pullbacks = ({name: one[place] for name, one in passes.items()} for place in (0, 1))
    found = real, generated, spread, similarity, outputs
    return Forward(*found, generator_pullback, captions_pullback, pullbacks)


def _perturbed(key, seen: Seen, sigma):
    """With noise of the deviation `sigma` on all that D sees."""
    parts, structure = jax.tree.flatten(seen)
    keys = [key, *(jax.random.fold_in(key, number) for number in range(1, len(parts)))]
    noisy = [part + sigma * jax.random.normal(key, part.shape) for key, part in zip(keys, parts)]
    return jax.tree.unflatten(structure, noisy)


def _discriminator_gradient(forward: Forward, wrong, config, gamma):
    """D's gradient and the terms of its loss, but for exact penalties."""
    loss = functools.partial(discriminator_loss, wrong=wrong, config=config, gamma=gamma)
    cotangents, terms = jax.grad(loss, has_aux=True)(forward.outputs)
    parts = (forward.score_pullbacks[name](cotangents[name])[:2] for name in forward.outputs)
    gradient, sentences = _sum(*parts)
    return _sum(gradient, *forward.captions_pullback(sentences)), terms


def discriminator_loss(outputs, wrong, config, gamma):
    """D's loss of its outputs by name, and its terms. config: config.loss; gamma: weight of the penalties."""
    loss = registry.resolve("loss", config.kind).discriminator
    logits = {name: output.logits for name, output in outputs.items()}
    real, fake = own(logits["real"]), own(logits["fake"])
    terms = {name: mismatched(loss, logits["real"], pairs).mean() for name, pairs in wrong._asdict().items()}
    value = config.mismatch_weight * sum(terms.values())
    terms["discriminator_loss"] = loss(real, fake)
    value += terms["discriminator_loss"]
    if "perturbed_real" in logits:
        sigma = config.penalty_sigma
        terms["r1"] = penalties.finite_difference(own(logits["perturbed_real"]), real, sigma)
        terms["r2"] = penalties.finite_difference(own(logits["perturbed_fake"]), fake, sigma)
        value += gamma / 2 * (terms["r1"] + terms["r2"])
    return value, terms


def _penalised_score(score, encode):
    """Scores [discriminators, b] with the clips' own captions: a function of D's parameters and `Seen`."""

    def scores(parameters, seen):
        logits = own(score(parameters, encode(parameters), seen).logits)
        return logits.reshape(len(logits), -1)

    return scores


def _exact_penalty_gradient(scores, discriminator, forward: Forward, gamma):
    """The gradient of the exact R1 and R2 of D's `scores`, and both."""

    def both(parameters):
        score = functools.partial(scores, parameters)
        r1, r2 = (penalties.exact(score, seen) for seen in (forward.real, forward.generated.seen))
        return gamma / 2 * (r1 + r2), {"r1": r1, "r2": r2}

    return jax.grad(both, has_aux=True)(discriminator)


def _generator_gradient(forward: Forward, wrong, classes, config, progress):
    """G's gradient and the terms of its loss."""
    alike = Alike(classes[:, :, None] == classes[:, None], forward.similarity)
    loss = functools.partial(
        generator_loss, real=forward.outputs["real"], wrong=wrong, alike=alike, config=config
    )
    loss = functools.partial(loss, progress=progress)
    (fake, error), (losses, terms) = jax.grad(loss, (0, 1), has_aux=True)(
        forward.outputs["fake"], forward.generated.reconstruction_error
    )
    seen = forward.score_pullbacks["fake"](fake)[2]
    # Words become likelier the less their clip lost (REINFORCE, Williams 1992): the gradient through hard
    # attention says how the sampled word should change, not what another word would have given.
    advantage = None if forward.generated.log_prob is None else (losses - losses.mean()) / len(losses)
    (gradient,) = forward.generator_pullback(Generated(seen, advantage, error))
    return gradient, terms


def generator_loss(fake, error, real, wrong, alike, config, progress):
    """G's loss, then its value for each clip, [b], and the terms. config: config.loss."""
    loss = registry.resolve("loss", config.kind)
    adversarial = each(loss.generator)(own(real.logits), own(fake.logits)).mean(0)
    contrast = sum(mismatched(loss.discriminator, fake.logits, pairs) for pairs in wrong)
    losses = adversarial + contrast_weight(config, progress) * contrast
    terms = {"generator_loss": adversarial.mean()}
    if config.energy_weight:
        energy = jax.vmap(energy_distance)(real.features, fake.features, *alike)
        losses, terms = losses + config.energy_weight * energy, terms | {"energy_distance": energy.mean()}
    losses = losses.reshape(-1) + config.reconstruction_weight * error
    return losses.mean(), (losses, terms)


def _metrics(forward: Forward, wrong) -> dict[str, Any]:
    real, fake = forward.outputs["real"].logits, forward.outputs["fake"].logits
    others = wrong.mismatch_loss
    wrong_scores = jnp.sum(real * others[None], (1, 2, 3)) / jnp.maximum(others.sum(), 1)
    spread = {} if forward.attention_entropy is None else {"attention_entropy": forward.attention_entropy}
    return spread | {
        "real_score": own(real).mean(),
        "fake_score": own(fake).mean(),
        "wrong_caption_score": wrong_scores.mean(),
        "reconstruction_loss": forward.generated.reconstruction_error.mean(),
        "diversity": deviation(forward.generated.seen.clips),
        "real_diversity": deviation(forward.real.clips),
    }


def _sum(*trees):
    return jax.tree.map(lambda *leaves: sum(leaves), *trees)
