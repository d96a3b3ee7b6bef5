"""The three worlds that a recipe must serve: two folders and the moving digits, each with its reading."""

import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from reader import Reader

from t2v_jax import config as configuration
from t2v_jax.data.source import make_source
from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.evaluation.classifier import Classifier
from t2v_jax.training.auto_config import fit, fitted_config

FOLDERS = ("plain", "pans")
DIGITS = "digits"
TEXTS = 256  # prompts whose clips are read, captions in turn
SETS, SET = 12, 4  # captions, and clips of each, whose diversity is measured


class World(NamedTuple):
    """`config` as `t2v train` would make it; what to ask for, and how to tell whether it is shown.

    `right` takes clips of the `prompts`, uint8 [n, t, h, w, c], and tells whether thing and direction (of
    digits the digit and its motion) are what was asked for, bool [n, 2]. `sets` are SETS captions with SET
    real clips each.
    """

    config: Any
    prompts: list[str]
    right: Callable
    sets: dict[str, np.ndarray]


def world(name: str, prepared: pathlib.Path) -> World:
    """A world by its name; its folder lies under that name in `prepared`."""
    return _digits() if name == DIGITS else _folder(name, prepared / name)


def _folder(name, directory):
    source = PreparedClips(directory)
    reader, texts = Reader(name, source), list(source.captions())
    prompts = [texts[place % len(texts)] for place in range(TEXTS)]
    parameters, wanted = reader.load(), reader.wanted(prompts)
    clips_per_caption = PreparedClips(directory, clips_per_caption=SET)
    groups = np.linspace(0, len(clips_per_caption) // SET - 1, SETS).astype(int)
    batches = [clips_per_caption.batch(range(SET * group, SET * (group + 1))) for group in groups]
    sets = {batch["caption"][0]: batch["clip"] for batch in batches}

    def right(clips):
        return reader.read(parameters, clips) == wanted

    return World(fitted_config(directory), prompts, right, sets)


def _digits():
    config = configuration.default()
    config.log_every, config.checkpoint_every, config.sample_every = 50, 500, 500
    paired = configuration.default()
    paired.data.clips_per_caption = 2
    fit(config, make_source(config), make_source(paired))
    source, classifier = make_source(config, "test"), Classifier.shipped(config.data.world)
    asked = prompts_of.balanced(source, TEXTS)
    wanted = prompts_of.combinations(asked)
    clips_per_caption = prompts_of.clips_per_caption(source, SETS, SET)
    clips = prompts_of.real_clips(source)(clips_per_caption, 0, config.data.frames)
    sets = dict(
        zip([prompt.text for prompt in clips_per_caption[::SET]], clips.reshape(SETS, SET, *clips.shape[1:]))
    )

    def right(clips):
        return classifier(clips).values == wanted

    return World(config, [prompt.text for prompt in asked], right, sets)
