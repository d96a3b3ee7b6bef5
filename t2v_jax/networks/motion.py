"""What an actor or a camera does: attention over the words in every frame, a GRU, and where it stands."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from t2v_jax.nn.attention import Attention


class MotionOutput(NamedTuple):
    """The motion of n actors in one frame (with a leading axis: in many).

    state [n, width + 1]: the GRU's state and the number of the frame, from which the next frame goes on;
    place [n, numbers]: centres of the canvases as (y, x), the frame from 0 to 1, or what a camera sees;
    attention [n, heads, words]: weights of the words.
    """

    state: Any
    place: Any
    attention: Any


class MotionCell(nn.Module):
    """One frame: query -> attention over the words -> GRU -> logits of the place."""

    heads: int
    score: str
    centred: bool
    numbers: int

    @nn.compact
    def __call__(self, state, sentence, role, noise):
        state, time = state[:, :-1], state[:, -1:]
        query = role + nn.Dense(role.shape[-1], name="query")(state)
        attention = Attention(self.heads, self.score, name="attention")
        attended = attention(query, sentence.keys, sentence.words, sentence.mask)
        inputs = jnp.concatenate([attended.contexts, noise], axis=-1)
        state, _ = nn.GRUCell(state.shape[-1], name="gru")(state, inputs)
        init = nn.initializers.zeros if self.centred else nn.initializers.lecun_normal()
        place = nn.Dense(self.numbers, kernel_init=init, name="place")(state)
        state = jnp.concatenate([state, time + 1], axis=-1)
        return state, MotionOutput(state, place, attended.weights)


class MotionRNN(nn.Module):
    """Sentences of n actors, actors [n, .], noise [n, z] -> first state, last state, `MotionOutput`s.

    `centred` canvases begin in the middle of the frame: as large as the frame, they would otherwise be cut
    off. `numbers` say where one is, each from 0 to 1. `meeting` actors of a clip, which get the same noise,
    meet where it says: the first moves about that place, the others stay until they learn to move. 0: none
    meet.
    """

    width: int
    heads: int
    score: str
    centred: bool
    numbers: int = 2
    meeting: int = 0

    @nn.compact
    def __call__(self, sentence, actors, noise, frames, state=None):
        role = sentence.embedding + nn.Dense(sentence.embedding.shape[-1], name="role")(actors)
        if state is None:
            state = jnp.tanh(nn.Dense(self.width, name="start")(noise))
            state = jnp.pad(state, ((0, 0), (0, 1)))
        cell = nn.scan(
            MotionCell,
            variable_broadcast="params",
            split_rngs={"params": False},
            in_axes=(nn.broadcast,) * 3,
            length=frames,
        )(self.heads, self.score, self.centred, self.numbers, name="cell")
        last, motion = cell(state, sentence, role, noise)
        return state, last, motion._replace(place=nn.sigmoid(2 * self._placed(motion.place, actors, noise)))

    def _placed(self, moved, actors, noise):
        """The logits of places: how far each actor has moved [t, n, numbers], from where all meet."""
        if not self.meeting:
            return moved
        moves = actors[:, : self.meeting] @ self.param("moves", lambda _: jnp.eye(self.meeting)[0])
        meeting_place = nn.Dense(self.numbers, name="meeting_place")(noise)
        return moves[None, :, None] * moved + meeting_place[None]
