"""Placing a canvas sets the same picture elsewhere; sums are sums; pixels begin alike, or are smoothed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from t2v_jax.nn import geometry, layers, resampling, statistics

CANVAS = jax.random.uniform(jax.random.key(0), (1, 4, 4, 2))


def placed(y, x):
    return np.asarray(geometry.place(CANVAS, jnp.array([[y, x]]), 16))[0]


def test_a_canvas_on_whole_pixels_is_copied():
    frame = placed(6 / 16, 9 / 16)
    np.testing.assert_allclose(frame[4:8, 7:11], CANVAS[0], rtol=1e-6)
    np.testing.assert_allclose(frame.sum((0, 1)), CANVAS.sum((0, 1, 2)), rtol=1e-5)


@given(st.floats(0, 1), st.floats(0, 1))
def test_between_pixels_a_parabola_stays_one_and_no_ink_is_lost(down, across):
    y, x = np.indices((8, 8), np.float32)
    heights = 0.1 * (y - 3) ** 2 - 0.2 * (x - 4) ** 2 + 0.3 * x * y
    frame = np.asarray(geometry.place(heights[None, ..., None], (7 + np.array([[down, across]])) / 16, 16))[0]
    inside = np.s_[5:9, 5:9]  # two pixels and more from the canvas's border, wherever it is
    y, x = np.indices((16, 16))[:, *inside] - 3 - np.array([down, across])[:, None, None]
    expected = 0.1 * (y - 3) ** 2 - 0.2 * (x - 4) ** 2 + 0.3 * x * y
    np.testing.assert_allclose(frame[inside][..., 0], expected, atol=1e-4)
    np.testing.assert_allclose(frame.sum(), heights.sum(), rtol=1e-4)


def test_what_reaches_beyond_the_frame_is_cut_off():
    frame = placed(0.0, 0.0)
    np.testing.assert_allclose(frame[:2, :2], CANVAS[0, 2:, 2:], rtol=1e-6)
    assert np.all(frame[2:] == 0) and np.all(frame[:, 2:] == 0)


def test_a_camera_sees_a_part_of_a_picture_and_never_beyond_it():
    y, x = np.indices((12, 12))
    picture = (0.1 * y + 0.3 * x)[None, ..., None].astype(np.float32)
    centres = jnp.array([[[0.5, 0.5]], [[0.5, 0.25]], [[0.5, 0.5]]])
    shares = jnp.array([[[0.5]], [[0.5]], [[0.75]]])
    middle, left, more = np.asarray(geometry.view(picture, centres, shares, 6))[:, 0]
    np.testing.assert_allclose(middle, picture[0, 3:9, 3:9], atol=1e-5)
    np.testing.assert_allclose(left, picture[0, 3:9, :6], atol=1e-5)
    np.testing.assert_allclose(np.diff(more[..., 0], axis=1), 0.45, atol=1e-5)  # nine pixels shown as six
    np.testing.assert_allclose(more.mean(), picture.mean(), atol=1e-5)


def test_a_window_fades_over_an_eighth_of_the_side():
    seen = geometry.window(32)[..., 0]
    np.testing.assert_allclose(seen[16, :5], [0.125, 0.375, 0.625, 0.875, 1])
    np.testing.assert_array_equal(seen, seen[::-1].T)


def test_the_gradient_pulls_a_canvas_towards_its_target():
    target = placed(6.3 / 16, 9 / 16)

    def distance(y):
        return jnp.square(geometry.place(CANVAS, jnp.stack([y, 9 / 16])[None], 16)[0] - target).sum()

    assert jax.grad(distance)(6.1 / 16) < 0 < jax.grad(distance)(6.6 / 16)


def test_sums_means_and_deviations_are_those_of_numpy():
    clips = jax.random.normal(jax.random.key(0), (5, 3, 4, 2))
    np.testing.assert_allclose(statistics.sum_first(clips), np.sum(clips, 0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(statistics.mean_each(clips), np.mean(clips, (1, 2, 3)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(statistics.deviation(clips), np.std(clips, 0).mean(), rtol=1e-5)


def test_the_four_pixels_of_one_begin_equal():
    images = jax.random.normal(jax.random.key(0), (1, 4, 4, 3))
    painter = layers.Convolution(8, kernel_init=layers.icnr)
    larger = resampling.depth_to_space(painter.init_with_output(jax.random.key(1), images)[0])
    blocks = np.asarray(larger).reshape(4, 2, 4, 2, 2)
    assert larger.std() > 0.1
    np.testing.assert_array_equal(blocks, np.broadcast_to(blocks[:, :1, :, :1], blocks.shape))


def test_smoothing_keeps_what_is_even_and_removes_what_alternates():
    even = jnp.full((2, 6, 5, 3), 0.7)
    rows, columns = np.indices((6, 5))[:, None, ..., None]
    np.testing.assert_allclose(resampling.blur(even), even, rtol=1e-6)
    for pattern in ((-1) ** rows, (-1) ** columns, (-1) ** (rows + columns)):
        smoothed = resampling.blur(even + 0.2 * pattern)
        np.testing.assert_allclose(smoothed[:, 1:-1, 1:-1], even[:, 1:-1, 1:-1], rtol=1e-6)


def test_smoothing_shares_a_pixel_out_to_its_neighbours():
    smoothed = resampling.blur(jnp.zeros((1, 5, 5, 1)).at[0, 2, 2].set(16.0))[0, 1:4, 1:4, 0]
    np.testing.assert_allclose(smoothed, [[1, 2, 1], [2, 4, 2], [1, 2, 1]])


@pytest.mark.parametrize(("clips", "sizes"), [(6, (1, 6)), (64, (1, 64)), (96, (2, 48)), (67, (1, 67))])
def test_groups_divide_a_batch_and_keep_what_belongs_to_a_clip_beside_it(clips, sizes):
    rows = jnp.repeat(jnp.arange(clips), 3)
    groups, size = sizes
    assert statistics.groups(rows, clips).shape == (groups, 3 * size)
    np.testing.assert_array_equal(statistics.groups(rows, clips)[-1, -3:], clips - 1)
