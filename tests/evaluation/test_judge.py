"""The digit judge knows real digits it never saw, at any place, in frames of both sizes."""

import numpy as np
import pytest

from t2v_jax.data.moving_digits import MovingDigits
from t2v_jax.errors import UsageError
from t2v_jax.evaluation.judge import DigitJudge

SIZES = {32: 14, 64: 28}


@pytest.fixture(scope="module")
def judge():
    return DigitJudge.shipped()


def real(size, clips, frames, seed=1):
    """uint8 [clips, frames, size, size, 1] of held-out digits, and the digits."""
    source = MovingDigits("test", clips, frames=frames, size=size, digit_size=SIZES[size], seed=seed)
    elements = list(source)
    return np.stack([e["clip"] for e in elements]), np.array([e["digit"] for e in elements])


@pytest.mark.parametrize("size", SIZES)
def test_it_names_the_digits_of_real_clips(judge, size):
    clips, digits = real(size, 200, frames=5)
    assert np.mean(judge.digits(clips) == digits) >= 0.97


@pytest.mark.parametrize("size", SIZES)
def test_it_states_how_often_it_is_right_on_single_frames(judge, size):
    frames, digits = real(size, 1000, frames=1)
    stated = judge.held_out_accuracy[size]
    assert stated >= 0.98
    assert np.mean(judge.digits(frames) == digits) == pytest.approx(stated, abs=0.012)


@pytest.mark.parametrize("flaw", ["haze", "noise", "faint", "hard"])
def test_flaws_of_generated_frames_do_not_confuse_it(judge, flaw):
    clips, digits = real(32, 200, frames=5)
    noise = np.random.default_rng(0).normal(0, 20, clips.shape)
    flawed = {
        "haze": np.maximum(clips, 25),
        "noise": clips + noise,
        "faint": clips * 0.6,
        "hard": np.where(clips > 90, 255, 0),
    }[flaw]
    flawed = flawed.clip(0, 255).astype(np.uint8)
    assert np.mean(judge.digits(flawed) == digits) >= 0.95


def test_a_clip_has_the_mean_log_probability_of_its_frames(judge):
    clips, _ = real(32, 3, frames=4)
    single = judge.log_probabilities(clips.reshape(12, 1, 32, 32, 1))
    np.testing.assert_allclose(np.exp(single).sum(-1), 1, rtol=1e-5)
    whole = judge.log_probabilities(clips)
    np.testing.assert_allclose(whole, single.reshape(3, 4, 10).mean(1), atol=1e-5)
    np.testing.assert_array_equal(judge.digits(clips), whole.argmax(1))


def test_the_verdict_on_a_clip_does_not_depend_on_the_others(judge):
    clips, _ = real(32, 70, frames=5)
    np.testing.assert_allclose(
        judge.log_probabilities(clips)[60:], judge.log_probabilities(clips[60:]), atol=1e-5
    )


def test_colours_are_averaged(judge):
    clips, _ = real(32, 5, frames=1)
    coloured = np.repeat(clips, 3, axis=-1)
    np.testing.assert_allclose(judge.log_probabilities(coloured), judge.log_probabilities(clips), atol=1e-5)


@pytest.mark.parametrize("shape", [(40, 40), (32, 64), (16, 16)])
def test_frames_of_another_size_are_refused_in_one_line(judge, shape):
    with pytest.raises(UsageError, match=f"{shape[0]}x{shape[1]}.*multiple") as caught:
        judge.digits(np.zeros((1, 1, *shape, 1), np.uint8))
    assert "\n" not in str(caught.value)
