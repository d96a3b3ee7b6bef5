"""Placing: a canvas set into a frame is the same picture elsewhere."""

import jax
import jax.numpy as jnp
import numpy as np

from t2v_jax.nn import layers

CANVAS = jax.random.uniform(jax.random.key(0), (1, 4, 4, 2))


def placed(y, x):
    return np.asarray(layers.place(CANVAS, jnp.array([[y, x]]), 16))[0]


def test_a_canvas_on_whole_pixels_is_copied():
    frame = placed(6 / 16, 9 / 16)
    np.testing.assert_allclose(frame[4:8, 7:11], CANVAS[0], rtol=1e-6)
    np.testing.assert_allclose(frame.sum((0, 1)), CANVAS.sum((0, 1, 2)), rtol=1e-5)


def test_between_pixels_it_is_shared_out_linearly():
    halfway = (placed(6 / 16, 9 / 16) + placed(7 / 16, 9 / 16)) / 2
    np.testing.assert_allclose(placed(6.5 / 16, 9 / 16), halfway, rtol=1e-5)


def test_what_reaches_beyond_the_frame_is_cut_off():
    frame = placed(0.0, 0.0)
    np.testing.assert_allclose(frame[:2, :2], CANVAS[0, 2:, 2:], rtol=1e-6)
    assert np.all(frame[2:] == 0) and np.all(frame[:, 2:] == 0)


def test_the_gradient_pulls_a_canvas_towards_its_target():
    target = placed(6.3 / 16, 9 / 16)

    def distance(y):
        return jnp.square(layers.place(CANVAS, jnp.stack([y, 9 / 16])[None], 16)[0] - target).sum()

    assert jax.grad(distance)(6.1 / 16) < 0 < jax.grad(distance)(6.6 / 16)
