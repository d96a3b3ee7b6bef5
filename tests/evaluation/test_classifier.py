"""Each judge reads real clips it never saw, of both sizes, through flaws, and knows what stands still."""

import numpy as np
import pytest

from t2v_jax.data.source import drawn_worlds
from t2v_jax.errors import UsageError
from t2v_jax.evaluation.classifier import Classifier, align
from t2v_jax.evaluation.classifier_networks import FRAME_FEATURES
from tests.evaluation import real

# Share of real held-out clips read rightly, at least; 99 % for other attributes.
LEAST = {"digit": 0.99, "digit_1": 0.98, "digit_2": 0.98}
FLAWS = {
    "haze": lambda clips, noise: np.maximum(clips, 25),
    "noise": lambda clips, noise: clips + 20 * noise,
    "faint": lambda clips, noise: clips * 0.6,
    "hard": lambda clips, noise: np.where(clips > 90, clips, 0),
}


@pytest.fixture(scope="module", params=drawn_worlds())
def name(request):
    return request.param


@pytest.fixture(scope="module")
def classifier(name):
    return Classifier.shipped(name)


def accuracy(classifier, clips, wanted):
    """{attribute: share right}."""
    right = align(classifier.attributes, classifier(clips).values[None], wanted)[0] == wanted
    return dict(zip(classifier.attributes, right.mean(0)))


@pytest.mark.parametrize("split", ["test", "held_out"])
def test_it_reads_real_clips_as_well_as_it_states(name, classifier, split):
    for attribute, share in accuracy(classifier, *real.clips(name, 96, split)).items():
        stated, least = classifier.held_out_accuracy[attribute], LEAST.get(attribute, 0.99)
        assert stated >= least, attribute
        assert share == pytest.approx(stated, abs=0.05)


def test_it_reads_digits_in_small_frames():
    classifier, (clips, wanted) = (
        Classifier.shipped("moving_digits"),
        real.clips("moving_digits", 128, **real.SMALL),
    )
    shares = accuracy(classifier, clips, wanted)
    assert shares["digit"] >= 0.96 and shares["motion"] >= 0.98


@pytest.mark.parametrize("flaw", FLAWS)
def test_flaws_of_generated_clips_do_not_confuse_it(name, classifier, flaw):
    clips, wanted = real.clips(name, 64)
    noise = np.random.default_rng(0).normal(size=clips.shape)
    flawed = FLAWS[flaw](clips, noise).clip(0, 255).astype(np.uint8)
    for attribute, share in accuracy(classifier, flawed, wanted).items():
        assert share >= 0.9, attribute


def test_a_frozen_clip_shows_what_it_is_and_no_motion(name, classifier):
    clips, wanted = real.clips(name, 64)
    noise = np.random.default_rng(0).normal(0, 10, clips.shape)
    frozen = clips[:, :1].repeat(clips.shape[1], axis=1)
    for still in (frozen, (frozen + noise).clip(0, 255).astype(np.uint8)):
        for attribute, share in accuracy(classifier, still, wanted).items():
            moves = attribute.startswith(("motion", "direction"))
            assert share < 0.05 if moves else share > 0.9, attribute


def test_the_verdict_on_a_clip_does_not_depend_on_the_others(name, classifier):
    clips, _ = real.clips(name, 64)
    whole, part = classifier(clips), classifier(clips[40:])
    np.testing.assert_array_equal(whole.values[40:], part.values)
    np.testing.assert_allclose(whole.features[40:], part.features, atol=1e-3)
    np.testing.assert_allclose(whole.tracks[40:], part.tracks, atol=1e-6)


def test_features_of_real_clips_have_mean_0_and_variance_1(name, classifier):
    features = classifier(real.clips(name, 96)[0]).features
    assert np.abs(features.mean(0)).mean() < 0.3
    for part in np.split(features, [FRAME_FEATURES], axis=1):
        assert part.var(0).mean() == pytest.approx(1, abs=0.3)


def test_two_objects_may_come_in_either_order():
    attributes = drawn_worlds()["two_digits"].attributes
    wanted = np.array([[3, 0, 7, 1], [3, 0, 7, 1], [3, 0, 7, 1]])
    told = np.array([[[7, 1, 3, 0], [3, 0, 7, 1], [7, 0, 2, 0]]])
    aligned = [[3, 0, 7, 1], [3, 0, 7, 1], [2, 0, 7, 0]]
    np.testing.assert_array_equal(align(attributes, told, wanted)[0], aligned)


@pytest.mark.parametrize("shape", [(40, 40), (32, 64), (16, 16)])
def test_frames_of_another_size_are_refused_in_one_line(shape):
    with pytest.raises(UsageError, match=f"{shape[0]}x{shape[1]}.*multiple") as caught:
        Classifier.shipped("moving_digits")(np.zeros((1, 5, *shape, 1), np.uint8))
    assert "\n" not in str(caught.value)


def test_a_world_without_a_classifier_is_refused_in_one_line():
    with pytest.raises(UsageError, match="'clip_folder'.*moving_digits") as caught:
        Classifier.shipped("clip_folder")
    assert "\n" not in str(caught.value)
