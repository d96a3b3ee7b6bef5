"""A shape has the form, size and colour of its caption, and moves as it says."""

import numpy as np
import pytest

from t2v_jax.data.worlds.moving_shapes import COLORS, DIRECTIONS, MovingShapes
from tests.data.worlds.tracks import track

SIZES = [(16, 64), (10, 32), (160, 64)]


@pytest.fixture(scope="module", params=SIZES, ids=str)
def clips(request):
    """Elements of clips of [frames, size] pixels."""
    frames, size = request.param
    return list(MovingShapes("held_out", 1200 // frames, frames=frames, size=size))


@pytest.fixture(scope="module")
def many():
    return list(MovingShapes("train", 400))


def named(element):
    """The names of an element's five values."""
    return {name: values[element[name]] for name, values in MovingShapes.attributes.items()}


def shares(clip):
    """[frames, height, width]: how much of each pixel is painted."""
    levels = clip.max(-1).astype(float)
    return levels / levels.max()


def test_the_shape_has_the_colour_of_the_caption(clips):
    for element in clips:
        rows = element["clip"].reshape(-1, 3).astype(int)
        brightest = rows[rows.sum(1).argmax()]
        np.testing.assert_array_equal(brightest, COLORS[named(element)["color"]])


def test_small_and_large_are_apart(clips):
    sides = {"small": [], "large": []}
    for element in clips:
        area = shares(element["clip"])[0].sum()
        sides[named(element)["size"]].append(np.sqrt(area) / len(element["clip"][0]))
    assert max(sides["small"]) * 1.1 < min(sides["large"])
    assert np.ptp(sides["small"]) > 0 and np.ptp(sides["large"]) > 0


def test_the_outline_is_the_captions_shape(many):
    for element in many:
        painted = shares(element["clip"])[0]
        rows, columns = painted.max(1), painted.max(0)
        filled = painted.sum() / (rows.sum() * columns.sum())
        expected = {"square": 1, "circle": np.pi / 4, "triangle": 1 / 2}[named(element)["shape"]]
        assert filled == pytest.approx(expected, abs=0.12)


def test_the_shape_stays_whole_within_the_frame(clips):
    for element in clips:
        clip = element["clip"]
        assert max(clip[:, [0, -1]].max(), clip[:, :, [0, -1]].max()) < 10
        painted = shares(clip).sum((1, 2))
        assert np.ptp(painted) < 0.05 * painted.mean()


def test_the_shape_moves_steadily_in_the_captions_direction(clips):
    for element in clips:
        axis, sense = DIRECTIONS[named(element)["direction"]]
        steps = sense * np.diff(track(element["clip"])[:, axis])
        assert steps.sum() > element["clip"].shape[1] / 6
        assert np.abs(steps - steps.mean()).max() < 0.15


def test_a_zigzag_sways_across_its_direction_and_a_straight_line_does_not(clips):
    for element in clips:
        axis, _ = DIRECTIONS[named(element)["direction"]]
        across = track(element["clip"])[:, 1 - axis]
        if "zigzag" in named(element)["motion"]:
            assert 7 / 64 < np.ptp(across) / element["clip"].shape[1] < 10.5 / 64
            assert np.count_nonzero(np.diff(np.sign(np.diff(across)))) >= 2
        else:
            assert np.ptp(across) < 0.2


def test_the_pace_of_a_short_clip_is_its_own(many):
    paces = []
    for element in many:
        axis, _ = DIRECTIONS[named(element)["direction"]]
        paces.append(np.abs(np.diff(track(element["clip"])[:, axis])).mean())
    assert 1.15 < min(paces) < 1.3 and 1.9 < max(paces) < 2.05


def test_every_place_is_reached(many):
    painted = np.max([element["clip"].max((0, -1)) for element in many], axis=0)
    assert (painted[3:-3, 3:-3] > 0).mean() > 0.99


def test_the_wordings():
    captions = MovingShapes("train").captions() | MovingShapes("held_out").captions()
    assert len(captions) == 720
    assert "a small red circle is moving left in a straight line" in captions
    assert "the large blue square moves up in a zigzag" in captions
    assert "a white triangle of large size goes down in a straight line" in captions
