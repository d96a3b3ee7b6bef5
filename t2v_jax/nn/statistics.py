"""Sums, means, deviations and distances, in the forms that XLA compiles well."""

import jax.numpy as jnp
from flax.linen import softmax

from t2v_jax.nn.precision import widened

GROUP = 64  # clips of a batch, at most, that are compared with one another


def sum_first(arrays):
    """The sum over the first axis: [n, ...] -> [...].

    A matrix product: of long rows XLA's CPU compiler makes a sum that takes 5 to 200 times as long.
    """
    ones = jnp.ones((1, len(arrays)), arrays.dtype)
    return (ones @ arrays.reshape(len(arrays), -1)).reshape(arrays.shape[1:])


def mean_each(arrays):
    """The mean of each: [n, ...] -> [n]; see `sum_first`."""
    rows = arrays.reshape(len(arrays), -1)
    return rows @ jnp.full(rows.shape[1], 1 / rows.shape[1], rows.dtype)


def deviation(arrays):
    """The mean standard deviation over the first axis: [n, ...] -> a number; see `sum_first`.

    XLA's GPU compiler (jaxlib 0.10.2) fails on the gradient of `jnp.var` here: it takes it for a softmax.
    """
    arrays = widened(arrays)
    about = arrays - sum_first(arrays)[None] / len(arrays)
    return jnp.sqrt(sum_first(jnp.square(about)) / len(arrays) + 1e-8).mean()


def mean_places(images):
    """The mean over all places: [n, h, w, c] -> [n, c], `widened`."""
    return widened(images).mean((1, 2))


def standard_deviation_channel(images):
    """Append one channel: the batch's mean standard deviation (Karras et al. 2018, arXiv 1710.10196).

    It shows a discriminator how varied a batch is: [n, h, w, c] -> [n, h, w, c + 1].
    """
    channel = jnp.broadcast_to(deviation(images), (*images.shape[:-1], 1))
    return jnp.concatenate([images, channel.astype(images.dtype)], axis=-1)


def weighted_distances(first, second, weights):
    """How far the first [..., n, d] are from the second [..., m, d], by feature: weights [..., n, m]."""
    far = jnp.abs(first[..., :, None, :] - second[..., None, :, :])
    return jnp.einsum("...ij,...ijd->...id", weights, far)


def caption_similarity(sentences):
    """How similar the captions of a group are: [..., n, s] -> weights [..., n, n], rows with the sum 1.

    The attention of the sentences to one another, none to themselves: nearly all of it is on those of the
    same words or, where there are none, on similar ones.
    """
    scores = sentences @ sentences.mT * sentences.shape[-1] ** -0.5
    others = ~jnp.eye(scores.shape[-1], dtype=bool)
    return softmax(scores, axis=-1, where=jnp.broadcast_to(others, scores.shape))


def groups(rows, clips):
    """Rows that belong to the clips of a batch, as many to each: [r * clips, ...] -> [groups, n, ...].

    A group is GROUP clips, or the next smaller number that divides the batch, or where there is none all of
    it: what is computed of each pair of clips is of pairs within a group, so that its cost grows with the
    batch, not with its square.
    """
    size = next((size for size in range(GROUP, 1, -1) if clips % size == 0), clips)
    return rows.reshape(clips // size, -1, *rows.shape[1:])


def group_captions(sentences, clips):
    """Encoded captions [r * clips, s], the clips' own first, then those of each -> [groups, r * n, s]."""
    own, wrong = jnp.split(sentences, [clips])
    return jnp.concatenate([groups(own, clips), groups(wrong, clips)], axis=1)
