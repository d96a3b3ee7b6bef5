"""Known models get the report they deserve: perfect, deaf, stubborn, collapsed, by heart."""

import json
import re

import numpy as np
import pytest

from t2v_jax.errors import UsageError
from t2v_jax.evaluation.matcher import Encoded
from t2v_jax.evaluation.matcher_training import RealClips
from t2v_jax.evaluation.matching import Readings, evaluate_matching, nearness
from t2v_jax.evaluation.nearest import thumbnails
from t2v_jax.evaluation.report import to_text
from tests.evaluation.squares import COLOURS, PAIRS, SIZE, STEPS, Squares, caption, draw

REAL = RealClips(Squares(), Squares(48, seed=1))
MEANINGS = {caption(caption_class): caption_class for caption_class in range(len(PAIRS))}
SHOWN = [*MEANINGS] * 4


class Oracle:
    """A matcher that reads the colour, the way and the place of a square."""

    def captions(self, captions):
        return np.eye(len(PAIRS))[[MEANINGS[caption] for caption in captions]]

    def clips(self, clips):
        return Encoded(*map(np.stack, zip(*map(self._read, clips))))

    def _read(self, clip):
        foreground = np.ptp(clip, axis=-1) > 60
        places = np.array([np.argwhere(frame).mean(0) for frame in foreground])
        way = places[-1] - places[0]
        colour = clip[foreground].mean(0)
        found = (
            min(COLOURS, key=lambda name: np.abs(COLOURS[name] - colour).sum()),
            max(STEPS, key=lambda name: STEPS[name] @ way),
        )
        return np.eye(len(PAIRS))[PAIRS.index(found)], np.concatenate([colour / 255, places[0] / SIZE])


def perfect(prompts, seed):
    pairs = [PAIRS[MEANINGS[prompt]] for prompt in prompts]
    return np.stack([draw(*pair, np.random.default_rng([seed, i])) for i, pair in enumerate(pairs)])


def deaf(prompts, seed):
    """Shows another colour than is asked for."""
    return np.roll(perfect(prompts, seed), 1, axis=-1)


def collapsed(prompts, seed):
    return np.concatenate([perfect([prompt], 0) for prompt in prompts])


def stubborn(prompts, seed):
    """Shows the same, whatever is asked for."""
    return perfect([caption(0)] * len(prompts), seed)


def by_heart(prompts, seed):
    return np.stack([REAL.training[MEANINGS[prompt]]["clip"] for prompt in prompts])


def evaluated(paint, seeds=(0,), real=REAL, clips=1000):
    return evaluate_matching(paint, Oracle(), real, clips, seeds)


@pytest.fixture(scope="module")
def report():
    return evaluated(perfect, (0, 7))


def test_a_perfect_model_is_as_good_and_varied_and_new_as_real_clips(report):
    assert report["matcher"] == {
        "training_clips": 96,
        "held_back_clips": 48,
        "known_captions": 48,
        "among": len(PAIRS),
    }
    for split, clips in (("held_back", 96), ("training", 192)):
        generated = report["right_caption"][split]["generated"]
        assert generated["value"] == 1 and generated["clips"] == clips
    assert report["right_caption"]["held_back"]["real"]["clips"] == 48
    assert report["diversity"]["captions"] == len(PAIRS)
    assert report["diversity"]["relative"]["value"] == pytest.approx(1, abs=0.25)
    distance = report["frechet_distance"]
    assert distance["clips"] == 24
    assert distance["generated"]["value"] < 2 * distance["real"]["value"]
    assert report["nearest"]["nearer"]["value"] == pytest.approx(0.5, abs=0.2)
    for ratio in ("ratio", "training_ratio"):
        assert report["nearest"][ratio]["value"] == pytest.approx(1, abs=0.2)


def test_a_deaf_model_is_never_right():
    report = evaluated(deaf)
    for split in ("held_back", "training"):
        assert report["right_caption"][split]["generated"]["value"] == 0
    assert report["right_caption"]["held_back"]["real"]["value"] == 1


def test_a_model_without_noise_has_no_diversity():
    assert evaluated(collapsed)["diversity"]["relative"]["value"] == pytest.approx(0, abs=1e-6)


def test_a_model_that_shows_one_thing_is_far_from_real_clips():
    report = evaluated(stubborn)
    right = report["right_caption"]["training"]["generated"]
    assert right["right"] == right["clips"] / len(PAIRS)
    distance = report["frechet_distance"]
    assert distance["generated"]["value"] > 2 * distance["real"]["value"]


def test_a_model_that_knows_its_clips_by_heart_is_told():
    nearest = evaluated(by_heart)["nearest"]
    for ratio in ("ratio", "training_ratio"):
        assert nearest[ratio]["value"] == pytest.approx(0, abs=1e-3)
    assert nearest["nearer"]["value"] >= 0.9
    assert nearest["training_clips"] == 96


def test_captions_of_training_may_be_known_by_heart_where_others_are_not():
    """Each ratio is of the clips of its own kind of captions."""
    new, known = (
        Readings([], *[np.empty(0)] * 2, thumbnails(paint(SHOWN, 5))) for paint in (perfect, by_heart)
    )
    nearest = nearness(new, [new], [known], REAL.training)
    assert nearest["ratio"]["value"] == 1
    assert nearest["training_ratio"]["value"] == pytest.approx(0, abs=1e-3)


def test_what_cannot_be_told_is_left_out():
    report = evaluated(perfect, real=RealClips(Squares(), Squares(3, seed=1)))
    assert report["diversity"] is None and report["frechet_distance"] is None
    assert report["clips"] == 3
    assert "no caption has two held-back clips" in to_text(report | FACTS)


FACTS = {"world": "clips", "size": SIZE, "frames": 8}


def test_the_text_shows_the_numbers_of_the_report(report):
    assert json.loads(json.dumps(report)) == report
    lines = to_text(report | FACTS).splitlines()
    assert max(map(len, lines)) <= 120
    line = next(line for line in lines if line.startswith("diversity "))
    found = [float(number) for number in re.findall(r"\d+\.\d+", line)]
    told = report["diversity"]
    known = [*(told["generated"][name] for name in ("value", "low", "high")), told["real"]["value"]]
    assert found[:4] == pytest.approx(known, abs=5.1e-4)


@pytest.mark.parametrize(("clips", "seeds"), [(1, (0,)), (10, ()), (10, (-1,))])
def test_numbers_out_of_range_are_refused_before_anything_is_painted(clips, seeds):
    with pytest.raises(UsageError, match="expected two clips or more"):
        evaluated(None, seeds, clips=clips)
