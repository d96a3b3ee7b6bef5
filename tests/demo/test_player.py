"""Where a model's clips end, the page begins again."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from ml_collections import ConfigDict, FrozenConfigDict

import t2v_jax
from t2v_jax.demo.player import Player
from t2v_jax.inference.loop import loops

PROMPT = "digit 3 is up and down."


@pytest.fixture(scope="module")
def params(trained):
    return t2v_jax.load(trained)


def begun_at_most(params, frames):
    """The model, as if its clips had been trained from so many frames after their beginning."""
    config = ConfigDict(params.config)
    config.schedule.max_start_offset = frames
    return dataclasses.replace(params, config=FrozenConfigDict(config))


def frames(stream, count):
    return np.stack([*itertools.islice(stream, count)])


def test_clips_that_were_trained_from_their_beginning_alone_begin_again(params):
    player = Player(begun_at_most(params, 0), PROMPT, seed=1)
    shown = frames(player, 10)
    assert player.length == 4
    np.testing.assert_array_equal(shown[:4], frames(t2v_jax.Stream(params, PROMPT, 1), 4))
    np.testing.assert_array_equal(shown, np.resize(shown[:4], shown.shape))


def test_others_go_on(params):
    player = Player(begun_at_most(params, 3), PROMPT, seed=1)
    np.testing.assert_array_equal(frames(player, 10), frames(t2v_jax.Stream(params, PROMPT, 1), 10))
    assert player.length == math.inf


@pytest.mark.parametrize(("name", "length"), [("animated-emoji", math.inf), ("moving-shapes", 16)])
def test_what_repeats_in_place_goes_on_and_what_leaves_the_frame_does_not(name, length):
    params = t2v_jax.load(name)
    assert Player(params, params.language.examples[0]).length == length


def test_a_thing_on_a_smaller_canvas_goes_away_instead_of_repeating():
    config = ConfigDict(t2v_jax.load("animated-emoji").config)
    assert loops(config)
    config.generator.canvas_size = config.data.size // 2
    assert not loops(config)
