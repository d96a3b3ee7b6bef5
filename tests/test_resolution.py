"""Frames of any size: both networks follow `data.size` alone, and what is computed twice is the same."""

import pathlib
import runpy
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax import config as configuration
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.data.source import make_source
from t2v_jax.training import first_state, setup, steps
from tests import example, small

CONFIGS = pathlib.Path(__file__).parent.parent / "configs"


def of_size(name, size):
    """A config of configs/ in which nothing but the size is changed."""
    config = runpy.run_path(str(CONFIGS / f"{name}.py"))["get_config"]()
    config.data.size = size
    return configuration.check(config)


@pytest.mark.parametrize(
    ("size", "painter", "frame", "pooling", "digit"),
    [
        (16, (48,), (96,), 1, 7),
        (32, (48, 32), (48, 96), 2, 14),
        (64, (48, 32, 16), (24, 48, 96), 4, 28),
        (128, (48, 32, 16, 8), (12, 24, 48, 96), 8, 56),
        (256, (48, 32, 16, 8, 8), (8, 12, 24, 48, 96), 16, 112),
    ],
)
def test_levels_pooling_and_digits_follow_the_size(size, painter, frame, pooling, digit):
    config = of_size("animated_emoji", size)
    assert config.generator.painter_channels == painter
    classifiers = config.discriminator
    assert (classifiers.frame_channels, classifiers.clip_channels) == (frame, (32, 48))
    assert (classifiers.clip_pooling, config.data.digit_size) == (pooling, digit)


@pytest.mark.parametrize("name", ["moving_digits", "two_digits", "moving_shapes"])
@pytest.mark.parametrize("size", [64, 128, 256])
def test_sprites_have_half_canvases_and_clips_stay_as_small(name, size):
    config = of_size(name, size)
    assert 8 << len(config.generator.painter_channels) == size // 2
    assert size // config.discriminator.clip_pooling == 32


def test_explicit_pooling_digits_and_larger_canvas_stay():
    config = configuration.default()
    config.data.digit_size = 20
    config.discriminator.clip_pooling = 2
    config.generator.painter_channels = (32, 16, 12)  # the whole frame, though nothing gestures
    config = configuration.check(config)
    assert (config.data.digit_size, config.discriminator.clip_pooling) == (20, 2)
    assert config.generator.painter_channels == (32, 16, 12)
    assert configuration.check(config) == config


def small_of_size(size):
    config = small.get_config()
    config.data.update(size=size, digit_size=0)
    config.discriminator.clip_pooling = 0
    return configuration.check(config)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_step_of_any_size_fits(size, tmp_path):
    run = setup.set_up(small_of_size(size), tmp_path / "run")
    assert run.source[0]["clip"].shape == (4, size, size, 1)
    state, batch = first_state.abstract_state(run), example_batch(run)
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    step = steps.compile_step(run, layout, *steps.variant_at(run.config, 1))  # with its penalties
    after, _ = jax.eval_shape(step, state, batch, 0.5)
    assert jax.tree.map(jnp.shape, after) == jax.tree.map(jnp.shape, state)
    trunk = state.discriminator["params"]["frame_discriminator"]["trunk"]
    sides = {f"down_{side}" for side in (16, 32, 64, 128) if side <= size}
    assert set(trunk) == sides  # from the frame down to 8 x 8


def example_batch(run):
    return next(clip_batches(make_source(run.config), run.language, run.config.batch_size, threads=0))


def test_a_run_of_another_size_trains(tmp_path):
    config = small_of_size(32)
    run, state, batch = example.started(config, tmp_path / "run")
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    after, metrics = steps.compile_step(run, layout, *steps.variant_at(config, 0))(state, batch, 0.5)
    assert int(after.step) == 1 and all(np.isfinite(value) for value in metrics.values())


def test_what_is_computed_twice_is_the_same():
    """Levels of large images alone are, which no other test has."""
    networks = example.networks(example.config())
    parameters = example.parameters(networks)
    captions, frames = example.batch()["captions"], jnp.array([0, 2])

    def loss(parameters):
        clips = networks.generator.apply(parameters.generator, captions, example.noise(), 4).clips
        return networks.discriminator.apply(parameters.discriminator, clips, captions, frames).logits.std()

    assert "remat" not in str(jax.make_jaxpr(jax.grad(loss))(parameters))
    once = jax.jit(jax.value_and_grad(loss))(parameters)
    with mock.patch("t2v_jax.nn.layers.LARGE", 16):
        assert "remat" in str(jax.make_jaxpr(jax.grad(loss))(parameters))
        init = jax.jit(networks.generator.init, static_argnums=3)
        anew = init(jax.random.key(0), captions, example.noise(), 1)
        assert jax.tree.map(jnp.shape, anew) == jax.tree.map(jnp.shape, parameters.generator)
        twice = jax.jit(jax.value_and_grad(loss))(parameters)
    jax.tree.map(lambda one, two: np.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-5), once, twice)
