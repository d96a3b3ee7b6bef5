"""bfloat16: activations alone, and videos, scores and gradients close to those of float32."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax import config as configuration
from t2v_jax.gan import sampling
from t2v_jax.gan.gradients import gradients as gradients_of
from t2v_jax.nn.precision import compute_dtype
from tests import example

FRAMES = sampling.Frames(computed=4, painted=3, scored=2)
BATCH = example.batch()


def networks(dtype):
    config = configuration.default().unlock()
    config.update(example.config().to_dict())
    config.dtype = dtype
    return example.networks(configuration.check(config))


@pytest.fixture(scope="module")
def gradients():
    """Both gradients and the metrics of a step, by the precision."""
    parameters = example.parameters(networks("float32"))
    config = example.config(penalty="finite_difference")

    def of(dtype):
        @jax.jit
        def run(parameters):
            key = jax.random.key(3)
            return gradients_of(networks(dtype), config, FRAMES, True, key, *parameters, BATCH, 0.0)

        return run(parameters)

    return {dtype: of(dtype) for dtype in ("float32", "bfloat16")}


def test_the_cpu_computes_in_float32_and_accelerators_in_bfloat16(monkeypatch):
    config = example.config()
    assert compute_dtype(config) == jnp.float32
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert compute_dtype(config) == jnp.bfloat16


def test_pictures_are_painted_in_bfloat16_and_clips_are_float32():
    network = networks("bfloat16").generator
    exact_network = networks("float32").generator
    inputs = example.generator_parameters(exact_network), BATCH["captions"], example.noise()

    @jax.jit
    def painted(*inputs):
        return network.apply(
            *inputs,
            2,
            capture_intermediates=lambda module, _: module.name in ("painter", "motion_rnn"),
            mutable="intermediates",
        )

    output, parts = painted(*inputs)
    (canvases,) = parts["intermediates"]["painter"]["__call__"]
    ((_, state, _),) = parts["intermediates"]["motion_rnn"]["__call__"]
    assert canvases.dtype == output.carry.scene.hidden.dtype == jnp.bfloat16
    assert output.clips.dtype == output.carry.scene.cell.dtype == state.dtype == jnp.float32
    exact = jax.jit(exact_network.apply, static_argnums=3)(*inputs, 2)
    assert np.abs(output.clips - exact.clips).max() < 0.05


def test_parameters_and_their_gradients_stay_float32(gradients):
    for half in gradients["bfloat16"][:2]:
        assert {leaf.dtype for leaf in jax.tree.leaves(half)} == {jnp.dtype("float32")}


def test_gradients_point_where_those_of_float32_do(gradients):
    for half, whole in zip(gradients["bfloat16"][:2], gradients["float32"][:2]):
        half, whole = (jax.flatten_util.ravel_pytree(tree)[0] for tree in (half, whole))
        cosine = half @ whole / (jnp.linalg.norm(half) * jnp.linalg.norm(whole))
        assert cosine > 0.9  # where a maximum over places moves, a gradient jumps


def test_losses_and_penalties_are_those_of_float32(gradients):
    half, whole = (jax.device_get(gradients[dtype][2]) for dtype in ("bfloat16", "float32"))
    for name in ("discriminator_loss", "generator_loss", "mismatch_loss"):
        assert half[name] == pytest.approx(float(whole[name]), rel=0.02), name
    for name in ("r1", "r2"):
        assert half[name] == pytest.approx(float(whole[name]), rel=0.2), name
