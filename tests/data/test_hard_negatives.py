"""HardNegatives mean something else, in nearly the same words."""

import collections

import numpy as np
import pytest

from t2v_jax.data.draws import Draws
from t2v_jax.data.hard_negatives import CANDIDATES, NEGATIVES_PER_CLIP, HardNegatives
from t2v_jax.data.worlds.moving_shapes import MovingShapes

CAPTIONS = {
    "a red ball rolls": 0,
    "the ball that is red rolls": 0,
    "a blue ball rolls": 1,
    "two old men are playing chess": 2,
}


def drawn(captions, caption, clips=50):
    """How often each caption is a rival of one, in a batch of so many clips."""
    row, told = list(captions).index(caption), list(captions)
    rows, caption_classes = np.full(clips, row), np.full(clips, captions[caption])
    negatives = HardNegatives(captions)(rows, caption_classes, Draws([0], np.arange(clips)))
    assert negatives.shape == (clips, NEGATIVES_PER_CLIP)
    return collections.Counter(told[rival] for rival in negatives.ravel())


def test_a_hard_negative_differs_in_class_and_little_in_words():
    counts = drawn(CAPTIONS, "a red ball rolls")
    assert counts["a blue ball rolls"] > 190
    assert not counts["a red ball rolls"] and not counts["the ball that is red rolls"]


def test_each_differing_word_makes_a_negative_rarer_by_e():
    captions = {"a b c d": 0, "d c b a.": 0, "A b c": 1, "a b c e": 2, "a b f g": 3, "a, h": 4}
    differing = {"A b c": 1, "a b c e": 2, "a b f g": 4, "a, h": 5}
    weights = np.exp([-number for number in differing.values()])
    expected = 40_000 * weights / weights.sum()
    counts = drawn(captions, "a b c d", clips=10_000)
    assert counts.keys() == differing.keys()
    squares = (np.array([counts[caption] for caption in differing]) - expected) ** 2
    assert (squares / expected).sum() < 16.3  # chi-square, 3 degrees of freedom, p = 0.001


def test_of_many_captions_some_drawn_at_random_are_looked_at():
    """The likest by far is a rival whenever it is among them; else the others are, in even shares."""
    others = {f"quite another thing, number {number}": 2 + number for number in range(4 * CANDIDATES - 1)}
    counts = drawn({"a b c d e f g": 0, "a b c d e f": 1} | others, "a b c d e f g", clips=2_000)
    assert counts.pop("a b c d e f") == pytest.approx(NEGATIVES_PER_CLIP * 2_000 / 4, rel=0.15)
    assert counts.keys() <= others.keys() and len(counts) > 0.95 * len(others)
    assert max(counts.values()) < 25  # of 6 on average


def test_a_caption_alone_in_its_class_is_found_among_many():
    captions = {f"red ball {number}": 0 for number in range(2 * CANDIDATES)} | {"a cube": 1}
    assert drawn(captions, "red ball 7") == {"a cube": 200}


def test_negatives_do_not_depend_on_the_batch():
    captions = MovingShapes("train").captions()
    negatives, caption_classes = HardNegatives(captions), np.array(list(captions.values()))
    rows, numbers = np.arange(64) * 7, np.arange(64) + 2**40
    whole = negatives(rows, caption_classes[rows], Draws([3], numbers))
    for some in np.array_split(np.random.default_rng(0).permutation(64), 5):
        part = negatives(rows[some], caption_classes[rows[some]], Draws([3], numbers[some]))
        np.testing.assert_array_equal(part, whole[some])


def test_each_way_to_differ_in_one_thing_has_its_turn():
    """Of five attributes each is told from its other values, though more differ in colour than in size."""
    world = MovingShapes("train", 1)
    combination = world.combinations[0]
    counts = drawn(world.captions(), world.caption(combination, 0), clips=125)
    caption_classes = collections.Counter()
    for caption, count in counts.items():
        caption_classes[world.captions()[caption]] += count
    others = {world.caption_class(other): other for other in world.combinations}
    alone = collections.Counter()
    for caption_class, count in caption_classes.items():
        differing = [
            name for name, a, b in zip(world.attributes, combination, others[caption_class]) if a != b
        ]
        alone[tuple(differing)] += count
    assert all(alone[(name,)] > 5 for name in ("shape", "color", "direction"))
    assert sum(count for names, count in alone.items() if len(names) == 1) > 200


@pytest.mark.parametrize("captions", [{"a cat": 3}, {"a cat": 3, "one cat": 3}])
def test_with_one_class_a_caption_is_its_own_negative(captions):
    assert drawn(captions, "a cat", clips=3) == {"a cat": 12}
