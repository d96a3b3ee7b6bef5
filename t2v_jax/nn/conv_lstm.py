"""The convolutional LSTM (Shi et al. 2015, arXiv 1506.04214, eq. 3, without peepholes).

Under a plain `lax.scan` the weight gradient is one convolution a frame inside a loop, which XLA's CPU
compiler runs as a naive loop nest. `conv_lstm` therefore carries its own reverse rule: the reverse scan
yields the gradients of the gates alone, and those of the kernels and of the inputs are one convolution each,
over all frames, after it. Forward the inputs' convolution stands within the scan, so that what it adds to the
gates, four times as large as a state, is not written for all frames.
"""

import functools
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from t2v_jax.nn.axes import fold, time_major
from t2v_jax.nn.convolution import conv, kernel_gradient
from t2v_jax.nn.precision import widened
from t2v_jax.nn.statistics import sum_first


class State(NamedTuple):
    """What one frame hands to the next: `hidden` and `cell`, each [batch, height, width, channels]."""

    hidden: jax.Array
    cell: jax.Array


class Weights(NamedTuple):
    """What makes the gates: kernels of `inputs` [k, k, i, 4c], `hidden` [k, k, c, 4c]; `bias` [4c]."""

    inputs: jax.Array
    hidden: jax.Array
    bias: jax.Array


def cell(gates, state_cell):
    """One LSTM cell: gates [..., 4c] (input, forget, output, candidate) -> hidden, cell [..., c].

    The cell adds up over the frames, so it is float32 whatever the precision of the gates.
    """
    i, f, o, g = jnp.split(widened(gates), 4, axis=-1)
    new_cell = nn.sigmoid(f) * state_cell + nn.sigmoid(i) * jnp.tanh(g)
    return (nn.sigmoid(o) * jnp.tanh(new_cell)).astype(gates.dtype), new_cell


def from_inputs(images, weights):
    """What the inputs [n, h, w, i] and the bias add to the gates, [n, h, w, 4c]."""
    return conv(images, weights.inputs) + weights.bias[None, None, None]


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def conv_lstm(inputs, weights, state, frames=None):
    """Run the recurrence over time.

    inputs [t, b, h, w, i], or [1, b, h, w, i] the same in each of so many `frames`; `weights`: `Weights`;
    state: the `State` before the first frame. Returns the hidden states [t, b, h, w, c] and the last `State`.
    Differentiable twice in reverse mode.
    """

    def frame(state, added):
        state = State(*cell(added + conv(state.hidden, weights.hidden), state.cell))
        return state, state.hidden

    last, hidden = _over_time(frame, inputs, weights, state, frames)
    return hidden, last


def _over_time(frame, inputs, weights, state, frames):
    if frames is None:
        return lax.scan(lambda state, images: frame(state, from_inputs(images, weights)), state, inputs)
    added = from_inputs(inputs[0], weights)
    return lax.scan(lambda state, _: frame(state, added), state, length=frames)


def _forward(inputs, weights, state, frames):
    def frame(state, added):
        gates = added + conv(state.hidden, weights.hidden)
        after = State(*cell(gates, state.cell))
        return after, (after.hidden, gates, state.cell)

    last, (hidden, gates, cells) = _over_time(frame, inputs, weights, state, frames)
    return (hidden, last), (inputs, weights, state.hidden, hidden, gates, cells)


