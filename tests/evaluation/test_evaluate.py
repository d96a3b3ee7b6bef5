"""A model is asked for every digit and motion evenly; its report is right for known models."""

import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import FrozenConfigDict

from t2v_jax import config as configuration
from t2v_jax.data.moving_digits import MOTIONS, MovingDigits
from t2v_jax.errors import UsageError
from t2v_jax.evaluation.evaluate import evaluate, evaluate_model
from t2v_jax.evaluation.scores import to_text
from t2v_jax.model import Params
from t2v_jax.nn.generator import Generator
from t2v_jax.text.language import Language

DATA = types.SimpleNamespace(
    world="moving_digits", size=32, frames=6, digit_size=14, channels=1, directory=""
)


def with_data(**changes):
    return types.SimpleNamespace(**{**vars(DATA), **changes})


class Obedient:
    """Answers each prompt with a real clip that shows what it says."""

    def __init__(self):
        self.calls = []
        source = MovingDigits("train", 3000, frames=6, size=32, digit_size=14)
        self._clips = {}
        for element in source:
            wanted = element["digit"], element["motion"]
            self._clips.setdefault(wanted, []).append(element["clip"])

    def __call__(self, prompts, seed):
        self.calls.append((tuple(prompts), seed))
        rng = np.random.default_rng(seed)
        return np.stack([self._clip(prompt, rng) for prompt in prompts])

    def _clip(self, prompt, rng):
        (digit,) = [int(sign) for sign in prompt if sign.isdigit()]
        (motion,) = [i for i, name in enumerate(MOTIONS) if name in prompt]
        clips = self._clips[digit, motion]
        return clips[rng.integers(len(clips))]


@pytest.fixture(scope="module")
def asked():
    """An obedient model, its report for two seeds, and the progress told."""
    model, told = Obedient(), []
    report = evaluate(model, DATA, 80, (0, 7), lambda done, total: told.append((done, total)))
    return model, report, told


def test_an_obedient_model_is_as_good_and_varied_as_real_clips(asked):
    _, report, _ = asked
    assert report["generated"]["motion"]["share"] == 1
    assert report["relative"]["both"] > 0.95
    for kind, relative in report["relative"]["diversity"].items():
        assert relative == pytest.approx(1, abs=0.15), kind


def test_every_digit_and_motion_is_asked_for_evenly_for_each_seed(asked):
    model, report, _ = asked
    assert report["generated"]["both"]["clips"] == 2 * 80
    assert np.sum(report["generated"]["confusion"], axis=1).tolist() == [16] * 10
    prompts = [prompt for batch, _ in model.calls for prompt in batch]
    assert prompts[:400] == prompts[400:]
    assert sorted(prompts[:40]) == MovingDigits("test", 1).captions() == sorted(prompts[40:80])
    assert len(set(prompts[80:400])) == 5


def test_no_two_batches_share_a_seed(asked):
    model, _, _ = asked
    seeds = [seed for _, seed in model.calls]
    assert len(set(seeds)) == len(seeds) and all(0 <= seed < 2**31 for seed in seeds)


def test_progress_is_told_up_to_the_end(asked):
    _, _, told = asked
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert {total for _, total in told} == {800} and told[-1] == (800, 800)


def test_the_same_model_gets_the_same_report(asked):
    model, _, _ = asked
    assert evaluate(model, DATA, 20) == evaluate(model, DATA, 20)


def untrained():
    """A small generator of random parameters."""
    config = configuration.default()
    config.data.update(size=32, digit_size=14, frames=6)
    config.generator.update(style_width=16, scene_channels=8, painter_channels=(8, 4))
    language = Language.train(MovingDigits("train", 1).captions())
    captions = language.encode(["the digit 3 is moving up and down"])
    noise = jnp.zeros((1, config.generator.noise_width))
    network = Generator(config, language.vocabulary_size)
    init = functools.partial(network.init, frames=1)
    shapes = jax.eval_shape(init, jax.random.key(0), captions, noise)
    rng = np.random.default_rng(0)
    generator = jax.tree.map(lambda leaf: rng.normal(0, 0.1, leaf.shape).astype("f"), shapes)
    return Params(generator, FrozenConfigDict(config), language)


def test_an_untrained_model_is_worse_than_real_clips():
    report = evaluate_model(untrained(), clips=40)
    assert report["generated"]["digit"]["share"] < 0.4
    assert report["relative"]["both"] < 0.3
    assert report["relative"]["travel"] < 0.5
    assert report["relative"]["diversity"]["motion"] < 0.5
    assert "40 generated clips, 40 real ones" in to_text(report)


def test_a_model_of_another_world_is_refused():
    config = types.SimpleNamespace(data=with_data(world="clip_folder"))
    with pytest.raises(UsageError, match="clip_folder.*moving_digits"):
        evaluate_model(types.SimpleNamespace(config=config))


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ({"frames": 4}, {}, "frames=4.*5 or more"),
        ({"size": 48}, {}, "48x48"),
        ({}, {"clips": 0}, "clips=0"),
        ({}, {"seeds": ()}, r"seeds=\(\)"),
        ({}, {"seeds": (0, -1)}, "seeds"),
    ],
)
def test_what_cannot_be_judged_is_named_before_anything_is_painted(data, options, message):
    def never(prompts, seed):
        raise AssertionError("painted")

    with pytest.raises(UsageError, match=message) as caught:
        evaluate(never, with_data(**data), **options)
    assert "\n" not in str(caught.value)
