"""Scores tell obedient clips from disobedient ones, and varied clips from collapsed ones."""

import json

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from t2v_jax.data.moving_digits import MovingDigits
from t2v_jax.evaluation.judge import DigitJudge
from t2v_jax.evaluation.scores import (
    Sample,
    compare,
    diversity,
    obedience,
    score,
    to_text,
    wilson_interval,
)

CLIPS, FRAMES, SET = 200, 6, 24


@pytest.fixture(scope="module")
def judge():
    return DigitJudge.shipped()


@pytest.fixture(scope="module")
def report(judge, real):
    """Of real clips, every other one of which was to move the other way."""
    motions = np.where(np.arange(CLIPS) % 2, real.motions, 1 - real.motions)
    real_scores = score(judge, real)
    return compare(judge, score(judge, real._replace(motions=motions)), real_scores)


@pytest.fixture(scope="module")
def real():
    """200 held-out clips, and sets of the captions of 3, left and right, and 8, up and down."""
    source = MovingDigits("test", 1500, frames=FRAMES, size=32, digit_size=14)
    elements = list(source)
    sets = [
        [e["clip"] for e in elements if (e["digit"], e["motion"]) == wanted][:SET]
        for wanted in ((3, 0), (8, 1))
    ]
    return Sample(
        np.stack([e["clip"] for e in elements[:CLIPS]]),
        np.array([e["digit"] for e in elements[:CLIPS]]),
        np.array([e["motion"] for e in elements[:CLIPS]]),
        np.array(sets),
    )


@given(total=st.integers(1, 2000), share=st.floats(0, 1))
def test_the_interval_is_wilsons(total, share):
    right = round(share * total)
    known = scipy.stats.binomtest(right, total).proportion_ci(method="wilson")
    assert wilson_interval(right, total) == pytest.approx((known.low, known.high), abs=1e-9)


def test_real_clips_obey(judge, real):
    scores = obedience(judge, real)
    assert scores["digit"]["share"] >= 0.97
    assert scores["motion"]["right"] == scores["motion"]["clips"] == CLIPS
    assert (scores["motion"]["low"], scores["motion"]["high"]) == wilson_interval(CLIPS, CLIPS)
    assert scores["both"]["right"] == scores["digit"]["right"]
    assert 0.2 < scores["travel"] < 18 / 32


def test_shuffled_captions_are_obeyed_by_chance(judge, real):
    order = np.random.default_rng(0).permutation(CLIPS)
    shuffled = real._replace(digits=real.digits[order], motions=real.motions[order])
    scores = obedience(judge, shuffled)
    for name, chance in (("digit", 0.1), ("motion", 0.5), ("both", 0.05)):
        assert abs(scores[name]["share"] - chance) < 4 * np.sqrt(chance * (1 - chance) / CLIPS)


def test_the_confusion_matrix_counts_what_was_seen_for_what_was_wanted(judge, real):
    one_more = real._replace(digits=(real.digits + 1) % 10)
    rows = np.array(obedience(judge, one_more)["confusion"])
    np.testing.assert_array_equal(rows.sum(1), np.bincount(one_more.digits, minlength=10))
    seen_one_less = [rows[digit, (digit - 1) % 10] for digit in range(10)]
    assert sum(seen_one_less) == obedience(judge, real)["digit"]["right"]


def test_a_frozen_clip_obeys_no_motion(judge, real):
    frozen = real._replace(clips=np.repeat(real.clips[:, :1], FRAMES, axis=1))
    scores = obedience(judge, frozen)
    assert scores["digit"]["share"] > 0.9
    assert scores["motion"]["share"] == scores["both"]["share"] == 0
    assert scores["travel"] < 1e-6


def relative_diversity(sets, real):
    ours, theirs = diversity(sets), diversity(real.sets)
    return {kind: ours[kind] / theirs[kind] for kind in theirs}


def test_a_collapsed_set_has_no_diversity(real):
    collapsed = np.repeat(real.sets[:, :1], SET, axis=1)
    assert relative_diversity(collapsed, real) == pytest.approx(
        {"handwriting": 0, "place": 0, "motion": 0}, abs=1e-3
    )


def test_noise_does_not_hide_a_collapse(real):
    collapsed = np.repeat(real.sets[:, :1], SET, axis=1)
    noise = np.random.default_rng(0).normal(0, 20, collapsed.shape)
    noisy = (collapsed + noise).clip(0, 255).astype(np.uint8)
    assert max(relative_diversity(noisy, real).values()) < 0.2


def test_frozen_clips_have_no_diversity_of_motion(real):
    frozen = np.repeat(real.sets[:, :, :1], FRAMES, axis=2)
    relative = relative_diversity(frozen, real)
    assert relative["motion"] < 1e-3
    assert relative["place"] > 0.9


def test_a_single_glyph_at_every_place_has_no_diversity_of_handwriting(real):
    glyph = real.sets[0, 0, 0]
    rows, columns = glyph[..., 0].any(1).nonzero()[0], glyph[..., 0].any(0).nonzero()[0]
    glyph = glyph[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    rng = np.random.default_rng(0)
    clips = np.zeros_like(real.sets[:1])
    for clip in clips[0]:
        top, left = rng.integers(0, 32 - np.array(glyph.shape[:2]))
        for frame in clip:
            frame[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    relative = relative_diversity(clips, real)
    assert relative["handwriting"] < 1e-3
    assert relative["place"] > 0.8


def test_the_report_sets_generated_clips_beside_real_ones(report):
    assert json.loads(json.dumps(report)) == report
    relative = report["relative"]
    assert relative["motion"] == 0.5 and relative["digit"] == relative["travel"] == 1
    assert relative["diversity"] == {"handwriting": 1, "place": 1, "motion": 1}
    assert report["generated"]["diversity"]["clips"] == SET


def test_the_table_shows_the_numbers_of_the_report(report):
    lines = to_text(report).splitlines()
    motion, *_ = [line.split() for line in lines if line.startswith("motion ")]
    assert motion == "motion 50.0% 43.1% to 56.9% 100.0% 0.500".split()
    rows = [line for line in lines if "wanted" in line]
    counts = sum(int(n) for row in rows for n in row.split()[2:] if n != "-")
    assert len(rows) == 10 and counts == CLIPS
    assert max(map(len, lines)) <= 100
    assert any(f"{CLIPS} generated clips" in line for line in lines)
