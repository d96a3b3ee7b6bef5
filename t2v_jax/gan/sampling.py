"""What a step draws at random: noise, frames, start offsets, and keys for the rest."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp


class Frames(NamedTuple):
    """How many frames of a clip a step computes, paints, and shows to the frame discriminator."""

    computed: int
    painted: int
    scored: int


class Samples(NamedTuple):
    """Noise [b, z], the painted frames and which of those are scored, and keys for the rest."""

    noise: jax.Array
    painted_frames: jax.Array
    scored_frames: jax.Array
    start_key: jax.Array
    attention_key: jax.Array
    penalty_keys: Sequence[jax.Array]
    augment_keys: Sequence[jax.Array]


def sample(key, frames: Frames, clips: int, noise_width: int) -> Samples:
    """What a step over so many `clips` draws."""
    noise_key, frames_key, start_key, attention_key, *penalty_keys = jax.random.split(key, 6)
    augment_keys = jax.random.split(jax.random.fold_in(key, 1))
    noise = jax.random.normal(noise_key, (clips, noise_width))
    chosen = sample_frames(frames_key, frames)
    return Samples(noise, *chosen, start_key, attention_key, penalty_keys, augment_keys)


def sample_frames(key, frames: Frames):
    """`painted` evenly spaced frames of a clip, and which of those the frame discriminator sees.

    Their distance is random, so that few frames show both the next moment and the end of a clip.
    """
    stride_key, start_key, score_key = jax.random.split(key, 3)
    gaps = max(1, frames.painted - 1)
    stride = jax.random.randint(stride_key, (), 1, max(1, (frames.computed - 1) // gaps) + 1)
    start = jax.random.randint(start_key, (), 0, frames.computed - stride * (frames.painted - 1))
    scored = jax.random.choice(score_key, frames.painted, (frames.scored,), replace=False)
    return start + stride * jnp.arange(frames.painted), scored


def sample_start_offsets(key, latest: int, clips: int):
    """How many frames ago each clip began, int [clips]: none for half of them, up to `latest` for the
    others.
    """
    late_key, offset_key = jax.random.split(key)
    late = jax.random.bernoulli(late_key, shape=(clips,))
    return late * jax.random.randint(offset_key, (clips,), 0, latest + 1)


def start(apply, latest: int, key, captions, noise) -> dict:
    """Arguments of the generator's `apply` for clips that began up to `latest` frames ago."""
    if not latest:
        return {}
    offsets = sample_start_offsets(key, latest, len(noise))
    carry = apply(captions, noise, offsets, latest, method="carry_at")
    # A scene is dear: all of them run for the offset of the first clip, and not each for as long as the
    # latest.
    return {"carry": carry, "burn_in": offsets[0]}
