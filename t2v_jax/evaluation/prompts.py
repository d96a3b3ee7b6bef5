"""What a model is asked for, and the same asked of the world itself: real clips."""

import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from t2v_jax.data.worlds.world import World

_REAL_CLIPS = 2**32  # so many that two samples hardly share one


class Prompt(NamedTuple):
    """A prompt, and the combination of values that a clip which obeys it shows."""

    text: str
    combination: tuple[int, ...]


def balanced(world: World, number: int) -> list[Prompt]:
    """So many prompts: all combinations of the split in turn, in a mixed order, and all templates.

    A longer list begins with the shorter ones.
    """
    order = np.random.default_rng(0).permutation(len(world.combinations))
    turns = [divmod(i, len(order)) for i in range(number)]
    return [_prompt(world, order[place], (turn + place) % len(world.templates)) for turn, place in turns]


def repeated(world: World, sets: int, number: int) -> list[Prompt]:
    """`number` times the same prompt, for each of so many captions one after the other."""
    return [prompt for prompt in balanced(world, sets) for _ in range(number)]


def combinations(prompts: Sequence[Prompt]) -> np.ndarray:
    """int [n, attributes]."""
    return np.array([prompt.combination for prompt in prompts])


def real_clips(world: World) -> Callable:
    """A function (prompts, seed, frames) -> real clips that obey them, uint8 [n, frames, h, w, c]."""

    def paint(prompts, seed, frames):
        source = copy.copy(world)
        source.clips, source.frames = _REAL_CLIPS, frames
        clips = []
        for index, prompt in enumerate(prompts, seed):
            source.combinations = [prompt.combination]
            clips.append(source[index]["clip"])
        return np.stack(clips)

    return paint


def _prompt(world, combination, template) -> Prompt:
    combination = world.combinations[combination]
    return Prompt(world.caption(combination, template), combination)
