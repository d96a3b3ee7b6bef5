"""Augmentations change each clip in its own way, and all of its frames alike."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax import registry
from t2v_jax.gan.augmentation import augment

KEY = jax.random.key(0)
CLIPS = jax.random.uniform(jax.random.key(1), (6, 3, 16, 16, 3), minval=-1)
every = pytest.mark.parametrize("name", registry.names("augmentation"))


@every
def test_each_clip_is_changed_in_its_own_way_its_frames_equally(name):
    still = jnp.broadcast_to(CLIPS[:1, :1], CLIPS.shape)  # six times the same clip of one picture
    changed = np.asarray(augment(KEY, still, [name]))
    np.testing.assert_allclose(changed, np.broadcast_to(changed[:, :1], changed.shape), atol=1e-5)
    assert len({clip.tobytes() for clip in changed.round(3)}) > 3  # two may be shifted alike
    assert changed.shape == CLIPS.shape


@every
def test_the_gradient_passes_through(name):
    slope = jax.grad(lambda clips: augment(KEY, clips, [name]).sum())(CLIPS)
    assert float(jnp.abs(slope).sum((1, 2, 3, 4)).min()) > 1


@pytest.mark.parametrize("background", [-1, 1])
def test_translation_shifts_whole_pixels_and_brings_background(background):
    changed = np.asarray(augment(KEY, CLIPS, ["translation"], background))
    for clip, moved in zip(np.asarray(CLIPS), changed):
        padded = np.pad(clip, [(0, 0), (2, 2), (2, 2), (0, 0)], constant_values=background)
        windows = [padded[:, y : y + 16, x : x + 16] for y in range(5) for x in range(5)]
        assert sum(np.allclose(window, moved, atol=1e-5) for window in windows) == 1


def test_a_square_is_cut_out_and_all_else_stays():
    changed = np.asarray(augment(KEY, CLIPS, ["cutout"]))
    gone = changed == 0
    np.testing.assert_array_equal(changed[~gone], np.asarray(CLIPS)[~gone])
    sides = gone[:, 0, :, :, 0].any(2).sum(1), gone[:, 0, :, :, 0].any(1).sum(1)
    assert np.min(sides) >= 3 and np.max(sides) <= 8
    np.testing.assert_array_equal(gone[:, 0, :, :, 0].sum((1, 2)), np.multiply(*sides))


def test_gray_stays_gray_and_no_name_changes_nothing():
    gray = jnp.broadcast_to(CLIPS[..., :1], CLIPS.shape)
    changed = augment(KEY, gray, ["color"])
    np.testing.assert_allclose(changed, jnp.broadcast_to(changed[..., :1], CLIPS.shape), atol=1e-5)
    assert augment(KEY, CLIPS, []) is CLIPS
