"""The "vector" variant: arithmetic in loops that LLVM vectorises.

One family of workers for each number of operands; an operation is a scalar function, made for its type because a
Python constant in it would widen float32 arithmetic to float64. Fast-math is off: results are IEEE's to the bit, but
for exp, log and power, which are polynomials. A float32 power is computed as ``exp(exponent * log x)`` in float64 and
is correctly rounded but for rare halves; a float64 power is the mathematics library's, one number at a time.
"""

import math
from collections.abc import Callable
from typing import Any

from numba.extending import register_jitable

from ..machine.compile import kernel
from ..machine.polynomials import exp32, exp64, log32, log64, magnitude, nearest, select, with_sign
from ..operation import Run
from . import cpu_loops
from .cpu_loops import TYPES
from .geometry import Elementwise


def _maximum(real: Any) -> Callable[..., Any]:
    def maximum(a, b, parameter):
        return select((a > b) | (a != a), a, b)

    return maximum


def _minimum(real: Any) -> Callable[..., Any]:
    def minimum(a, b, parameter):
        return select((a < b) | (a != a), a, b)

    return minimum


def _exp(real: Any) -> Callable[..., Any]:
    exp = exp32 if real(0).itemsize == 4 else exp64
    return lambda x, parameter: exp(x)


def _log(real: Any) -> Callable[..., Any]:
    log = log32 if real(0).itemsize == 4 else log64
    return lambda x, parameter: log(x)


def _power(real: Any) -> Callable[..., Any]:
    if real(0).itemsize == 8:
        return lambda x, exponent: math.pow(x, exponent)

    def power(x, e):
        wide = float(x)
        size = exp64(e * log64(magnitude(wide)))
        odd = magnitude(e - 2.0 * nearest(e * 0.5)) == 1.0
        whole = nearest(e) == e
        negative = with_sign(1.0, wide) < 0.0
        signed = select(negative & odd, -size, size)
        result = select((wide < 0.0) & (not whole) & (wide > -math.inf), math.nan, signed)
        return real(select(e == 0.0, 1.0, result))

    return power


BINARY: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "add": lambda real: lambda a, b, parameter: a + b,
    "subtract": lambda real: lambda a, b, parameter: a - b,
    "multiply": lambda real: lambda a, b, parameter: a * b,
    "divide": lambda real: lambda a, b, parameter: a / b,
    "maximum": _maximum,
    "minimum": _minimum,
}
UNARY: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "negative": lambda real: lambda x, parameter: -x,
    "absolute": lambda real: lambda x, parameter: magnitude(x),
    "square": lambda real: lambda x, parameter: x * x,
    "sqrt": lambda real: lambda x, parameter: math.sqrt(x),
    "exp": _exp,
    "log": _log,
    "power": _power,
}
# Estimated nanoseconds per number, where it is not memory that decides.
_SLOW = {"exp": 0.5, "log": 0.6, "power": 2.5, "sqrt": 0.4, "divide": 0.4}
_FAST = 0.2


@kernel(fastmath=False)
def elementwise_unary(operation: str, dtype: str, form: str) -> Callable[..., Any]:
    """``y = operation(x)``."""
    function = register_jitable(forceinline=True)(UNARY[operation](TYPES[dtype][1]))
    return cpu_loops.unary(function, dtype, form)


@kernel(fastmath=False)
def elementwise_binary(operation: str, dtype: str, form: str) -> Callable[..., Any]:
    """``y = operation(a, b)``."""
    function = register_jitable(forceinline=True)(BINARY[operation](TYPES[dtype][1]))
    return cpu_loops.binary(function, dtype, form)


def build(g: Elementwise) -> Run:
    """What runs a planned call."""
    family = elementwise_binary if g.operation in BINARY else elementwise_unary
    return cpu_loops.build(g, family, _SLOW.get(g.operation, _FAST))
