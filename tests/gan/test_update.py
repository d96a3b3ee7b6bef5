"""The minimax step: one update that equals two separately computed gradients."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax import registry
from t2v_jax.gan import balance, losses, penalties, state
from t2v_jax.gan.gradients import Seen, gradients, to_unit_range
from t2v_jax.gan.sampling import Frames, sample_frames, sample_start_offsets
from t2v_jax.gan.update import minimax_step
from t2v_jax.nn.cutouts import cutouts
from t2v_jax.nn.statistics import caption_similarity
from tests import example

FRAMES = Frames(computed=4, painted=3, scored=2)


def separate_gradients(networks, config, key, parameters, batch):
    """Both networks' gradients as a textbook has them: one loss, one `jax.grad`, G run twice."""
    noise_key, frames_key, start_key, attention_key, *penalty_keys = jax.random.split(key, 6)
    weights, latest = config.loss, config.schedule.max_start_offset
    loss, captions = registry.resolve("loss", weights.kind), batch["captions"]
    wrong = [
        pairs[None] for pairs in losses.wrong_captions(batch["caption_class"], batch["negative_classes"])
    ]
    with_negatives = jax.tree.map(lambda *parts: jnp.concatenate(parts), captions, batch["negatives"])
    noise = jax.random.normal(noise_key, (example.BATCH, 8))
    painted_frames, scored_frames = sample_frames(frames_key, FRAMES)
    whole = to_unit_range(batch["clip"])
    real = Seen(whole[:, painted_frames], None)
    if moving := config.discriminator.moving:
        things = cutouts(whole - config.data.background, FRAMES.scored, config.generator.canvas_size)
        real = real._replace(things=things)

    def shown(output):
        things = output.things[:, painted_frames[scored_frames]] if moving else None
        return Seen(output.clips[:, painted_frames], things)

    def generate(generator):
        late, rngs = {}, {"attention": attention_key}
        if latest:
            start_offsets = sample_start_offsets(start_key, latest, example.BATCH)
            inputs = captions, noise, start_offsets, latest
            carry = networks.generator.apply(generator, *inputs, method="carry_at", rngs=rngs)
            late = {"carry": carry, "burn_in": start_offsets[0]}
        return networks.generator.apply(generator, captions, noise, 4, rngs=rngs, **late)

    def score(discriminator, seen):
        frames = with_negatives, scored_frames
        return networks.discriminator.apply(discriminator, seen.clips, *frames, seen.things)

    def logits_of(discriminator, seen):
        return score(discriminator, seen).logits

    def perturbed(seen, key):
        parts, structure = jax.tree.flatten(seen)
        keys = [key] + [jax.random.fold_in(key, number) for number in range(1, len(parts))]
        noise = [jax.random.normal(key, part.shape) for key, part in zip(keys, parts)]
        return jax.tree.map(
            lambda part, noise: part + weights.penalty_sigma * noise, seen, structure.unflatten(noise)
        )

    def mismatched(logits):
        return sum(losses.mismatched(loss.discriminator, logits, pairs)[0] for pairs in wrong)

    def discriminator_loss(discriminator):
        fake = shown(generate(parameters.generator))
        logits = logits_of(discriminator, real)
        scores, fake_scores = losses.own(logits), losses.own(logits_of(discriminator, fake))
        total = loss.discriminator(scores, fake_scores)
        total += weights.mismatch_weight * mismatched(logits).mean()
        for seen, key, own in zip((real, fake), penalty_keys, (scores, fake_scores)):
            if weights.penalty == "exact":
                value = penalties.exact(lambda x: losses.own(logits_of(discriminator, x))[:, 0], seen)
            elif weights.penalty == "finite_difference":
                moved = losses.own(logits_of(discriminator, perturbed(seen, key)))
                value = penalties.finite_difference(moved, own, weights.penalty_sigma)
            else:
                value = 0.0
            total += weights.penalty_every * weights.penalty_weight / 2 * value
        return total

    def generator_loss(generator):
        output = generate(generator)
        seen, real_seen = (score(parameters.discriminator, x) for x in (shown(output), real))
        lost = losses.each(loss.generator)(losses.own(real_seen.logits), losses.own(seen.logits)).mean(0)[0]
        lost += weights.contrast_weight * mismatched(seen.logits)
        same = batch["caption_class"][:, None] == batch["caption_class"][None]
        sentences = networks.discriminator.apply(
            parameters.discriminator, with_negatives, method="encode_captions"
        )[: example.BATCH]
        similarity = caption_similarity(sentences)
        lost += weights.energy_weight * losses.energy_distance(
            real_seen.features[0], seen.features[0], same, similarity
        )
        lost += weights.reconstruction_weight * jnp.abs(output.clips[:, painted_frames] - real.clips).mean(
            (1, 2, 3, 4)
        )
        regret = jax.lax.stop_gradient(lost - lost.mean())
        return lost.mean() + jnp.mean(regret * output.log_prob)

    return (
        jax.grad(generator_loss)(parameters.generator),
        jax.grad(discriminator_loss)(parameters.discriminator),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "minimax", "penalty": "none"},
        {"kind": "non_saturating", "penalty": "none"},
        {"kind": "hinge", "penalty": "exact"},
        {"kind": "relativistic", "penalty": "exact"},
        {"kind": "relativistic", "penalty": "finite_difference"},
        {"kind": "relativistic", "penalty": "none", "reconstruction_weight": 3.0, "max_start_offset": 0},
        {"kind": "relativistic", "penalty": "none", "energy_weight": 3.0},
        {"penalty": "finite_difference", "moving": True},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_single_update_equals_two_separate_gradients(changes):
    config = example.config(clips_per_caption=2, contrast_weight=0.5, **changes)
    networks = example.networks(config)
    # Were biases zero, what stands still would be at the kink of leaky ReLU, whose slope rounding decides.
    parameters = jax.tree.map(lambda leaf: leaf + 0.01, example.parameters(networks))
    key = jax.random.key(3)
    batch = example.batch() | {"caption_class": jnp.array([0, 0, 1, 2])}

    @jax.jit
    def both(parameters):
        single = gradients(networks, config, FRAMES, True, key, *parameters, batch, 0)[:2]
        return single, separate_gradients(networks, config, key, parameters, batch)

    single, separate = both(parameters)
    for got, wanted in zip(single, separate, strict=True):
        got, wanted = (jax.flatten_util.ravel_pytree(tree)[0] for tree in (got, wanted))
        assert float(jnp.linalg.norm(wanted)) > 1e-3
        assert float(jnp.linalg.norm(got - wanted) / jnp.linalg.norm(wanted)) < 1e-5


