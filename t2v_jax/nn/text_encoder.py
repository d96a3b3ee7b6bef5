"""From the arrays of a caption to word vectors V and the sentence embedding s = f(V)."""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from t2v_jax.nn.modulation import rms_normalise
from t2v_jax.text.entities import ENTITIES
from t2v_jax.text.tags import TAGS


def masked_mean(words, mask):
    """Mean of the words that stand: [b, n, v], bool [b, n] -> [b, v]."""
    weights = mask.astype(words.dtype)
    return jnp.einsum("bnv,bn->bv", words, weights) / jnp.maximum(weights.sum(-1), 1)[:, None]


class WordVectors(nn.Module):
    """V: each token's vector (word2vec or GloVe) joined with those of its tag and its entity.

    Captions with [b, n] arrays -> [b, n, width + 2 * tag_width]. A training run starts from the
    skip-gram vectors of its captions, or those of a file, in place of the random ones.
    """

    vocabulary_size: int
    width: int
    tag_width: int

    @nn.compact
    def __call__(self, captions):
        shape = (self.vocabulary_size, self.width)
        vectors = self.param("vectors", nn.initializers.normal(1.0), shape)
        tags = nn.Embed(len(TAGS) + 1, self.tag_width, name="tags")(captions.tags)
        entities = nn.Embed(len(ENTITIES) + 1, self.tag_width, name="entities")(captions.entities)
        words = jnp.concatenate([vectors[captions.tokens], tags, entities], axis=-1)
        return words * captions.mask[..., None]


class SentenceGRU(nn.Module):
    """Bidirectional GRU (Cho et al. 2014): words [b, n, v], mask [b, n] -> states [b, n, 2 * width].

    Each word's states describe what stands around it (the annotations of Bahdanau et al. 2015, arXiv
    1409.0473).
    """

    width: int

    @nn.compact
    def __call__(self, words, mask):
        lengths = mask.sum(-1)
        forward = nn.RNN(nn.GRUCell(self.width), name="forward")
        backward = nn.RNN(nn.GRUCell(self.width), reverse=True, keep_order=True, name="backward")
        states = [rnn(words, seq_lengths=lengths) for rnn in (forward, backward)]
        return jnp.concatenate(states, axis=-1) * mask[..., None]


class Sentence(NamedTuple):
    """A batch of sentences as the networks read them.

    words [b, n, v]: V; keys [b, n, k]: by which attention finds them, V joined with what the GRU makes of
    each in its sentence; embedding [b, s]: s = f(V), their mean mapped, of unit root mean square; mask
    bool [b, n]. The mean of V works from the first step; which words belong together, "3" and "up" of two
    digits that move apart, the GRU's states say.
    """

    words: jax.Array
    keys: jax.Array
    embedding: jax.Array
    mask: jax.Array


class TextEncoder(nn.Module):
    """Captions -> `Sentence`."""

    vocabulary_size: int
    word_width: int
    tag_width: int
    sentence: str
    width: int

    @nn.compact
    def __call__(self, captions):
        words = WordVectors(self.vocabulary_size, self.word_width, self.tag_width, name="words")(captions)
        keys = words
        if self.sentence == "gru":
            states = SentenceGRU(self.width // 2, name="gru")(words, captions.mask)
            keys = jnp.concatenate([words, states], axis=-1)
        embedding = rms_normalise(nn.Dense(self.width, name="sentence")(masked_mean(keys, captions.mask)))
        return Sentence(words, keys, embedding, captions.mask)
