"""How images move, read from their changes and slopes."""

import jax.numpy as jnp

from t2v_jax.nn.resampling import blur

FLAT = 0.02  # squared slopes, pixels in [-1, 1], below which what changes is hardly motion


def normal_flow(before, after):
    """Velocities along y and x, in pixels, of what both images show: [n, h, w, c] twice -> [n, h, w, 2].

    Each is the least-squares solution, over a neighbourhood, of change + velocity * slope = 0, the constraint
    of optical flow along one axis (Lucas & Kanade 1981; Horn & Schunck 1981). Near zero where the image is
    flat. Convolutions are slow to find such products of changes and slopes (experiments/recipe).
    """
    change, middle = after - before, (before + after) / 2
    velocities = [_velocity(change, jnp.gradient(middle, axis=axis)) for axis in (1, 2)]
    return jnp.concatenate(velocities, axis=-1)


def _velocity(change, slope):
    products, squares = (jnp.sum(slope * other, axis=-1, keepdims=True) for other in (change, slope))
    return -blur(products) / (blur(squares) + FLAT)
