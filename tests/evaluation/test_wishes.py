"""Wishes are balanced over combinations and templates; real clips fulfil them."""

import collections

import numpy as np
import pytest

from t2v_jax.data.worlds import WORLDS
from t2v_jax.evaluation.wishes import alike, balanced, combinations, real_clips
from tests.evaluation import real


@pytest.mark.parametrize("split", ["test", "held_out"])
@pytest.mark.parametrize("name", WORLDS)
def test_wishes_are_balanced(name, split):
    world = real.world(name, split)
    captions = list(world.captions())
    wishes = balanced(world, len(world.combinations) * len(world.templates))
    assert sorted(wish.prompt for wish in wishes) == captions
    assert balanced(world, 7) == wishes[:7]
    counts = collections.Counter(wish.combination for wish in balanced(world, 1000))
    assert counts.keys() == set(world.combinations)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_wishes_alike_are_of_few_captions():
    wishes = alike(real.world("moving_shapes"), 3, 5)
    assert [wishes.count(wish) for wish in wishes] == [5] * 15 and len(set(wishes)) == 3


def test_real_clips_show_what_was_wished_and_differ_by_seed():
    world = real.world("moving_shapes")
    wishes = balanced(world, 12)
    paint = real_clips(world)
    clips = paint(wishes, 3, 7)
    assert clips.shape == (12, 7, 64, 64, 3)
    np.testing.assert_array_equal(clips, paint(wishes, 3, 7))
    assert (clips != paint(wishes, 10**9, 7)).any((1, 2, 3, 4)).all()
    names = [*world.attributes]
    colors = combinations(wishes)[:, names.index("color")]
    shown = clips.max((1, 2, 3)).astype(int)
    for color in set(colors.tolist()):
        assert np.ptp(shown[colors == color], axis=0).max() <= 5
