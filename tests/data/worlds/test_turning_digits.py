"""A digit moves as the first word says, turns once and moves back."""

import numpy as np
import pytest

from t2v_jax.data.worlds.turning_digits import TurningDigits
from tests.data.worlds.tracks import track

FIRST = {"up": (0, -1), "down": (0, 1), "left": (1, -1), "right": (1, 1)}


@pytest.mark.parametrize("sizes", [{}, {"frames": 10, "size": 32, "digit_size": 14}, {"frames": 160}])
@pytest.mark.parametrize("split", ["train", "held_out"])
def test_the_digit_moves_as_captioned(sizes, split):
    source = TurningDigits(split, 40, **sizes)
    for element in source:
        first, _, then = TurningDigits.attributes["motion"][element["motion"]].partition(" then ")
        axis, sense = FIRST[first]
        assert FIRST[then] == (axis, -sense)
        path = track(element["clip"])
        assert np.ptp(path[:, 1 - axis]) < 1e-9
        there = sense * path[:, axis]
        turn = there.argmax()
        assert (np.diff(there[: turn + 1]) > -1e-9).all() and (np.diff(there[turn:]) < 1e-9).all()
        assert min(there[turn] - there[0], there[turn] - there[-1]) >= source.size / 8


def test_the_ink_stays_whole_within_the_frame():
    for element in TurningDigits("test", 200):
        foreground = element["clip"].sum((1, 2, 3), dtype=int)
        assert foreground.min() == foreground.max() > 0


def test_the_wordings():
    assert "the digit 3 is moving down then up." in TurningDigits("train").captions()
    assert "the digit 3 is moving up then down." in TurningDigits("held_out").captions()
