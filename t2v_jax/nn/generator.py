"""G(s, z): a sentence and noise become frames.

The script casts actors. For each of them it attends over the words: once to hear what the actor looks
like, and anew for each frame to hear what it does. From the deeds a recurrent state follows, and from that
where the actor stands. From the looks a ConvLSTM draws the actor, frame after frame; a convolutional decoder
paints it on a canvas of its own, and the stage sets the canvases where the actors stand. What a thing
looks like is thus learnt once for all places and for all motions, and moving it is a shift (cf.
Jaderberg et al. 2015, arXiv 1506.02025).
"""

import operator
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from t2v_jax.nn import layers
from t2v_jax.nn.attention import Attention
from t2v_jax.nn.conv_lstm import ConvLSTM, State
from t2v_jax.nn.precision import compute_dtype, widened
from t2v_jax.text.encoder import TextEncoder, rms_normalise

GRID = 8  # cells a side of the ConvLSTM's scene


class Memory(NamedTuple):
    """What one frame hands to the next: the script's state [n, width + 1] and the scene's `State`.

    None for a part that begins with the next frame.
    """

    script: Any = None
    scene: State | None = None


class Line(NamedTuple):
    """The script of n actors for one frame (with a leading axis: for many).

    state [n, width + 1]: what the next frame goes on from, the GRU's and how many frames there have been;
    place [n, 2]: where their canvases have their centres, as (y, x) with the frame from 0 to 1; attention
    [n, heads, words]: the weights of the words that tell their deeds.
    """

    state: Any
    place: Any
    attention: Any


class Film(NamedTuple):
    """clips [b, t, size, size, pixels], attention [t, n, 2 * heads, words], and what comes after.

    The first half of the attention's heads is that of the looks, the second that of the deeds. likelihood
    [b]: the logarithm of the probability with which the words that hard attention heard are heard.
    """

    clips: Any
    attention: Any
    likelihood: Any
    memory: Memory


class ScriptCell(nn.Module):
    """One frame of the script: query -> attention over the words -> GRU -> place."""

    heads: int
    score: str
    centred: bool

    @nn.compact
    def __call__(self, state, sentence, role, noise):
        state, time = state[:, :-1], state[:, -1:]
        query = role + nn.Dense(role.shape[-1], name="query")(state)
        attention = Attention(self.heads, self.score, name="deeds")
        deeds = attention(query, sentence.keys, sentence.words, sentence.mask)
        heard = jnp.concatenate([deeds.contexts, noise], axis=-1)
        state, _ = nn.GRUCell(state.shape[-1], name="gru")(state, heard)
        init = nn.initializers.zeros if self.centred else nn.initializers.lecun_normal()
        place = nn.sigmoid(2 * nn.Dense(2, kernel_init=init, name="place")(state))
        state = jnp.concatenate([state, time + 1], axis=-1)
        return state, Line(state, place, deeds.weights)


class Looks(nn.Module):
    """Sentences of n actors, who they are [n, actors] -> `Heard`, contexts [n, heads * v].

    Who asks is the actor alone: asked by the sentence or by the script's state too, a digit would look
    different in each motion, and a square would turn into a circle on its way. With hard attention an actor
    hears no word that one before it has heard (a draw without replacement; cf. coverage, Tu et al. 2016,
    arXiv 1601.04811): two that are to show different things would else show the same.
    """

    heads: int
    score: str
    hard: bool

    @nn.compact
    def __call__(self, sentence, actors):
        query = nn.Dense(sentence.embedding.shape[-1], name="query")(actors)
        attention = Attention(self.heads, self.score, name="attention")
        noise = self._noise(sentence.mask) if self.hard else None
        number, mask, heard = actors.shape[-1], sentence.mask, []
        for actor in range(number):
            rows = operator.itemgetter(slice(actor, None, number))
            asked = query, sentence.keys, sentence.words, mask, noise
            heard.append(attention(*jax.tree.map(rows, asked)))
            if self.hard:
                mask = _without(mask, jnp.repeat(heard[-1].shares.max(1), number, axis=0) > 0.5)
        return jax.tree.map(lambda *parts: layers.fold(jnp.stack(parts, axis=1)), *heard)

    def _noise(self, mask):
        """Gumbel noise where a key named attention is given, else none: the likeliest word is heard."""
        shape = len(mask), self.heads, mask.shape[-1]
        if not self.has_rng("attention"):
            return jnp.zeros(shape)
        return jax.random.gumbel(self.make_rng("attention"), shape)


def _without(mask, taken):
    """The mask [n, words] without the words that are taken, as it was where none would be left."""
    left = mask & ~taken
    return jnp.where(left.any(-1, keepdims=True), left, mask)


