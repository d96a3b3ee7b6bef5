"""Losses against their formulas, with D = sigmoid(logits)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax.gan import losses, penalties

REAL = jnp.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]])
FAKE = jnp.array([[-1.0, 0.3, 1.5], [-0.5, 2.0, 0.1]])


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


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


@pytest.mark.parametrize("name", losses.LOSSES)
def test_loss_is_its_formula(name):
    loss = losses.LOSSES[name]
    got = loss.discriminator(REAL, FAKE), loss.generator(REAL, FAKE)
    np.testing.assert_allclose(got, FORMULAS[name], rtol=1e-6)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_players_pull_the_fake_score_apart(name):
    loss = losses.LOSSES[name]
    down = jax.grad(loss.discriminator, argnums=1)(REAL, FAKE)
    up = jax.grad(loss.generator, argnums=1)(REAL, FAKE)
    # Hinge is flat for the discriminator where a fake score is below its margin.
    active = FAKE > -1
    assert bool(jnp.all(down[active] > 0)) and bool(jnp.all(up < 0))


def test_losses_stay_finite_at_extreme_scores():
    extreme = jnp.array([1e4, -1e4])
    for loss in losses.LOSSES.values():
        for player in loss:
            assert bool(jnp.isfinite(player(extreme, -extreme)))


def test_mismatched_averages_over_wrong_captions_alone():
    logits = jnp.arange(27.0).reshape(1, 3, 9)
    in_batch, rivals = losses.wrong_captions(jnp.array([7, 7, 4]), jnp.array([4, 5, 4, 7, 4, 4]))
    loss = losses.LOSSES["relativistic"].discriminator
    softplus = lambda x: np.log1p(np.exp(x))  # noqa: E731
    wanted = [softplus(2 - 0), softplus(11 - 10), (softplus(18 - 20) + softplus(19 - 20)) / 2]
    np.testing.assert_allclose(losses.mismatched(loss, logits, in_batch), wanted, rtol=1e-6)
    # A rival that means what the caption means is none.
    wanted = [(softplus(3 - 0) + softplus(4 - 0)) / 2, softplus(14 - 10), 0]
    np.testing.assert_allclose(losses.mismatched(loss, logits, rivals), wanted, rtol=1e-6)


@pytest.mark.parametrize("name", losses.LOSSES)
def test_each_is_a_loss_before_its_mean(name):
    for loss in losses.LOSSES[name]:
        terms = losses.each(loss)(REAL, FAKE)
        assert terms.shape == REAL.shape
        np.testing.assert_allclose(terms.mean(), loss(REAL, FAKE), rtol=1e-6)


def test_exact_penalty_is_the_squared_gradient():
    weights = jax.random.normal(jax.random.key(0), (2, 5))
    clips = jax.random.normal(jax.random.key(1), (4, 5))

    def judge(clips):  # two judges, quadratic: gradient 2 x w²
        return jnp.stack([jnp.sum((clips * w[None]) ** 2, -1) for w in weights])

    wanted = np.mean([np.sum((2 * clips * w[None] ** 2) ** 2, -1) for w in np.asarray(weights)])
    np.testing.assert_allclose(penalties.exact(judge, clips), wanted, rtol=1e-5)


def test_finite_difference_estimates_the_exact_penalty():
    kernel = jax.random.normal(jax.random.key(0), (30,))
    clips = jax.random.normal(jax.random.key(1), (20_000, 30))

    def judge(clips):
        return jnp.tanh(clips @ kernel / 20)[None]

    sigma = 0.01
    moved = clips + sigma * jax.random.normal(jax.random.key(2), clips.shape)
    estimate = penalties.finite_difference(judge(moved), judge(clips), sigma)
    np.testing.assert_allclose(estimate, penalties.exact(judge, clips), rtol=0.05)
