"""Losses against their formulas, with D = sigmoid(logits)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax import registry
from t2v_jax.gan import losses, penalties
from t2v_jax.gan.gradients import Seen
from t2v_jax.nn.statistics import caption_similarity

REAL = jnp.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]])
FAKE = jnp.array([[-1.0, 0.3, 1.5], [-0.5, 2.0, 0.1]])


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


LOSSES = {name: registry.resolve("loss", name) for name in registry.names("loss")}
FORMULAS = {
    "minimax": (
        -np.log(sigmoid(REAL)).mean() - np.log(1 - sigmoid(FAKE)).mean(),
        np.log(1 - sigmoid(FAKE)).mean(),
    ),
    "non_saturating": (
        -np.log(sigmoid(REAL)).mean() - np.log(1 - sigmoid(FAKE)).mean(),
        -np.log(sigmoid(FAKE)).mean(),
    ),
    "hinge": (
        np.maximum(0, 1 - np.asarray(REAL)).mean() + np.maximum(0, 1 + np.asarray(FAKE)).mean(),
        -np.asarray(FAKE).mean(),
    ),
    "relativistic": (
        -np.log(sigmoid(REAL - FAKE)).mean(),
        -np.log(sigmoid(FAKE - REAL)).mean(),
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss_is_its_formula(name):
    loss = LOSSES[name]
    got = loss.discriminator(REAL, FAKE), loss.generator(REAL, FAKE)
    np.testing.assert_allclose(got, FORMULAS[name], rtol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_networks_pull_the_fake_score_apart(name):
    loss = LOSSES[name]
    down = jax.grad(loss.discriminator, argnums=1)(REAL, FAKE)
    up = jax.grad(loss.generator, argnums=1)(REAL, FAKE)
    # Hinge is flat for the discriminator where a fake score is below its margin.
    active = FAKE > -1
    assert bool(jnp.all(down[active] > 0)) and bool(jnp.all(up < 0))


def test_losses_stay_finite_at_extreme_scores():
    extreme = jnp.array([1e4, -1e4])
    for loss in LOSSES.values():
        for network in loss:
            assert bool(jnp.isfinite(network(extreme, -extreme)))


def test_mismatched_averages_over_wrong_captions_alone():
    logits = jnp.arange(27.0).reshape(1, 3, 9)
    in_batch, negatives = losses.wrong_captions(jnp.array([7, 7, 4]), jnp.array([4, 5, 4, 7, 4, 4]))
    loss = LOSSES["relativistic"].discriminator
    softplus = lambda x: np.log1p(np.exp(x))  # noqa: E731
    wanted = [softplus(2 - 0), softplus(11 - 10), (softplus(18 - 20) + softplus(19 - 20)) / 2]
    np.testing.assert_allclose(losses.mismatched(loss, logits, in_batch), wanted, rtol=1e-6)
    # A rival that means what the caption means is none.
    wanted = [(softplus(3 - 0) + softplus(4 - 0)) / 2, softplus(14 - 10), 0]
    np.testing.assert_allclose(losses.mismatched(loss, logits, negatives), wanted, rtol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_each_is_a_loss_before_its_mean(name):
    for loss in LOSSES[name]:
        terms = losses.each(loss)(REAL, FAKE)
        assert terms.shape == REAL.shape
        np.testing.assert_allclose(terms.mean(), loss(REAL, FAKE), rtol=1e-6)


def test_exact_penalty_is_the_squared_gradient():
    weights = jax.random.normal(jax.random.key(0), (2, 5))
    clips = jax.random.normal(jax.random.key(1), (4, 5))

    def score(clips):  # two judges, quadratic: gradient 2 x w²
        return jnp.stack([jnp.sum((clips * w[None]) ** 2, -1) for w in weights])

    wanted = np.mean([np.sum((2 * clips * w[None] ** 2) ** 2, -1) for w in np.asarray(weights)])
    np.testing.assert_allclose(penalties.exact(score, clips), wanted, rtol=1e-5)


def test_the_exact_penalty_of_clips_and_things_is_the_sum_of_both():
    clips, things = (
        jax.random.normal(jax.random.key(number), (4, width)) for number, width in ((0, 5), (1, 3))
    )

    def score(seen):  # one judge of each, and one of both: their gradients are 2 x
        of_clips, of_things = (jnp.sum(jnp.square(part), -1) for part in (seen.clips, seen.things))
        return jnp.stack([of_clips, of_things, of_clips + of_things])

    of_clips, of_things = (np.sum(np.square(2 * np.asarray(part)), -1).mean() for part in (clips, things))
    wanted = 2 * (of_clips + of_things) / 3
    np.testing.assert_allclose(penalties.exact(score, Seen(clips, things)), wanted, rtol=1e-5)


def test_finite_difference_estimates_the_exact_penalty():
    kernel = jax.random.normal(jax.random.key(0), (30,))
    clips = jax.random.normal(jax.random.key(1), (20_000, 30))

    def score(clips):
        return jnp.tanh(clips @ kernel / 20)[None]

    sigma = 0.01
    moved = clips + sigma * jax.random.normal(jax.random.key(2), clips.shape)
    estimate = penalties.finite_difference(score(moved), score(clips), sigma)
    np.testing.assert_allclose(estimate, penalties.exact(score, clips), rtol=0.05)


def energy_distance_of_pairs(real, fake, caption_classes):
    """The formula pair by pair, for one feature and one meaning after the other, in the same unit."""
    same = [[j for j, other in enumerate(caption_classes) if other == own] for own in caption_classes]
    others = [[j for j in js if j != i] for i, js in enumerate(same)]
    terms = np.zeros(real.shape)
    unit = np.mean([np.mean([abs(real[i] - real[j]) for j in js], 0) for i, js in enumerate(others)], 0)
    for i, (js, ks) in enumerate(zip(same, others)):
        crossed = np.mean([abs(fake[i] - real[j]) for j in js], 0)
        among_real = np.mean([abs(real[i] - real[k]) for k in ks], 0)
        among_fake = np.mean([abs(fake[i] - fake[k]) for k in ks], 0)
        terms[i] = (2 * crossed - among_real - among_fake) / unit
    return terms.mean(1)


def test_the_energy_distance_is_that_of_all_pairs_of_a_meaning():
    real, fake = np.random.default_rng(0).normal(size=(2, 6, 3))
    caption_classes = np.array([7, 7, 4, 7, 4, 4])
    same = caption_classes[:, None] == caption_classes
    got = losses.energy_distance(jnp.array(real), jnp.array(fake), same, np.full(same.shape, np.nan))
    np.testing.assert_allclose(got, energy_distance_of_pairs(real, fake, caption_classes), rtol=1e-5)


def test_a_clip_alone_in_its_class_is_compared_with_those_of_similar_captions():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 3, 4))
    similarity = np.array([[0, 0.9, 0.1], [0.5, 0, 0.5], [0.2, 0.8, 0]])
    same = np.eye(3, dtype=bool)
    got = losses.energy_distance(jnp.array(real), jnp.array(fake), same, similarity)

    def far(first, second):
        pairs = [[abs(one - other) for other in second] for one in first]
        return np.einsum("ij,ijd->id", similarity, pairs)

    terms = 2 * far(fake, real) - far(real, real) - far(fake, fake)
    np.testing.assert_allclose(got, (terms / far(real, real).mean(0)).mean(1), rtol=1e-5)


@pytest.mark.parametrize("together", [8, 1])
def test_the_energy_distance_is_zero_for_equals_alone(together):
    rng, clips = np.random.default_rng(0), 320
    caption_classes = np.arange(clips) // together
    same = caption_classes[:, None] == caption_classes
    similarity = np.asarray(caption_similarity(jnp.array(rng.normal(size=(clips, 8)))))

    def distance(scale, shift):
        real, fake = rng.normal(size=(2, clips, 50))
        fake = jnp.array(scale * fake + shift)
        return np.asarray(losses.energy_distance(jnp.array(real), fake, same, similarity)).mean()

    equal, narrow, aside = (distance(*changes) for changes in ((1, 0), (0.6, 0), (1, 0.7)))
    assert abs(equal) < 0.01 < 0.04 < narrow < aside


def test_the_energy_distance_spreads_what_is_too_narrow():
    real, fake = np.random.default_rng(0).normal(size=(2, 64, 5))
    alike = np.ones((64, 64), bool), np.zeros((64, 64))
    narrow = jnp.array(0.5 * fake)
    force = -jax.grad(lambda fake: losses.energy_distance(jnp.array(real), fake, *alike).mean())(narrow)
    assert np.sum(force * (narrow - narrow.mean(0, keepdims=True))) > 0
