"""What is drawn is what the caption says, and depends on seed and index alone."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2v_jax.data.moving_digits import MOTIONS, MovingDigits
from t2v_jax.errors import UsageError

SMALL = {"frames": 10, "size": 32, "digit_size": 14}


@pytest.fixture(scope="module")
def small():
    return MovingDigits("train", 500, **SMALL)


@pytest.fixture(scope="module")
def large():
    return MovingDigits("train", 300)


def centroids(clip):
    """[frames, 2]: the mean row and column of the ink."""
    ink = clip[..., 0].astype(float)
    rows, columns = np.indices(ink.shape[1:])
    total = ink.sum((1, 2))
    return np.stack([(ink * rows).sum((1, 2)), (ink * columns).sum((1, 2))], 1) / total[:, None]


def test_an_element_has_the_promised_arrays(large):
    element = large[7]
    assert element["clip"].shape == (16, 64, 64, 1) and element["clip"].dtype == np.uint8
    assert element.keys() == {"clip", "caption", "digit", "motion", "meaning"}
    assert type(element["digit"]) is int and type(element["motion"]) is int


@pytest.mark.parametrize("source", ["small", "large"])
def test_the_ink_moves_along_the_axis_of_the_caption_alone(source, request):
    for element in request.getfixturevalue(source):
        path = centroids(element["clip"])
        along, across = (0, 1) if "up and down" in element["caption"] else (1, 0)
        assert np.ptp(path[:, across]) < 1e-9
        assert np.ptp(path[:, along]) >= element["clip"].shape[1] / 8


def test_the_ink_stays_whole_within_the_frame(small, large):
    for source in (small, large):
        for element in source:
            ink = element["clip"].sum((1, 2, 3), dtype=int)
            assert ink.min() == ink.max() > 0


def test_the_digit_turns_at_the_border_and_else_keeps_its_pace(large):
    for element in large:
        path = centroids(element["clip"])[:, 1 - element["motion"]]
        steps = np.diff(path)
        pace = np.median(np.abs(steps))
        turns = np.count_nonzero(np.diff(np.sign(steps[steps != 0])))
        assert turns >= 1
        assert 3 <= pace <= 5
        assert np.abs(steps).max() <= pace + 1 + 1e-9
        # Only a step that meets a border is shorter, be it the first or the last one seen.
        assert np.count_nonzero(np.abs(steps) < pace - 1 - 1e-9) <= turns + 2


def test_every_place_is_reached(large):
    drawn = np.max([element["clip"][..., 0].max(0) for element in large], axis=0)
    # A digit has four clear pixels around its ink, and round corners.
    assert (drawn[9:-9, 9:-9] > 0).all()
    assert drawn[5:-5].any(1).all() and drawn[:, 5:-5].any(0).all()


def test_the_caption_names_the_labels(small):
    for element in small:
        (digit,) = re.findall(r"\d", element["caption"])
        assert int(digit) == element["digit"]
        assert MOTIONS[element["motion"]] in element["caption"]


def test_the_drawn_digit_is_the_digit_of_the_caption(large):
    other = MovingDigits("test", 600, size=29, frames=1)
    glyphs = np.stack([element["clip"][0, ..., 0] / 255.0 for element in other])
    labels = np.array([element["digit"] for element in other])
    means = np.stack([glyphs[labels == digit].mean(0) for digit in range(10)])
    train = MovingDigits("train", 300, size=29, frames=1)
    guesses = [((train[i]["clip"][0, ..., 0] / 255.0 - means) ** 2).sum((1, 2)).argmin() for i in range(300)]
    assert np.mean([train[i]["digit"] == guess for i, guess in enumerate(guesses)]) > 0.6


def test_captions_lists_exactly_what_elements_say(small):
    listed = small.captions()
    assert len(set(listed)) == len(listed) == 40
    assert {element["caption"] for element in MovingDigits("test", 1000, **SMALL)} == set(listed)
    assert "digit 6 is up and down." in listed
    assert "the digit 3 is moving left and right" in listed


def test_digits_and_motions_are_even(small):
    source = MovingDigits("train", 2000, **SMALL)
    digits = np.bincount([element["digit"] for element in source], minlength=10)
    motions = np.bincount([element["motion"] for element in source], minlength=2)
    assert digits.min() > 140 and motions.min() > 900


@settings(max_examples=30, deadline=None)
@given(index=st.integers(0, 99_999), seed=st.integers(0, 2**32))
def test_an_element_depends_on_seed_and_index_alone(index, seed):
    one = MovingDigits("test", 100_000, **SMALL, seed=seed)
    another = MovingDigits("test", 100_000, **SMALL, seed=seed)
    one[0]
    first, second = one[index], another[index]
    np.testing.assert_array_equal(first.pop("clip"), second.pop("clip"))
    assert first == second


def test_seeds_and_splits_and_indices_differ(small):
    clips = [
        MovingDigits(split, 500, **SMALL, seed=seed)[index]["clip"].tobytes()
        for split in ("train", "test")
        for seed in (0, 1)
        for index in (0, 1)
    ]
    assert len(set(clips)) == 8


def test_the_splits_do_not_share_their_motions():
    train, test = ([e["motion"] for e in MovingDigits(s, 64, **SMALL)] for s in ("train", "test"))
    assert train != test


def test_an_element_may_be_changed_without_harm(small):
    before = small[3]["clip"].copy()
    small[3]["clip"][:] = 99
    np.testing.assert_array_equal(small[3]["clip"], before)


def test_a_source_ends(small):
    assert len(small) == 500 == len(list(small))
    np.testing.assert_array_equal(small[-1]["clip"], small[499]["clip"])
    for index in (500, -501):
        with pytest.raises(IndexError):
            small[index]


@pytest.mark.parametrize("side", [7, 14, 20, 40])
def test_resizing_keeps_the_mean_ink(side):
    sizes = {"frames": 1, "size": 64}
    for i in range(20):
        whole = MovingDigits("test", 20, **sizes)[i]["clip"].sum(dtype=int) / 28**2
        resized = MovingDigits("test", 20, **sizes, digit_size=side)[i]["clip"].sum(dtype=int)
        assert resized / side**2 == pytest.approx(whole, abs=0.1)


def test_a_longer_clip_continues_a_shorter_one():
    short = MovingDigits("test", 5, **SMALL)
    long = MovingDigits("test", 5, **{**SMALL, "frames": 40})
    for brief, whole in zip(short, long, strict=True):
        np.testing.assert_array_equal(whole["clip"][:10], brief["clip"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"clips": 0}, "clips=0"),
        ({"frames": 0}, "frames=0"),
        ({"size": 28}, "digit_size=28: expected 1 to 27"),
        ({"digit_size": 0}, "digit_size=0"),
        ({"speed": (5.0, 3.0)}, "speed="),
        ({"speed": (0.0, 3.0)}, "speed="),
        ({"seed": -1}, "seed=-1"),
        ({"split": "dev"}, "'dev'"),
    ],
)
def test_a_value_out_of_range_is_named(wrong, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        MovingDigits(**wrong)
