"""The ink of one digit moves as the caption says, from border to border."""

import re

import numpy as np
import pytest

from t2v_jax.data.worlds.moving_digits import MovingDigits
from t2v_jax.errors import UsageError
from tests.data.worlds.mnist_files import write_mnist
from tests.data.worlds.tracks import track

SMALL = {"frames": 10, "size": 32, "digit_size": 14}


@pytest.fixture(scope="module")
def small():
    return MovingDigits("train", 300, **SMALL)


@pytest.fixture(scope="module")
def large():
    return MovingDigits("held_out", 300)


@pytest.mark.parametrize("source", ["small", "large"])
def test_the_ink_moves_along_the_axis_of_the_caption_alone(source, request):
    for element in request.getfixturevalue(source):
        path = track(element["clip"])
        along, across = (0, 1) if "up and down" in element["caption"] else (1, 0)
        assert np.ptp(path[:, across]) < 1e-9
        assert np.ptp(path[:, along]) >= element["clip"].shape[1] / 8


def test_the_ink_stays_whole_within_the_frame(small, large):
    for source in (small, large):
        for element in source:
            foreground = element["clip"].sum((1, 2, 3), dtype=int)
            assert foreground.min() == foreground.max() > 0


def test_the_digit_turns_at_the_border_and_else_keeps_its_pace(large):
    for element in large:
        path = track(element["clip"])[:, 1 - element["motion"]]
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


def test_the_drawn_digit_is_the_digit_of_the_caption():
    test, train = (list(MovingDigits(split, 600, size=29, frames=1)) for split in ("test", "train"))
    glyphs = np.stack([element["clip"][0, ..., 0] / 255.0 for element in test])
    labels = np.array([element["digit"] for element in test])
    means = np.stack([glyphs[labels == digit].mean(0) for digit in range(10)])
    guesses = [((element["clip"][0, ..., 0] / 255.0 - means) ** 2).sum((1, 2)).argmin() for element in train]
    digits = [int(re.search(r"\d", element["caption"])[0]) for element in train]
    assert np.mean(np.equal(digits, guesses)) > 0.6


def test_the_wordings():
    assert "digit 6 is left and right." in MovingDigits().captions()
    assert "the digit 3 is moving up and down" in MovingDigits().captions()
    assert "the digit 3 is moving left and right" in MovingDigits("held_out").captions()


@pytest.mark.parametrize("side", [7, 14, 20, 40])
def test_resizing_keeps_the_mean_ink(side):
    originals = MovingDigits("test", 20, frames=1)
    resized = MovingDigits("test", 20, frames=1, digit_size=side)
    for one, other in zip(originals, resized, strict=True):
        whole = one["clip"].sum(dtype=int) / 28**2
        assert other["clip"].sum(dtype=int) / side**2 == pytest.approx(whole, abs=0.1)


def test_a_longer_clip_continues_a_shorter_one():
    short = MovingDigits("test", 5, **SMALL)
    long = MovingDigits("test", 5, **{**SMALL, "frames": 40})
    for brief, whole in zip(short, long, strict=True):
        np.testing.assert_array_equal(whole["clip"][:10], brief["clip"])


def test_the_digits_of_a_directory_are_drawn(tmp_path):
    glyphs = np.full((10, 28, 28), 77, np.uint8)
    write_mnist(tmp_path, glyphs, np.arange(10, dtype=np.uint8))
    clip = MovingDigits("train", 1, directory=str(tmp_path))[0]["clip"]
    assert set(np.unique(clip)) == {0, 77}


def test_a_directory_without_one_of_the_digits_is_refused(tmp_path):
    write_mnist(tmp_path, np.zeros((9, 28, 28), np.uint8), np.arange(9, dtype=np.uint8))
    with pytest.raises(UsageError, match=f"no digit 9 in {tmp_path}"):
        MovingDigits("train", directory=str(tmp_path))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"size": 28}, "digit_size=28: expected 1 to 27"), ({"digit_size": 0}, "digit_size=0")],
)
def test_a_digit_must_fit_the_frame(wrong, message):
    with pytest.raises(UsageError, match=message):
        MovingDigits(**wrong)