def _reverse(frames, residuals, cotangents):
    inputs, weights, first_hidden, hidden, gates, cells = residuals
    d_hidden, d_last = cotangents
    # The flipped, transposed kernel makes the gradient of the images a plain convolution, the one form that
    # XLA's CPU compiler runs fast inside a loop.
    transposed = jnp.flip(weights.hidden, (0, 1)).swapaxes(2, 3)

    def frame(d_state, at):
        gates, before, d_hidden = at
        d_gates, d_cell = jax.vjp(cell, gates, before)[1]((d_state.hidden + d_hidden, d_state.cell))
        return State(conv(d_gates, transposed), d_cell), d_gates

    d_state, d_gates = lax.scan(frame, d_last, (gates, cells, d_hidden), reverse=True)
    previous = jnp.concatenate([first_hidden[None], hidden[:-1]])
    d_kernel = kernel_gradient(_images(previous), _images(d_gates), weights.hidden)
    d_added = _images(d_gates) if frames is None else sum_first(d_gates)
    _, pull_back = jax.vjp(lambda inputs, weights: from_inputs(_images(inputs), weights), inputs, weights)
    d_inputs, d_weights = pull_back(d_added)
    return d_inputs, d_weights._replace(hidden=d_kernel), d_state


def _images(frames):
    """[t, b, ...] -> [b * t, ...]."""
    return fold(time_major(frames))


conv_lstm.defvjp(_forward, _reverse)


def run_burn_in(images, weights, state, frames):
    """The `State` after so many frames of the same inputs [b, h, w, i]; `frames` may be traced.

    Nothing is kept of the frames between, and no gradient comes from them.
    """
    images, weights, state = lax.stop_gradient((images, weights, state))
    added = from_inputs(images, weights)

    def frame(_, state):
        return State(*cell(added + conv(state.hidden, weights.hidden), state.cell))

    return lax.fori_loop(0, frames, frame, state)


def zero_state(batch, height, width, channels, dtype=jnp.float32):
    """The state before the first frame."""
    zeros = jnp.zeros((batch, height, width, channels), dtype)
    return State(zeros, widened(zeros))


def resting_state(gates):
    """The `State` that the gates [..., 4c], all but those of the hidden state, leave as it is."""
    i, f, o, g = jnp.split(widened(gates), 4, axis=-1)
    resting = nn.sigmoid(i) * jnp.tanh(g) * (1 + jnp.exp(f))  # c = sigmoid(f) c + sigmoid(i) tanh(g)
    return State((nn.sigmoid(o) * jnp.tanh(resting)).astype(gates.dtype), resting)


class ConvLSTM(nn.Module):
    """ConvLSTM layer: [t, b, h, w, c] -> hidden states [t, b, h, w, channels], last `State`.

    Computes in the precision of its inputs, but for the cells, which are float32.

    With `frames` the inputs are one image, seen so many times, after `burn_in` times more (`run_burn_in`),
    which may be traced. `at_rest` recurrences begin where their first input leaves them, with a hidden kernel
    of zero: what is still stays so until they learn otherwise.
    """

    channels: int
    kernel_size: int = 3
    input_kernel_size: int = 3
    at_rest: bool = False

    @nn.compact
    def __call__(self, inputs, state=None, frames=None, burn_in=None):
        _, batch, height, width, features = inputs.shape
        size, gates = (self.kernel_size,) * 2, 4 * self.channels
        input_size = (self.input_kernel_size,) * 2
        init = nn.initializers.lecun_normal()
        hidden_init = nn.initializers.zeros if self.at_rest else init
        weights = Weights(
            self.param("input_kernel", init, (*input_size, features, gates)),
            self.param("hidden_kernel", hidden_init, (*size, self.channels, gates)),
            self.param("bias", _forget_bias, (gates,)),
        )
        weights = jax.tree.map(lambda weight: weight.astype(inputs.dtype), weights)
        if state is None and self.at_rest:
            state = resting_state(from_inputs(inputs[0], weights))
        elif state is None:
            state = zero_state(batch, height, width, self.channels, inputs.dtype)
        if burn_in is not None:
            state = run_burn_in(inputs[0], weights, state, burn_in)
        return conv_lstm(inputs, weights, state, frames)


def _forget_bias(_, shape, dtype=jnp.float32):
    """Zero but for the forget gate's one (Jozefowicz et al. 2015): memory lasts from the first step."""
    channels = shape[0] // 4
    return jnp.zeros(shape, dtype).at[channels : 2 * channels].set(1)
