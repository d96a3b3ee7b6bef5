"""Another colour behind what a video shows."""

import numpy as np
import pytest

from t2v_jax.errors import UsageError
from t2v_jax.inference.background import parse_color, replace_background

NAVY = (0, 0, 128)


@pytest.fixture
def framed():
    """Two frames of white paper with a black frame around a white square, its outer border half gray."""
    video = np.full((2, 16, 16, 1), 255, np.uint8)
    video[:, 3:13, 3:13] = 128
    video[:, 4:12, 4:12] = 0
    video[:, 6:10, 6:10] = 255
    return video


def test_the_background_alone_changes_its_colour(framed):
    replaced = replace_background(framed, NAVY)
    assert replaced.shape == (2, 16, 16, 3) and replaced.dtype == np.uint8
    assert (replaced[:, :3] == NAVY).all()
    assert (replaced[:, 4:6, 4:12] == 0).all()
    assert (replaced[:, 6:10, 6:10] == 255).all()  # white inside stays white


def test_a_border_that_was_half_background_is_half_the_new_one(framed):
    replaced = replace_background(framed, NAVY)
    np.testing.assert_allclose(
        replaced[:, 3, 4:12].astype(int), np.broadcast_to([0, 0, 64], (2, 8, 3)), atol=2
    )


def test_the_same_colour_changes_nothing(framed):
    np.testing.assert_array_equal(replace_background(framed, (255, 255, 255)), framed.repeat(3, -1))


def test_a_frame_that_changes_as_a_whole_is_refused():
    noise = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    with pytest.raises(UsageError, match="the whole frame changes"):
        replace_background(noise, NAVY)


def test_colours_are_written_as_on_web_pages():
    assert parse_color("navy") == parse_color("#000080") == NAVY
    with pytest.raises(UsageError, match="--background=nvay; expected a colour"):
        parse_color("nvay")
