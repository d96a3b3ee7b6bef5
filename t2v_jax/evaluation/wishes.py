"""What a model is asked for, and the same asked of the world itself: real clips."""

import copy
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from t2v_jax.data.world import World

_REAL_CLIPS = 2**32  # so many that two samples hardly share one


class Wish(NamedTuple):
    """A prompt, and the combination of values that a clip which obeys it shows."""

    prompt: str
    combination: tuple[int, ...]


def balanced(world: World, number: int) -> list[Wish]:
    """So many wishes: all combinations of the split in turn, in a mixed order, and all templates.

    A longer list begins with the shorter ones.
    """
    order = np.random.default_rng(0).permutation(len(world.combinations))
    turns = [divmod(i, len(order)) for i in range(number)]
    return [_wish(world, order[place], (turn + place) % len(world.templates)) for turn, place in turns]


def alike(world: World, sets: int, number: int) -> list[Wish]:
    """`number` times the same wish, for each of so many captions one after the other."""
    return [wish for wish in balanced(world, sets) for _ in range(number)]


def combinations(wishes: Sequence[Wish]) -> np.ndarray:
    """int [n, attributes]."""
    return np.array([wish.combination for wish in wishes])


def real_clips(world: World) -> Callable:
    """A function (wishes, seed, frames) -> real clips that obey them, uint8 [n, frames, h, w, c]."""

    def paint(wishes, seed, frames):
        source = copy.copy(world)
        source.clips, source.frames = _REAL_CLIPS, frames
        clips = []
        for index, wish in enumerate(wishes, seed):
            source.combinations = [wish.combination]
            clips.append(source[index]["clip"])
        return np.stack(clips)

    return paint


def _wish(world, combination, template) -> Wish:
    combination = world.combinations[combination]
    return Wish(world.caption(combination, template), combination)
