"""A(s, V) against its formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax.nn.attention import SCORES, Attention

KEYS = jax.random.split(jax.random.key(0), 3)
QUERY = jax.random.normal(KEYS[0], (2, 5))
WORDS = jax.random.normal(KEYS[1], (2, 4, 3))
MASK = jnp.array([[True, True, True, False], [True, False, False, False]])


def attend(score):
    module = Attention(score)
    parameters = module.init(KEYS[2], QUERY, WORDS, MASK)
    return parameters["params"], *module.apply(parameters, QUERY, WORDS, MASK)


def expected(scores):
    weights = np.zeros((2, 4))
    for row, standing in enumerate((3, 1)):
        weights[row, :standing] = np.exp(scores[row, :standing])
        weights[row] /= weights[row].sum()
    return np.einsum("bn,bnv->bv", weights, WORDS), weights


def test_bilinear_score_is_s_w_v():
    parameters, context, weights = attend("bilinear")
    scores = np.einsum("bq,qv,bnv->bn", QUERY, parameters["kernel"], WORDS)
    wanted_context, wanted_weights = expected(scores)
    np.testing.assert_allclose(weights, wanted_weights, atol=1e-6)
    np.testing.assert_allclose(context, wanted_context, atol=1e-5)


def test_scaled_dot_product_divides_by_the_root_of_the_width():
    parameters, context, weights = attend("scaled_dot_product")
    queries = QUERY @ parameters["queries"]["kernel"]
    keys = WORDS @ parameters["keys"]["kernel"]
    wanted_context, wanted_weights = expected(np.einsum("bd,bnd->bn", queries, keys) / np.sqrt(5))
    np.testing.assert_allclose(weights, wanted_weights, atol=1e-6)
    np.testing.assert_allclose(context, wanted_context, atol=1e-5)


@pytest.mark.parametrize("score", SCORES)
def test_padding_has_no_weight_and_no_influence(score):
    module = Attention(score)
    parameters = module.init(KEYS[2], QUERY, WORDS, MASK)
    context, weights = module.apply(parameters, QUERY, WORDS, MASK)
    other = jnp.where(MASK[..., None], WORDS, 1e3)
    assert np.all(np.asarray(weights)[~np.asarray(MASK)] == 0)
    np.testing.assert_allclose(module.apply(parameters, QUERY, other, MASK)[0], context, atol=1e-6)
