"""The generator as a recurrence: frames follow from frames, and can be painted sparsely."""

import jax
import jax.numpy as jnp
import numpy as np

from t2v_jax import config as configuration
from tests import example, small

CONFIG = example.config()
GENERATOR = example.networks(CONFIG).generator
PARAMETERS = example.parameters(example.networks(CONFIG)).generator
CAPTIONS = example.batch()["captions"]
NOISE = example.noise()


@jax.jit
def whole():
    return GENERATOR.apply(PARAMETERS, CAPTIONS, NOISE, 6)[0]


def test_clips_have_the_promised_shape_and_are_not_plain():
    clips = whole()
    assert clips.shape == (example.BATCH, 6, 16, 16, 1)
    assert float(jnp.std(clips, axis=(2, 3)).min()) > 0.1


def test_a_clip_can_go_on_where_it_stopped():
    first, memory = GENERATOR.apply(PARAMETERS, CAPTIONS, NOISE, 2)
    second, _ = GENERATOR.apply(PARAMETERS, CAPTIONS, NOISE, 4, memory=memory)
    np.testing.assert_allclose(jnp.concatenate([first, second], axis=1), whole(), atol=1e-5)


def test_painting_some_frames_is_the_same_as_dropping_the_others():
    keep = jnp.array([1, 4])
    sparse, _ = GENERATOR.apply(PARAMETERS, CAPTIONS, NOISE, 6, keep)
    np.testing.assert_allclose(sparse, whole()[:, keep], atol=1e-5)


def recorded_lines(config, frames):
    networks = example.networks(config)
    parameters = example.parameters(networks).generator
    _, recorded = networks.generator.apply(
        parameters,
        CAPTIONS,
        NOISE,
        frames,
        capture_intermediates=lambda module, _: module.name == "script",
        mutable="intermediates",
    )
    return recorded["intermediates"]["script"]["__call__"][0][1]


def test_attention_is_recomputed_for_every_frame():
    lines = recorded_lines(CONFIG, 6)
    weights = np.asarray(lines.attention)
    assert weights.shape == (6, *CAPTIONS.mask.shape)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    assert np.abs(np.diff(weights, axis=0)).max((1, 2)).min() > 1e-6


def test_each_actor_has_a_place_in_the_frame_and_words_of_its_own():
    lines = recorded_lines(with_actors(2), 3)
    places = np.asarray(lines.place).reshape(3, example.BATCH, 2, 2)
    assert places.min() > 0 and places.max() < 1
    assert np.abs(places[:, :, 0] - places[:, :, 1]).min((0, 1)).max() > 1e-6
    weights = np.asarray(lines.attention).reshape(3, example.BATCH, 2, -1)
    assert np.abs(weights[:, :, 0] - weights[:, :, 1]).max((0, 2)).min() > 1e-6


def test_two_actors_paint_sparsely_and_go_on_too():
    networks = example.networks(with_actors(2))
    parameters = example.parameters(networks).generator
    clips, _ = networks.generator.apply(parameters, CAPTIONS, NOISE, 3)
    assert clips.shape == (example.BATCH, 3, 16, 16, 1)
    _, memory = networks.generator.apply(parameters, CAPTIONS, NOISE, 1)
    later, _ = networks.generator.apply(parameters, CAPTIONS, NOISE, 2, jnp.array([1]), memory=memory)
    np.testing.assert_allclose(later, clips[:, 2:], atol=1e-5)


def with_actors(actors):
    fields = small.get_config()
    fields.generator.actors = actors
    return configuration.check(fields)
