"""Checkpoints: what is saved comes back, the newest stay, and damage is told in one line."""

import os
import resource
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from absl import logging

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
@pytest.mark.parametrize("item", ["ema", "training"])
def test_an_item_is_read_alone(saved, item, step, expected):
    with Checkpoints(saved) as checkpoints:
        arrays = checkpoints.restore_arrays(item, step)
    training = state(expected)._replace(ema=None)._asdict()
    jax.tree.map(np.testing.assert_array_equal, arrays, state(expected).ema if item == "ema" else training)


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
    """The step that is read, and the one that a run goes on from."""
    with Checkpoints(workdir) as checkpoints:
        ema, read = checkpoints.restore_arrays("ema"), checkpoints.best_step()
    jax.tree.map(np.testing.assert_array_equal, ema, state(read).ema)
    with Checkpoints(workdir, keep=2) as checkpoints:
        result, position = checkpoints.restore(abstract())
    step = int(result.step)
    jax.tree.map(np.testing.assert_array_equal, result, state(step))
    assert position == {"next_index": step}
    return read, step


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def files(step):
    return sorted(path for path in step.rglob("*") if path.is_file())


@pytest.mark.parametrize("harm", [flip, lambda path: path.write_bytes(path.read_bytes()[:-7]), os.unlink])
def test_damage_of_any_file_is_passed_over_in_one_line(saved, tmp_path, harm, capfd):
    passed_over = 0
    for index, path in enumerate(files(saved / "checkpoints" / "3")):
        workdir = shutil.copytree(saved, tmp_path / str(index))
        harm(workdir / path.relative_to(saved))
        read, step = restored(workdir)
        assert read == step
        output, errors = capfd.readouterr()
        assert output == ""
        if step == 2:
            passed_over += 1
            for line in errors.splitlines():
                assert "passed over" in line and "checkpoint 3" in line and "step 2" in line
            assert errors.count("\n") == 2 and (workdir / "checkpoints/3.damaged").is_dir()
        else:  # Orbax's own files beside the items, which are not read
            assert path.parent.name == "3" and path.name != "digests.json" and errors == ""
    assert passed_over > 20


def exchanged(steps):
    for path in files(steps / "3" / "ema"):
        shutil.copy(path, steps / "2" / path.relative_to(steps / "3"))
    shutil.rmtree(steps / "3")
    shutil.copytree(steps / "2", steps / "3")


def copied(steps):
    shutil.copytree(steps / "3", steps / "4")


def emptied(steps):
    (steps / "4").mkdir()


def a_file(steps):
    (steps / "4").write_text("4")


def partly_copied(steps):
    shutil.copytree(steps / "3" / "ema", steps / "4" / "ema")


def a_pipe(steps):
    copied(steps)
    (path,) = (steps / "4").glob("ema/manifest.ocdbt")
    path.unlink()
    os.mkfifo(path)
    (steps / "4/digests.json").write_text(
        (steps / "3/digests.json").read_text().replace('"step": 3', '"step": 4')
    )


@pytest.mark.parametrize("harm", [copied, emptied, a_file, partly_copied, a_pipe])
def test_what_is_no_checkpoint_is_passed_over(saved, tmp_path, harm, capfd):
    workdir = shutil.copytree(saved, tmp_path / "copy")
    harm(workdir / "checkpoints")
    assert restored(workdir) == (3, 3)
    assert capfd.readouterr().err.count("checkpoint 4") == 2


@pytest.mark.parametrize("keep", [None, 2])
def test_where_all_are_damaged_none_is_removed(saved, tmp_path, keep, capfd):
    workdir = shutil.copytree(saved, tmp_path / "copy")
    exchanged(workdir / "checkpoints")
    with pytest.raises(UsageError) as caught:
        Checkpoints(workdir, keep)
    assert "checkpoint 2 (" in str(caught.value) and "checkpoint 3 (" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {"2", "3"} <= {path.name for path in (workdir / "checkpoints").iterdir()}
    assert capfd.readouterr() == ("", "")


def test_a_damaged_step_is_saved_again(saved, tmp_path, capfd):
    workdir = shutil.copytree(saved, tmp_path / "copy")
    flip(workdir / "checkpoints/3/position/metadata")
    with Checkpoints(workdir, keep=2) as checkpoints:
        checkpoints.save(3, state(3), {"next_index": 3})
    assert "checkpoint 3" in capfd.readouterr().err
    assert restored(workdir) == (3, 3)


def noise(step):
    """A state that takes a megabyte on the disk."""
    keys = jax.random.split(jax.random.key(step), 5)
    fields = [{"params": {"kernel": jax.random.normal(key, (50_000,))}} for key in keys]
    return State(jnp.int32(step), jnp.float32(0), jnp.float32(1), *fields)


def save_twice(workdir):
    """The second time with a limit on the size of files, in place of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Checkpoints(workdir, keep=2) as checkpoints:
        checkpoints.save(1, noise(1), {"next_index": 1})
        checkpoints.wait()
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, hard))
        try:
            checkpoints.save(2, noise(2), {"next_index": 2})
            checkpoints.wait()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_while_a_checkpoint_is_written_is_told_once(tmp_path, capfd):
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.FATAL)  # as the command does
    try:
        with pytest.raises(OSError, match="File too large"):
            save_twice(tmp_path)
    finally:
        logging.set_verbosity(verbosity)
    assert capfd.readouterr() == ("", "")
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.latest_step() == 1


def test_a_file_in_place_of_the_directory(tmp_path):
    (tmp_path / "checkpoints").write_text("x")
    for keep in (None, 2):
        with pytest.raises(UsageError, match="checkpoints"):
            Checkpoints(tmp_path, keep)


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
