"""Networks, first parameters and a batch of real clips for the small configuration."""

import functools

import jax
import jax.numpy as jnp

from t2v_jax import config as configuration
from t2v_jax import train
from t2v_jax.checkpoint import Checkpoints
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.data.worlds import make_source
from t2v_jax.nn.discriminator import Discriminator
from t2v_jax.nn.generator import Generator
from t2v_jax.text.language import Language
from tests import small

BATCH = 4
FRAMES = 4


def started(config, workdir):
    """The `Run` in a workdir, the state it starts or goes on from, and the batch that comes next."""
    run = train.prepare(configuration.check(config), workdir)
    batches = clip_batches(run.source, run.language, config.batch_size, seed=config.seed)
    with Checkpoints(workdir, config.keep) as checkpoints:
        state = train.restore_or_start(run, checkpoints, batches)
    batch = next(batches)
    batches.close()
    return run, state, batch


def config(alike=1, **game):
    """The small configuration; `game` overrides fields of config.game."""
    fields = small.get_config()
    fields.data.alike = alike
    fields.game.update(game)
    return configuration.check(fields)


@functools.cache
def source():
    return make_source(config())


@functools.cache
def language():
    return Language.train(source().captions())


def networks(config):
    sizes = config, language().vocabulary_size
    return train.Networks(Generator(*sizes), Discriminator(*sizes))


def batch(seed=0):
    """The first batch in the order of a seed."""
    return jax.tree.map(jnp.asarray, next(clip_batches(source(), language(), BATCH, seed=seed, threads=0)))


def noise(seed=1):
    return jax.random.normal(jax.random.key(seed), (BATCH, config().generator.noise_width))


def parameters(networks):
    """First parameters of both networks."""
    captions, key, data = batch()["captions"], jax.random.key(0), config().data
    clips = jnp.zeros((BATCH, 2, data.size, data.size, data.channels))
    return train.Networks(
        jax.jit(networks.generator.init, static_argnums=3)(key, captions, noise(), 1),
        jax.jit(networks.discriminator.init)(key, clips, captions, jnp.arange(1)),
    )
