"""Checkpoints: what is saved comes back, the newest stay, and damage is told in one line."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax.errors import UsageError
from t2v_jax.gan.state import State
from t2v_jax.training.checkpoints import Checkpoints


def state(step):
    """A state whose values tell its step and its field."""
    fields = [{"params": {"kernel": jnp.full((30, 20), step + n / 10)}} for n in range(5)]
    return State(jnp.int32(step), jnp.float32(step / 8), jnp.float32(step), *fields)


def abstract():
    place = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place), state(0))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A workdir in which steps 1 to 3 were saved, two of which stay."""
    workdir = tmp_path_factory.mktemp("saved")
    with Checkpoints(workdir, keep=2) as checkpoints:
        assert checkpoints.latest_step() is None
        for step in (1, 2, 3):
            checkpoints.save(step, state(step), {"next_index": step})
    return workdir


def test_newest_comes_back(saved):
    with Checkpoints(saved, keep=2) as checkpoints:
        assert checkpoints.latest_step() == 3
        restored, position = checkpoints.restore(abstract())
    jax.tree.map(np.testing.assert_array_equal, restored, state(3))
    assert position == {"next_index": 3}


@pytest.mark.parametrize(("step", "expected"), [(None, 3), (2, 2)])
def test_ema_is_read_alone(saved, tmp_path, step, expected):
    workdir = shutil.copytree(saved, tmp_path / "copy")
    for folder in workdir.glob("checkpoints/*/training"):
        shutil.rmtree(folder)
    with Checkpoints(workdir) as checkpoints:
        ema = checkpoints.restore_arrays("ema", step)
    jax.tree.map(np.testing.assert_array_equal, ema, state(expected).ema)


def test_step_that_is_not_there(saved):
    with Checkpoints(saved) as checkpoints, pytest.raises(UsageError, match=r"step 1 .*found: 2, 3"):
        checkpoints.restore_arrays("ema", 1)


def test_reading_needs_checkpoints_and_makes_none(tmp_path):
    with pytest.raises(UsageError, match="train there first"):
        Checkpoints(tmp_path)
    assert not list(tmp_path.iterdir())


def test_unfinished_checkpoint_does_not_count(saved, tmp_path):
    workdir = shutil.copytree(saved, tmp_path / "copy")
    shutil.copytree(workdir / "checkpoints/3", workdir / "checkpoints/4.orbax-checkpoint-tmp")
    with Checkpoints(workdir, keep=2) as checkpoints:
        assert checkpoints.latest_step() == 3


def restored(workdir):
    """What comes back, or the error that tells why nothing does."""
    try:
        with Checkpoints(workdir, keep=2) as checkpoints:
            return checkpoints.restore(abstract())
    except UsageError as error:
        return error


@pytest.mark.parametrize(
    "harm", [lambda path: path.write_bytes(path.read_bytes()[:-7]), lambda path: path.unlink()]
)
def test_damage_is_told_in_one_line(saved, tmp_path, harm, capfd):
    workdir = shutil.copytree(saved, tmp_path / "copy")
    newest = workdir / "checkpoints" / "3"
    told = 0
    for path in sorted(path for path in newest.rglob("*") if path.is_file()):
        content = path.read_bytes()
        harm(path)
        result = restored(workdir)
        path.write_bytes(content)
        if isinstance(result, UsageError):
            told += 1
            assert "\n" not in str(result)
            assert str(newest) in str(result) and "remove that directory" in str(result)
        else:  # a file that is not needed, or one without which the checkpoint does not count
            step = int(result.state.step)
            jax.tree.map(np.testing.assert_array_equal, result.state, state(step))
            assert result.position == {"next_index": step}
    assert told >= 3
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("scores", "kept", "best"),
    [
        ([None, None, None], [2, 3], 3),
        ([(0.9, 0.8), (0.5, 0.4), (0.7, 0.6), (0.6, 0.5)], [1, 3, 4], 1),
        ([(0.9, 0.6), (0.5, 0.4), (0.7, 0.6), (0.65, 0.5)], [1, 3, 4], 4),  # no better than by chance
        ([(0.9, 0.8), (0.5, 0.4), (0.7, 0.6), None], [1, 3, 4], 4),
    ],
)
def test_the_best_stays_and_is_taken_where_it_is_surely_better(tmp_path, scores, kept, best):
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        for step, score in enumerate(scores, 1):
            numbers = score and dict(zip(("value", "low"), score))
            checkpoints.save(step, state(step), {"next_index": step}, numbers)
    assert sorted(int(path.name) for path in tmp_path.glob("checkpoints/[0-9]*")) == kept
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.best_step() == best and checkpoints.latest_step() == len(scores)
        ema = checkpoints.restore_arrays("ema")
    jax.tree.map(np.testing.assert_array_equal, ema, state(best).ema)
