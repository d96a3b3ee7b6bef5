"""Floating-point operations of a program, counted from what it asks for: convolutions and matrix products."""

import math

import jax
from jax.extend import core
from jax.interpreters import partial_eval


def count(function, *arguments) -> int:
    """Multiplications and additions of its convolutions and matrix products, as often as they run."""
    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    # What nothing needs, as the gradient of real clips, is traced and never compiled.
    return _count(partial_eval.dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))[0])


def _count(jaxpr) -> int:
    return sum(_of(equation) for equation in jaxpr.eqns)


def _of(equation) -> int:
    name = equation.primitive.name
    if name == "conv_general_dilated":
        return _convolution(equation)
    if name == "dot_general":
        return _product(equation)
    times = equation.params["length"] if name == "scan" else 1
    return times * sum(_count(_open(jaxpr)) for jaxpr in core.jaxprs_in_params(equation.params))


def _open(jaxpr):
    return jaxpr.jaxpr if hasattr(jaxpr, "jaxpr") else jaxpr


def _convolution(equation) -> int:
    output, kernel = equation.outvars[0].aval, equation.invars[1].aval
    layout = equation.params["dimension_numbers"].rhs_spec
    # Each number of the output is a sum over the kernel's inputs and its area. Between the pixels of a
    # dilated image lie zeros, which need no multiplication.
    zeros = math.prod(equation.params["lhs_dilation"])
    return 2 * output.size * kernel.size // kernel.shape[layout[0]] // zeros


def _product(equation) -> int:
    (summed, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval
    return 2 * equation.outvars[0].aval.size * math.prod(left.shape[axis] for axis in summed)
