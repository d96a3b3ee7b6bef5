"""What XLA is told when it compiles: convolutions on all cores, whoever calls whom."""

import jax
import jax.numpy as jnp
import pytest

from t2v_jax.nn.convolution import plain_conv
from t2v_jax.runtime import jit
from t2v_jax.runtime.jit import BackendJit

IMAGES, KERNEL = jnp.ones((32, 8, 8, 16)), jnp.ones((3, 3, 16, 32))
LIBRARY = "__ynn_fusion"  # computes a convolution on one core


def test_no_convolution_is_handed_to_the_library_of_one_core():
    text = BackendJit(plain_conv).alone.lower(IMAGES, KERNEL).compile().as_text()
    assert " convolution(" in text and LIBRARY not in text


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="tells of XLA's CPU compiler")
def test_compiler_would_do_so_by_itself():
    """Once this fails, the options are needed no more."""
    assert LIBRARY in jax.jit(plain_conv).lower(IMAGES, KERNEL).compile().as_text()


def test_program_may_be_part_of_another():
    double = BackendJit(lambda number: 2 * number)
    assert double(3.0) == 6
    assert jax.jit(lambda number: double(number) + 1)(3.0) == 7
    assert jax.grad(lambda number: double(number) ** 2)(3.0) == 24
    assert (jax.vmap(double)(jnp.arange(3)) == jnp.array([0, 2, 4])).all()


def test_unknown_options_are_left_away(monkeypatch):
    jit.options.cache_clear()
    monkeypatch.setattr(jit, "CPU_OPTIONS", {"xla_cpu_no_such_option": ""})
    assert jit.options() == {}
    jit.options.cache_clear()
