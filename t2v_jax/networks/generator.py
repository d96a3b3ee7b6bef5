"""G(s, z): a sentence and noise become frames.

A clip has actors (object slots). Attention over the words finds what each looks like, once a clip, and what
it does, in every frame. A GRU turns the latter into a place; a ConvLSTM and a convolutional decoder turn the
former into a canvas, which is set into the frame at that place. So an appearance is learnt once for all
places and motions, and motion is a shift (cf. spatial transformers, Jaderberg et al. 2015, arXiv 1506.02025).
Behind the actors is a colour, or a picture over which a camera moves.
"""

import math
import operator
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from t2v_jax.networks.appearance import AppearanceAttention, MappingNetwork, StyleAnimation
from t2v_jax.networks.canvas import Painter, Picture, Scene, leaky_clip
from t2v_jax.networks.motion import MotionRNN
from t2v_jax.networks.protocol import GeneratorOutput
from t2v_jax.nn.axes import fold, time_major
from t2v_jax.nn.conv_lstm import State
from t2v_jax.nn.geometry import place, view, window
from t2v_jax.nn.precision import compute_dtype, widened
from t2v_jax.nn.text_encoder import TextEncoder

NEARER = 16.0  # what an actor's nearness is multiplied by: of 1/8 more or less, 88 % of another are hidden


class Carry(NamedTuple):
    """What one frame hands to the next: the motion RNNs' states [n, width + 1] and the scene's `State`.

    None for a part that begins with the next frame, and for a camera that there is not.
    """

    motion: Any = None
    scene: State | None = None
    camera: Any = None


