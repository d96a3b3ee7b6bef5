"""The only list of choices: what a field of the configuration may name.

A choice is a name of this list or, where it stands for an object, `package.module:Object`: code of one's own.
Objects are imported when they are used, so that the list costs nothing.
"""

import importlib
import os
import sys
from typing import Any

from t2v_jax.errors import UsageError, describe

# Kind -> name -> where the object is; None: the name says it all.
CHOICES: dict[str, dict[str, str | None]] = {
    "world": {
        "moving_digits": "t2v_jax.data.worlds.moving_digits:MovingDigits",
        "two_digits": "t2v_jax.data.worlds.two_digits:TwoDigits",
        "turning_digits": "t2v_jax.data.worlds.turning_digits:TurningDigits",
        "moving_shapes": "t2v_jax.data.worlds.moving_shapes:MovingShapes",
        "clips": "t2v_jax.data.videos.prepared:PreparedClips",
        "tfds": "t2v_jax.data.tfds.clips:TfdsClips",
    },
    "generator": {"canvas": "t2v_jax.networks.generator:Generator"},
    "discriminator": {"frame_and_clip": "t2v_jax.networks.discriminator:Discriminator"},
    "loss": {
        "minimax": "t2v_jax.gan.losses:MINIMAX",
        "non_saturating": "t2v_jax.gan.losses:NON_SATURATING",
        "hinge": "t2v_jax.gan.losses:HINGE",
        "relativistic": "t2v_jax.gan.losses:RELATIVISTIC",
    },
    "attention_score": {
        "bilinear": "t2v_jax.nn.attention:BilinearScore",
        "scaled_dot_product": "t2v_jax.nn.attention:ScaledDotProductScore",
        "uniform": "t2v_jax.nn.attention:UniformScore",
    },
    "augmentation": {
        "translation": "t2v_jax.gan.augmentation:translation",
        "cutout": "t2v_jax.gan.augmentation:cutout",
        "color": "t2v_jax.gan.augmentation:color",
    },
    "penalty": dict.fromkeys(("exact", "finite_difference", "none")),
    "tokenizer": dict.fromkeys(("word", "unigram", "bpe")),
    "sentence_encoder": dict.fromkeys(("gru", "mean")),
    "dtype": dict.fromkeys(("auto", "float32", "bfloat16")),
}

# Kind -> the field of the configuration that names one.
FIELDS = {
    "dtype": "dtype",
    "world": "data.world",
    "tokenizer": "text.model",
    "sentence_encoder": "text.sentence",
    "generator": "generator.network",
    "attention_score": "generator.attention",
    "discriminator": "discriminator.network",
    "augmentation": "discriminator.augment",
    "loss": "loss.kind",
    "penalty": "loss.penalty",
}


def names(kind: str) -> tuple[str, ...]:
    """The names of a kind of choice."""
    return tuple(CHOICES[kind])


def known(kind: str, name: str) -> bool:
    """Whether `name` is one of the names, or has the form of one's own `package.module:Object`."""
    return name in CHOICES[kind] or (_is_open(kind) and _is_path(name))


def expected(kind: str) -> str:
    """What a field of this kind expects, for messages."""
    own = " or package.module:Object" if _is_open(kind) else ""
    return f"one of {', '.join(names(kind))}{own}"


def resolve(kind: str, name: str) -> Any:
    """The object that a name stands for; one's own is also looked for in the working directory.

    Raises UsageError for an unknown name and for a module or an object that cannot be imported.
    """
    if not known(kind, name):
        raise UsageError(f"no {kind.replace('_', ' ')} {name!r}; expected {expected(kind)}")
    module, _, attribute = (CHOICES[kind].get(name) or name).partition(":")
    if name not in CHOICES[kind] and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        return getattr(importlib.import_module(module), attribute)
    # Importing runs code of others, which may raise anything.
    except Exception as error:
        raise UsageError(
            f"config.{FIELDS[kind]}={name} cannot be imported ({describe(error)}); expected "
            "package.module:Object, of a module on Python's path or in the working directory"
        ) from error


def _is_open(kind):
    return None not in CHOICES[kind].values()


def _is_path(name):
    module, colon, attribute = name.partition(":")
    return bool(colon) and attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))
