"""What moves is cut out whole, from where it is seen best, and what stands still is not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax.nn.cutouts import cutouts

SIZE, SIDE, THING = 32, 16, 8
PICTURES = np.random.default_rng(0).uniform(-0.5, 0.5, (2, SIZE, SIZE, 3)).astype(np.float32)
LOOK = np.random.default_rng(1).uniform(0.9, 1.5, (THING, THING, 3)).astype(np.float32)  # unlike any picture


def crossing(frames=9, stands=None):
    """A square goes from left to right before two pictures, and behind columns that `stands`, a slice."""
    clips = np.repeat(PICTURES[:, None], frames, axis=1)
    for time in range(frames):
        left = round(time * (SIZE - THING) / (frames - 1))
        clips[:, time, 6 : 6 + THING, left : left + THING] = LOOK
        if stands:
            clips[:, time, :, stands] = PICTURES[:, :, stands]
    return jnp.asarray(clips)


@jax.jit
def cut_out(clips):
    return cutouts(clips, 2, SIDE)


@pytest.mark.parametrize("stands", [None, slice(8, 24)], ids=["before all", "behind what stands"])
def test_what_moves_is_cut_out_where_most_of_it_is_seen(stands):
    things = cut_out(crossing(stands=stands))
    assert things.shape == (2, 2, SIDE, SIDE, 4)
    inside = slice((SIDE - THING) // 2 + 1, (SIDE + THING) // 2 - 1)  # less the rim, which is blurred
    wanted = np.broadcast_to(LOOK[1:-1, 1:-1], (2, 2, THING - 2, THING - 2, 3))
    np.testing.assert_allclose(things[:, :, inside, inside, :3], wanted, atol=1e-3)
    np.testing.assert_allclose(things[:, :, inside, inside, 3], 1, atol=1e-3)
    far = np.ones((SIDE, SIDE), bool)
    far[2:-2, 2:-2] = False
    assert np.abs(things[:, :, far]).max() < 1e-3


@pytest.mark.parametrize("frames", [1, 2, 9])
def test_of_what_stands_still_there_is_nothing(frames):
    clips = jnp.asarray(np.repeat(PICTURES[:, None], frames, axis=1))
    np.testing.assert_allclose(cut_out(clips), 0, atol=1e-6)


def test_where_all_moves_there_are_numbers_all_the_same():
    clips = jax.random.uniform(jax.random.key(0), (2, 4, SIZE, SIZE, 1), minval=-3, maxval=3)
    things = cut_out(clips)
    assert things.shape == (2, 2, SIDE, SIDE, 2) and bool(jnp.isfinite(things).all())
