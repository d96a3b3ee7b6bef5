"""What cannot fit into memory is refused before it is allocated, by the field that makes it large."""

import ctypes

import pytest

from t2v_jax import config as configuration
from t2v_jax.errors import UsageError
from t2v_jax.runtime import memory
from t2v_jax.training import first_state, loop, setup
from t2v_jax.training.memory import check_program, check_state

BLOCK = 2**16  # bytes: too small for malloc to ask the system for it alone


@pytest.fixture
def little(monkeypatch):
    """A device with 8 MiB."""
    monkeypatch.setattr(memory, "free_memory", lambda: 2**23)


@pytest.mark.parametrize(
    ("field", "value"), [("batch_size", 2**20), ("data.size", 1024), ("data.frames", 4096)]
)
def test_clips_that_do_not_fit_are_refused_before_any_is_made(small, tmp_path, little, field, value):
    config = configuration.default()
    config.update_from_flattened_dict({field: value, "data.digit_size": 0})
    with pytest.raises(UsageError, match=f"config.{field} is {value}; expected less: .* of memory"):
        loop.train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("generator.style_width", 4096), ("text.word_width", 4096), ("generator.scene_channels", 2048)],
)
def test_a_state_that_does_not_fit_is_refused_by_its_field(small, tmp_path, little, field, value):
    small.update_from_flattened_dict({field: value})
    run = setup.set_up(configuration.check(small), tmp_path)
    state = first_state.abstract_state(run)
    with pytest.raises(UsageError, match=f"config.{field} is {value}; expected less"):
        check_state(run, first_state.abstract_state, state)


class Compiled:
    """A program that needs 100 MiB beside its arguments."""

    class Analysis:
        temp_size_in_bytes, output_size_in_bytes, alias_size_in_bytes = 100 << 20, 2 << 20, 2 << 20

    def memory_analysis(self):
        return self.Analysis()


def test_a_program_that_does_not_fit_is_refused(small, little, monkeypatch):
    small.batch_size = 4096
    with pytest.raises(UsageError, match="config.batch_size is 4096; expected less: that takes 0.1 GiB"):
        check_program(small, Compiled())
    monkeypatch.setattr(memory, "free_memory", lambda: None)  # where the system does not tell
    check_program(small, Compiled())


def test_what_is_free_is_known_here():
    free = memory.free_memory()
    assert free is None or 2**20 < free < 2**50


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_freed_memory_goes_back_to_the_system(resident):
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    blocks = [libc.malloc(BLOCK) for _ in range(1000)]
    for block in blocks:
        ctypes.memset(block, 1, BLOCK)
    for block in blocks[:-1]:  # the last one keeps all before it from going by itself
        libc.free(block)
    kept = resident()
    memory.return_memory()
    libc.free(blocks[-1])
    assert kept - resident() > 500 * BLOCK
