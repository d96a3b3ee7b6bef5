"""G(s, z): a sentence and noise become frames.

The script casts actors. For each of them and anew for each frame it attends over the words and says what
the actor does and where it stands. A ConvLSTM carries each actor's looks from frame to frame, a
convolutional decoder paints them on a canvas of the actor's own, and the stage sets the canvases
where the actors stand and paints the picture. What a thing looks like is thus learnt once for all
places, and moving it is a shift (cf. Jaderberg et al. 2015, arXiv 1506.02025).
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from t2v_jax.nn import layers
from t2v_jax.nn.attention import Attention
from t2v_jax.nn.conv_lstm import ConvLSTM, State, zero_state
from t2v_jax.text.encoder import TextEncoder, rms_normalise

GRID = 8  # cells a side of the ConvLSTM's scene


class Memory(NamedTuple):
    """What one frame hands to the next: the script's state [n, width] and the scene's `State`."""

    script: Any
    scene: State


class Line(NamedTuple):
    """The script of one actor for one frame (with a leading axis: for many).

    cue [n, d]: what to do; place [n, 2]: where the canvas has its centre, as (y, x) with the frame from
    0 to 1; attention [n, words]: the weights of the words.
    """

    cue: Any
    place: Any
    attention: Any


class Casting(nn.Module):
    """Who the actors of a clip are: sentences [b, s], noise [b, z] -> roles [b * actors, width]."""

    actors: int
    width: int

    @nn.compact
    def __call__(self, sentence, noise):
        seeds = jnp.concatenate([sentence, rms_normalise(noise)], axis=-1)
        numbers = jnp.tile(jnp.eye(self.actors), (len(seeds), 1))
        seeds = jnp.concatenate([jnp.repeat(seeds, self.actors, axis=0), numbers], axis=-1)
        hidden = layers.leaky_relu(nn.Dense(self.width, name="mapping")(seeds))
        return layers.leaky_relu(nn.Dense(self.width, name="role")(rms_normalise(hidden)))


class ScriptCell(nn.Module):
    """One frame of the script: query -> attention over the words -> GRU -> cue and place."""

    score: str

    @nn.compact
    def __call__(self, state, sentence, words, mask, role):
        query = sentence + nn.Dense(sentence.shape[-1], name="query")(state)
        context, weights = Attention(self.score, name="attention")(query, words, mask)
        inputs = jnp.concatenate([context, role], axis=-1)
        state, _ = nn.GRUCell(state.shape[-1], name="gru")(state, inputs)
        place = nn.sigmoid(2 * nn.Dense(2, name="place")(state))
        return state, Line(jnp.concatenate([state, context], axis=-1), place, weights)


class Script(nn.Module):
    """Sentences [n, s], words [n, m, v], mask [n, m], roles [n, d] -> last state, `Line` of all frames."""

    score: str

    @nn.compact
    def __call__(self, sentence, words, mask, role, frames, state=None):
        if state is None:
            state = jnp.tanh(nn.Dense(role.shape[-1], name="start")(role))
        cell = nn.scan(
            ScriptCell,
            variable_broadcast="params",
            split_rngs={"params": False},
            in_axes=(nn.broadcast,) * 4,
            length=frames,
        )(self.score, name="cell")
        return cell(state, sentence, words, mask, role)


class Scene(nn.Module):
    """Cues [t, n, d], roles [n, r] -> ConvLSTM states [t, n, GRID, GRID, channels] and the last `State`."""

    channels: int

    @nn.compact
    def __call__(self, cues, roles, state):
        frames, actors = cues.shape[:2]
        positions = layers.fourier_features(layers.grid_positions(GRID), 2 * self.channels)
        styles = jnp.concatenate([cues, jnp.broadcast_to(roles, (frames, *roles.shape))], axis=-1)
        positions = jnp.broadcast_to(positions, (frames * actors, *positions.shape))
        images = layers.leaky_relu(layers.Modulation(name="cue")(positions, layers.fold(styles)))
        # The inputs know their places already; a wider kernel would double the cost of the recurrence.
        conv_lstm = ConvLSTM(self.channels, input_kernel_size=1, name="conv_lstm")
        return conv_lstm(layers.unfold(images, frames), state)


class Painter(nn.Module):
    """Scene states [n, GRID, GRID, c] and roles [n, d] -> canvases [n, side, side, pixels].

    Each of `channels` doubles the resolution. A canvas is what the actor adds to the backdrop, zero where it
    is transparent.
    """

    pixels: int
    channels: tuple[int, ...]

    @nn.compact
    def __call__(self, images, roles):
        for channels in self.channels:
            side = 2 * images.shape[1]
            images = layers.Modulation(name=f"style_{side}")(images, roles)
            images = layers.Convolution(4 * channels, name=f"up_{side}")(layers.leaky_relu(images))
            images = layers.depth_to_space(images)
        images = layers.leaky_relu(layers.Modulation(name="style")(images, roles))
        return layers.Convolution(self.pixels, name="ink")(images)


class Generator(nn.Module):
    """The generator, from captions to clips. Configuration: see `t2v_jax.config`."""

    config: Any
    vocabulary_size: int

    def setup(self):
        config, text, pixels = self.config.generator, self.config.text, self.config.data.channels
        self.text = TextEncoder(
            self.vocabulary_size, text.word_width, text.tag_width, text.sentence, text.width
        )
        self.casting = Casting(config.actors, config.style_width)
        self.script = Script(config.attention)
        self.scene = Scene(config.scene_channels)
        self.painter = Painter(pixels, tuple(config.painter_channels))
        self.backdrop = self.param("backdrop", nn.initializers.constant(-1.0), (pixels,))

    def __call__(self, captions, noise, frames, keep=None, memory=None):
        """Captions, noise [b, z] -> clips [b, t, size, size, pixels], `Memory`.

        Pixels are from -1 to 1, black to white, with little beyond (`layers.leaky_clip`).
        `frames` are computed, of which those named in `keep` (int [k]) are painted, all by default.
        `memory` continues a clip from where an earlier call stopped.
        """
        actors, channels = self.config.generator.actors, self.config.generator.scene_channels
        words, sentence = self.text(captions)
        roles = self.casting(sentence, noise)
        if memory is None:
            memory = Memory(None, zero_state(len(roles), GRID, GRID, channels))
        heard = (jnp.repeat(array, actors, axis=0) for array in (sentence, words, captions.mask))
        script, lines = self.script(*heard, roles, frames, memory.script)
        states, scene = self.scene(lines.cue, roles, memory.scene)
        places = lines.place
        if keep is not None:
            states, places = states[keep], places[keep]
        return self.paint(states, places, roles), Memory(script, scene)

    def paint(self, states, places, roles):
        """Scene states [t, b * actors, ...], places and roles -> clips [b, t, size, size, pixels]."""
        frames, actors = len(places), self.config.generator.actors
        again = jnp.broadcast_to(roles, (frames, *roles.shape))
        canvases = self.painter(layers.fold(states), layers.fold(again))
        placed = layers.place(canvases, layers.fold(places), self.config.data.size)
        ink = placed.reshape(frames, -1, actors, *placed.shape[1:]).sum(2)
        pictures = layers.leaky_clip(ink + self.backdrop.reshape(1, 1, 1, 1, -1))
        return layers.time_major(pictures)
