"""Programs that compile while others run: each once, in order, and their errors where they are asked for."""

import pytest

from t2v_jax.training.programs import Programs


def test_each_variant_is_made_once_and_in_order():
    made = []

    def compile(variant):
        made.append(variant)
        return f"program {variant}"

    with Programs(compile, ["b", "a", "b"]) as programs:
        assert [programs[variant] for variant in ("a", "b", "a")] == ["program a", "program b", "program a"]
    assert sorted(made) == ["a", "b"] and made[0] == "b"


def test_what_fails_to_compile_says_so_where_it_is_asked_for():
    def compile(variant):
        if variant == "bad":
            raise ValueError("no such instruction")
        return variant

    with Programs(compile, ["good", "bad"]) as programs:
        assert programs["good"] == "good"
        with pytest.raises(ValueError, match="no such instruction"):
            programs["bad"]
