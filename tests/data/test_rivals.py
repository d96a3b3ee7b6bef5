"""Rivals mean something else, in nearly the same words."""

import collections

import numpy as np
import pytest

from t2v_jax.data.moving_shapes import MovingShapes
from t2v_jax.data.rivals import RIVALS, Rivals

CAPTIONS = {
    "a red ball rolls": 0,
    "the ball that is red rolls": 0,
    "a blue ball rolls": 1,
    "two old men are playing chess": 2,
}


def drawn(captions, caption, times=200):
    """How often each caption is a rival of one."""
    rivals, rng = Rivals(captions), np.random.default_rng(0)
    element = {"caption": caption, "meaning": captions[caption], "clip": "kept"}
    counts = collections.Counter()
    for _ in range(times // RIVALS):
        told = rivals(element, rng)
        assert told | element == told and len(told["rivals"]) == RIVALS
        assert [captions[rival] for rival in told["rivals"]] == told["rival_meanings"]
        counts.update(told["rivals"])
    return counts


def test_a_rival_means_something_else_and_is_mostly_one_of_like_words():
    counts = drawn(CAPTIONS, "a red ball rolls")
    assert counts["a blue ball rolls"] > 190
    assert not counts["a red ball rolls"] and not counts["the ball that is red rolls"]


def test_each_way_to_differ_in_one_thing_has_its_turn():
    """Of five attributes each is told from its other values, though more differ in colour than in size."""
    world = MovingShapes("train", 1)
    combination = world.combinations[0]
    counts = drawn(world.captions(), world.caption(combination, 0), times=500)
    meanings = collections.Counter()
    for caption, count in counts.items():
        meanings[world.captions()[caption]] += count
    others = {world.meaning(other): other for other in world.combinations}
    alone = collections.Counter()
    for meaning, count in meanings.items():
        differing = [name for name, a, b in zip(world.attributes, combination, others[meaning]) if a != b]
        alone[tuple(differing)] += count
    assert all(alone[(name,)] > 5 for name in ("shape", "color", "direction"))
    assert sum(count for names, count in alone.items() if len(names) == 1) > 200


@pytest.mark.parametrize("captions", [{"a cat": 3}, {"a cat": 3, "one cat": 3}])
def test_where_nothing_means_anything_else_a_caption_is_its_own_rival(captions):
    assert drawn(captions, "a cat", times=12) == {"a cat": 12}