class Script(nn.Module):
    """Sentences of n actors, who they are [n, .], noise [n, z] -> first and last state, all `Line`s.

    `centred` canvases begin in the middle of the frame: those as large as it would else be cut off at once.
    """

    width: int
    heads: int
    score: str
    centred: bool

    @nn.compact
    def __call__(self, sentence, actors, noise, frames, state=None):
        role = sentence.embedding + nn.Dense(sentence.embedding.shape[-1], name="role")(actors)
        if state is None:
            state = jnp.tanh(nn.Dense(self.width, name="start")(noise))
            state = jnp.pad(state, ((0, 0), (0, 1)))
        cell = nn.scan(
            ScriptCell,
            variable_broadcast="params",
            split_rngs={"params": False},
            in_axes=(nn.broadcast,) * 3,
            length=frames,
        )(self.heads, self.score, self.centred, name="cell")
        last, lines = cell(state, sentence, role, noise)
        return state, last, lines


class Style(nn.Module):
    """What an actor looks like: words of its looks [n, v], noise [n, z] -> styles [n, width]."""

    width: int

    @nn.compact
    def __call__(self, looks, noise):
        words = rms_normalise(nn.Dense(self.width, name="words")(looks))
        noise = rms_normalise(nn.Dense(self.width, name="noise")(noise))
        hidden = nn.Dense(self.width, name="mapping")(jnp.concatenate([words, noise], axis=-1))
        return layers.leaky_relu(nn.Dense(self.width, name="style")(rms_normalise(layers.leaky_relu(hidden))))


class Gestures(nn.Module):
    """Styles [1, n, d], script's states [t, n, .] -> styles of each frame [t, n, d], at first all the same.

    What is to be seen repeats after `period` frames, but for what the script's recurrence makes of it.
    """

    period: int

    @nn.compact
    def __call__(self, styles, states):
        width = styles.shape[-1]
        waves = jnp.arange(1, self.period // 2 + 1)
        turns = 2 * jnp.pi / self.period * jnp.multiply.outer(states[..., -1], waves)
        clock = jnp.concatenate([jnp.sin(turns), jnp.cos(turns)], axis=-1)
        timed = nn.Dense(width, name="style")(styles) * nn.Dense(width, name="clock")(clock)
        hidden = layers.leaky_relu(timed + nn.Dense(width, name="deeds")(states[..., :-1]))
        return styles + nn.Dense(width, kernel_init=nn.initializers.zeros, name="gesture")(hidden)


class Scene(nn.Module):
    """Styles [1 or frames, n, d] -> ConvLSTM states [frames, n, GRID, GRID, channels], the last `State`.

    The states, and with them all that is painted from them, are of the type `dtype`.
    """

    channels: int
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, styles, frames, state=None, unseen=None):
        positions = layers.fourier_features(layers.grid_positions(GRID), 2 * self.channels)
        places = jnp.broadcast_to(positions, (*styles.shape[:2], *positions.shape))
        cues = layers.leaky_relu(layers.Modulation(name="cue")(places.astype(self.dtype), styles))
        # The cue knows its places already; a wider kernel would double the cost of the recurrence.
        conv_lstm = ConvLSTM(self.channels, input_kernel_size=1, at_rest=True, name="conv_lstm")
        steady = frames if len(styles) == 1 else None
        return conv_lstm(cues, state, steady, unseen)


class Painter(nn.Module):
    """Scene states [n, GRID, GRID, c] and styles [n, d] -> canvases [n, side, side, pixels].

    Each of `channels` doubles the resolution, and what that makes may be `smooth`ed. A canvas is what the
    actor adds to the backdrop, zero where it is transparent.
    """

    pixels: int
    channels: tuple[int, ...]
    smooth: bool

    @nn.compact
    def __call__(self, images, styles):
        for channels in self.channels:
            side = 2 * images.shape[1]
            images = layers.Modulation(name=f"style_{side}")(images, styles)
            up = layers.Convolution(4 * channels, kernel_init=layers.alike, name=f"up_{side}")
            images = layers.depth_to_space(up(layers.leaky_relu(images)))
            if self.smooth:
                images = layers.smooth(images)
        images = layers.leaky_relu(layers.Modulation(name="style")(images, styles))
        return layers.Convolution(self.pixels, name="ink")(images)


