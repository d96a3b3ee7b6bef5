"""What an actor looks like: attention over the words, then a style, which motion may animate."""

import operator

import flax.linen as nn
import jax
import jax.numpy as jnp

from t2v_jax.nn.attention import Attention
from t2v_jax.nn.axes import fold
from t2v_jax.nn.layers import leaky_relu
from t2v_jax.nn.modulation import rms_normalise


class AppearanceAttention(nn.Module):
    """Sentences of n actors, actors one-hot [n, actors] -> `AttentionOutput`, contexts [n, heads * v].

    The query is the actor alone. If it also depended on the sentence or on the motion, a digit would look
    different in each motion. With hard attention an actor reads no word that an earlier one has read (a draw
    without replacement; cf. coverage, Tu et al. 2016, arXiv 1601.04811): two actors that are to look
    different would otherwise look the same. With soft attention several actors read the keys, which know what
    stands around a word.
    """

    heads: int
    score: str
    hard: bool

    @nn.compact
    def __call__(self, sentence, actors):
        query = nn.Dense(sentence.embedding.shape[-1], name="query")(actors)
        attention = Attention(self.heads, self.score, name="attention")
        noise = self._noise(sentence.mask) if self.hard else None
        number, mask, outputs = actors.shape[-1], sentence.mask, []
        # Where all words are read at once, only their states tell which of the things named an actor is.
        values = sentence.keys if number > 1 and not self.hard else sentence.words
        for actor in range(number):
            rows = operator.itemgetter(slice(actor, None, number))
            inputs = query, sentence.keys, values, mask, noise
            outputs.append(attention(*jax.tree.map(rows, inputs)))
            if self.hard:
                mask = _without(mask, jnp.repeat(outputs[-1].sampled_weights.max(1), number, axis=0) > 0.5)
        return jax.tree.map(lambda *parts: fold(jnp.stack(parts, axis=1)), *outputs)

    def _noise(self, mask):
        """Gumbel noise if there is a random key named attention; else zero: the likeliest word is read."""
        shape = len(mask), self.heads, mask.shape[-1]
        if not self.has_rng("attention"):
            return jnp.zeros(shape)
        return jax.random.gumbel(self.make_rng("attention"), shape)


def _without(mask, taken):
    """The mask [n, words] without the taken words; unchanged where none would be left."""
    left = mask & ~taken
    return jnp.where(left.any(-1, keepdims=True), left, mask)


class MappingNetwork(nn.Module):
    """Contexts of the appearance [n, v], noise [n, z] -> styles [n, width] (StyleGAN, arXiv 1812.04948)."""

    width: int

    @nn.compact
    def __call__(self, contexts, noise):
        words = rms_normalise(nn.Dense(self.width, name="words")(contexts))
        noise = rms_normalise(nn.Dense(self.width, name="noise")(noise))
        hidden = nn.Dense(self.width, name="hidden")(jnp.concatenate([words, noise], axis=-1))
        return leaky_relu(nn.Dense(self.width, name="style")(rms_normalise(leaky_relu(hidden))))


class StyleAnimation(nn.Module):
    """Styles [1, n, d], states of the motion RNN [t, n, .] -> a style for each frame [t, n, d].

    Initially all frames have the same style. The clock repeats after `period` frames; the RNN's state may
    change what it shows.
    """

    period: int

    @nn.compact
    def __call__(self, styles, states):
        width = styles.shape[-1]
        waves = jnp.arange(1, self.period // 2 + 1)
        phases = 2 * jnp.pi / self.period * jnp.multiply.outer(states[..., -1], waves)
        clock = jnp.concatenate([jnp.sin(phases), jnp.cos(phases)], axis=-1)
        timed = nn.Dense(width, name="style")(styles) * nn.Dense(width, name="clock")(clock)
        hidden = leaky_relu(timed + nn.Dense(width, name="motion")(states[..., :-1]))
        return styles + nn.Dense(width, kernel_init=nn.initializers.zeros, name="change")(hidden)
