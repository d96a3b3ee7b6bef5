"""G(s, z): a sentence and noise become frames.

The script casts actors. For each of them and anew for each frame it attends over the words twice: what
the actor looks like, and what it does. From the deeds a recurrent state follows, and from that where the
actor stands. From the looks a ConvLSTM draws the actor, frame after frame; a convolutional decoder
paints it on a canvas of its own, and the stage sets the canvases where the actors stand. What a thing
looks like is thus learnt once for all places and for all motions, and moving it is a shift (cf.
Jaderberg et al. 2015, arXiv 1506.02025).
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from t2v_jax.nn import layers
from t2v_jax.nn.attention import Attention
from t2v_jax.nn.conv_lstm import ConvLSTM, State
from t2v_jax.text.encoder import TextEncoder, rms_normalise

GRID = 8  # cells a side of the ConvLSTM's scene


class Memory(NamedTuple):
    """What one frame hands to the next: the script's state [n, width] and the scene's `State`.

    None for a part that begins with the next frame.
    """

    script: Any = None
    scene: State | None = None


class Line(NamedTuple):
    """The script of n actors for one frame (with a leading axis: for many).

    state [n, width]: what the next frame goes on from; looks [n, heads * v]: the words of what they look
    like; place [n, 2]: where their canvases have their centres, as (y, x) with the frame from 0 to 1;
    attention [n, 2 * heads, words]: the weights of the words, for looks and for deeds.
    """

    state: Any
    looks: Any
    place: Any
    attention: Any


class Film(NamedTuple):
    """clips [b, t, size, size, pixels], attention [t, n, 2 * heads, words], and what comes after."""

    clips: Any
    attention: Any
    memory: Memory


class ScriptCell(nn.Module):
    """One frame of the script: query -> attention over the words -> GRU -> place."""

    heads: int
    score: str

    @nn.compact
    def __call__(self, state, sentence, role, noise, draws):
        heard = sentence.keys, sentence.words, sentence.mask
        # Not by the state too: a square would turn into a circle on its way.
        looks, looked = Attention(self.heads, self.score, name="looks")(role, *heard, draws[0])
        query = role + nn.Dense(role.shape[-1], name="query")(state)
        deeds, done = Attention(self.heads, self.score, name="deeds")(query, *heard, draws[1])
        state, _ = nn.GRUCell(state.shape[-1], name="gru")(state, jnp.concatenate([deeds, noise], axis=-1))
        place = nn.sigmoid(2 * nn.Dense(2, name="place")(state))
        return state, Line(state, looks, place, jnp.concatenate([looked, done], axis=1))


class Script(nn.Module):
    """Sentences of n actors, who they are [n, actors], noise [n, z] -> first and last state, all `Line`s."""

    width: int
    heads: int
    score: str
    hard: bool

    @nn.compact
    def __call__(self, sentence, actors, noise, frames, state=None):
        role = sentence.embedding + nn.Dense(sentence.embedding.shape[-1], name="role")(actors)
        if state is None:
            state = jnp.tanh(nn.Dense(self.width, name="start")(noise))
        cell = nn.scan(
            ScriptCell,
            variable_broadcast="params",
            split_rngs={"params": False},
            in_axes=(nn.broadcast,) * 4,
            length=frames,
        )(self.heads, self.score, name="cell")
        last, lines = cell(state, sentence, role, noise, self._draws(sentence.mask))
        return state, last, lines

    def _draws(self, mask):
        """Gumbel noise for looks and for deeds, the same throughout a clip; zero: the likeliest is heard."""
        if not self.hard:
            return None, None
        shape = 2, len(mask), self.heads, mask.shape[-1]
        if not self.has_rng("attention"):
            return tuple(jnp.zeros(shape))
        return tuple(jax.random.gumbel(self.make_rng("attention"), shape))


class Style(nn.Module):
    """What an actor looks like: words of its looks [t, n, v], noise [n, z] -> styles [t, n, width]."""

    width: int

    @nn.compact
    def __call__(self, looks, noise):
        words = rms_normalise(nn.Dense(self.width, name="words")(looks))
        noise = rms_normalise(nn.Dense(self.width, name="noise")(noise))
        both = jnp.concatenate([words, jnp.broadcast_to(noise, words.shape)], axis=-1)
        hidden = nn.Dense(self.width, name="mapping")(both)
        return layers.leaky_relu(nn.Dense(self.width, name="style")(rms_normalise(layers.leaky_relu(hidden))))


class Scene(nn.Module):
    """Styles [t, n, d] -> ConvLSTM states [t, n, GRID, GRID, channels] and the last `State`."""

    channels: int

    @nn.compact
    def __call__(self, styles, state=None):
        frames, actors = styles.shape[:2]
        positions = layers.fourier_features(layers.grid_positions(GRID), 2 * self.channels)

        def drawn(name, styles):
            places = jnp.broadcast_to(positions, (len(styles), *positions.shape))
            return layers.Modulation(name=name)(places, styles)

        images = layers.leaky_relu(drawn("cue", layers.fold(styles)))
        if state is None:
            cell = layers.Convolution(self.channels, 1, name="first_cell")(
                layers.leaky_relu(drawn("first", styles[0]))
            )
            state = State(jnp.tanh(cell), cell)
        # The inputs know their places already; a wider kernel would double the cost of the recurrence.
        conv_lstm = ConvLSTM(self.channels, input_kernel_size=1, name="conv_lstm")
        return conv_lstm(layers.unfold(images, frames), state)


class Painter(nn.Module):
    """Scene states [n, GRID, GRID, c] and styles [n, d] -> canvases [n, side, side, pixels].

    Each of `channels` doubles the resolution. A canvas is what the actor adds to the backdrop, zero where it
    is transparent.
    """

    pixels: int
    channels: tuple[int, ...]

    @nn.compact
    def __call__(self, images, styles):
        for channels in self.channels:
            side = 2 * images.shape[1]
            images = layers.Modulation(name=f"style_{side}")(images, styles)
            images = layers.Convolution(4 * channels, name=f"up_{side}")(layers.leaky_relu(images))
            images = layers.depth_to_space(images)
        images = layers.leaky_relu(layers.Modulation(name="style")(images, styles))
        return layers.Convolution(self.pixels, name="ink")(images)


class Generator(nn.Module):
    """The generator, from captions to clips. Configuration: see `t2v_jax.config`.

    noise [b, z] is shared out: to the actors, and of each one's share half to its looks, half to its deeds.
    """

    config: Any
    vocabulary_size: int

    def setup(self):
        config, text, pixels = self.config.generator, self.config.text, self.config.data.channels
        self.text = TextEncoder(
            self.vocabulary_size, text.word_width, text.tag_width, text.sentence, text.width
        )
        self.script = Script(config.style_width, config.heads, config.attention, config.hard_attention)
        self.style = Style(config.style_width)
        self.scene = Scene(config.scene_channels)
        self.painter = Painter(pixels, tuple(config.painter_channels))
        self.backdrop = self.param("backdrop", nn.initializers.constant(-1.0), (pixels,))

    def __call__(self, captions, noise, frames, keep=None, memory=None):
        """Captions, noise [b, z] -> `Film`.

        Pixels are from -1 to 1, black to white, with little beyond (`layers.leaky_clip`).
        `frames` are computed, of which those named in `keep` (int [k]) are painted, all by default.
        `memory` continues a clip from where an earlier call stopped. Training passes a key named
        attention, from which the words are drawn that hard attention hears.
        """
        memory = memory or Memory()
        _, script, lines = self.script(*self.cast(captions, noise), frames, memory.script)
        styles = self.style(lines.looks, self.share(noise)[0])
        states, scene = self.scene(styles, memory.scene)
        places = lines.place
        if keep is not None:
            states, places, styles = states[keep], places[keep], styles[keep]
        return Film(self.paint(states, places, styles), lines.attention, Memory(script, scene))

    def cast(self, captions, noise):
        """What the script of all actors is made from: `Sentence` [b * actors], who is who, noise."""
        actors = self.config.generator.actors
        sentence = jax.tree.map(lambda part: jnp.repeat(part, actors, axis=0), self.text(captions))
        return sentence, jnp.tile(jnp.eye(actors), (len(noise), 1)), self.share(noise)[1]

    def share(self, noise):
        """Noise [b, z] -> that of the looks and that of the deeds of each actor, [b * actors, share]."""
        shares = noise.reshape(len(noise) * self.config.generator.actors, -1)
        return jnp.split(shares, 2, axis=-1)

    def memory_at(self, captions, noise, moments, latest):
        """The memory of clips that have run for `moments` (int [b], 0 to `latest`) frames unseen.

        The script alone has run: the scene begins where it is first seen. No gradient comes from before.
        """
        first, _, lines = self.script(*self.cast(captions, noise), latest)
        moments = jnp.repeat(moments, self.config.generator.actors)
        later = lines.state[moments - 1, jnp.arange(len(moments))]
        return Memory(jnp.where(moments[:, None] == 0, first, jax.lax.stop_gradient(later)))

    def paint(self, states, places, styles):
        """Scene states [t, b * actors, ...], places and styles -> clips [b, t, size, size, pixels]."""
        frames, actors = len(places), self.config.generator.actors
        canvases = self.painter(layers.fold(states), layers.fold(styles))
        placed = layers.place(canvases, layers.fold(places), self.config.data.size)
        ink = placed.reshape(frames, -1, actors, *placed.shape[1:]).sum(2)
        pictures = layers.leaky_clip(ink + self.backdrop.reshape(1, 1, 1, 1, -1))
        return layers.time_major(pictures)
