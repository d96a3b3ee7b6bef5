"""Attention over the words of a sentence: A(s, V) = softmax(score(s, V)), c = sum_i A_i v_i.

The bilinear score sᵀ W_a V is Luong et al. 2015 (arXiv 1508.04025, "general"); the scaled dot product
is Vaswani et al. 2017 (arXiv 1706.03762, eq. 1).
"""

import flax.linen as nn
import jax.numpy as jnp

SCORES = ("bilinear", "scaled_dot_product")


def attend(scores, words, mask):
    """Weigh words by scores: [b, n], [b, n, v], bool [b, n] -> context [b, v], weights [b, n].

    The weights of a sentence sum to one and are zero where the mask is False; every row of the mask
    needs one True.
    """
    weights = nn.softmax(jnp.where(mask, scores, -jnp.inf), axis=-1)
    return jnp.einsum("bn,bnv->bv", weights, words), weights


def bilinear_scores(query, words, kernel):
    """sᵀ W_a v_i: query [b, q], words [b, n, v], kernel [q, v] -> [b, n]."""
    return jnp.einsum("bq,qv,bnv->bn", query, kernel, words)


def scaled_dot_product_scores(query, keys):
    """q · k_i / sqrt(d): query [b, d], keys [b, n, d] -> [b, n]."""
    return jnp.einsum("bd,bnd->bn", query, keys) / jnp.sqrt(query.shape[-1]).astype(query.dtype)


class Attention(nn.Module):
    """A(s, V) with learned weights: query [b, q], words [b, n, v], mask [b, n] -> context, weights."""

    score: str = "bilinear"

    @nn.compact
    def __call__(self, query, words, mask):
        if self.score == "bilinear":
            shape = (query.shape[-1], words.shape[-1])
            kernel = self.param("kernel", nn.initializers.lecun_normal(), shape)
            scores = bilinear_scores(query, words, kernel)
        else:
            keys = nn.Dense(query.shape[-1], use_bias=False, name="keys")(words)
            queries = nn.Dense(query.shape[-1], use_bias=False, name="queries")(query)
            scores = scaled_dot_product_scores(queries, keys)
        return attend(scores, words, mask)
