"""Scores tell obedient clips from disobedient ones, and varied clips from collapsed ones."""

import numpy as np
import pytest

from t2v_jax.evaluation.classifier import Classifier
from t2v_jax.evaluation.prompts import balanced, combinations, real_clips, repeated
from t2v_jax.evaluation.scores import KINDS, accuracy, color_distances, confusion, diversity, read
from tests.evaluation import real

SET = 24


@pytest.fixture(scope="module")
def classifier():
    return Classifier.shipped("moving_digits")


@pytest.fixture(scope="module")
def alike_clips():
    """Real clips of one caption."""
    world = real.world("moving_digits")
    return real_clips(world)(repeated(world, 1, SET), 0, 6)


@pytest.fixture(scope="module")
def told(classifier):
    """Verdicts on real clips, int [1, n, attributes], and what was wanted."""
    world = real.world("moving_digits")
    prompts = balanced(world, 40)
    return classifier(real_clips(world)(prompts, 0, 10)).values[None], combinations(prompts)


@pytest.fixture(scope="module")
def relative(classifier, alike_clips):
    """A function: the diversity of clips as a multiple of that of the real ones, by kind."""
    whole = diversity(read(classifier, alike_clips))

    def relative(clips):
        return {kind: value / whole[kind] for kind, value in diversity(read(classifier, clips)).items()}

    return relative


def test_clips_of_other_captions_are_right_by_chance(classifier, told):
    values, wanted = told
    shares = accuracy(classifier, values, wanted)
    assert shares["all"]["right"] >= 38
    others = accuracy(classifier, values, np.roll(wanted, 1, axis=0))
    assert others["digit"]["right"] <= 8 and others["all"]["right"] <= 4


def test_the_confusion_matrix_counts_what_was_seen_for_what_was_wanted(classifier, told):
    values, wanted = told
    still = values.copy()
    still[0, :4, 1] = 2
    rows = confusion(classifier, still, wanted)
    digits, motions = np.array(rows["digit"]), np.array(rows["motion"])
    assert digits.shape == (10, 11) and motions.shape == (2, 3)
    np.testing.assert_array_equal(digits.sum(1), np.bincount(wanted[:, 0], minlength=10))
    assert digits.trace() == accuracy(classifier, values, wanted)["digit"]["right"]
    assert motions[:, 2].sum() == 4 and motions.sum() == len(wanted)


def test_a_collapsed_set_has_no_diversity(alike_clips, relative):
    collapsed = np.repeat(alike_clips[:1], SET, axis=0)
    assert relative(collapsed) == pytest.approx(dict.fromkeys(KINDS, 0), abs=1e-3)


def test_noise_does_not_hide_a_collapse(alike_clips, relative):
    noise = np.random.default_rng(0).normal(0, 20, alike_clips.shape)
    noisy = (alike_clips[:1] + noise).clip(0, 255).astype(np.uint8)
    assert max(relative(noisy).values()) < 0.35


def test_frozen_clips_have_no_diversity_of_motion(alike_clips, relative):
    told = relative(alike_clips[:, :1].repeat(6, axis=1))
    assert told["motion"] < 1e-3 and told["place"] > 0.9


def test_a_single_glyph_at_every_place_has_no_diverse_appearance(alike_clips, relative):
    glyph = alike_clips[0, 0]
    rows, columns = glyph[..., 0].any(1).nonzero()[0], glyph[..., 0].any(0).nonzero()[0]
    glyph = glyph[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    rng = np.random.default_rng(0)
    clips = np.zeros_like(alike_clips)
    for clip in clips:
        top, left = rng.integers(0, 64 - np.array(glyph.shape[:2]))
        clip[:, top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    told = relative(clips)
    assert told["appearance"] < 1e-3 and told["place"] > 0.8


def test_the_colour_distance_is_that_of_mean_foregrounds():
    clip = np.zeros((3, 8, 8, 3), np.uint8)
    for frame, place, color in zip(clip, (0, 2, 4), ((240, 0, 0), (240, 0, 0), (200, 30, 0))):
        frame[place : place + 3, 2:5] = color
    # Of three pairs of frames one is alike, and (40, 30, 0) is 50 long.
    assert color_distances(clip[None]) == pytest.approx([100 / 3])
    assert color_distances(clip[:1].repeat(3, axis=0)[None]) == pytest.approx([0], abs=1e-4)


def test_real_shapes_keep_their_colour_and_flickering_ones_do_not():
    clips, _ = real.clips("moving_shapes", 32)
    flicker = clips.copy()
    flicker[:, ::2] = flicker[:, ::2, :, :, ::-1]
    steady, changed = color_distances(clips).mean(), color_distances(flicker).mean()
    assert steady < 3 and changed > 20
