"""The generator as a recurrence: frames follow from frames, and can be painted sparsely."""

import jax
import jax.numpy as jnp
import numpy as np

from tests import example

CONFIG = example.config()
GENERATOR = example.networks(CONFIG).generator
PARAMETERS = example.parameters(example.networks(CONFIG)).generator
CAPTIONS = example.batch()["captions"]
NOISE = example.noise()


@jax.jit
def whole():
    return GENERATOR.apply(PARAMETERS, CAPTIONS, NOISE, 6)[0]


def test_range_and_shape():
    clips = whole()
    assert clips.shape == (example.BATCH, 6, 16, 16, 1)
    assert float(jnp.abs(clips).max()) < 1


def test_a_clip_can_go_on_where_it_stopped():
    first, memory = GENERATOR.apply(PARAMETERS, CAPTIONS, NOISE, 2)
    second, _ = GENERATOR.apply(PARAMETERS, CAPTIONS, NOISE, 4, memory=memory)
    np.testing.assert_allclose(jnp.concatenate([first, second], axis=1), whole(), atol=1e-5)


def test_painting_some_frames_is_the_same_as_dropping_the_others():
    keep = jnp.array([1, 4])
    sparse, _ = GENERATOR.apply(PARAMETERS, CAPTIONS, NOISE, 6, keep)
    np.testing.assert_allclose(sparse, whole()[:, keep], atol=1e-5)


def test_attention_is_recomputed_for_every_frame():
    _, recorded = GENERATOR.apply(
        PARAMETERS,
        CAPTIONS,
        NOISE,
        6,
        capture_intermediates=lambda module, _: module.name == "script",
        mutable="intermediates",
    )
    _, lines = recorded["intermediates"]["script"]["__call__"][0]
    weights = np.asarray(lines.attention)
    assert weights.shape == (6, *CAPTIONS.mask.shape)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    assert np.abs(np.diff(weights, axis=0)).max((1, 2)).min() > 1e-6
    gaze = np.asarray(lines.gaze)
    assert gaze.min() > 0 and gaze.max() < 1
