"""Attention over the words of a sentence: A(s, V) = softmax(score(s, V)), c = sum_i A_i v_i.

The bilinear score sᵀ W_a V is Luong et al. 2015 (arXiv 1508.04025, "general"); the scaled dot product
is Vaswani et al. 2017 (arXiv 1706.03762, eq. 1).
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from t2v_jax import registry

GAIN = 0.5  # deviation of the first bilinear scores: every word is read


class AttentionOutput(NamedTuple):
    """contexts [b, h, v] of the heads; weights [b, h, n] of the words; log_prob [b]; sampled_weights [b, h,
    n].

    log_prob: the logarithm of the probability of the sampled words, 0 without sampling. sampled_weights:
    those with which the words are in the contexts: the weights or, with sampling, one for a single word.
    """

    contexts: Any
    weights: Any
    log_prob: Any
    sampled_weights: Any


def attend(scores, words, mask, noise=None):
    """Weigh words by scores: [b, h, n], [b, n, v], bool [b, n] -> `AttentionOutput`.

    The weights of a head sum to one and are zero where the mask is False; every row of the mask needs
    one True. With Gumbel noise [b, h, n] each head reads a single word, sampled by these weights (hard
    attention, Xu et al. 2015, arXiv 1502.03044), and the gradient is that of the softmax of scores and noise
    (Jang et al. 2017, arXiv 1611.01144, section 2.2).
    """
    scores = jnp.where(mask[:, None], scores, -jnp.inf)
    weights = sampled_weights = nn.softmax(scores, axis=-1)
    log_prob = jnp.zeros(len(words), words.dtype)
    if noise is not None:
        soft = nn.softmax(scores + noise, axis=-1)
        drawn = nn.one_hot(soft.argmax(-1), soft.shape[-1], dtype=soft.dtype)
        sampled_weights = soft + lax.stop_gradient(drawn - soft)
        log_prob = jnp.log(jnp.sum(drawn * weights, axis=-1)).sum(-1)
    return AttentionOutput(
        jnp.einsum("bhn,bnv->bhv", sampled_weights, words), weights, log_prob, sampled_weights
    )


class BilinearScore(nn.Module):
    """sᵀ W_a k_i of each head: query [b, q], keys [b, n, k] -> scores [b, heads, n]."""

    heads: int

    @nn.compact
    def __call__(self, query, keys):
        shape = (self.heads, query.shape[-1], keys.shape[-1])
        kernel = self.param("kernel", nn.initializers.normal(1.0), shape)
        # Adam moves all numbers of a kernel at once, however weak their gradients: unscaled, a few steps
        # would fix attention on whatever word it happens to read.
        gain = GAIN * (query.shape[-1] * keys.shape[-1]) ** -0.5
        return jnp.einsum("bq,hqk,bnk->bhn", query, kernel, keys) * gain


class ScaledDotProductScore(nn.Module):
    """q · k_i / sqrt(d) of each head: query [b, d], keys [b, n, k] -> scores [b, heads, n]."""

    heads: int

    @nn.compact
    def __call__(self, query, keys):
        features = self.heads, query.shape[-1]
        keys = nn.DenseGeneral(features, use_bias=False, name="keys")(keys)
        queries = nn.DenseGeneral(features, use_bias=False, name="queries")(query)
        return jnp.einsum("bhd,bnhd->bhn", queries, keys) / jnp.sqrt(features[1]).astype(queries.dtype)


class UniformScore(nn.Module):
    """The same score for all words, which is no attention: the context is their mean."""

    heads: int

    @nn.compact
    def __call__(self, query, keys):
        return jnp.zeros((len(keys), self.heads, keys.shape[1]), keys.dtype)


def entropy(weights):
    """How spread attention is: [..., n] -> [...], nats; 0 where it is on a single word."""
    return -jnp.sum(weights * jnp.log(jnp.maximum(weights, 1e-9)), axis=-1)


class Attention(nn.Module):
    """A(s, V) of several heads; `score` is the name of an attention score of the registry.

    query [b, q]; keys [b, n, k], by which words are found; words [b, n, v], which are read; mask [b, n];
    noise as for `attend` -> `AttentionOutput`, with contexts [b, heads * v].
    """

    heads: int = 1
    score: str = "bilinear"

    @nn.compact
    def __call__(self, query, keys, words, mask, noise=None):
        score = registry.resolve("attention_score", self.score)
        output = attend(score(self.heads, name="score")(query, keys), words, mask, noise)
        return output._replace(contexts=output.contexts.reshape(len(words), -1))
