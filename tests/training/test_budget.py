"""How much of a run is done: by its steps, to the bit, or by the clock."""

import types

import pytest

from t2v_jax.training.budget import Budget


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is moved: clock[0] is its time in seconds."""
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def settings(steps=8, minutes=0.0):
    return types.SimpleNamespace(steps=steps, minutes=minutes)


def test_by_steps_progress_is_their_share_whatever_the_clock_says(clock):
    budget = Budget(settings(), 2, 0.9)
    shares = [budget.progress]
    while not budget.done:
        clock[0] += 1e6
        budget.stepped()
        shares.append(budget.progress)
    assert shares == [2 / 8, 3 / 8, 4 / 8, 5 / 8, 6 / 8, 7 / 8, 1.0]


def test_by_the_clock_progress_ends_with_the_minutes(clock):
    budget = Budget(settings(1_000, minutes=1.0), 0, 0.0)
    shares = []
    for seconds in (6, 12, 24, 18):
        assert not budget.done
        clock[0] += seconds
        budget.stepped()
        shares.append(budget.progress)
    assert shares == pytest.approx([0.1, 0.3, 0.7, 1.0]) and budget.done


def test_a_run_that_goes_on_has_the_rest_of_its_minutes(clock):
    budget = Budget(settings(1_000, minutes=1.0), 70, 0.5)
    clock[0] += 15
    budget.stepped()
    assert budget.progress == pytest.approx(0.75)


def test_time_that_compiling_took_moves_nothing_and_is_gone(clock):
    budget = Budget(settings(1_000, minutes=1.0), 0, 0.0)
    clock[0] += 36
    budget.stepped(waited=30)
    assert budget.progress == pytest.approx(6 / 30)
    clock[0] += 24
    budget.stepped()
    assert budget.done and budget.progress == pytest.approx(1)


def test_steps_are_the_most_that_minutes_allow(clock):
    budget = Budget(settings(2, minutes=60.0), 0, 0.0)
    for _ in range(2):
        clock[0] += 1
        budget.stepped()
    assert budget.done and budget.progress < 0.001


def test_a_time_that_is_up_before_the_first_step_ends_after_it(clock):
    budget = Budget(settings(1_000, minutes=0.1), 0, 0.0)
    clock[0] += 60
    budget.stepped(waited=59)
    assert budget.done and budget.progress == 1 and budget.left == 0


def test_what_is_left_is_seconds_of_the_clock(clock):
    budget = Budget(settings(1_000, minutes=1.0), 0, 0.25)
    clock[0] += 5
    assert budget.left == 40
    assert Budget(settings(), 0, 0.0).left is None


def test_what_others_are_told_stays_until_they_are_told_again(clock):
    budget = Budget(settings(1_000, minutes=1.0), 0, 0.0, every=3)
    shares = []
    for _ in range(6):
        clock[0] += 10
        budget.stepped()
        shares.append(budget.progress)
    assert shares == pytest.approx([0, 0, 0.5, 0.5, 0.5, 1.0]) and budget.done
