"""Worlds, emoji and your videos as TensorFlow Datasets: `tfds.data_source("moving_digits", "train")`.

Importing this module registers them, which importing `t2v_jax` does once TFDS is imported too. They are
written as ArrayRecord, without TensorFlow.
"""

import dataclasses
import itertools
import re

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from t2v_jax.data.source import drawn_worlds
from t2v_jax.data.tfds import animated_emoji
from t2v_jax.data.videos import captions, folder
from t2v_jax.data.videos.decode import ClipSpec
from t2v_jax.data.videos.decoder_pool import Decoders
from t2v_jax.data.worlds.world import SPLITS, World


@dataclasses.dataclass(kw_only=True)
class WorldConfig(tfds.core.BuilderConfig):
    """How many clips a split has, and how large they are; another choice needs a `name` of its own."""

    name: str = "default"
    clips: int = 12_000
    frames: int = 16
    size: int = 64


class CaptionedClips(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """What all have: a clip, its caption class, named labels, and what the caption is made of."""

    VERSION = tfds.core.Version("2.0.0")
    RELEASE_NOTES = {"2.0.0": "`meaning` is called `caption_class`; the same clips as in 1.0.1"}

    def __init__(self, *, file_format="array_record", **options):
        """`file_format` as in TFDS, whose own default cannot be written without TensorFlow."""
        super().__init__(file_format=file_format, **options)

    def _describe(self, shape, text, labels, **about) -> tfds.core.DatasetInfo:
        """`shape` of a clip, features of the `text`, names of the values of each of the `labels`."""
        features = {
            # As bytes: ArrayRecord compresses them as well as zlib would, and is read twice as fast.
            "clip": tfds.features.Tensor(shape=shape, dtype=np.uint8, encoding="bytes"),
            "caption_class": tfds.features.Scalar(dtype=np.int64),
            **text,
            **{name: tfds.features.ClassLabel(names=list(values)) for name, values in labels.items()},
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features), **about)


class CaptionedWorld(CaptionedClips, skip_registration=True):
    """A `World`; an example is what `World.__getitem__` gives."""

    BUILDER_CONFIGS = [WorldConfig()]
    world: type[World]

    def _info(self) -> tfds.core.DatasetInfo:
        text = {"caption": tfds.features.Text()}
        shape = self._split("train")[0]["clip"].shape
        return self._describe(shape, text, self.world.attributes, description=self.world.__doc__)

    def _split_generators(self, dl_manager) -> dict:
        return {split: self._generate_examples(self._split(split)) for split in SPLITS}

    def _split(self, split) -> World:
        config = self.builder_config
        return self.world(split, config.clips, frames=config.frames, size=config.size)

    def _generate_examples(self, world):
        for index in range(len(world)):
            yield index, world[index]


for _name, _world in drawn_worlds().items():
    # A builder is found by the name of its class, in snake case.
    globals()[_world.__name__] = type(_world.__name__, (CaptionedWorld,), {"world": _world, "name": _name})


@dataclasses.dataclass(kw_only=True)
class EmojiConfig(tfds.core.BuilderConfig):
    """Which emoji, and how clips are made of their loops; another choice needs a `name` of its own."""

    name: str = "default"
    emoji: str = ".*"  # a regular expression, which the whole Unicode name matches
    frames: int = 16
    size: int = 64
    background: str = "white"  # a colour that Pillow knows, by name or #rrggbb


class AnimatedEmoji(CaptionedClips):
    """Microsoft's animated Fluent emoji in all skin tones, with their Unicode names as captions.

    `animated_emoji/actions` has only the people who do something: "woman biking", "person juggling".
    """

    BUILDER_CONFIGS = [EmojiConfig(), EmojiConfig(name="actions", emoji=r"(woman|man|person) .*ing\b.*")]
    MANUAL_DOWNLOAD_INSTRUCTIONS = animated_emoji.__doc__

    def _info(self) -> tfds.core.DatasetInfo:
        config = self.builder_config
        text = {"captions": tfds.features.Sequence(tfds.features.Text()), "name": tfds.features.Text()}
        labels = {"tone": animated_emoji.TONES, "group": animated_emoji.GROUPS}
        return self._describe((config.frames, config.size, config.size, 3), text, labels)

    def _split_generators(self, dl_manager) -> dict:
        packages = dl_manager.manual_dir
        return {
            split: self._generate_examples(packages, held_out)
            for split, held_out in (("train", False), ("held_out", True))
        }

    def _generate_examples(self, packages, held_out):
        config, caption_class = self.builder_config, -1
        for emoji in animated_emoji.read(packages):
            caption_class += 1
            if emoji.held_out != held_out or not re.fullmatch(config.emoji, emoji.name):
                continue
            clip = animated_emoji.clip(emoji.picture, config.frames, config.size, config.background)
            if clip is not None:
                yield (
                    caption_class,
                    {
                        "clip": clip,
                        "caption_class": caption_class,
                        "captions": emoji.captions,
                        **{name: getattr(emoji, name) for name in ("name", "tone", "group")},
                    },
                )


@dataclasses.dataclass(kw_only=True)
class ClipsConfig(tfds.core.BuilderConfig):
    """How clips are cut from the videos; another choice needs a `name` of its own."""

    name: str = "default"
    spec: ClipSpec = ClipSpec()


class Clips(CaptionedClips):
    """The clips of a folder of captioned videos; those that cannot be used are logged and left out."""

    BUILDER_CONFIGS = [ClipsConfig()]
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The manual_dir is the folder of videos. {captions.__doc__}"

    def _info(self) -> tfds.core.DatasetInfo:
        return self._describe(self.builder_config.spec.shape, {"caption": tfds.features.Text()}, {})

    def _split_generators(self, dl_manager) -> dict:
        found = folder.read_folder(dl_manager.manual_dir)
        _tell_left_out(found.left_out)
        classes = captions.caption_classes(video.captions for video in found.videos)
        videos = {split: [] for split in folder.SPLITS}
        for video in found.videos:
            videos[folder.split_of(video.name, found.test_share)].append(video)
        return {
            split: self._generate_examples(found.directory, chosen, classes)
            for split, chosen in videos.items()
            if chosen  # a split without examples cannot be written
        }

    def _generate_examples(self, directory, videos, classes):
        with Decoders(self.builder_config.spec) as decoders:
            paths = (directory / video.name for video in videos)
            for video, decoded in zip(videos, decoders(paths)):
                if isinstance(decoded, str):
                    _tell_left_out({video.name: decoded})
                    continue
                for (number, clip), caption in itertools.product(enumerate(decoded.clips), video.captions):
                    said = {"caption": caption, "caption_class": classes[caption]}
                    yield f"{video.name} {number} {caption}", {"clip": clip, **said}


def _tell_left_out(reasons):
    for name, reason in reasons.items():
        logging.warning("left out: %s: %s", name, reason)
