"""Attention over the words of a sentence: A(s, V) = softmax(score(s, V)), c = sum_i A_i v_i.

The bilinear score sᵀ W_a V is Luong et al. 2015 (arXiv 1508.04025, "general"); the scaled dot product
is Vaswani et al. 2017 (arXiv 1706.03762, eq. 1).
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

SCORES = ("bilinear", "scaled_dot_product", "uniform")
GAIN = 0.5  # deviation of the first bilinear scores: every word is heard


class Heard(NamedTuple):
    """contexts [b, h, v] of the heads; weights [b, h, n] of the words; likelihood [b]; shares [b, h, n].

    likelihood: the logarithm of the probability with which just these words are heard, 0 where all are.
    shares: of each word in the contexts, its weight, or one for the single word that is heard.
    """

    contexts: Any
    weights: Any
    likelihood: Any
    shares: Any


def attend(scores, words, mask, noise=None):
    """Weigh words by scores: [b, h, n], [b, n, v], bool [b, n] -> `Heard`.

    The weights of a head sum to one and are zero where the mask is False; every row of the mask needs
    one True. With Gumbel noise [b, h, n] each head hears a single word, drawn with these weights (hard
    attention, Xu et al. 2015, arXiv 1502.03044), and the gradient is that of the softmax of scores and noise
    (Jang et al. 2017, arXiv 1611.01144, section 2.2).
    """
    scores = jnp.where(mask[:, None], scores, -jnp.inf)
    weights = shares = nn.softmax(scores, axis=-1)
    likelihood = jnp.zeros(len(words), words.dtype)
    if noise is not None:
        soft = nn.softmax(scores + noise, axis=-1)
        drawn = nn.one_hot(soft.argmax(-1), soft.shape[-1], dtype=soft.dtype)
        shares = soft + lax.stop_gradient(drawn - soft)
        likelihood = jnp.log(jnp.sum(drawn * weights, axis=-1)).sum(-1)
    return Heard(jnp.einsum("bhn,bnv->bhv", shares, words), weights, likelihood, shares)


def bilinear_scores(query, keys, kernel):
    """sᵀ W_a k_i of each head: query [b, q], keys [b, n, k], kernel [h, q, k] -> [b, h, n]."""
    return jnp.einsum("bq,hqk,bnk->bhn", query, kernel, keys)


def scaled_dot_product_scores(queries, keys):
    """q · k_i / sqrt(d) of each head: queries [b, h, d], keys [b, n, h, d] -> [b, h, n]."""
    return jnp.einsum("bhd,bnhd->bhn", queries, keys) / jnp.sqrt(queries.shape[-1]).astype(queries.dtype)


def entropy(weights):
    """How spread attention is: [..., n] -> [...], nats; 0 where it is on a single word."""
    return -jnp.sum(weights * jnp.log(jnp.maximum(weights, 1e-9)), axis=-1)


class Attention(nn.Module):
    """A(s, V) of several heads, with learned scores, or `uniform`, which is none: the mean of the words.

    query [b, q]; keys [b, n, k], by which words are found; words [b, n, v], which are read; mask
    [b, n]; noise as for `attend` -> `Heard`, with contexts [b, heads * v].
    """

    heads: int = 1
    score: str = "bilinear"

    @nn.compact
    def __call__(self, query, keys, words, mask, noise=None):
        width = query.shape[-1]
        if self.score == "bilinear":
            shape = (self.heads, width, keys.shape[-1])
            kernel = self.param("kernel", nn.initializers.normal(1.0), shape)
            # Adam moves all of a kernel's many numbers at once, however weak their gradients: unscaled, a
            # few steps would fix attention on whatever word it happens to hear.
            scores = bilinear_scores(query, keys, kernel) * GAIN * (width * keys.shape[-1]) ** -0.5
        elif self.score == "uniform":
            scores = jnp.zeros((len(words), self.heads, words.shape[1]), words.dtype)
        else:
            features = self.heads, width
            keys = nn.DenseGeneral(features, use_bias=False, name="keys")(keys)
            queries = nn.DenseGeneral(features, use_bias=False, name="queries")(query)
            scores = scaled_dot_product_scores(queries, keys)
        heard = attend(scores, words, mask, noise)
        return heard._replace(contexts=heard.contexts.reshape(len(words), -1))
