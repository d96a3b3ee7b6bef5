"""What generated frames suffer from, done to real ones, so that a judge sees through it."""

import jax
import jax.numpy as jnp
import numpy as np

CROP = 40  # side of the window around the object, pixels of a frame of 64: cheaper than whole frames
FURTHEST = 6  # of the object's middle from the window's, pixels
TURN = 0.2  # radians
STRETCH = 0.12  # of either axis, and the shear
BULGE = 1.5  # pixels that the outline may wander
LOWEST_CONTRAST = 0.5
STRONGEST_HAZE = 0.2  # level of the background
STRONGEST_NOISE = 0.12  # standard deviation


def crop_to_ink(frames, rng):
    """A window around the ink of each frame: uint8 [n, s, s, c] -> [n, CROP, CROP, c]."""
    foreground = frames.max(-1) > 0
    middle = np.stack([_middle(foreground.any(2)), _middle(foreground.any(1))], axis=1)
    corners = middle - CROP // 2 + rng.integers(-FURTHEST, FURTHEST + 1, middle.shape)
    corners = np.clip(corners, 0, frames.shape[1] - CROP)
    return np.stack(
        [frame[top : top + CROP, left : left + CROP] for frame, (top, left) in zip(frames, corners)]
    )


def _middle(filled):
    """[n, s] bool -> the middle between the first and the last true one, int [n]."""
    last = filled.shape[1] - 1 - filled[:, ::-1].argmax(1)
    return (filled.argmax(1) + last + 1) // 2


def disturb(key, frames):
    """Frames uint8 [n, h, w, c] -> [n, h, w, c] in [0, 1]: bent, and the half of them flawed."""
    keys = jax.random.split(key, 3)
    frames = _bend(keys[0], frames.astype(jnp.float32) / 255)
    chosen = jax.random.bernoulli(keys[1], 0.5, (len(frames), 1, 1, 1))
    return jnp.where(chosen, _flaw(keys[2], frames), frames)


def _bend(key, frames):
    """A small random affine map and a smooth warp of each frame, about its middle."""
    n, side = frames.shape[:2]
    strength = CROP / side  # so that nothing leaves a whole frame
    keys = jax.random.split(key, 3)
    turn = strength * jax.random.uniform(keys[0], (n, 1, 1), minval=-TURN, maxval=TURN)
    stretch = strength * jax.random.uniform(keys[1], (n, 2, 2), minval=-STRETCH, maxval=STRETCH)
    turned = turn * jnp.array([[[0.0, -1.0], [1.0, 0.0]]])
    matrix = jnp.eye(2)[None] + turned + stretch
    grid = jnp.stack(jnp.meshgrid(*[jnp.arange(side) - side / 2 + 0.5] * 2, indexing="ij"))
    coarse = jax.random.normal(keys[2], (n, 2, 5, 5)) * BULGE / 2
    warp = jax.image.resize(coarse, (n, 2, side, side), "cubic")
    places = jnp.einsum("nij,jyx->niyx", matrix, grid) + warp + side / 2 - 0.5
    return jax.vmap(_sample)(frames, places)


def _sample(frame, places):
    """The frame [h, w, c] at places [2, h, w], interpolated linearly, black beyond its border."""

    def channel(plane):
        return jax.scipy.ndimage.map_coordinates(plane, [places[0], places[1]], order=1)

    return jax.vmap(channel, in_axes=-1, out_axes=-1)(frame)


def _flaw(key, frames):
    """Half resolution, soft or hard edges, faint ink, haze, noise; each sometimes, at random strength."""
    keys = jax.random.split(key, 3)
    shape = (len(frames), 1, 1, 1)
    coarse, softness, hardness, contrast, haze, deviation = jax.random.uniform(keys[0], (6, *shape))
    frames = jnp.where(coarse < 0.5, _halve(frames), frames)
    frames = frames + softness * (_blur(frames) - frames)
    frames = jnp.where(hardness < 0.2, jnp.clip(2 * frames - 0.5, 0, 1), frames)
    frames = frames * (LOWEST_CONTRAST + (1 - LOWEST_CONTRAST) * contrast)
    frames = jnp.maximum(frames, STRONGEST_HAZE * haze * jax.random.bernoulli(keys[1], 0.3, shape))
    noise = jax.random.normal(keys[2], frames.shape) * STRONGEST_NOISE * deviation**2
    return jnp.clip(frames + noise, 0, 1)


def _halve(frames):
    """Each block of 2 x 2 pixels averaged."""
    n, h, w, c = frames.shape
    blocks = frames.reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4))
    return blocks.repeat(2, 1).repeat(2, 2)


def _blur(frames):
    """Binomial 5 x 5 filter."""
    for axis in (1, 1, 2, 2):
        frames = (jnp.roll(frames, 1, axis) + 2 * frames + jnp.roll(frames, -1, axis)) / 4
    return frames
