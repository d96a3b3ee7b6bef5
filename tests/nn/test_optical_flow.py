"""The flow says where an image moves, and by how much, unless it is nearly flat."""

import jax
import numpy as np
import pytest

from t2v_jax.nn.optical_flow import normal_flow


def waves(shift_y, shift_x, contrast=1.0):
    y, x = np.indices((16, 16))
    phases = (y - shift_y) / 2.5, (x - shift_x) / 3
    colours = [np.sin(phases[0]) * np.cos(phases[1] + colour) for colour in range(3)]
    return contrast * np.stack(colours, axis=-1)[None].astype(np.float32)


@pytest.mark.parametrize("velocity", [(0, 0.5), (0, -0.5), (0.4, 0), (-0.4, 0)])
def test_the_flow_is_the_velocity_of_what_is_shifted(velocity):
    flow = normal_flow(waves(0, 0, contrast=4), waves(*velocity, contrast=4))[0, 2:-2, 2:-2]
    np.testing.assert_allclose(np.median(flow, axis=(0, 1)), velocity, atol=0.05)


def test_little_contrast_tells_less_but_the_same_direction():
    strong, weak = (normal_flow(waves(0, 0, by), waves(0, 0.5, by)).mean((0, 1, 2))[1] for by in (1.0, 0.5))
    assert 0.5 * strong < weak < strong < 0.5


def test_what_is_flat_has_no_flow_and_a_finite_gradient():
    flat = np.full((2, 8, 8, 3), 0.7, np.float32)
    np.testing.assert_array_equal(normal_flow(flat, flat - 0.5), 0)
    gradient = jax.grad(lambda after: normal_flow(flat, after).sum())(flat)
    assert np.isfinite(gradient).all()
