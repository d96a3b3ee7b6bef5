"""The worlds that a recipe must serve: three folders and the moving digits, each with its reading."""

import pathlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from reader import CAPTIONS, Reader

from t2v_jax import config as configuration
from t2v_jax.data.source import make_source
from t2v_jax.data.videos.prepared import PreparedClips
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.evaluation.classifier import Classifier
from t2v_jax.training.auto_config import fit, fitted_config

FOLDERS = tuple(CAPTIONS)
DIGITS = "digits"
TEXTS = 256  # prompts whose clips are read, captions in turn
SETS, SET = 12, 4  # captions, and clips of each, whose diversity is measured


class World(NamedTuple):
    """`config` as `t2v train` would make it; what to ask for, and how to tell whether it is shown.

    `right` takes clips of the `prompts`, uint8 [n, t, h, w, c], and tells whether thing and direction (of
    digits the digit and its motion), and what else captions name, are what was asked for, bool [n, 2 or
    more]. `sets` are SETS captions with SET real clips each.
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
    texts = texts[:: -(-len(texts) // TEXTS)]  # sorted: the first ones alone would be of few things
    prompts = [texts[place % len(texts)] for place in range(TEXTS)]
    parameters, wanted = reader.load(), reader.wanted(prompts)

    def right(clips):
        return reader.read(parameters, clips) == wanted

    return World(fitted_config(directory), prompts, right, _sets(directory))


def _sets(directory):
    clips = PreparedClips(directory, clips_per_caption=SET)
    groups = [range(first, first + SET) for first in range(0, len(clips), SET)]
    whole = [group for group in groups if _differ(clips.batch(group)["clip"])]
    batches = [clips.batch(whole[place]) for place in np.linspace(0, len(whole) - 1, SETS).astype(int)]
    return {batch["caption"][0]: batch["clip"] for batch in batches}


def _differ(clips):
    """Whether none comes twice, as where a caption has few."""
    return len({clip.tobytes() for clip in clips}) == len(clips)


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
