"""Trained players, ours and the baselines, as they are read back from their workdirs."""

import pathlib
from typing import Any, NamedTuple

import flax.linen as nn
from networks import BASELINES

from t2v_jax.inference.model import Model, load_definition
from t2v_jax.networks.discriminator import Discriminator
from t2v_jax.networks.generator import Generator
from t2v_jax.training.checkpoints import Checkpoints

PLAYERS = {"ours": (Generator, Discriminator)} | BASELINES


class Player(NamedTuple):
    """G as `t2v_jax.load` gives it, with its averaged arrays; D's module and its arrays."""

    params: Model
    discriminator: nn.Module
    arrays: Any


def load(name, workdir) -> Player:
    """A run of one of PLAYERS, at its newest checkpoint."""
    generator, discriminator = PLAYERS[name]
    config, language = load_definition(pathlib.Path(workdir))
    with Checkpoints(pathlib.Path(workdir)) as checkpoints:
        params = Model(checkpoints.restore_arrays("ema"), config, language, generator)
        arrays = checkpoints.restore_arrays("training")["discriminator"]
    return Player(params, discriminator(config, language.vocabulary_size), arrays)
