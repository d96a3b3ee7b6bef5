"""The axes of batch and time: swapped, folded into one, and unfolded again."""

import jax.numpy as jnp


def time_major(frames):
    """[b, t, ...] -> [t, b, ...], and back."""
    return jnp.swapaxes(frames, 0, 1)


def fold(frames):
    """[a, b, ...] -> [a * b, ...]: frames become images.

    The batch goes first: of a product of axes a mesh can share out the first alone, else it gathers them all.
    """
    return frames.reshape(-1, *frames.shape[2:])


def unfold(images, batch):
    """[batch * t, ...] -> [batch, t, ...]."""
    return images.reshape(batch, -1, *images.shape[1:])
