"""The ConvLSTM's own reverse rule against automatic differentiation of a plain Python loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax.nn import conv_lstm
from t2v_jax.nn.convolution import plain_conv


def python_loop(inputs, weights, state):
    """The recurrence written out frame by frame, differentiated by JAX alone."""
    states = []
    for images in inputs:
        gates = plain_conv(images, weights.inputs) + weights.bias[None, None, None]
        gates = gates + plain_conv(state.hidden, weights.hidden)
        i, f, o, g = jnp.split(gates, 4, axis=-1)
        cell = jax.nn.sigmoid(f) * state.cell + jax.nn.sigmoid(i) * jnp.tanh(g)
        state = conv_lstm.State(jax.nn.sigmoid(o) * jnp.tanh(cell), cell)
        states.append(state.hidden)
    return jnp.stack(states), state


def arguments(dtype, time=4, batch=2, size=5, features=2, channels=3):
    def normal(*shape):
        return jax.random.normal(next(keys), shape, dtype)

    keys = iter(jax.random.split(jax.random.key(0), 6))
    frame, gates = (batch, size, size), 4 * channels
    kernels = normal(3, 3, features, gates) / 2, normal(3, 3, channels, gates) / 3
    weights = conv_lstm.Weights(*kernels, normal(gates))
    state = conv_lstm.State(normal(*frame, channels), normal(*frame, channels))
    return normal(time, *frame, features), weights, state


def loss_of(recurrence):
    """A scalar that every output enters unevenly."""

    def loss(arguments):
        hidden, last = recurrence(*arguments)
        weights = jnp.cos(jnp.arange(hidden.size, dtype=hidden.dtype)).reshape(hidden.shape)
        return jnp.sum(weights * hidden**2) + jnp.sum(last.cell**3) + jnp.sum(jnp.sin(last.hidden))

    return loss


def gradient_norm_of(recurrence):
    """A loss of the gradient itself: its gradient is of second order."""

    def norm(arguments):
        gradients = jax.grad(loss_of(recurrence))(arguments)
        return sum(jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(gradients))

    return norm


def relative_error(got, wanted):
    pairs = zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True)
    return max(float(jnp.linalg.norm((a - b).ravel()) / jnp.linalg.norm(b.ravel())) for a, b in pairs)


@pytest.mark.parametrize("objective", [loss_of, gradient_norm_of], ids=["first", "second"])
@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-5), ("float64", 1e-10)])
def test_gradient_equals_that_of_a_python_loop(objective, dtype, bound):
    with jax.enable_x64(dtype == "float64"):
        inputs = arguments(dtype)
        got = jax.jit(jax.grad(objective(conv_lstm.conv_lstm)))(inputs)
        wanted = jax.jit(jax.grad(objective(python_loop)))(inputs)
        assert jax.tree.leaves(got)[0].dtype == dtype
        assert relative_error(got, wanted) < bound


def test_a_recurrence_at_rest_repeats_until_its_kernel_learns():
    layer = conv_lstm.ConvLSTM(3, at_rest=True)
    image = jax.random.normal(jax.random.key(0), (1, 2, 5, 5, 4))
    parameters = layer.init(jax.random.key(1), image)
    hidden, last = layer.apply(parameters, image, frames=7)
    assert hidden.shape == (7, 2, 5, 5, 3) and hidden.std() > 0.1
    np.testing.assert_allclose(hidden, jnp.broadcast_to(last.hidden, hidden.shape), atol=1e-6)
    repeated, _ = layer.apply(parameters, jnp.repeat(image, 7, axis=0))
    np.testing.assert_allclose(hidden, repeated, atol=1e-6)
    gradient = jax.grad(lambda parameters: layer.apply(parameters, image)[0].std())(parameters)
    assert np.any(gradient["params"]["hidden_kernel"])


def test_one_input_for_all_frames_is_that_input_in_each():
    inputs, weights, state = arguments("float32", time=1)

    def steady(inputs, weights, state):
        return conv_lstm.conv_lstm(inputs, weights, state, 5)

    def repeated(inputs, weights, state):
        return conv_lstm.conv_lstm(jnp.repeat(inputs, 5, axis=0), weights, state)

    got, wanted = (jax.grad(loss_of(way))((inputs, weights, state)) for way in (steady, repeated))
    assert relative_error(got, wanted) < 1e-5


def test_frames_unseen_count_as_if_they_had_been_seen_but_teach_nothing():
    inputs, weights, state = arguments("float32", time=1)
    repeated = jnp.repeat(inputs, 5, axis=0)
    _, wanted = conv_lstm.conv_lstm(repeated, weights, state)

    @jax.jit
    def burn_in(weights, frames):
        return conv_lstm.run_burn_in(inputs[0], weights, state, frames)

    for frames, last in ((5, wanted), (0, state)):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), burn_in(weights, frames), last)
    gradient = jax.grad(lambda weights: burn_in(weights, 5).cell.sum())(weights)
    assert not any(map(np.any, gradient))


def test_two_halves_equal_the_whole():
    inputs, weights, state = arguments("float32", time=6)
    whole, last = conv_lstm.conv_lstm(inputs, weights, state)
    first, middle = conv_lstm.conv_lstm(inputs[:3], weights, state)
    second, end = conv_lstm.conv_lstm(inputs[3:], weights, middle)
    np.testing.assert_allclose(jnp.concatenate([first, second]), whole, atol=1e-6)
    np.testing.assert_allclose(end.cell, last.cell, atol=1e-6)


def test_each_frame_depends_on_the_ones_before_and_none_after():
    inputs, weights, state = arguments("float32", time=5)
    before, _ = conv_lstm.conv_lstm(inputs, weights, state)
    after, _ = conv_lstm.conv_lstm(inputs.at[2].add(1), weights, state)
    changed = np.abs(after - before).max((1, 2, 3, 4)) > 1e-4
    assert changed.tolist() == [False, False, True, True, True]


def test_no_weight_gradient_inside_the_compiled_loop():
    """Forward a frame has two convolutions, in reverse one; the gradients of kernels stand after the loop."""
    inputs = arguments("float32", time=7)
    jaxpr = jax.make_jaxpr(jax.grad(loss_of(conv_lstm.conv_lstm)))(inputs).jaxpr
    text = jax.jit(jax.grad(loss_of(conv_lstm.conv_lstm))).lower(inputs).compile().as_text()
    loops = [equation for equation in jaxpr.eqns if equation.primitive.name == "scan"]
    assert len(loops) == 2
    assert convolutions_in_loops(text) == 3


def convolutions_in_loops(hlo):
    """Convolutions of a compiled program outside its entry computation."""
    bodies, entry = hlo.split("ENTRY ", 1)
    assert "while" in entry
    return sum("convolution(" in line or "__onednn$conv" in line for line in bodies.splitlines())