class Generator(nn.Module):
    """The generator that ships; `networks.protocol` says how it is called, `t2v_jax.config` its settings.

    noise [b, z] is split between the actors, and each one's part between its appearance and its motion.
    """

    config: Any
    vocabulary_size: int
    motion_class, scene_class = MotionRNN, Scene  # untyped, so no fields: a subclass may exchange them

    def setup(self):
        config, text, data = self.config.generator, self.config.text, self.config.data
        self.text = TextEncoder(
            self.vocabulary_size, text.word_width, text.tag_width, text.sentence, text.width
        )
        self.appearance = AppearanceAttention(config.heads, config.attention, config.hard_attention)
        self.whole = config.canvas_size == data.size
        # Little is hidden to begin with, least by what fills the frame, so that the camera learns to move.
        opacity = None if not config.picture else -4.0 if self.whole else -1.0
        # Style animation can show motion in place, so the canvas need not move to begin with.
        centred = self.whole and config.style_animation
        # y and x and, where one actor may hide another, how near it is.
        self.hiding = config.picture and config.actors > 1
        motion = config.style_width, config.heads, config.attention
        where = {"numbers": 3, "meeting": config.actors} if self.hiding else {}
        self.motion_rnn = self.motion_class(*motion, centred, **where)
        self.mapping = MappingNetwork(config.style_width)
        self.scene = self.scene_class(config.scene_channels, compute_dtype(self.config))
        channels, dtype = tuple(config.painter_channels), compute_dtype(self.config)
        self.painter = Painter(data.channels, channels, config.blur_upsample, opacity)
        if config.picture:
            self.picture = Picture(data.channels, data.size, config.style_width, channels, dtype)
            self.camera = self.motion_class(*motion, centred=True, numbers=3)  # y, x, and how much is seen
        self.style_animation = StyleAnimation(data.frames) if config.style_animation else None
        constant = nn.initializers.constant(data.background)
        self.background = self.param("background", constant, (data.channels,))

    def __call__(self, captions, noise, frames, frame_indices=None, carry=None, burn_in=None):
        """Captions, noise [b, z] -> `GeneratorOutput`.

        Pixels are from -1, black, to 1, white, with little beyond (`canvas.leaky_clip`). With a random key
        named attention hard attention samples its words, otherwise it reads the likeliest.
        """
        carry = carry or Carry()
        sentence = self.text(captions)
        appearance, *inputs = self.roles(sentence, noise)
        _, last, motion = self.motion_rnn(*inputs, frames, carry.motion)
        styles = self.mapping(appearance.contexts, self._split(noise)[0])[None]
        if self.style_animation:
            styles = self.style_animation(styles, motion.state)
        if carry.scene is None and self.config.generator.burn_in:
            burn_in = self.config.generator.burn_in + (0 if burn_in is None else burn_in)
        states, scene = self.scene(styles, frames, carry.scene, burn_in)
        attention = jnp.concatenate(
            [jnp.broadcast_to(appearance.weights, motion.attention.shape), motion.attention], axis=2
        )
        log_prob = appearance.log_prob.reshape(len(noise), -1).sum(1)
        painted = states, motion.place, jnp.broadcast_to(styles, (frames, *styles.shape[1:]))
        if frame_indices is not None:
            painted = jax.tree.map(operator.itemgetter(frame_indices), painted)
        camera, behind = self._behind(sentence, noise, frames, frame_indices, carry.camera)
        clips, things = self._paint(behind, *painted)
        return GeneratorOutput(clips, Carry(last, scene, camera), attention, log_prob, things)

    def carry_at(self, captions, noise, start_offsets, latest):
        """The carry of clips that began `start_offsets` (int [b], 0 to `latest`) frames ago.

        Only the motion has run: the scene begins with the next frame. No gradient comes from before.
        """
        sentence = self.text(captions)
        _, *inputs = self.roles(sentence, noise)
        actors_began = jnp.repeat(start_offsets, self.config.generator.actors)
        carry = Carry(_state_after(actors_began, *self.motion_rnn(*inputs, latest)))
        if not self.config.generator.picture:
            return carry
        camera = self._camera_motion(sentence, noise, latest, None)
        return carry._replace(camera=_state_after(start_offsets, *camera))

    def roles(self, sentence, noise):
        """The appearance's `AttentionOutput`, and the inputs of the motion RNN: sentences, actors, noise.

        Each of several actors also gets the words that its appearance read: its motion is what is said of
        these.
        """
        number = self.config.generator.actors
        sentence = jax.tree.map(lambda part: jnp.repeat(part, number, axis=0), sentence)
        actors = jnp.tile(jnp.eye(number), (len(noise), 1))
        appearance = self.appearance(sentence, actors)
        if number > 1:
            keys = jnp.einsum("bhn,bnk->bhk", appearance.sampled_weights, sentence.keys)
            actors = jnp.concatenate([actors, keys.reshape(len(keys), -1)], axis=-1)
        noise = self._split(noise)[1]
        if self.hiding:  # of a clip, all meet at one place
            noise = jnp.repeat(noise.reshape(-1, number * noise.shape[-1]), number, axis=0)
        return appearance, sentence, actors, noise

    def _camera_motion(self, sentence, noise, frames, state):
        """What the camera does: first state, last state, `MotionOutput`s."""
        return self.camera(sentence, jnp.ones((len(noise), 1)), noise, frames, state)

    def _behind(self, sentence, noise, frames, frame_indices, state):
        """The camera's last state, and what it sees of the picture [t, b, size, size, c]; or None, None."""
        if not self.config.generator.picture:
            return None, None
        _, last, motion = self._camera_motion(sentence, noise, frames, state)
        seen = motion.place if frame_indices is None else motion.place[frame_indices]
        centres, shares = seen[..., :2], 0.5 + seen[..., 2:] / 2
        # What is seen lies inside the picture.
        centres = shares / 2 + centres * (1 - shares)
        # Told of things that move before it, a picture would take on their colours.
        contexts = sentence.embedding if self.config.generator.captioned_picture else noise
        return last, view(self.picture(contexts, noise), centres, shares, self.config.data.size)

    def _split(self, noise):
        """Noise [b, z] -> that of the appearance and that of the motion of each actor, [b * actors, .]."""
        of_actors = noise.reshape(len(noise) * self.config.generator.actors, -1)
        return jnp.split(of_actors, 2, axis=-1)

    def _paint(self, behind, states, places, styles):
        """Scene states [t, n, ...], places [t, n, 2 or 3], styles [t, n, d] -> clips [b, t, size, size, c].

        behind: pictures that the actors hide, [t, b, size, size, c], or None. Before a picture there is also
        what the first actor paints: it is what moves, where D sees that by itself.
        """
        config, frames = self.config.generator, len(places)
        states, places, styles = (fold(time_major(part)) for part in (states, places, styles))
        nearness, places = places[..., -1].reshape(-1, config.actors, frames), places[..., :2]
        canvases = self.painter(states, styles)
        if config.soft_edges:
            canvases *= window(config.canvas_size).astype(canvases.dtype)[None]
        things = self._of_actors(canvases, frames)[:, 0] if config.picture else None
        if config.picture:
            # Most of a canvas stays inside: beyond the edges it would hide from D and learn nothing.
            places = 1 / 8 + places * 3 / 4
        # What fills the frame before a picture changes where it stands: elsewhere its edges would show.
        if not (config.picture and self.whole):
            canvases = place(canvases, places, self.config.data.size)
        placed = self._of_actors(canvases, frames)
        shown = placed.sum(1) if behind is None else layered(widened(time_major(behind)), placed, nearness)
        return leaky_clip(shown + self.background.reshape(1, 1, 1, 1, -1)), things

    def _of_actors(self, canvases, frames):
        """Canvases [b * actors * t, ...], `widened` -> [b, actors, t, ...]."""
        return widened(canvases).reshape(-1, self.config.generator.actors, frames, *canvases.shape[1:])


def _state_after(frames, first, _, motion):
    """The state, without gradient, after so many frames, int [n], of what a motion RNN returned."""
    later = motion.state[frames - 1, jnp.arange(len(frames))]
    return jnp.where(frames[:, None] == 0, first, jax.lax.stop_gradient(later))


def layered(behind, placed, nearness):
    """Actors before or behind one another, all before what is `behind` [b, t, h, w, c]: -> [b, t, h, w, c].

    placed [b, actors, t, h, w, c + 1]: what each adds, and last how much it hides of what is behind it
    (premultiplied alpha, Porter & Duff 1984). nearness [b, actors, t], 0 to 1: the nearer of two hides the
    other, and where both are as near, each hides half of the other.
    """
    # One actor after the other: sums over seven axes crash where XLA chooses its CPU options by itself.
    actors = range(placed.shape[1])
    adds, passes = placed[..., :-1], 1 - placed[..., -1:]

    def left(of):
        """How much of an actor the others let be seen: [b, t, h, w, 1]."""
        nearer = nn.sigmoid(NEARER * (nearness - nearness[:, of : of + 1]))[..., None, None, None]
        return math.prod(1 - nearer[:, by] * (1 - passes[:, by]) for by in actors if by != of)

    return sum(adds[:, of] * left(of) for of in actors) + math.prod(jnp.moveaxis(passes, 1, 0)) * behind
