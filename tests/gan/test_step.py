"""The minimax step: one update that equals two separately computed gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax.gan import losses, penalties, state, step
from tests import example

FRAMES = step.Frames(computed=4, painted=3, looked=2)


def separate_gradients(networks, config, key, parameters, batch):
    """Both players' gradients as a textbook has them: one loss, one `jax.grad`, G run twice."""
    noise_key, frames_key, moments_key, attention_key, *penalty_keys = jax.random.split(key, 6)
    loss, captions = losses.LOSSES[config.loss], batch["captions"]
    wrong = [pairs[None] for pairs in losses.wrong_captions(batch["meaning"], batch["rival_meanings"])]
    with_rivals = jax.tree.map(lambda *parts: jnp.concatenate(parts), captions, batch["rivals"])
    noise = jax.random.normal(noise_key, (example.BATCH, 8))
    keep, look = step.choose_frames(frames_key, FRAMES)
    real = step.to_unit_range(batch["clip"])[:, keep]

    def generate(generator):
        late, rngs = {}, {"attention": attention_key}
        if config.latest_start:
            moments = step.choose_moments(moments_key, config.latest_start, example.BATCH)
            told = captions, noise, moments, config.latest_start
            memory = networks.generator.apply(generator, *told, method="memory_at", rngs=rngs)
            late = {"memory": memory, "unseen": moments[0]}
        return networks.generator.apply(generator, captions, noise, 4, rngs=rngs, **late)

    def judge(discriminator, clips):
        return networks.discriminator.apply(discriminator, clips, with_rivals, look)

    def logits_of(discriminator, clips):
        return judge(discriminator, clips).logits

    def mismatched(logits):
        return sum(losses.mismatched(loss.discriminator, logits, pairs)[0] for pairs in wrong)

    def discriminator_loss(discriminator):
        fake = generate(parameters.generator).clips[:, keep]
        logits = logits_of(discriminator, real)
        scores, fake_scores = losses.own(logits), losses.own(logits_of(discriminator, fake))
        total = loss.discriminator(scores, fake_scores)
        total += config.mismatch_weight * mismatched(logits).mean()
        for clips, key, own in zip((real, fake), penalty_keys, (scores, fake_scores)):
            if config.penalty == "exact":
                value = penalties.exact(lambda x: losses.own(logits_of(discriminator, x))[:, 0], clips)
            elif config.penalty == "finite_difference":
                moved = clips + config.penalty_sigma * jax.random.normal(key, clips.shape)
                moved = losses.own(logits_of(discriminator, moved))
                value = penalties.finite_difference(moved, own, config.penalty_sigma)
            else:
                value = 0.0
            total += config.penalty_every * config.penalty_weight / 2 * value
        return total

    def generator_loss(generator):
        film = generate(generator)
        seen, real_seen = (judge(parameters.discriminator, x) for x in (film.clips[:, keep], real))
        lost = losses.each(loss.generator)(losses.own(real_seen.logits), losses.own(seen.logits)).mean(0)[0]
        lost += config.contrast_weight * mismatched(seen.logits)
        same = batch["meaning"][:, None] == batch["meaning"][None]
        lost += config.energy_weight * losses.energy_distance(real_seen.features[0], seen.features[0], same)
        lost += config.reconstruction_weight * jnp.abs(film.clips[:, keep] - real).mean((1, 2, 3, 4))
        regret = jax.lax.stop_gradient(lost - lost.mean())
        return lost.mean() + jnp.mean(regret * film.likelihood)

    return (
        jax.grad(generator_loss)(parameters.generator),
        jax.grad(discriminator_loss)(parameters.discriminator),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "minimax", "penalty": "none"},
        {"loss": "non_saturating", "penalty": "none"},
        {"loss": "hinge", "penalty": "exact"},
        {"loss": "relativistic", "penalty": "exact"},
        {"loss": "relativistic", "penalty": "finite_difference"},
        {"loss": "relativistic", "penalty": "none", "reconstruction_weight": 3.0, "latest_start": 0},
        {"loss": "relativistic", "penalty": "none", "energy_weight": 3.0},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_single_update_equals_two_separate_gradients(changes):
    config = example.config(alike=2, contrast_weight=0.5, **changes).game
    networks = example.networks(example.config())
    parameters, key = example.parameters(networks), jax.random.key(3)
    batch = example.batch() | {"meaning": jnp.array([0, 0, 1, 1])}

    @jax.jit
    def both(parameters):
        single = step.gradients(networks, config, FRAMES, True, key, *parameters, batch, 0)[:2]
        return single, separate_gradients(networks, config, key, parameters, batch)

    single, separate = both(parameters)
    for got, wanted in zip(single, separate, strict=True):
        got, wanted = (jax.flatten_util.ravel_pytree(tree)[0] for tree in (got, wanted))
        assert float(jnp.linalg.norm(wanted)) > 1e-3
        assert float(jnp.linalg.norm(got - wanted) / jnp.linalg.norm(wanted)) < 1e-5


