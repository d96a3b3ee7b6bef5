"""What every captioned world promises: its arrays, its captions, its splits, its determinism."""

import functools
import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2v_jax import config as configuration
from t2v_jax import registry
from t2v_jax.data.source import drawn_worlds, make_source
from t2v_jax.data.worlds.world import SPLITS
from t2v_jax.errors import UsageError

every_world = pytest.mark.parametrize("name", drawn_worlds())
every_split = pytest.mark.parametrize("split", SPLITS)


@functools.cache
def world(name, split="train", **changed):
    """A world of 400 clips, 10 frames of 32 x 32 unless `changed`."""
    config = configuration.default()
    config.data.update(world=name, frames=10, size=32, digit_size=14, clips=400)
    config.data.update(changed)
    return make_source(config, split)


def combination(source, element):
    return tuple(element[attribute] for attribute in source.attributes)


def test_every_world_can_be_chosen():
    assert (*drawn_worlds(), "clips", "tfds") == registry.names("world")


@every_world
@pytest.mark.parametrize(("frames", "size"), [(16, 64), (10, 32), (160, 64), (1, 16)])
def test_an_element_has_the_promised_arrays(name, frames, size):
    source = world(name, frames=frames, size=size, clips=8)
    channels = 3 if name == "moving_shapes" else 1
    for element in source:
        assert element.keys() == {"clip", "caption", "caption_class", *source.attributes}
        assert element["clip"].shape == (frames, size, size, channels)
        assert element["clip"].dtype == np.uint8
        assert element["clip"].max((1, 2, 3)).min() > 100
        assert element["clip"].min() == 0
        assert all(type(element[name]) is int for name in ("caption_class", *source.attributes))


@every_world
@every_split
def test_a_caption_names_each_value_of_its_combination(name, split):
    source = world(name, split)
    for element in source:
        for values, index in zip(source.attributes.values(), combination(source, element)):
            assert re.search(rf"\b{values[index]}\b", element["caption"])


@every_world
@every_split
def test_captions_lists_what_elements_say(name, split):
    source = world(name, split)
    listed = source.captions()
    assert list(listed) == sorted(listed)
    assert len(listed) == len(source.combinations) * len(source.templates)
    assert all(listed[element["caption"]] == element["caption_class"] for element in source)


@every_world
def test_clips_of_one_class_differ_in_what_no_attribute_names(name):
    elements = list(world(name, clips_per_caption=4, clips=40))
    groups = [elements[first : first + 4] for first in range(0, 40, 4)]
    assert all(len({element["caption_class"] for element in group}) == 1 for group in groups)
    assert len({group[0]["caption_class"] for group in groups}) > 1
    assert len({element["clip"].tobytes() for element in elements}) == 40
    for element in elements:
        assert element["caption_class"] == world(name).captions()[element["caption"]]


@every_world
def test_training_never_shows_a_held_out_combination(name):
    train, test, held_out = (world(name, split) for split in SPLITS)
    assert train.combinations == test.combinations
    assert not set(train.combinations) & set(held_out.combinations)
    assert not train.captions().keys() & held_out.captions().keys()
    caption_classes = [set(map(source.caption_class, source.combinations)) for source in (train, held_out)]
    assert not caption_classes[0] & caption_classes[1]
    for source in (train, test, held_out):
        assert {combination(source, element) for element in source} <= set(source.combinations)


@every_world
def test_training_shows_every_value_and_every_word(name):
    train, held_out = world(name), world(name, "held_out")
    for values, indices in zip(train.attributes.values(), zip(*train.combinations)):
        assert set(indices) == set(range(len(values)))
    words = [set(" ".join(source.captions()).split()) for source in (train, held_out)]
    assert words[1] <= words[0]


def test_four_digits_are_trained_in_one_motion():
    held_out = {(2, 1), (3, 0), (6, 1), (7, 0)}
    assert set(world("moving_digits", "held_out").combinations) == held_out
    assert len(world("moving_digits").combinations) == 20 - len(held_out)


def test_each_digit_turns_in_three_ways_in_training():
    digits = [digit for digit, _ in world("turning_digits").combinations]
    assert digits == sorted(3 * list(range(10)))


def test_each_pair_of_digits_is_trained_in_two_pairs_of_motions():
    pairs = [(a, b) for a, _, b, _ in world("two_digits").combinations]
    assert sorted(pairs) == sorted(2 * list(itertools.permutations(range(10), 2)))


