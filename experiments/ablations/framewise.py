"""The generator without recurrence: each frame is made from the caption, the noise and a clock alone."""

import flax.linen as nn
import jax.numpy as jnp

from t2v_jax.nn import layers
from t2v_jax.nn.attention import Attention
from t2v_jax.nn.generator import GRID, Generator, Line, Scene, Script

WAVES = 6  # of the clock, the longest of 64 frames


def clock(times):
    """Frames [t, n, 1] -> their sines and cosines [t, n, 2 * WAVES]."""
    phases = jnp.pi * times * 2.0 ** -jnp.arange(WAVES)
    return jnp.concatenate([jnp.sin(phases), jnp.cos(phases)], axis=-1)


def frames_after(time, frames):
    """Frame n began with [n, 1] -> the frames that follow it [frames, n, 1]."""
    return time[None] + 1 + jnp.arange(frames, dtype=time.dtype)[:, None, None]


class FramewiseScript(Script):
    """Its state is the time and nothing else."""

    @nn.compact
    def __call__(self, sentence, actors, noise, frames, state=None):
        role = sentence.embedding + nn.Dense(sentence.embedding.shape[-1], name="role")(actors)
        state = jnp.zeros((len(noise), 1)) if state is None else state
        times = frames_after(state, frames)
        time = clock(times)
        query = role + nn.Dense(role.shape[-1], name="query")(time)
        words = sentence.keys, sentence.words, sentence.mask
        words = (jnp.tile(part, (frames, *[1] * (part.ndim - 1))) for part in words)
        deeds = Attention(self.heads, self.score, name="deeds")(layers.fold(query), *words)
        heard = jnp.concatenate([deeds.contexts, jnp.tile(noise, (frames, 1)), layers.fold(time)], axis=-1)
        for layer in ("first", "second"):
            heard = layers.leaky_relu(nn.Dense(self.width, name=layer)(heard))
        place = nn.sigmoid(2 * nn.Dense(2, name="place")(heard))
        place, weights = (layers.unfold(part, frames) for part in (place, deeds.weights))
        return state, times[-1], Line(times, place, weights)


class FramewiseScene(Scene):
    """A convolution of the cue and the clock in place of the ConvLSTM."""

    @nn.compact
    def __call__(self, styles, frames, state=None, unseen=None):
        positions = layers.fourier_features(layers.grid_positions(GRID), 2 * self.channels)
        styles = styles[0]
        state = jnp.zeros((len(styles), 1)) if state is None else state
        times = frames_after(state if unseen is None else state + unseen, frames)
        told = jnp.concatenate([jnp.tile(styles, (frames, 1)), layers.fold(clock(times))], axis=-1)
        places = jnp.broadcast_to(positions, (len(told), *positions.shape))
        cue = layers.leaky_relu(layers.Modulation(name="cue")(places, told))
        images = layers.Convolution(self.channels, name="frame")(cue)
        return layers.unfold(images, frames), times[-1]


class FramewiseGenerator(Generator):
    """`Generator` whose frames do not follow from one another."""

    script_class, scene_class = FramewiseScript, FramewiseScene
