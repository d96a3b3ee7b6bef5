"""G(s, z): a sentence and noise become frames.

A recurrent script attends over the words anew for each frame and says what to show and where to look;
a grid of positions relative to that gaze, modulated by the script, feeds a ConvLSTM that carries the
scene from frame to frame; a convolutional decoder paints each state.
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
    """What one frame hands to the next: the script's state [b, width] and the scene's `State`."""

    script: Any
    scene: State


class Line(NamedTuple):
    """The script for one frame (with a leading axis: for many).

    style [b, d]: what to show; gaze [b, gazes, 2]: where, as (y, x) with the frame from 0 to 1;
    attention [b, n]: the weights of the words.
    """

    style: Any
    gaze: Any
    attention: Any


class ScriptCell(nn.Module):
    """One frame of the script: query -> attention over the words -> GRU -> style and gaze."""

    score: str
    gazes: int

    @nn.compact
    def __call__(self, state, sentence, words, mask, noise):
        query = sentence + nn.Dense(sentence.shape[-1], name="query")(state)
        context, weights = Attention(self.score, name="attention")(query, words, mask)
        inputs = jnp.concatenate([context, noise], axis=-1)
        state, _ = nn.GRUCell(state.shape[-1], name="gru")(state, inputs)
        gaze = nn.sigmoid(2 * nn.Dense(2 * self.gazes, name="gaze")(state))
        line = Line(
            style=jnp.concatenate([state, context, noise], axis=-1),
            gaze=gaze.reshape(-1, self.gazes, 2),
            attention=weights,
        )
        return state, line


class Script(nn.Module):
    """Sentence [b, s], words [b, n, v], mask [b, n], noise [b, z] -> last state, `Line` of all frames."""

    score: str
    width: int
    gazes: int

    @nn.compact
    def __call__(self, sentence, words, mask, noise, frames, state=None):
        if state is None:
            start = jnp.concatenate([sentence, noise], axis=-1)
            state = jnp.tanh(nn.Dense(self.width, name="start")(start))
        cell = nn.scan(
            ScriptCell,
            variable_broadcast="params",
            split_rngs={"params": False},
            in_axes=(nn.broadcast,) * 4,
            length=frames,
        )(self.score, self.gazes, name="cell")
        return cell(state, sentence, words, mask, noise)


class Scene(nn.Module):
    """`Line` of t frames -> ConvLSTM states [t, b, GRID, GRID, channels] and the last `State`.

    A cell knows its place relative to each gaze, so that moving a thing is a shift of the gaze, and its
    look need not be learned anew for every place.
    """

    channels: int

    @nn.compact
    def __call__(self, lines, state):
        frames, batch = lines.gaze.shape[:2]
        positions = layers.grid_positions(GRID)[None, None, None]
        offsets = positions - lines.gaze[..., None, None, :]
        features = jnp.concatenate(
            [layers.fourier_features(offsets, self.channels), layers.bumps(offsets)], axis=-1
        )
        features = jnp.moveaxis(features, 2, 4).reshape(frames * batch, GRID, GRID, -1)
        images = layers.Modulation(name="place")(features, layers.fold(lines.style))
        images = layers.leaky_relu(layers.Convolution(self.channels, 1, name="mix")(images))
        return ConvLSTM(self.channels, name="conv_lstm")(layers.unfold(images, frames), state)


class Painter(nn.Module):
    """Scene states [n, GRID, GRID, c] and styles [n, d] -> images [n, side, side, pixels] in (-1, 1).

    Each of `channels` doubles the resolution before the picture is painted; each of `detail_channels`
    doubles it after and adds what the larger picture has more (a Laplacian pyramid: Denton et al. 2015,
    arXiv 1506.05751). Details start at zero, so that a grown model starts from the smaller one's pictures.
    """

    pixels: int
    channels: tuple[int, ...]
    detail_channels: tuple[int, ...]

    @nn.compact
    def __call__(self, images, styles):
        def enlarge(images, channels):
            side = 2 * images.shape[1]
            images = layers.Modulation(name=f"style_{side}")(images, styles)
            images = layers.Convolution(4 * channels, name=f"up_{side}")(layers.leaky_relu(images))
            return layers.depth_to_space(images)

        for channels in self.channels:
            images = enlarge(images, channels)
        paint = layers.Convolution(self.pixels, name=f"paint_{images.shape[1]}")
        picture = paint(layers.leaky_relu(rms_normalise(images)))
        for channels in self.detail_channels:
            images = enlarge(images, channels)
            zeros = nn.initializers.zeros
            detail = nn.Conv(self.pixels, (3, 3), kernel_init=zeros, name=f"detail_{images.shape[1]}")
            picture = layers.enlarge(picture) + detail(layers.leaky_relu(rms_normalise(images)))
        return jnp.tanh(picture)


class Generator(nn.Module):
    """The generator, from captions to clips. Configuration: see `t2v_jax.config`."""

    config: Any
    vocabulary_size: int

    def setup(self):
        config, text = self.config.generator, self.config.text
        self.text = TextEncoder(
            self.vocabulary_size, text.word_width, text.tag_width, text.sentence, text.width
        )
        self.mapping = nn.Dense(config.style_width)
        self.script = Script(config.attention, config.style_width, config.gazes)
        self.scene = Scene(config.scene_channels)
        self.painter = Painter(
            self.config.data.channels, tuple(config.painter_channels), tuple(config.detail_channels)
        )

    def __call__(self, captions, noise, frames, keep=None, memory=None):
        """Captions, noise [b, z] -> clips [b, t, size, size, pixels] in (-1, 1), `Memory`.

        `frames` are computed, of which those named in `keep` (int [k]) are painted, all by default.
        `memory` continues a clip from where an earlier call stopped.
        """
        words, sentence = self.text(captions)
        noise = rms_normalise(noise)
        mapped = layers.leaky_relu(self.mapping(jnp.concatenate([sentence, noise], axis=-1)))
        batch = noise.shape[0]
        if memory is None:
            scene = zero_state(batch, GRID, GRID, self.config.generator.scene_channels)
            memory = Memory(None, scene)
        script, lines = self.script(sentence, words, captions.mask, mapped, frames, memory.script)
        states, scene = self.scene(lines, memory.scene)
        styles = lines.style
        if keep is not None:
            states, styles = states[keep], styles[keep]
        images = self.painter(layers.fold(states), layers.fold(styles))
        clips = layers.time_major(layers.unfold(images, styles.shape[0]))
        return clips, Memory(script, scene)
