"""How programs are compiled: the options that XLA gets for its backend."""

import functools

import jax

# XLA's CPU compiler hands convolutions and sums to YNNPACK, which computes each convolution on one core,
# sums over first axes up to 150 times as slowly as a matrix product does (experiments/speed), and crashes on
# sums over arrays of seven axes.
CPU_OPTIONS = {"xla_cpu_experimental_ynn_fusion_type": ""}


@functools.cache
def options() -> dict:
    """The `compiler_options` of `jax.jit` that make our programs fast; not for the import of a module.

    None where the backend is no CPU, and where its compiler does not know them.
    """
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(lambda number: number, compiler_options=CPU_OPTIONS).lower(0).compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return CPU_OPTIONS


class BackendJit:
    """`jax.jit` of a function, which is compiled with the `options` where it is a program of its own.

    Within another one, as under `jax.jit` or `jax.grad`, it is a part of that, and compiled with its options.
    """

    def __init__(self, function, **arguments):
        self._part = jax.jit(function, **arguments)
        self._function, self._arguments = function, arguments

    @functools.cached_property
    def alone(self):
        """The jitted function; made at the first call, for an import is to choose no backend."""
        return jax.jit(self._function, compiler_options=options(), **self._arguments)

    def __call__(self, *inputs, **static):
        within = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(inputs))
        return (self._part if within else self.alone)(*inputs, **static)
