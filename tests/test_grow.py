"""Growing to twice the size: the new model starts where the smaller one stands."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax.errors import UsageError
from t2v_jax.model import load_definition
from t2v_jax.nn import layers
from tests import example


@pytest.fixture
def large(small, trained):
    """The small configuration at twice the size, grown from the trained run."""
    small.grow_from = str(trained)
    small.data.update(size=32, digit_size=16)
    small.generator.detail_channels = (4,)
    small.discriminator.update(frame_channels=(4, 8, 16), clip_pooling=4)
    return small


def test_grown_networks_start_as_the_smaller_ones(large, trained, tmp_path):
    run, state, batch = example.started(large, tmp_path / "large")
    before, smaller, _ = example.started(load_definition(trained)[0], trained)
    captions = batch["captions"]
    noise = jax.random.normal(jax.random.key(0), (4, 8))
    clip, _ = run.networks.generator.apply(state.generator, captions, noise, 2)
    old, _ = before.networks.generator.apply(smaller.average, captions, noise, 2)
    enlarged = layers.enlarge(layers.fold(jnp.arctanh(old)))
    np.testing.assert_allclose(layers.fold(clip), jnp.tanh(enlarged), atol=1e-3)

    clips = jnp.asarray(batch["clip"], jnp.float32) / 127.5 - 1
    look = jnp.array([1])
    got = run.networks.discriminator.apply(state.discriminator, clips, captions, look)
    pooled = layers.average_pool(clips, 2)
    wanted = before.networks.discriminator.apply(smaller.discriminator, pooled, captions, look)
    np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_growing_from_another_size_is_an_error(large, tmp_path):
    large.data.update(size=64, digit_size=28)
    large.generator.detail_channels = (4, 4)
    large.discriminator.update(frame_channels=(4, 8, 8, 16), clip_pooling=8)
    with pytest.raises(UsageError, match="expected 32 pixels"):
        example.started(large, tmp_path / "large")