@functools.cache
def compiled_step(config):
    """A step of (state, batch, progress), and the first state."""
    networks = example.networks(config)
    optimizers = state.optimizers(config.optimizer)

    def update(state, batch, progress):
        return minimax_step(networks, optimizers, config, FRAMES, True, state, batch, progress)

    return jax.jit(update), state.create(*example.parameters(networks), optimizers)


def test_first_steps_are_golden():
    """Three steps from fixed seeds: any change of the mathematics or of the random streams shows."""
    update, current = compiled_step(example.config(warmup_steps=1))
    losses_seen = []
    for start in (0, 4, 8):
        current, metrics = update(current, example.batch(start), start / 16)
        losses_seen += [metrics["discriminator_loss"], metrics["generator_loss"]]
    np.testing.assert_allclose(losses_seen, GOLDEN, rtol=2e-4)


GOLDEN = [0.833471, 0.625136, 0.671954, 0.731066, 0.635385, 0.856957]


def test_step_changes_everything_that_learns():
    # Not the relativistic loss: it cannot tell a constant added to all scores.
    update, first = compiled_step(example.config(warmup_steps=1, kind="non_saturating"))
    first = first._replace(penalty_scale=jnp.float32(2))  # 1 is where it stays in balance
    last, _ = update(update(first, example.batch(), 0.0)[0], example.batch(4), 0.5)
    same = jax.tree_util.tree_map_with_path(
        lambda path, a, b: jax.tree_util.keystr(path) if bool(jnp.all(a == b)) else None,
        first,
        last,
    )
    untouched = [name for name in jax.tree.leaves(same) if "_adam" not in name]
    assert untouched == []


def test_every_part_of_the_sentence_reaches_the_video():
    """Tokens, tags, entities and noise each change the frames: none is a side branch."""
    config = example.config()
    networks = example.networks(config)
    parameters, captions = example.parameters(networks), example.batch()["captions"]
    noise = example.noise()
    paint = jax.jit(
        lambda captions, noise: networks.generator.apply(parameters.generator, captions, noise, 4).clips
    )
    clip = paint(captions, noise)
    changed = {
        "tokens": captions._replace(tokens=np.where(captions.mask, 2, 0).astype(np.int32)),
        "tags": captions._replace(tags=np.where(captions.mask, 7, 0).astype(np.int32)),
        "entities": captions._replace(entities=np.where(captions.mask, 2, 0).astype(np.int32)),
    }
    for name, other in changed.items():
        assert float(jnp.abs(paint(other, noise) - clip).max()) > 1e-4, name
    assert float(jnp.abs(paint(captions, -noise) - clip).max()) > 1e-4


def test_frames_are_chosen_within_the_clip():
    frames = Frames(10, 4, 2)
    painted_frames, scored_frames = jax.vmap(lambda key: sample_frames(key, frames))(
        jax.random.split(jax.random.key(0), 200)
    )
    paces = np.diff(painted_frames, axis=1)
    assert np.all(paces == paces[:, :1]) and set(np.unique(paces)) == {1, 2, 3}
    assert painted_frames.min() == 0 and painted_frames.max() == 9
    assert len(np.unique(painted_frames[:, 0])) == 7
    assert np.all(scored_frames[:, 0] != scored_frames[:, 1]) and set(np.unique(scored_frames)) == {
        0,
        1,
        2,
        3,
    }


