"""Random numbers are even, those of different clips and calls unrelated, and the same in every batch."""

import numpy as np
import pytest

from t2v_jax.data.draws import Draws

MANY = np.arange(20_000)


def excess(counts):
    """How far counts are from even, in standard deviations of the chi-square statistic."""
    expected, freedom = counts.sum() / counts.size, counts.size - 1
    return (((counts - expected) ** 2 / expected).sum() - freedom) / np.sqrt(2 * freedom)


@pytest.mark.parametrize("numbers", [MANY, 2**40 + 1000 * MANY], ids=["near", "far"])
def test_numbers_are_even_and_unrelated(numbers):
    draws = Draws([3, 1], numbers)
    first, second = draws.integers(10), draws.integers(10)
    assert min(first.min(), second.min()) >= 0 and max(first.max(), second.max()) < 10
    for one, other in ((first, second), (first[1:], first[:-1]), (first[1:], second[:-1])):
        assert excess(np.histogram2d(one, other, bins=10, range=[[0, 10]] * 2)[0]) < 4


def test_numbers_lie_between_the_bounds_of_each_clip():
    low, high = np.array([-1.0, 5.0, 7.0]), np.array([1.0, 5.5, 7.0])
    draws = Draws([0], [0, 1, 2])
    drawn = np.stack([draws.uniform(low, high) for _ in range(1_000)])
    assert (drawn >= low).all() and (drawn <= high).all()
    np.testing.assert_allclose(drawn.mean(0), (low + high) / 2, atol=0.1)
    np.testing.assert_allclose(np.ptp(drawn, 0), high - low, rtol=0.02)


def test_bits_are_balanced():
    bits = np.unpackbits(Draws([0], MANY).bits().view(np.uint8)[:, None], axis=1).reshape(len(MANY), 64)
    assert np.abs(bits.mean(0) - 0.5).max() < 0.02


def test_they_are_a_function_of_the_key_and_the_clips_number():
    whole, part = Draws([2**70, 5], [4, 9, 6]), Draws([2**70, 5], [6, 4])
    for _ in range(3):
        np.testing.assert_array_equal(whole.bits()[[2, 0]], part.bits())
    for other in ([1], [0, 0], [0, 1]):
        assert (Draws([0], MANY).bits() != Draws(other, MANY).bits()).all()
