"""Intervals are those of the books, and the Fréchet distance that of known normal distributions."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from t2v_jax.evaluation.statistics import frechet_distance, mean, relative, share, wilson_interval


@given(total=st.integers(1, 2000), part=st.floats(0, 1))
def test_the_interval_of_a_share_is_wilsons(total, part):
    right = round(part * total)
    known = scipy.stats.binomtest(right, total).proportion_ci(method="wilson")
    assert wilson_interval(right, total) == pytest.approx((known.low, known.high), abs=1e-9)


def test_a_share_counts_all_seeds_and_tells_each():
    right = np.array([[True, True, False, True], [False, False, True, True]])
    told = share(right)
    assert (told["value"], told["right"], told["clips"]) == (5 / 8, 5, 8)
    assert (told["low"], told["high"]) == wilson_interval(5, 8)
    assert told["by_seed"] == [0.75, 0.5]


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20))
def test_the_interval_of_a_mean_is_students(values):
    told = mean(np.array(values)[:, None])
    half = scipy.stats.t.ppf(0.975, len(values) - 1) * scipy.stats.sem(values)
    known = np.mean(values), np.mean(values) - half, np.mean(values) + half
    assert (told["value"], told["low"], told["high"]) == pytest.approx(known, abs=1e-6)
    assert told["by_seed"] == values


def test_a_single_number_has_no_interval():
    assert mean(np.array([[2.0]])) == {"value": 2.0, "low": None, "high": None, "by_seed": [2.0]}


def test_relative_is_a_multiple_of_the_real_score():
    score = {"value": 0.6, "low": 0.5, "high": None}
    assert relative(score, {"value": 0.8}) == {"value": pytest.approx(0.75), "low": 0.625, "high": None}
    assert relative(score, {"value": 0.0}) == {"value": None, "low": None, "high": None}


def exact(rng, middle, root):
    """A sample of exactly that mean and covariance root @ root.T."""
    noise = rng.normal(size=(500, len(middle)))
    noise -= noise.mean(0)
    white = noise @ np.linalg.inv(np.linalg.cholesky(np.cov(noise, rowvar=False))).T
    return white @ root.T + middle


def test_the_frechet_distance_of_normal_samples():
    rng = np.random.default_rng(0)
    root = np.array([[2.0, 0, 0], [1, 1, 0], [0, 0, 0.5]])
    ours = exact(rng, np.zeros(3), root)
    assert frechet_distance(ours, exact(rng, np.zeros(3), root)) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(ours, exact(rng, np.array([3.0, 0, 4]), root)) == pytest.approx(25)
    # Thrice the deviation: tr(C + 9 C - 2 * 3 C) = 4 tr C.
    wide = exact(rng, np.zeros(3), 3 * root)
    assert frechet_distance(ours, wide) == pytest.approx(4 * np.trace(root @ root.T))
    assert frechet_distance(wide, ours) == pytest.approx(frechet_distance(ours, wide))