class Generator(nn.Module):
    """The generator, from captions to clips. Configuration: see `t2v_jax.config`.

    noise [b, z] is shared out: to the actors, and of each one's share half to its looks, half to its deeds.
    """

    config: Any
    vocabulary_size: int
    script_class, scene_class = Script, Scene  # without a type, so no fields: what an ablation exchanges

    def setup(self):
        config, text, pixels = self.config.generator, self.config.text, self.config.data.channels
        self.text = TextEncoder(
            self.vocabulary_size, text.word_width, text.tag_width, text.sentence, text.width
        )
        self.looks = Looks(config.heads, config.attention, config.hard_attention)
        whole = GRID << len(config.painter_channels) == self.config.data.size
        centred = whole and config.gestures  # which can show motion where they are
        self.script = self.script_class(config.style_width, config.heads, config.attention, centred)
        self.style = Style(config.style_width)
        self.scene = self.scene_class(config.scene_channels, compute_dtype(self.config))
        self.painter = Painter(pixels, tuple(config.painter_channels), config.smooth)
        self.gestures = Gestures(self.config.data.frames) if config.gestures else None
        self.backdrop = self.param("backdrop", nn.initializers.constant(self.config.data.ground), (pixels,))

    def __call__(self, captions, noise, frames, keep=None, memory=None, unseen=None):
        """Captions, noise [b, z] -> `Film`.

        Pixels are from -1 to 1, black to white, with little beyond (`layers.leaky_clip`).
        `frames` are computed, of which those named in `keep` (int [k]) are painted, all by default.
        `memory` continues a clip from where an earlier call stopped. Training passes a key named
        attention, from which the words are drawn that hard attention hears, and how many frames of the scene
        have run `unseen` (see `memory_at` for the script).
        """
        memory = memory or Memory()
        looks, *cast = self.cast(captions, noise)
        _, script, lines = self.script(*cast, frames, memory.script)
        styles = self.style(looks.contexts, self.share(noise)[0])[None]
        if self.gestures:
            styles = self.gestures(styles, lines.state)
        if memory.scene is None and self.config.generator.settling:
            unseen = self.config.generator.settling + (0 if unseen is None else unseen)
        states, scene = self.scene(styles, frames, memory.scene, unseen)
        attention = jnp.concatenate(
            [jnp.broadcast_to(looks.weights, lines.attention.shape), lines.attention], axis=2
        )
        likelihood = looks.likelihood.reshape(len(noise), -1).sum(1)
        shown = states, lines.place, jnp.broadcast_to(styles, (frames, *styles.shape[1:]))
        if keep is not None:
            shown = jax.tree.map(operator.itemgetter(keep), shown)
        return Film(self.paint(*shown), attention, likelihood, Memory(script, scene))

    def cast(self, captions, noise):
        """What all actors look like, and what their script is made from: `Sentence`, who is who, noise.

        Of several actors each is known by the words that it looks like too, as they stand in their sentence:
        it must do what is said of just these.
        """
        number = self.config.generator.actors
        sentence = jax.tree.map(lambda part: jnp.repeat(part, number, axis=0), self.text(captions))
        actors = jnp.tile(jnp.eye(number), (len(noise), 1))
        looks = self.looks(sentence, actors)
        if number > 1:
            keys = jnp.einsum("bhn,bnk->bhk", looks.shares, sentence.keys)
            actors = jnp.concatenate([actors, keys.reshape(len(keys), -1)], axis=-1)
        return looks, sentence, actors, self.share(noise)[1]

    def share(self, noise):
        """Noise [b, z] -> that of the looks and that of the deeds of each actor, [b * actors, share]."""
        shares = noise.reshape(len(noise) * self.config.generator.actors, -1)
        return jnp.split(shares, 2, axis=-1)

    def memory_at(self, captions, noise, moments, latest):
        """The memory of clips that have run for `moments` (int [b], 0 to `latest`) frames unseen.

        The script alone has run: the scene begins anew. No gradient comes from before.
        """
        _, *cast = self.cast(captions, noise)
        first, _, lines = self.script(*cast, latest)
        moments = jnp.repeat(moments, self.config.generator.actors)
        later = lines.state[moments - 1, jnp.arange(len(moments))]
        return Memory(jnp.where(moments[:, None] == 0, first, jax.lax.stop_gradient(later)))

    def paint(self, states, places, styles):
        """Scene states [t, n, ...], places [t, n, 2], styles [t, n, d] -> clips [b, t, size, size, c]."""
        frames, actors = len(places), self.config.generator.actors
        states, places, styles = (layers.fold(layers.time_major(part)) for part in (states, places, styles))
        placed = layers.place(self.painter(states, styles), places, self.config.data.size)
        ink = widened(placed).reshape(-1, actors, frames, *placed.shape[1:]).sum(1)
        return layers.leaky_clip(ink + self.backdrop.reshape(1, 1, 1, 1, -1))