def test_each_pair_of_a_shapes_values_is_trained():
    train = world("moving_shapes")
    assert len(train.combinations) == 180
    for (i, one), (j, other) in itertools.combinations(enumerate(train.attributes.values()), 2):
        pairs = {(values[i], values[j]) for values in train.combinations}
        assert len(pairs) == len(one) * len(other)


@every_world
def test_templates_do_not_change_the_class_and_all_else_does(name):
    sources = [world(name, split) for split in ("train", "held_out")]
    caption_classes = [
        source.caption_class(combination) for source in sources for combination in source.combinations
    ]
    orders = 2 if name == "two_digits" else 1
    assert len(set(caption_classes)) == len(caption_classes) / orders
    for element in sources[0]:
        assert element["caption_class"] == sources[0].caption_class(combination(sources[0], element))


@every_world
def test_combinations_and_templates_are_even(name):
    source = world(name, clips=1000)
    for attribute, indices in zip(source.attributes, zip(*source.combinations)):
        counts, listed = np.bincount([element[attribute] for element in source]), np.bincount(indices)
        assert np.all(counts > 0.65 * listed * len(source) / len(indices))
    said = {element["caption"] for element in source}
    for template in range(len(source.templates)):
        listed = {source.caption(combination, template) for combination in source.combinations}
        assert len(said & listed) > 0.5 * len(listed)


@functools.cache
def twins(name, split, seed):
    """The same endless world twice, the second of which has been read from."""
    fresh, used = (drawn_worlds()[name](split, 2**41, frames=4, size=29, seed=seed) for _ in range(2))
    used[0]
    return fresh, used


@every_world
@every_split
@settings(max_examples=25)
@given(index=st.integers(0, 2**40), seed=st.sampled_from([0, 2**40]))
def test_an_element_depends_on_seed_split_and_index_alone(name, split, index, seed):
    fresh, used = twins(name, split, seed)
    first, second = fresh[index], used[index]
    np.testing.assert_array_equal(first.pop("clip"), second.pop("clip"))
    assert first == second


@every_world
@pytest.mark.parametrize("clips_per_caption", [1, 3])
def test_an_element_does_not_depend_on_the_batch_it_is_drawn_in(name, clips_per_caption):
    source = world(name, clips_per_caption=clips_per_caption)
    for indices in np.array_split(np.random.default_rng(0).permutation(60), [1, 2, 20]):
        batch = source.batch(indices)
        for place, index in enumerate(indices.tolist()):
            element = source[index]
            assert element.keys() == batch.keys()
            np.testing.assert_array_equal(batch["clip"][place], element.pop("clip"))
            assert element == {field: batch[field][place] for field in element}


@every_world
def test_seeds_splits_and_indices_differ(name):
    clips = [
        drawn_worlds()[name](split, 2, seed=seed)[index]["clip"].tobytes()
        for split in SPLITS
        for seed in (0, 1)
        for index in (0, 1)
    ]
    assert len(set(clips)) == 12


@every_world
def test_clips_of_one_caption_differ(name):
    source = world(name, clips=1000)
    same = [element["clip"].tobytes() for element in source if element["caption"] == source[0]["caption"]]
    assert len(set(same)) == len(same)


@every_world
def test_a_source_ends_and_its_elements_may_be_changed(name):
    source = world(name)
    assert len(source) == 400 == len(list(source))
    last = source[-1]["clip"].copy()
    source[399]["clip"][:] = 99
    np.testing.assert_array_equal(source[399]["clip"], last)
    for index in (400, -401):
        with pytest.raises(IndexError):
            source[index]


@every_world
def test_a_worlds_repr_makes_the_same_world(name):
    source = drawn_worlds()[name]("test", 7, frames=3, size=40, seed=5)
    again = eval(repr(source), {drawn_worlds()[name].__name__: drawn_worlds()[name]})
    assert repr(again) == repr(source)
    np.testing.assert_array_equal(again[6]["clip"], source[6]["clip"])


@every_world
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"clips": 0}, "clips=0"),
        ({"frames": 0}, "frames=0"),
        ({"seed": -1}, "seed=-1"),
        ({"clips_per_caption": 0}, "clips_per_caption=0"),
        ({"size": 15}, "expected"),
        ({"split": "dev"}, "'dev': expected one of train, test, held_out"),
    ],
)
def test_a_value_out_of_range_is_named(name, wrong, message):
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        drawn_worlds()[name](**wrong)
    assert "\n" not in str(caught.value)
