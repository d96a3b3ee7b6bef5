"""Real animated emoji, each once, and the captions that a clip is matched with."""

import re
from typing import NamedTuple

import numpy as np
from absl import flags

import t2v_jax  # noqa: F401, registers the builder
from t2v_jax.data.tfds.animated_emoji import TONES, Emoji

DATASET = flags.DEFINE_string("dataset", "animated_emoji/actions", "which of the builder's choices")
DIRECTORY = flags.DEFINE_string("directory", None, "TFDS's data_dir; default: its own")

TRAIN, HELD_OUT = "train", "held_out"


class Loops(NamedTuple):
    """n emoji: clips uint8 [n, 16, 64, 64, 3], names [n], and tones int [n], indices of TONES."""

    clips: np.ndarray
    names: list[str]
    tones: np.ndarray

    @property
    def captions(self) -> list[str]:
        """The usual wording of each."""
        return [caption(name, tone) for name, tone in zip(self.names, self.tones)]


def caption(name: str, tone: int) -> str:
    """The usual wording."""
    return Emoji(name, "", TONES[tone], b"").captions[0]


def words(sentence: str) -> list[str]:
    """medium-light is one word."""
    return re.findall(r"[a-z][a-z-]*", sentence.lower())


def read(split: str) -> Loops:
    """All emoji of a split."""
    import tensorflow_datasets as tfds

    source = tfds.data_source(
        DATASET.value, split=split, data_dir=DIRECTORY.value, builder_kwargs={"file_format": "array_record"}
    )
    examples = [source[index] for index in range(len(source))]
    clips = np.stack([example["clip"] for example in examples])
    names = [example["name"].decode() for example in examples]
    return Loops(clips, names, np.array([example["tone"] for example in examples]))
