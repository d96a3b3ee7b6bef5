"""The drawn worlds as TensorFlow Datasets: `tfds.data_source("moving_digits", split="train")`.

Importing this module registers them, which importing `t2v_jax` does once TFDS is imported too. They are
written as ArrayRecord, without TensorFlow.
"""

import dataclasses

import numpy as np
import tensorflow_datasets as tfds

from t2v_jax.data.world import SPLITS, World
from t2v_jax.data.worlds import WORLDS


@dataclasses.dataclass(kw_only=True)
class WorldConfig(tfds.core.BuilderConfig):
    """How many clips a split has, and how large they are; another choice needs a `name` of its own."""

    name: str = "default"
    clips: int = 12_000
    frames: int = 16
    size: int = 64


class CaptionedWorld(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A `World`; an example is what `World.__getitem__` gives."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [WorldConfig()]
    world: type[World]

    def __init__(self, *, file_format="array_record", **options):
        """`file_format` as in TFDS, whose own default cannot be written without TensorFlow."""
        super().__init__(file_format=file_format, **options)

    def _info(self) -> tfds.core.DatasetInfo:
        attributes = self.world.attributes.items()
        clip = self._split("train")[0]["clip"]
        features = {
            # Compressed, for most of a clip is backdrop.
            "clip": tfds.features.Tensor(shape=clip.shape, dtype=clip.dtype, encoding="zlib"),
            "caption": tfds.features.Text(),
            "meaning": tfds.features.Scalar(dtype=np.int64),
            **{name: tfds.features.ClassLabel(names=list(values)) for name, values in attributes},
        }
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), description=self.world.__doc__
        )

    def _split_generators(self, dl_manager) -> dict:
        return {split: self._generate_examples(self._split(split)) for split in SPLITS}

    def _split(self, split) -> World:
        config = self.builder_config
        return self.world(split, config.clips, frames=config.frames, size=config.size)

    def _generate_examples(self, world):
        for index in range(len(world)):
            yield index, world[index]


for _name, _world in WORLDS.items():
    # A builder is found by the name of its class, in snake case.
    globals()[_world.__name__] = type(_world.__name__, (CaptionedWorld,), {"world": _world, "name": _name})
