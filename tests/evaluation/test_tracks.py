"""Tracks follow the ink alone, through haze; a cut-out holds what moves still."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2v_jax.evaluation.tracks import cut_out, tracks, travel
from tests.evaluation import real

DIGITS = ("moving_digits", 50)


def square(places, level=255):
    """A clip [frames, 32, 32, 1] of a 4 x 4 square whose top left corner is at `places`."""
    clip = np.zeros((len(places), 32, 32, 1), np.uint8)
    for frame, (top, left) in zip(clip, places):
        frame[top : top + 4, left : left + 4] = level
    return clip


@pytest.mark.parametrize("world", ["moving_digits", "moving_shapes"])
def test_it_sees_through_haze_and_noise(world):
    clips, _ = real.clips(world, 50, **real.SMALL)
    noise = np.random.default_rng(0).normal(0, 5, clips.shape)
    hazy = (np.maximum(clips, 60) + noise).clip(0, 255).astype(np.uint8)
    np.testing.assert_allclose(tracks(hazy), tracks(clips), atol=1 / 32)


@settings(max_examples=25, deadline=None)
@given(index=st.integers(0, 10**6))
def test_a_transposed_clip_has_a_transposed_track(index):
    clip = real.world("moving_digits", **real.SMALL)[index % 1000]["clip"]
    found = tracks(np.stack([clip, clip.transpose(0, 2, 1, 3)]))
    np.testing.assert_allclose(found[0], found[1][:, ::-1], atol=1e-6)


def test_travel_is_the_way_between_the_outermost_places():
    clip = square([(2, 3), (2, 11), (2, 19), (2, 9)])
    found = tracks(clip[None])
    np.testing.assert_allclose(found[0], np.array([(4, 5), (4, 13), (4, 21), (4, 11)]) / 32)
    np.testing.assert_allclose(travel(found), [[0, 0.5]], atol=1e-7)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_clip_rests_in_the_middle(level):
    np.testing.assert_allclose(tracks(np.full((1, 4, 32, 64, 3), level, np.uint8)), 0.5, atol=1e-6)


def test_a_digit_that_fades_keeps_its_last_and_first_place():
    clip = square([(9, 5), (9, 5), (17, 5), (25, 5), (25, 5)])
    clip[[0, 4]] //= 3
    found = tracks(clip[None])[0]
    np.testing.assert_allclose(found[:, 0] * 32, [11, 11, 19, 27, 27], atol=1e-5)


def test_a_cut_out_holds_the_digit_still():
    clip = square([(0, 3), (5, 20), (28, 28), (14, 0)])
    picture = cut_out(clip[None], tracks(clip[None]))
    assert picture.shape == (1, 16, 16)
    expected = np.zeros((16, 16))
    expected[6:10, 6:10] = 255
    np.testing.assert_array_equal(picture[0], expected)


def test_a_cut_out_is_each_frame_about_the_foreground():
    clips, _ = real.clips(*DIGITS, **real.SMALL)
    found = tracks(clips)
    pictures = cut_out(clips, found)
    for frame in (0, 9):
        single = clips[:, frame : frame + 1], found[:, frame : frame + 1]
        np.testing.assert_allclose(cut_out(*single), pictures, atol=1e-3)
    np.testing.assert_allclose(pictures.sum((1, 2)), clips[:, 0].sum((1, 2, 3)), rtol=1e-3)
