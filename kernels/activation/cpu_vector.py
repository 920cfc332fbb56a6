"""The "vector" variant: activations in the loops of elementwise/cpu_loops.py, tanh and sigmoid as polynomials.

`UNARY` and `BINARY` are also what other kernels fuse: a scalar function for each name and type, branch-free, to be
called in a loop that LLVM vectorises.
"""

from collections.abc import Callable
from typing import Any

from numba.extending import register_jitable

from ..elementwise import cpu_loops
from ..elementwise.cpu_loops import TYPES
from ..elementwise.geometry import Elementwise
from ..machine.compile import kernel
from ..machine.polynomials import (
    exp32,
    exp64,
    log_one_plus32,
    log_one_plus64,
    magnitude,
    select,
    sigmoid32,
    sigmoid64,
    tanh32,
    tanh64,
)
from ..operation import Run


def _relu(real: Any) -> Callable[..., Any]:
    zero = real(0)
    return lambda x, parameter: select(x < zero, zero, x)


def _leaky_relu(real: Any) -> Callable[..., Any]:
    zero = real(0)
    return lambda x, negative_slope: select(x < zero, real(negative_slope) * x, x)


def _tanh(real: Any) -> Callable[..., Any]:
    tanh = tanh32 if real(0).itemsize == 4 else tanh64
    return lambda x, parameter: tanh(x)


def _sigmoid(real: Any) -> Callable[..., Any]:
    sigmoid = sigmoid32 if real(0).itemsize == 4 else sigmoid64
    return lambda x, parameter: sigmoid(x)


def _softplus(real: Any) -> Callable[..., Any]:
    zero, single = real(0), real(0).itemsize == 4
    exp, log_one_plus = (exp32, log_one_plus32) if single else (exp64, log_one_plus64)
    return lambda x, parameter: select(x > zero, x, zero) + log_one_plus(exp(-magnitude(x)))


def _relu_grad(real: Any) -> Callable[..., Any]:
    zero = real(0)
    return lambda gy, y, parameter: select(y <= zero, zero, gy)


def _leaky_relu_grad(real: Any) -> Callable[..., Any]:
    zero = real(0)
    return lambda gy, y, negative_slope: select(y <= zero, real(negative_slope) * gy, gy)


def _tanh_grad(real: Any) -> Callable[..., Any]:
    one = real(1)
    return lambda gy, y, parameter: gy * ((one - y) * (one + y))  # 1 - y * y would cancel near saturation


def _sigmoid_grad(real: Any) -> Callable[..., Any]:
    one = real(1)
    return lambda gy, y, parameter: gy * (y * (one - y))


UNARY: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
}
BINARY: dict[str, Callable[[Any], Callable[..., Any]]] = {
    "relu_grad": _relu_grad,
    "leaky_relu_grad": _leaky_relu_grad,
    "tanh_grad": _tanh_grad,
    "sigmoid_grad": _sigmoid_grad,
}
# Estimated nanoseconds per number.
_NS = {"tanh": 0.5, "sigmoid": 0.6, "softplus": 1.0}


@kernel(fastmath=False)
def activation(operation: str, dtype: str, form: str) -> Callable[..., Any]:
    """``y = operation(x)``."""
    return cpu_loops.unary(register_jitable(forceinline=True)(UNARY[operation](TYPES[dtype][1])), dtype, form)


@kernel(fastmath=False)
def activation_grad(operation: str, dtype: str, form: str) -> Callable[..., Any]:
    """``gx = operation(gy, y)``."""
    return cpu_loops.binary(register_jitable(forceinline=True)(BINARY[operation](TYPES[dtype][1])), dtype, form)


def build(g: Elementwise) -> Run:
    """What runs a planned call."""
    return cpu_loops.build(g, activation_grad if g.operation in BINARY else activation, _NS.get(g.operation, 0.2))
