"""What a file says of itself: written, read again, and told where it is missing or damaged."""

import contextlib

import numpy as np
import pytest

import t2v_jax
from t2v_jax.errors import UsageError
from t2v_jax.inference import metadata
from t2v_jax.inference.video import encode_video, save_video


@pytest.fixture
def clip():
    return np.random.default_rng(0).integers(0, 256, (6, 12, 16, 1), np.uint8)


@pytest.mark.parametrize("ending", ["gif", "mp4", "webp", "png"])
def test_a_file_says_what_it_was_made_from(tmp_path, clip, ending):
    made_from = {"prompt": "woman biking → é 😀 " * 50, "seed": 2**32 - 1, "frames": 6}
    save_video(clip, tmp_path / f"clip.{ending}", made_from=made_from)
    assert metadata.read(tmp_path / f"clip.{ending}") == {**made_from, "version": t2v_jax.__version__}


@pytest.mark.parametrize("ending", ["gif", "mp4", "webp", "png", "npy"])
def test_a_file_that_does_not_say_so_is_told(tmp_path, clip, ending):
    path = tmp_path / f"clip.{ending}"
    save_video(clip, path)
    with pytest.raises(UsageError, match="does not say what it was made from"):
        metadata.read(path)


@pytest.mark.parametrize("ending", ["gif", "mp4", "webp", "png"])
def test_a_damaged_file_is_told(tmp_path, clip, ending):
    data = encode_video(clip, f".{ending}", made_from={"seed": 1})
    rng = np.random.default_rng(0)
    path = tmp_path / "damaged"
    for _ in range(20):
        damaged = np.frombuffer(data, np.uint8)[: rng.integers(1, len(data))].copy()
        damaged[rng.integers(0, len(damaged), 9)] ^= 0xFF
        path.write_bytes(damaged)
        with contextlib.suppress(UsageError):
            assert isinstance(metadata.read(path), dict)
