"""Word vectors: skip-gram with negative sampling, trained on the captions (Mikolov et al. 2013)."""

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from t2v_jax.text.tokenizer import PADDING

_LEARNING_RATE = 0.025
_BATCH = 256


class _Vectors(NamedTuple):
    """Both [vocabulary_size, dimensions]: v of centre words, v' of context words."""

    centres: jax.Array
    contexts: jax.Array


def train_skip_gram(
    sequences: Iterable[Sequence[int]],
    vocabulary_size: int,
    dimensions: int,
    *,
    window: int = 4,
    negatives: int = 5,
    epochs: int = 20,
    seed: int = 0,
) -> np.ndarray:
    """Vectors float32 [vocabulary_size, dimensions] of the tokens in sequences of their ids.

    Padding is skipped and its row is zero; the row of a token without neighbours keeps its small
    random start, below 0.5 / dimensions in size. Words that only ever fill the same gap ("3" and
    "7" in "digit _ is up") come out nearly equal: what sets them apart is for the encoder to
    learn. The same arguments give the same bits on CPU.
    Errors: ValueError for an id outside 0 to vocabulary_size - 1.
    """
    tokens, sentences = _flatten(sequences)
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < vocabulary_size:
        raise ValueError(f"token ids must lie in 0 to {vocabulary_size - 1}, got {tokens.max()}")
    start_key, fit_key = jax.random.split(jax.random.key(seed))
    vectors = _start(start_key, vocabulary_size, dimensions)
    pairs = _neighbours(tokens, sentences, window)
    if len(pairs):
        noise = np.bincount(tokens, minlength=vocabulary_size) ** 0.75
        noise = jnp.asarray(noise / noise.sum(), jnp.float32)
        vectors = _fit(fit_key, vectors, jnp.asarray(pairs), noise, negatives, epochs)
    return np.array(vectors.centres.at[PADDING].set(0))


def _flatten(sequences: Iterable[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """All ids in a row without padding, and beside each the number of its sequence."""
    rows = [row[row != PADDING] for row in (np.asarray(s, np.int32) for s in sequences)]
    sentences = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return np.concatenate([np.zeros(0, np.int32), *rows]), sentences


def _neighbours(tokens: np.ndarray, sentences: np.ndarray, window: int) -> np.ndarray:
    """Pairs (centre, context) int32 [n, 2] of tokens at most window apart in one sentence."""
    pairs = [np.zeros((0, 2), np.int32)]
    for distance in range(1, window + 1):
        together = sentences[distance:] == sentences[:-distance]
        left, right = tokens[:-distance][together], tokens[distance:][together]
        pairs += [np.stack([left, right], 1), np.stack([right, left], 1)]
    return np.concatenate(pairs)


def _start(key: jax.Array, vocabulary_size: int, dimensions: int) -> _Vectors:
    shape, bound = (vocabulary_size, dimensions), 0.5 / dimensions
    return _Vectors(jax.random.uniform(key, shape, minval=-bound, maxval=bound), jnp.zeros(shape))


def _loss(vectors: _Vectors, pairs: jax.Array, noise: jax.Array) -> jax.Array:
    """-log s(v'_o . v_i) - sum_k log s(-v'_k . v_i), equation 4; pairs [b, 2], noise ids [b, k]."""
    centres = vectors.centres[pairs[:, 0]]
    true = jnp.einsum("bd,bd->b", centres, vectors.contexts[pairs[:, 1]])
    false = jnp.einsum("bd,bkd->bk", centres, vectors.contexts[noise])
    return -(jax.nn.log_sigmoid(true) + jax.nn.log_sigmoid(-false).sum(-1)).mean()


@functools.partial(jax.jit, static_argnames=("negatives", "epochs"))
def _fit(
    key: jax.Array,
    vectors: _Vectors,
    pairs: jax.Array,
    noise: jax.Array,
    negatives: int,
    epochs: int,
) -> _Vectors:
    """Adam over all pairs in a new order each epoch; noise [vocabulary_size] are probabilities."""
    batch = min(_BATCH, len(pairs))
    batches = len(pairs) // batch
    rate = optax.linear_schedule(_LEARNING_RATE, 0.0, epochs * batches)
    optimiser = optax.adam(rate)

    def step(state, inputs):
        vectors, moments = state
        chosen, key = inputs
        drawn = jax.random.choice(key, len(noise), (batch, negatives), p=noise)
        gradients = jax.grad(_loss)(vectors, pairs[chosen], drawn)
        updates, moments = optimiser.update(gradients, moments)
        return (optax.apply_updates(vectors, updates), moments), None

    def epoch(state, key):
        order_key, noise_key = jax.random.split(key)
        order = jax.random.permutation(order_key, len(pairs))[: batches * batch]
        inputs = order.reshape(batches, batch), jax.random.split(noise_key, batches)
        return jax.lax.scan(step, state, inputs)

    state = vectors, optimiser.init(vectors)
    return jax.lax.scan(epoch, state, jax.random.split(key, epochs))[0][0]
