"""The convolutional LSTM (Shi et al. 2015, arXiv 1506.04214, eq. 3, without peepholes).

Under a plain `lax.scan` the weight gradient is one convolution a frame inside a loop, which XLA's CPU
compiler runs as a naive loop nest. `conv_lstm` therefore carries its own reverse rule: the
reverse scan yields the gradients of the gates alone, and the kernel's gradient is a single convolution
over all frames after it. The inputs' convolution stands outside the scan for the same reason.
"""

import functools
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from t2v_jax.nn import layers
from t2v_jax.nn.convolution import conv, kernel_gradient


class State(NamedTuple):
    """What one frame hands to the next: `hidden` and `cell`, each [batch, height, width, channels]."""

    hidden: jax.Array
    cell: jax.Array


@jax.custom_vjp
def _conv_fixed_kernel(images, kernel):
    """`conv` whose kernel gets no gradient and whose reverse is again a forward convolution."""
    return conv(images, kernel)


def _conv_fixed_kernel_forward(images, kernel):
    return conv(images, kernel), kernel


def _conv_fixed_kernel_reverse(kernel, cotangent):
    # The flipped, transposed kernel makes the input gradient a plain convolution, the one form that
    # XLA's CPU compiler runs fast inside a loop.
    transposed = jnp.flip(kernel, (0, 1)).swapaxes(2, 3)
    return conv(cotangent, transposed), jnp.zeros_like(kernel)


_conv_fixed_kernel.defvjp(_conv_fixed_kernel_forward, _conv_fixed_kernel_reverse)


def cell(gates, state_cell):
    """One LSTM cell: gates [..., 4c] (input, forget, output, candidate) -> hidden, cell [..., c]."""
    i, f, o, g = jnp.split(gates, 4, axis=-1)
    new_cell = nn.sigmoid(f) * state_cell + nn.sigmoid(i) * jnp.tanh(g)
    return nn.sigmoid(o) * jnp.tanh(new_cell), new_cell


def _scan(convolve, gate_inputs, kernel, state):
    def frame(state, gate_input):
        state = State(*cell(gate_input + convolve(state.hidden, kernel), state.cell))
        return state, state.hidden

    state, hidden = lax.scan(frame, state, gate_inputs)
    return hidden, state


@jax.custom_vjp
def conv_lstm(gate_inputs, kernel, state):
    """Run the recurrence over time.

    gate_inputs [t, b, h, w, 4c]: what the inputs (and the bias) add to the gates; kernel [k, k, c, 4c],
    hidden to gates; state: the `State` before the first frame. Returns the hidden states [t, b, h, w, c]
    and the last `State`. Differentiable twice in reverse mode.
    """
    return _scan(conv, gate_inputs, kernel, state)


def _conv_lstm_forward(gate_inputs, kernel, state):
    outputs, pullback = jax.vjp(
        lambda gate_inputs, state: _scan(_conv_fixed_kernel, gate_inputs, kernel, state),
        gate_inputs,
        state,
    )
    return outputs, (pullback, kernel, state.hidden, outputs[0])


def _conv_lstm_reverse(residuals, cotangents):
    pullback, kernel, first_hidden, hidden = residuals
    d_gates, d_state = pullback(cotangents)
    previous = jnp.concatenate([first_hidden[None], hidden[:-1]])
    d_kernel = kernel_gradient(_merge(previous), _merge(d_gates), len(kernel))
    return d_gates, d_kernel, d_state


conv_lstm.defvjp(_conv_lstm_forward, _conv_lstm_reverse)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _repeat(frame, frames):
    """[1, ...] -> [frames, ...], whose reverse is a fast sum."""
    return jnp.broadcast_to(frame, (frames, *frame.shape[1:]))


_repeat.defvjp(
    lambda frame, frames: (_repeat(frame, frames), None),
    lambda frames, _, cotangent: (layers.sum_first(cotangent)[None],),
)


def run_unseen(gates, kernel, state, frames):
    """The `State` after so many frames of the same gate inputs [b, h, w, 4c]; `frames` may be traced.

    Nothing is kept of the frames between, and no gradient comes from them.
    """
    gates, kernel, state = lax.stop_gradient((gates, kernel, state))

    def frame(_, state):
        return State(*cell(gates + conv(state.hidden, kernel), state.cell))

    return lax.fori_loop(0, frames, frame, state)


def _merge(frames):
    """[t, b, ...] -> [t * b, ...]."""
    return frames.reshape(-1, *frames.shape[2:])


def zero_state(batch, height, width, channels, dtype=jnp.float32):
    """The state before the first frame."""
    zeros = jnp.zeros((batch, height, width, channels), dtype)
    return State(zeros, zeros)


def resting_state(gates):
    """The `State` that the gates [..., 4c], all but those of the hidden state, leave as it is."""
    i, f, o, g = jnp.split(gates, 4, axis=-1)
    resting = nn.sigmoid(i) * jnp.tanh(g) * (1 + jnp.exp(f))  # c = sigmoid(f) c + sigmoid(i) tanh(g)
    return State(nn.sigmoid(o) * jnp.tanh(resting), resting)


class ConvLSTM(nn.Module):
    """ConvLSTM layer: [t, b, h, w, c] -> hidden states [t, b, h, w, channels], last `State`.

    With `frames` the inputs are one image, seen so many times, after `unseen` times more (`run_unseen`),
    which may be traced. `at_rest` recurrences begin where their first input leaves them, with a hidden kernel
    of zero: what is still stays so until they learn otherwise.
    """

    channels: int
    kernel_size: int = 3
    input_kernel_size: int = 3
    at_rest: bool = False

    @nn.compact
    def __call__(self, inputs, state=None, frames=None, unseen=None):
        time, batch, height, width, features = inputs.shape
        size, gates = (self.kernel_size,) * 2, 4 * self.channels
        input_size = (self.input_kernel_size,) * 2
        init = nn.initializers.lecun_normal()
        input_kernel = self.param("input_kernel", init, (*input_size, features, gates))
        hidden_init = nn.initializers.zeros if self.at_rest else init
        hidden_kernel = self.param("hidden_kernel", hidden_init, (*size, self.channels, gates))
        bias = self.param("bias", _forget_bias, (gates,))
        gate_inputs = conv(_merge(inputs), input_kernel) + bias[None, None, None]
        gate_inputs = gate_inputs.reshape(time, batch, height, width, gates)
        if state is None and self.at_rest:
            state = resting_state(gate_inputs[0])
        elif state is None:
            state = zero_state(batch, height, width, self.channels, inputs.dtype)
        if unseen is not None:
            state = run_unseen(gate_inputs[0], hidden_kernel, state, unseen)
        if frames is not None:
            gate_inputs = _repeat(gate_inputs, frames)
        return conv_lstm(gate_inputs, hidden_kernel, state)


def _forget_bias(_, shape, dtype=jnp.float32):
    """Zero but for the forget gate's one (Jozefowicz et al. 2015): memory lasts from the first step."""
    channels = shape[0] // 4
    return jnp.zeros(shape, dtype).at[channels : 2 * channels].set(1)
