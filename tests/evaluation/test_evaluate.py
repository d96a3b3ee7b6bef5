"""Known models get the report they deserve: perfect, deaf, frozen, of a single glyph."""

import json
import re

import numpy as np
import pytest

from t2v_jax.errors import UsageError
from t2v_jax.evaluation import evaluate as evaluation
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.evaluation.evaluate import evaluate
from t2v_jax.evaluation.report import to_text
from tests.evaluation import real

CLIPS, SET = 40, 12
SIZES = {"moving_digits": real.SMALL, "moving_shapes": {}}


class Model:
    """Answers each prompt with real clips of what it says, of seeds that no evaluation asks for."""

    def __init__(self, name):
        self.calls, self._prompts = [], {}
        self.worlds = {split: real.world(name, split, **SIZES[name]) for split in evaluation.SPLITS.values()}
        for world in self.worlds.values():
            for prompt in prompts_of.balanced(world, len(world.combinations) * len(world.templates)):
                self._prompts[prompt.text] = prompts_of.real_clips(world), prompt

    def __call__(self, prompts, seed, frames):
        self.calls.append((prompts, seed))
        asked = [self._prompts[prompt] for prompt in prompts]
        clips = [paint([prompt], 2**31 + seed + i, frames) for i, (paint, prompt) in enumerate(asked)]
        return np.concatenate(clips)


class Deaf(Model):
    """Does what the prompt before said."""

    def __call__(self, prompts, seed, frames):
        return super().__call__([*prompts[1:], prompts[0]], seed, frames)


class Frozen(Model):
    """Shows the first frame all the time."""

    def __call__(self, prompts, seed, frames):
        return super().__call__(prompts, seed, frames)[:, :1].repeat(frames, axis=1)


class Collapsed(Model):
    """Has one clip for a prompt."""

    def __call__(self, prompts, seed, frames):
        return np.concatenate([Model.__call__(self, [prompt], 0, frames) for prompt in prompts])


class Tiring(Model):
    """Paints noise when the clip gets long."""

    def __call__(self, prompts, seed, frames):
        clips = super().__call__(prompts, seed, frames)
        late = clips[:, 2 * real.SMALL["frames"] :]
        late[:] = np.random.default_rng(seed).integers(0, 256, late.shape, np.uint8)
        return clips


