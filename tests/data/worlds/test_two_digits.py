"""Each of two digits moves in its own motion, and the order of the caption changes no meaning."""

import numpy as np
import pytest

from t2v_jax.data.worlds.two_digits import TwoDigits
from tests.data.worlds.mnist_files import write_mnist


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """A world in which digit d is a whole square of the gray 20 (d + 1), so that it can be told apart."""
    directory = tmp_path_factory.mktemp("blocks")
    grays = 20 * np.arange(1, 11, dtype=np.uint8)
    glyphs = np.broadcast_to(grays[:, None, None], (10, 28, 28))
    write_mnist(directory, np.ascontiguousarray(glyphs), np.arange(10, dtype=np.uint8))
    return TwoDigits("train", 200, directory=str(directory))


def corners(clip, digit):
    """[frames, 2]: the top left of the last and, where wholly seen, exact place of a block."""
    return np.array([np.argwhere(frame == 20 * (digit + 1)).min(0) for frame in clip[..., 0]])


def digits(element):
    """(digit, motion) of both, the one that is seen above the other first."""
    pairs = [(element["digit_1"], element["motion_1"]), (element["digit_2"], element["motion_2"])]
    return sorted(pairs, reverse=True)


def test_the_brighter_digit_is_above_and_moves_as_captioned(blocks):
    for element in blocks:
        digit, motion = digits(element)[0]
        places = corners(element["clip"], digit)
        assert (element["clip"] == 20 * (digit + 1)).sum((1, 2, 3)).tolist() == [28 * 28] * 16
        assert np.ptp(places[:, motion]) == 0
        assert np.ptp(places[:, 1 - motion]) >= 18


def test_the_digit_beneath_moves_as_captioned(blocks):
    for element in blocks:
        digit, motion = digits(element)[1]
        whole = (element["clip"] == 20 * (digit + 1)).sum((1, 2, 3)) == 28 * 28
        places = corners(element["clip"][whole], digit) if whole.any() else np.zeros((1, 2))
        assert np.ptp(places[:, motion]) == 0
        assert whole.sum() < 8 or np.ptp(places[:, 1 - motion]) >= 8


def test_the_digits_have_their_own_pace_and_place(blocks):
    both = [e for e in blocks if e["motion_1"] == e["motion_2"]]
    for element in both:
        one, other = (corners(element["clip"], digit) for digit, _ in digits(element))
        assert not np.array_equal(np.diff(one, axis=0), np.diff(other, axis=0))


def test_the_digits_of_a_pair_differ():
    for split in ("train", "held_out"):
        assert all(a != b for a, _, b, _ in TwoDigits(split).combinations)


def test_the_order_of_the_digits_does_not_change_the_meaning():
    for split in ("train", "held_out"):
        source = TwoDigits(split)
        for a, i, b, j in source.combinations:
            assert (b, j, a, i) in source.combinations
            assert source.caption_class((a, i, b, j)) == source.caption_class((b, j, a, i))


def test_the_wordings():
    captions = TwoDigits("train").captions() | TwoDigits("held_out").captions()
    assert "digit 6 is up and down and digit 3 is left and right." in captions
    assert "the digit 6 is moving up and down and the digit 3 is moving left and right" in captions
