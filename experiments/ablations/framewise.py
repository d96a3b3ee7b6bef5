"""The generator without recurrence: each frame is made from the caption, the noise and a clock alone."""

import flax.linen as nn
import jax.numpy as jnp

from t2v_jax.config.resolution import GRID
from t2v_jax.networks.canvas import Scene
from t2v_jax.networks.generator import Generator
from t2v_jax.networks.motion import MotionOutput, MotionRNN
from t2v_jax.nn import axes, geometry, layers, modulation
from t2v_jax.nn.attention import Attention

WAVES = 6  # of the clock, the longest of 64 frames


def clock(times):
    """Frames [t, n, 1] -> their sines and cosines [t, n, 2 * WAVES]."""
    phases = jnp.pi * times * 2.0 ** -jnp.arange(WAVES)[None, None]
    return jnp.concatenate([jnp.sin(phases), jnp.cos(phases)], axis=-1)


def frames_after(time, frames):
    """Frame n began with [n, 1] -> the frames that follow it [frames, n, 1]."""
    return time[None] + 1 + jnp.arange(frames, dtype=time.dtype)[:, None, None]


class FramewiseMotion(MotionRNN):
    """Its state is the time and nothing else."""

    @nn.compact
    def __call__(self, sentence, actors, noise, frames, state=None):
        role = sentence.embedding + nn.Dense(sentence.embedding.shape[-1], name="role")(actors)
        state = jnp.zeros((len(noise), 1)) if state is None else state
        times = frames_after(state, frames)
        time = clock(times)
        query = role[None] + nn.Dense(role.shape[-1], name="query")(time)
        words = sentence.keys, sentence.words, sentence.mask
        words = (jnp.tile(part, (frames, *[1] * (part.ndim - 1))) for part in words)
        attended = Attention(self.heads, self.score, name="attention")(axes.fold(query), *words)
        output = jnp.concatenate([attended.contexts, jnp.tile(noise, (frames, 1)), axes.fold(time)], axis=-1)
        for layer in ("first", "second"):
            output = layers.leaky_relu(nn.Dense(self.width, name=layer)(output))
        place = nn.sigmoid(2 * nn.Dense(2, name="place")(output))
        place, weights = (axes.unfold(part, frames) for part in (place, attended.weights))
        return state, times[-1], MotionOutput(times, place, weights)


class FramewiseScene(Scene):
    """A convolution of the cue and the clock in place of the ConvLSTM."""

    @nn.compact
    def __call__(self, styles, frames, state=None, burn_in=None):
        positions = geometry.fourier_features(geometry.grid_positions(GRID), 2 * self.channels)
        styles = styles[0]
        state = jnp.zeros((len(styles), 1)) if state is None else state
        times = frames_after(state if burn_in is None else state + burn_in, frames)
        styles = jnp.concatenate([jnp.tile(styles, (frames, 1)), axes.fold(clock(times))], axis=-1)
        places = jnp.broadcast_to(positions, (len(styles), *positions.shape))
        cue = layers.leaky_relu(modulation.Modulation(name="cue")(places, styles))
        images = layers.Convolution(self.channels, name="frame")(cue)
        return axes.unfold(images, frames), times[-1]


class FramewiseGenerator(Generator):
    """`Generator` whose frames do not follow from one another."""

    motion_class, scene_class = FramewiseMotion, FramewiseScene