@pytest.fixture(scope="module")
def report():
    """A function: the report on a model, of few clips."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "SET", SET)
        yield lambda model, world="moving_digits", seeds=(0,): evaluate(
            model, real.config(world, **SIZES[world]), CLIPS, seeds
        )


@pytest.fixture(scope="module")
def perfect(report):
    """A perfect model, and its report of two seeds."""
    model = Model("moving_digits")
    return model, report(model, seeds=(0, 7))


def value(report, split, *names):
    """The number of a score, by its names, in one split."""
    score = report[split]
    for name in names:
        score = score[name]
    return score["value"]


def frechet_ratio(report, split):
    generated, real_clips = (report[split][of]["frechet_distance"]["value"] for of in ("generated", "real"))
    return generated / real_clips


@pytest.mark.parametrize("split", evaluation.SPLITS)
def test_a_perfect_model_is_as_good_and_varied_as_real_clips(perfect, split):
    _, report = perfect
    assert value(report, split, "relative", "accuracy", "all") == pytest.approx(1, abs=0.05)
    for kind in report[split]["relative"]["diversity"]:
        assert value(report, split, "relative", "diversity", kind) == pytest.approx(1, abs=0.2), kind
    assert value(report, split, "relative", "travel") == pytest.approx(1, abs=0.15)
    assert frechet_ratio(report, split) < 1.4
    assert value(report, split, "long", "last", "all") >= 0.85


def test_shapes_are_classified_by_all_their_attributes(report):
    report = report(Model("moving_shapes"), "moving_shapes")
    for split in evaluation.SPLITS:
        for name in ("shape", "size", "color", "motion", "direction", "all"):
            assert value(report, split, "generated", "accuracy", name) >= 0.97
        assert value(report, split, "generated", "color_distance") < 3
    assert "digit seen" not in to_text(report)


def test_a_deaf_model_is_right_by_chance(report):
    report = report(Deaf("moving_digits"))
    assert value(report, "seen", "generated", "accuracy", "all") < 0.15
    assert value(report, "seen", "relative", "diversity", "motion") > 0.8


def test_a_frozen_model_moves_nowhere(report):
    report = report(Frozen("moving_digits"))
    generated = report["held_out"]["generated"]["accuracy"]
    assert generated["digit"]["value"] > 0.9
    assert generated["motion"]["value"] == generated["all"]["value"] == 0
    assert value(report, "held_out", "relative", "diversity", "motion") < 1e-3
    assert value(report, "held_out", "generated", "travel") < 1e-3
    assert frechet_ratio(report, "held_out") > 2
    assert sum(row[-1] for row in report["held_out"]["generated"]["confusion"]["motion"]) == CLIPS


def test_a_collapsed_model_has_no_diversity(report):
    report = report(Collapsed("moving_digits"))
    for kind in report["seen"]["relative"]["diversity"]:
        assert value(report, "seen", "relative", "diversity", kind) < 1e-3
    assert value(report, "seen", "generated", "accuracy", "all") > 0.9


def test_a_model_that_tires_fails_at_the_end_of_long_clips(report):
    report = report(Tiring("moving_digits"))
    assert value(report, "seen", "long", "first", "all") >= 0.85
    assert value(report, "seen", "long", "last", "all") <= 0.5


def test_every_combination_is_asked_for_evenly_for_each_seed(perfect):
    model, report = perfect
    for split, name in evaluation.SPLITS.items():
        world, accuracies = model.worlds[name], report[split]["generated"]["accuracy"]
        assert accuracies["all"]["clips"] == 2 * CLIPS and len(accuracies["all"]["by_seed"]) == 2
        wanted = prompts_of.combinations(prompts_of.balanced(world, CLIPS))[:, 0]
        seen = np.sum(report[split]["generated"]["confusion"]["digit"], axis=1)
        np.testing.assert_array_equal(seen, 2 * np.bincount(wanted, minlength=10))
        assert report[split]["long"]["clips"] == CLIPS // 5


def test_no_two_batches_of_a_split_share_a_seed(perfect):
    model, _ = perfect
    seen = [seed for _, seed in model.calls[: len(model.calls) // 2]]
    assert len(set(seen)) == len(seen) and all(0 <= seed < 2**31 for seed in seen)


def test_the_text_shows_the_numbers_of_the_report(perfect):
    _, report = perfect
    assert json.loads(json.dumps(report)) == report
    lines = to_text(report).splitlines()
    for split in evaluation.SPLITS:
        generated, real_clips = report[split]["generated"], report[split]["real"]
        scores = [(generated["accuracy"]["all"], real_clips["accuracy"]["all"], 100)]
        scores += [(generated["travel"], real_clips["travel"], 1)]
        for (ours, theirs, unit), label in zip(scores, ("all", "travel")):
            shown = [float(number) for number in numbers(lines, split, label)]
            known = [ours["value"], ours["low"], ours["high"], theirs["value"]]
            assert shown[:4] == pytest.approx([unit * number for number in known], abs=0.051 * unit / 100)
    assert max(map(len, lines)) <= 120


def numbers(lines, split, label):
    """The numbers in the first line of that label in the table of a split."""
    start = next(i for i, line in enumerate(lines) if line.startswith(split.replace("_out", "-out")))
    line = next(line for line in lines[start:] if line.startswith(f"{label} "))
    return re.findall(r"\d+\.\d+", line)


def test_the_scores_of_a_seed_are_the_same_whatever_else_is_asked(perfect, report):
    alone = report(Model("moving_digits"))
    for split in evaluation.SPLITS:
        for kind, score in alone[split]["generated"]["diversity"].items():
            assert score["by_seed"] == perfect[1][split]["generated"]["diversity"][kind]["by_seed"][:1]
        assert (
            alone[split]["generated"]["travel"]["by_seed"]
            == (perfect[1][split]["generated"]["travel"]["by_seed"][:1])
        )


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ({"world": "clip_folder"}, {}, "'clip_folder'.*moving_digits"),
        ({"frames": 4}, {}, "frames=4.*5 or more"),
        ({"size": 48}, {}, "48x48"),
        ({}, {"clips": 1}, "clips=1"),
        ({}, {"seeds": ()}, r"seeds=\(\)"),
        ({}, {"seeds": (0, -1)}, "seeds"),
    ],
)
def test_what_cannot_be_classified_is_named_before_painting(data, options, message, capsys):
    def never(prompts, seed, frames):
        raise AssertionError("painted")

    with pytest.raises(UsageError, match=message) as caught:
        evaluate(never, real.config(**data), **options)
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().err == ""
