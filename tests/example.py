"""Networks, first parameters and a batch of real clips for the small configuration."""

import functools

import jax
import jax.numpy as jnp
from ml_collections import config_dict

from t2v_jax import config as configuration
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.data.source import make_source
from t2v_jax.networks.discriminator import Discriminator
from t2v_jax.networks.generator import Generator
from t2v_jax.text.language import Language
from t2v_jax.training import first_state, setup
from t2v_jax.training.checkpoints import Checkpoints
from tests import small

BATCH = 4
FRAMES = 4


def started(config, workdir):
    """The `Run` in a workdir, the state it starts or goes on from, and the batch that comes next."""
    run = setup.set_up(configuration.check(config), workdir)
    batches = clip_batches(run.source, run.language, config.batch_size, seed=config.seed)
    with Checkpoints(workdir, config.keep_checkpoints) as checkpoints:
        state = first_state.restore_or_start(run, checkpoints, batches)
    batch = next(batches)
    batches.close()
    return run, state, batch


def config(clips_per_caption=1, moving=False, **changes):
    """The small configuration; `changes` are fields of its losses, optimiser or schedule.

    moving: two actors before a picture, and D sees what moves by itself.
    """
    fields = small.get_config()
    fields.data.clips_per_caption = clips_per_caption
    fields.discriminator.moving = moving
    if moving:
        fields.generator.update(picture=True, actors=2)
    for name, value in changes.items():
        section = next(fields[part] for part in ("loss", "optimizer", "schedule") if name in fields[part])
        section[name] = value
    return configuration.check(fields)


@functools.cache
def source():
    return make_source(config())


@functools.cache
def language():
    return Language.train(source().captions())


def networks(config):
    sizes = config, language().vocabulary_size
    return setup.Networks(Generator(*sizes), Discriminator(*sizes))


def batch(seed=0):
    """The first batch in the order of a seed."""
    return jax.tree.map(jnp.asarray, next(clip_batches(source(), language(), BATCH, seed=seed, threads=0)))


def noise(seed=1):
    return jax.random.normal(jax.random.key(seed), (BATCH, config().generator.noise_width))


def parameters(networks):
    """First parameters of both networks, which are the caller's to change."""
    generator, discriminator = networks
    return setup.Networks(generator_parameters(generator), discriminator_parameters(discriminator))


def generator_parameters(generator):
    """First parameters of a generator, which are the caller's to change."""
    return jax.tree.map(lambda leaf: leaf, _first_generator(_of_any_game(generator)))


def discriminator_parameters(discriminator):
    """First parameters of a discriminator, which are the caller's to change."""
    return jax.tree.map(lambda leaf: leaf, _first_discriminator(_of_any_game(discriminator)))


def _of_any_game(network):
    """The same network in the small run's game, which its first parameters do not hang on."""
    fields, game = config_dict.ConfigDict(network.config), small.get_config()
    for section in ("loss", "optimizer", "schedule"):
        fields[section] = game[section]
    return network.clone(config=configuration.check(fields))


@functools.cache
def _first_generator(generator):
    init = jax.jit(generator.init, static_argnums=3)
    return init(jax.random.key(0), batch()["captions"], noise(), 1)


@functools.cache
def _first_discriminator(discriminator):
    data = discriminator.config.data
    clips = jnp.zeros((BATCH, 2, data.size, data.size, data.channels))
    return jax.jit(discriminator.init)(jax.random.key(0), clips, batch()["captions"], jnp.arange(1))
