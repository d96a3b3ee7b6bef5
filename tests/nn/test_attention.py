"""A(s, V) against its formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax import registry
from t2v_jax.nn.attention import GAIN, Attention, attend, entropy

SEEDS = jax.random.split(jax.random.key(0), 4)
HEADS = 2
QUERY = jax.random.normal(SEEDS[0], (2, 5))
KEYS = jax.random.normal(SEEDS[1], (2, 4, 6))
WORDS = jax.random.normal(SEEDS[2], (2, 4, 3))
MASK = jnp.array([[True, True, True, False], [True, False, False, False]])


def attended(score):
    module = Attention(HEADS, score)
    parameters = module.init(SEEDS[3], QUERY, KEYS, WORDS, MASK)
    # As after some training: at first all scores are small.
    parameters = jax.tree.map(lambda kernel: 5 * kernel, parameters)
    context, weights, *_ = module.apply(parameters, QUERY, KEYS, WORDS, MASK)
    return parameters.get("params", {}), context, weights


def expected(scores):
    weights = np.zeros((2, HEADS, 4))
    for row, standing in enumerate((3, 1)):
        weights[row, :, :standing] = np.exp(scores[row, :, :standing])
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("bhn,bnv->bhv", weights, WORDS).reshape(2, -1), weights


def test_bilinear_score_is_s_w_k_in_units_of_its_first_deviation():
    parameters, context, weights = attended("bilinear")
    scores = np.einsum("bq,hqk,bnk->bhn", QUERY, parameters["score"]["kernel"], KEYS)
    scores *= GAIN / np.sqrt(5 * 6)
    wanted_context, wanted_weights = expected(scores)
    np.testing.assert_allclose(weights, wanted_weights, atol=1e-6)
    np.testing.assert_allclose(context, wanted_context, atol=1e-5)


def test_scaled_dot_product_divides_by_the_root_of_the_width():
    parameters, context, weights = attended("scaled_dot_product")
    queries = np.einsum("bq,qhd->bhd", QUERY, parameters["score"]["queries"]["kernel"])
    keys = np.einsum("bnk,khd->bnhd", KEYS, parameters["score"]["keys"]["kernel"])
    wanted_context, wanted_weights = expected(np.einsum("bhd,bnhd->bhn", queries, keys) / np.sqrt(5))
    np.testing.assert_allclose(weights, wanted_weights, atol=1e-6)
    np.testing.assert_allclose(context, wanted_context, atol=1e-5)


def test_uniform_attention_is_the_mean_of_the_words_and_learns_nothing():
    parameters, context, weights = attended("uniform")
    wanted_context, wanted_weights = expected(np.zeros((2, HEADS, 4)))
    assert not parameters
    np.testing.assert_allclose(weights, wanted_weights, atol=1e-6)
    np.testing.assert_allclose(context, wanted_context, atol=1e-6)


@pytest.mark.parametrize("score", registry.names("attention_score"))
def test_padding_has_no_weight_and_no_influence(score):
    parameters, context, weights = attended(score)
    assert np.all(np.asarray(weights).swapaxes(1, 2)[~np.asarray(MASK)] == 0)
    others = [jnp.where(MASK[..., None], array, 1e3) for array in (KEYS, WORDS)]
    again, *_ = Attention(HEADS, score).apply({"params": parameters}, QUERY, *others, MASK)
    np.testing.assert_allclose(again, context, atol=1e-6)


def test_hard_attention_hears_one_word_as_often_as_its_weight_says():
    scores = jnp.log(jnp.array([[[0.6, 0.3, 0.1, 0.5]]]))
    mask = jnp.array([[True, True, True, False]])
    noise = jax.random.gumbel(SEEDS[0], (4000, 1, 1, 4))
    words = jnp.eye(4)[None]
    output, weights, log_prob, sampled_weights = jax.vmap(lambda noise: attend(scores, words, mask, noise))(
        noise
    )
    np.testing.assert_allclose(weights[0, 0, 0], [0.6, 0.3, 0.1, 0], atol=1e-6)
    np.testing.assert_allclose(sampled_weights, output, atol=1e-6)  # for each word is its own unit vector
    np.testing.assert_allclose(output.max(-1), 1, atol=1e-6)
    np.testing.assert_allclose(output.mean((0, 1, 2)), [0.6, 0.3, 0.1, 0], atol=0.03)
    drawn = np.sum(weights * output, axis=-1)
    np.testing.assert_allclose(np.exp(log_prob), drawn[:, :, 0], rtol=1e-5)


def test_hard_attention_without_noise_hears_the_likeliest_word():
    parameters, _, weights = attended("bilinear")
    noise = jnp.zeros((2, HEADS, 4))
    output, *_ = Attention(HEADS, "bilinear").apply({"params": parameters}, QUERY, KEYS, WORDS, MASK, noise)
    likeliest = np.asarray(weights).argmax(-1)
    expected = np.asarray(WORDS)[np.arange(2)[:, None], likeliest].reshape(2, -1)
    np.testing.assert_allclose(output, expected, atol=1e-6)


def test_hard_attention_learns_to_hear_the_word_that_is_worth_most():
    worth = jnp.array([[[1.0], [3.0], [2.0], [9.0]]])
    mask = jnp.array([[True, True, True, False]])
    noise = jax.random.gumbel(SEEDS[0], (500, 1, 1, 4))

    def mean_worth(scores):
        return jax.vmap(lambda noise: attend(scores, worth, mask, noise)[0])(noise).mean()

    slope = jax.grad(mean_worth)(jnp.zeros((1, 1, 4)))[0, 0]
    assert slope.argmax() == 1 and slope[0] < 0 and slope[3] == 0


def test_what_was_worth_more_than_the_mean_becomes_likelier():
    """The likelihood's gradient weighed by worth is that of the mean worth, whatever a word would change."""
    mask = jnp.array([[True, True, True, False]])
    worth, scores = jnp.array([1.0, 3.0, 2.0, 9.0]), jnp.array([[[0.5, 0.0, -0.5, 2.0]]])
    noise = jax.random.gumbel(SEEDS[0], (20_000, 1, 1, 4))

    def regretted(scores):
        output = jax.vmap(lambda noise: attend(scores, jnp.eye(4)[None], mask, noise))(noise)
        gained = jax.lax.stop_gradient(output.contexts[:, 0, 0] @ worth)
        return jnp.mean((gained - gained.mean()) * output.log_prob[:, 0])

    exact = jax.grad(lambda scores: jax.nn.softmax(scores[0, 0, :3]) @ worth[:3])(scores)
    np.testing.assert_allclose(jax.grad(regretted)(scores), exact, atol=0.03)


def test_soft_attention_has_no_likelihood_to_learn():
    scores = jax.random.normal(SEEDS[1], (2, HEADS, 4))
    np.testing.assert_array_equal(attend(scores, WORDS, MASK).log_prob, 0)


def test_entropy_is_zero_on_one_word_and_log_n_on_n():
    weights = jnp.array([[1.0, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]])
    np.testing.assert_allclose(entropy(weights), [0, np.log(4)], atol=1e-6)
    slope = jax.grad(lambda scores: entropy(jax.nn.softmax(scores)).sum())(jnp.array([2.0, 0, -jnp.inf]))
    assert slope[0] < 0 < slope[1] and slope[2] == 0
