"""Wishes are balanced over combinations and templates; real clips fulfil them."""

import collections

import numpy as np
import pytest

from t2v_jax.data.source import drawn_worlds
from t2v_jax.evaluation.prompts import balanced, combinations, real_clips, repeated
from tests.evaluation import real


@pytest.mark.parametrize("split", ["test", "held_out"])
@pytest.mark.parametrize("name", drawn_worlds())
def test_prompts_are_balanced(name, split):
    world = real.world(name, split)
    captions = list(world.captions())
    prompts = balanced(world, len(world.combinations) * len(world.templates))
    assert sorted(prompt.text for prompt in prompts) == captions
    assert balanced(world, 7) == prompts[:7]
    counts = collections.Counter(prompt.combination for prompt in balanced(world, 1000))
    assert counts.keys() == set(world.combinations)
    assert max(counts.values()) - min(counts.values()) <= 1


def test_repeated_prompts_are_of_few_captions():
    prompts = repeated(real.world("moving_shapes"), 3, 5)
    assert [prompts.count(prompt) for prompt in prompts] == [5] * 15 and len(set(prompts)) == 3


def test_real_clips_show_what_was_asked_and_differ_by_seed():
    world = real.world("moving_shapes")
    prompts = balanced(world, 12)
    paint = real_clips(world)
    clips = paint(prompts, 3, 7)
    assert clips.shape == (12, 7, 64, 64, 3)
    np.testing.assert_array_equal(clips, paint(prompts, 3, 7))
    assert (clips != paint(prompts, 10**9, 7)).any((1, 2, 3, 4)).all()
    names = [*world.attributes]
    colors = combinations(prompts)[:, names.index("color")]
    shown = clips.max((1, 2, 3)).astype(int)
    for color in set(colors.tolist()):
        assert np.ptp(shown[colors == color], axis=0).max() <= 5
