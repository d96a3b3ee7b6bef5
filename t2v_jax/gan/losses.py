"""Losses of the minimax game. Logits are scores before any sigmoid; every loss is to be minimised.

Each loss maps the logits of real and generated clips (same shape, paired by caption) to a mean:
`discriminator(real, fake)` and `generator(real, fake)`.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from flax.linen import relu, softplus

from t2v_jax.nn.statistics import weighted_distances


class Loss(NamedTuple):
    """What each network minimises, as functions (real logits, fake logits) -> scalar."""

    discriminator: Callable
    generator: Callable


def _cross_entropy(real, fake):
    """-E[log D(V_r)] - E[log(1 - D(G))] with D = sigmoid(logits)."""
    return jnp.mean(softplus(-real)) + jnp.mean(softplus(fake))


# Goodfellow et al. 2014 (arXiv 1406.2661), eq. 1: the generator minimises E[log(1 - D(G(s, z)))].
MINIMAX = Loss(_cross_entropy, lambda real, fake: -jnp.mean(softplus(fake)))
# The same, section 3: the generator maximises E[log D(G(s, z))].
NON_SATURATING = Loss(_cross_entropy, lambda real, fake: jnp.mean(softplus(-fake)))
# Lim & Ye 2017 (arXiv 1705.02894).
HINGE = Loss(
    lambda real, fake: jnp.mean(relu(1 - real)) + jnp.mean(relu(1 + fake)),
    lambda real, fake: -jnp.mean(fake),
)
# Jolicoeur-Martineau 2018 (arXiv 1807.00734), as in R3GAN (arXiv 2501.05441), eq. 2.
RELATIVISTIC = Loss(
    lambda real, fake: jnp.mean(softplus(fake - real)),
    lambda real, fake: jnp.mean(softplus(real - fake)),
)


def each(loss):
    """A loss of arrays without the mean over them: (real, fake) -> terms, of the arrays' shape."""
    return jnp.vectorize(loss, signature="(),()->()")


def own(logits):
    """Each clip with its own caption: [..., n, m] -> [..., n]."""
    return jnp.diagonal(logits, axis1=-2, axis2=-1)


def wrong_captions(caption_class, negative_classes):
    """Which captions ask for something else than a clip shows: int [n], [r * n] -> bool [n, n + r * n] twice.

    The captions are those of a group of clips, then r hard negatives of each clip, side by side. First, for
    each clip, those of the other clips; then its own hard negatives.
    """
    clips = len(caption_class)
    different = caption_class[:, None] != jnp.concatenate([caption_class, negative_classes])[None]
    negatives = jnp.repeat(jnp.eye(clips, dtype=bool), len(negative_classes) // clips, axis=1)
    of_batch = jnp.ones((clips, clips), bool)
    others = jnp.concatenate([of_batch, jnp.zeros_like(negatives)], 1)
    own_negatives = jnp.concatenate([jnp.zeros_like(of_batch), negatives], 1)
    return different & others, different & own_negatives


def mismatched(loss, logits, wrong):
    """Matching-aware term (Reed et al. 2016, arXiv 1605.05396): a wrong caption is a negative.

    logits [discriminators, ..., n, m]; wrong: bool [..., n, m] -> [..., n], means over discriminators and
    over each clip's wrong captions.
    """
    matched = jnp.broadcast_to(own(logits)[..., None], logits.shape)
    terms = jnp.sum(each(loss)(matched, logits) * wrong[None], -1)
    return terms.mean(0) / jnp.maximum(wrong.sum(-1), 1)


def energy_distance(real, fake, same, similarity):
    """How far what is generated for a caption is from what is real, feature by feature: [b].

    2 E|r - f| - E|r - r'| - E|f - f'|, the energy distance, is zero where both have the same distribution,
    else above it (Székely & Rizzo 2013; as a loss: Cramér GAN, arXiv 1705.10743). Here in units of E|r -
    r'|, the mean over all features. real, fake [b, d]; same: bool [b, b], which pairs of clips have one
    class, whose clips are compared. One that is alone in its class is compared with those of similar
    captions: `caption_similarity` [b, b].
    """
    others = same & ~jnp.eye(len(same), dtype=bool)
    alone = ~others.any(1, keepdims=True)
    crossed, among = (jnp.where(alone, similarity, _shares(pairs)) for pairs in (same, others))
    among_real = weighted_distances(real, real, among)
    terms = 2 * weighted_distances(fake, real, crossed) - among_real - weighted_distances(fake, fake, among)
    unit = jnp.maximum(among_real.mean(0, keepdims=True), 1e-3)
    return jnp.mean(terms / unit, -1)


def _shares(pairs):
    """Weights of partners, bool [b, b] -> [b, b], rows with the sum 1, or 0 where there is none."""
    return pairs / jnp.maximum(pairs.sum(1, keepdims=True), 1)


def contrast_weight(config, progress):
    """Weight of the right over wrong captions in G's loss, falling to zero. config: config.loss.

    It finds the words that matter; at the end it would let nothing be painted but what is most typical.
    """
    return config.contrast_weight * (1 - progress)
