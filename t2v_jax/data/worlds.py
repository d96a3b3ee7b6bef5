"""The captioned worlds by name."""

import dataclasses

from t2v_jax.data.moving_digits import MovingDigits
from t2v_jax.data.moving_shapes import MovingShapes
from t2v_jax.data.turning_digits import TurningDigits
from t2v_jax.data.two_digits import TwoDigits
from t2v_jax.data.world import World

WORLDS = {
    "moving_digits": MovingDigits,
    "two_digits": TwoDigits,
    "turning_digits": TurningDigits,
    "moving_shapes": MovingShapes,
}


def make_source(config, split="train") -> World:
    """The clips of `config.data.world` in a split: train, test or held_out."""
    world = WORLDS[config.data.world]
    told = {**config.data, "directory": config.data.directory or None, "seed": config.seed, "split": split}
    return world(**{field.name: told[field.name] for field in dataclasses.fields(world)})
