"""Programs that compile while others run: each once, in order, and their errors where they are asked for."""

import itertools

import pytest

from t2v_jax.training.programs import Programs
from t2v_jax.training.steps import variant_at, variants_from


def test_each_variant_is_made_once_and_in_order():
    made = []

    def compile(variant):
        made.append(variant)
        return f"program {variant}"

    with Programs(compile, ["b", "a", "b"]) as programs:
        assert [programs[variant] for variant in ("a", "b", "a")] == ["program a", "program b", "program a"]
        assert sorted(made) == ["a", "b"] and made[0] == "b"
        assert programs["unforeseen"] == programs["unforeseen"] == "program unforeseen"
    assert made[2:] == ["unforeseen"]


def test_what_fails_to_compile_says_so_where_it_is_asked_for():
    def compile(variant):
        if variant == "bad":
            raise ValueError("no such instruction")
        return variant

    with Programs(compile, ["good", "bad"]) as programs:
        assert programs["good"] == "good"
        with pytest.raises(ValueError, match="no such instruction"):
            programs["bad"]


@pytest.mark.parametrize("starts", [(0,), (0, 1), (0, 3, 5), (0, 4, 6, 30)])
def test_the_variants_of_a_run_are_those_of_its_steps(small, starts):
    small.schedule.stages = tuple((start, 4, 2, 1 + place % 2) for place, start in enumerate(starts))
    for every, step, small.steps in itertools.product((1, 2, 3, 7), range(9), (1, 2, 9, 40)):
        small.loss.penalty_every = every
        needed = [variant_at(small, late) for late in range(step, small.steps)]
        assert [*variants_from(small, step)] == [*dict.fromkeys(needed)]


def test_penalties_that_hardly_ever_come_are_looked_for_at_once(small):
    small.loss.penalty_every, small.steps = 10**9, 2 * 10**9
    assert [penalised for _, penalised in variants_from(small, 0)] == [False, True]


def test_a_game_without_penalties_has_one_program_a_stage(small):
    small.loss.penalty = "none"
    assert [penalised for _, penalised in variants_from(small, 0)] == [False]


def test_a_run_by_the_clock_is_in_its_last_stage_in_time(small):
    small.schedule.stages = ((0, 4, 2, 1), (10, 4, 3, 1), (1_000, 4, 4, 1))

    def painted(step, progress):
        return variant_at(small, step, progress)[0].painted

    assert painted(2, 0.9) == 2 and painted(20, 0.9) == 3  # by steps
    small.minutes = 1.0
    assert painted(2, 0.5) == 2 and painted(20, 0.5) == 3 and painted(1_000, 0.1) == 4
    assert painted(2, 0.7) == painted(20, 0.7) == 4
    assert {frames.painted for frames, _ in variants_from(small, 2, 0.7)} == {4}
