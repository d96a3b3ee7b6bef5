"""Scenes made up at random, as many as --clips says."""

import random
from collections.abc import Callable, Hashable, Iterable

from absl import flags

_CLIPS = flags.DEFINE_integer("clips", 2000, "How many clips to make.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of all that is random.")


def made_up(draw: Callable[[random.Random], Hashable]) -> Iterable[Hashable]:
    """Scenes that `draw` makes up, no two the same: of equal files the library uses one."""
    rng, scenes = random.Random(_SEED.value), {}
    while len(scenes) < _CLIPS.value:
        scenes[draw(rng)] = None
    return scenes