def compiled_step(config):
    networks = example.networks(config)
    optimizers = state.optimizers(config.game)

    def update(state, batch, progress=0.0):
        return step.minimax_step(networks, optimizers, config.game, FRAMES, True, 0, state, batch, progress)

    return jax.jit(update), state.create(*example.parameters(networks), optimizers)


def test_first_steps_are_golden():
    """Three steps from fixed seeds: any change of the mathematics or of the random streams shows."""
    update, current = compiled_step(example.config(warmup_steps=1))
    losses_seen = []
    for start in (0, 4, 8):
        current, metrics = update(current, example.batch(start), start / 16)
        losses_seen += [metrics["discriminator_loss"], metrics["generator_loss"]]
    np.testing.assert_allclose(losses_seen, GOLDEN, rtol=2e-4)


GOLDEN = [0.777561, 0.631758, 0.710455, 0.684137, 0.711121, 0.691447]


def test_step_changes_everything_that_learns():
    # Not the relativistic loss: it cannot tell a constant added to all scores.
    update, first = compiled_step(example.config(warmup_steps=1, loss="non_saturating"))
    last, _ = update(update(first, example.batch())[0], example.batch(4), 0.5)
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
    frames = step.Frames(10, 4, 2)
    keep, look = jax.vmap(lambda key: step.choose_frames(key, frames))(
        jax.random.split(jax.random.key(0), 200)
    )
    paces = np.diff(keep, axis=1)
    assert np.all(paces == paces[:, :1]) and set(np.unique(paces)) == {1, 2, 3}
    assert keep.min() == 0 and keep.max() == 9
    assert len(np.unique(keep[:, 0])) == 7
    assert np.all(look[:, 0] != look[:, 1]) and set(np.unique(look)) == {0, 1, 2, 3}


def test_penalty_weight_falls_geometrically():
    weights = {"penalty_weight": 4.0, "final_penalty_weight": 1.0}
    for every in (1, 8):
        config = example.config(**weights, penalty_every=every).game
        got = [float(step.penalty_weight(config, progress)) for progress in (0, 0.5, 1)]
        np.testing.assert_allclose(got, np.multiply([4, 2, 1], every), rtol=1e-5)


def test_contrast_falls_to_nothing():
    config = example.config(contrast_weight=0.5).game
    got = [float(step.contrast_weight(config, progress)) for progress in (0, 0.5, 1)]
    np.testing.assert_allclose(got, [0.5, 0.25, 0])


def test_rates_warm_up_and_fall_along_a_cosine():
    config = example.config(warmup_steps=10, final_rate=0.1).game
    got = [float(state.rate(config, *at)) for at in ((0, 0), (5, 0), (10, 0), (99, 0.5), (99, 1))]
    np.testing.assert_allclose(got, [0, 0.5, 1, 0.55, 0.1], rtol=1e-6)


def test_a_step_without_penalties_is_the_game_alone():
    networks, batch = example.networks(example.config()), example.batch()
    parameters, key = example.parameters(networks), jax.random.key(3)

    @jax.jit
    def without(parameters):
        gradients = []
        for penalty, penalised in (("none", True), ("finite_difference", False)):
            config = example.config(penalty=penalty).game
            gradients.append(step.gradients(networks, config, FRAMES, penalised, key, *parameters, batch, 0))
        return gradients

    (*none, told), (*skipped, also_told) = without(parameters)
    jax.tree.map(np.testing.assert_array_equal, none, skipped)
    assert told.keys() == also_told.keys() and "r1" not in told


def test_half_of_the_clips_begin_at_once():
    moments = jax.vmap(lambda key: step.choose_moments(key, 7, 8))(jax.random.split(jax.random.key(0), 100))
    assert set(np.unique(moments)) == set(range(8))
    assert 0.5 < np.mean(np.asarray(moments) == 0) < 0.63


def test_average_starts_as_the_parameters_and_lags_behind():
    first, second = {"w": jnp.zeros(3)}, {"w": jnp.ones(3)}
    early = state.update_average(first, second, jnp.asarray(0), 0.999)["w"][0]
    late = state.update_average(first, second, jnp.asarray(100_000), 0.999)["w"][0]
    np.testing.assert_allclose([early, late], [0.9, 0.001], rtol=1e-3)
