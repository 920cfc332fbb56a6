"""The definitions: one line of arithmetic each, applied to every number of the broadcast arrays.

Interpreted with float64 arrays they are the oracle; compiled as they stand, the variant "naive".
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba.extending import register_jitable


def of_one(name: str, function: Callable[..., Any]) -> Callable[..., None]:
    """The loops around a function of one number (and constants)."""
    scalar = register_jitable(function)

    def loops(x, y, parameter):
        if y.ndim == 0:
            y[()] = scalar(x[()], parameter)
        else:
            for index in np.ndindex(y.shape):
                y[index] = scalar(x[index], parameter)

    loops.__name__ = loops.__qualname__ = name
    return loops


def of_two(name: str, function: Callable[..., Any]) -> Callable[..., None]:
    """The loops around a function of two numbers (and constants)."""
    scalar = register_jitable(function)

    def loops(a, b, y, parameter):
        if y.ndim == 0:
            y[()] = scalar(a[()], b[()], parameter)
        else:
            first, second = np.broadcast_to(a, y.shape), np.broadcast_to(b, y.shape)
            for index in np.ndindex(y.shape):
                y[index] = scalar(first[index], second[index], parameter)

    loops.__name__ = loops.__qualname__ = name
    return loops


def _maximum(a, b, parameter):
    return a if a > b or a != a else b  # NaN differs from itself


def _minimum(a, b, parameter):
    return a if a < b or a != a else b


def _divide(a, b, parameter):
    if b == 0:  # where Python raises: NaN for 0 / 0, else infinity with the sign of both
        return a * math.copysign(math.inf, b)
    return a / b


def _sqrt(x, parameter):
    return math.sqrt(x) if x >= 0 else math.nan


def _exp(x, parameter):
    return math.exp(x) if x < 709.782712893384 else x * math.inf  # the logarithm of the largest float64


def _log(x, parameter):
    if x == 0:
        return -math.inf
    return math.log(x) if x > 0 else math.nan


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b, parameter: a + b,
    "subtract": lambda a, b, parameter: a - b,
    "multiply": lambda a, b, parameter: a * b,
    "divide": _divide,
    "maximum": _maximum,
    "minimum": _minimum,
    "negative": lambda x, parameter: -x,
    "absolute": lambda x, parameter: abs(x),
    "square": lambda x, parameter: x * x,
    "sqrt": _sqrt,
    "exp": _exp,
    "log": _log,
    "power": lambda x, exponent: x**exponent,
}