def test_penalty_weight_falls_geometrically():
    weights = {"penalty_weight": 4.0, "final_penalty_weight": 1.0}
    for every in (1, 8):
        config = example.config(**weights, penalty_every=every).loss
        got = [float(penalties.weight(config, progress)) for progress in (0, 0.5, 1)]
        np.testing.assert_allclose(got, np.multiply([4, 2, 1], every), rtol=1e-5)


def test_penalties_are_scaled_by_the_state():
    """Twice the scale is twice the weight, and as much as twice the weight of the schedule."""
    networks, batch, key = example.networks(example.config()), example.batch(), jax.random.key(3)
    parameters = example.parameters(networks)

    @jax.jit
    def both(parameters, scale):
        return [
            gradients(networks, config, FRAMES, True, key, *parameters, batch, 0, factor)[1:]
            for config, factor in ((example.config(), scale), (doubled, scale / 2))
        ]

    weights = {name: 2 * example.config().loss[name] for name in ("penalty_weight", "final_penalty_weight")}
    doubled = example.config(**weights)
    (once, metrics), (twice, metrics_twice) = both(parameters, 3.0)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-7), once, twice)
    np.testing.assert_allclose(metrics["penalty_weight"], 3 * example.config().loss.penalty_weight, rtol=1e-5)
    np.testing.assert_allclose(metrics_twice["penalty_weight"], metrics["penalty_weight"], rtol=1e-5)


def test_a_step_steers_the_penalty_of_the_next_by_its_own_loss():
    config = example.config(warmup_steps=1)
    update, first = compiled_step(config)
    after, metrics = update(first._replace(penalty_scale=jnp.float32(8)), example.batch(), 0.0)
    expected = balance.steered(config.loss, 8.0, metrics["discriminator_loss"])
    np.testing.assert_allclose(after.penalty_scale, expected, rtol=1e-6)
    assert float(after.penalty_scale) != 8
    assert float(metrics["penalty_weight"]) == 8 * config.loss.penalty_weight


def test_a_discriminator_that_would_win_is_held():
    """Against a G that hardly learns D wins under the schedule alone, and does not where it steers."""
    rates = {"generator_learning_rate": 1e-5, "discriminator_learning_rate": 4e-3, "warmup_steps": 1}
    weights = {"penalty_weight": 0.1, "final_penalty_weight": 0.1, "penalty_every": 1}
    update, first = compiled_step(example.config(**rates, **weights))
    batches = [example.batch(seed) for seed in range(8)]

    def losses_seen(steered):
        current, seen = first, []
        for number in range(250):
            if not steered:
                current = current._replace(penalty_scale=jnp.float32(1))
            current, metrics = update(current, batches[number % len(batches)], 0.0)
            seen.append(metrics["discriminator_loss"])
        return np.array(seen[-50:]), float(current.penalty_scale)

    held, scale = losses_seen(True)
    won, _ = losses_seen(False)
    assert won.mean() < 0.1 and held.mean() > 2 * won.mean()
    assert scale > 5


def test_contrast_falls_to_nothing():
    config = example.config(contrast_weight=0.5).loss
    got = [float(losses.contrast_weight(config, progress)) for progress in (0, 0.5, 1)]
    np.testing.assert_allclose(got, [0.5, 0.25, 0])


def test_rates_warm_up_and_fall_along_a_cosine():
    config = example.config(warmup_steps=10, final_learning_rate_fraction=0.1).optimizer
    got = [
        float(state.learning_rate_scale(config, *at)) for at in ((0, 0), (5, 0), (10, 0), (99, 0.5), (99, 1))
    ]
    np.testing.assert_allclose(got, [0, 0.5, 1, 0.55, 0.1], rtol=1e-6)


def test_a_step_without_penalties_is_the_game_alone():
    networks, batch = example.networks(example.config()), example.batch()
    parameters, key = example.parameters(networks), jax.random.key(3)

    @jax.jit
    def without(parameters):
        both = []
        for penalty, penalised in (("none", True), ("finite_difference", False)):
            config = example.config(penalty=penalty)
            both.append(gradients(networks, config, FRAMES, penalised, key, *parameters, batch, 0))
        return both

    (*none, told), (*skipped, also_told) = without(parameters)
    jax.tree.map(np.testing.assert_array_equal, none, skipped)
    assert told.keys() == also_told.keys() and "r1" not in told


def test_half_of_the_clips_begin_at_once():
    start_offsets = jax.vmap(lambda key: sample_start_offsets(key, 7, 8))(
        jax.random.split(jax.random.key(0), 100)
    )
    assert set(np.unique(start_offsets)) == set(range(8))
    assert 0.5 < np.mean(np.asarray(start_offsets) == 0) < 0.63


def test_ema_starts_as_the_parameters_and_lags_behind():
    first, second = {"w": jnp.zeros(3)}, {"w": jnp.ones(3)}
    early = state.update_ema(first, second, jnp.asarray(0), 0.999)["w"][0]
    late = state.update_ema(first, second, jnp.asarray(100_000), 0.999)["w"][0]
    np.testing.assert_allclose([early, late], [0.9, 0.001], rtol=1e-3)
