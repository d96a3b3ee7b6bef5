"""The captioned worlds by name, the clips that a user prepared, and those of TensorFlow Datasets."""

import dataclasses

from t2v_jax.data.decode import Recipe
from t2v_jax.data.moving_digits import MovingDigits
from t2v_jax.data.moving_shapes import MovingShapes
from t2v_jax.data.shards import PreparedClips
from t2v_jax.data.tfds_clips import TfdsClips
from t2v_jax.data.turning_digits import TurningDigits
from t2v_jax.data.two_digits import TwoDigits
from t2v_jax.data.world import World

CLIPS = "clips"  # the name under which a prepared folder of videos is chosen
TFDS = "tfds"  # and a data set of TensorFlow Datasets
WORLDS = {
    "moving_digits": MovingDigits,
    "two_digits": TwoDigits,
    "turning_digits": TurningDigits,
    "moving_shapes": MovingShapes,
}


def make_source(config, split="train") -> World | PreparedClips | TfdsClips:
    """The clips of `config.data.world` in a split: train, test or, in a drawn world, held_out."""
    if config.data.world == CLIPS:
        return PreparedClips(config.data.directory, split)
    if config.data.world == TFDS:
        recipe = Recipe(frames=config.data.frames, size=config.data.size, channels=config.data.channels)
        return TfdsClips(config.data.dataset, split, recipe, config.data.directory or None)
    world = WORLDS[config.data.world]
    told = {**config.data, "directory": config.data.directory or None, "seed": config.seed, "split": split}
    return world(**{field.name: told[field.name] for field in dataclasses.fields(world)})
