"""Bias and activation at the end of a matrix-like operation: checks, definition, and what is left for a second pass.

The CPU's micro-kernel applies relu and leaky_relu in registers, before its store. tanh and sigmoid take a pass of
their own over the output: they cost more than the traffic.
"""

import math
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import numpy as np
from numba.extending import register_jitable

from ..arguments import finite
from ..machine.vectors import LEAKY_RELU as LEAKY_RELU_BIT
from ..machine.vectors import RELU as RELU_BIT
from ..operation import Spec

ACTIVATIONS = (None, "relu", "leaky_relu", "tanh", "sigmoid")
RELU, LEAKY_RELU, TANH, SIGMOID = 1, 2, 3, 4
CODES = {name: code for code, name in enumerate(ACTIVATIONS)}
"""The number by which compiled references and CUDA kernels know an activation."""

IN_REGISTERS: dict[str | None, int] = {"relu": RELU_BIT, "leaky_relu": LEAKY_RELU_BIT}
"""Bits of the micro-kernel's mode for the activations that it applies itself."""


@register_jitable
def activate(value, code, negative_slope):
    """The activation of that code; NaN stays NaN."""
    if code == RELU:
        return 0.0 if value < 0 else value
    if code == LEAKY_RELU:
        return negative_slope * value if value < 0 else value
    if code == TANH:
        return math.tanh(value)
    if code == SIGMOID:
        if value < 0:  # exp of a large positive number would overflow
            return math.exp(value) / (1.0 + math.exp(value))
        return 1.0 / (1.0 + math.exp(-value))
    return value


def check_epilogue(
    name: str, dtype: np.dtype, channels: int, bias: Spec | None, activation: Any, negative_slope: Any
) -> dict[str, Any]:
    """Check bias and activation of ``channels`` outputs and return their fields of the geometry."""
    if bias is not None and (bias.shape != (channels,) or bias.dtype != dtype):
        raise ValueError(f"{name}: bias expects ({channels},) {dtype} but got {bias.shape} {bias.dtype}")
    if activation not in ACTIVATIONS:
        known = ", ".join(map(repr, ACTIVATIONS))
        raise ValueError(f"{name}: activation expects one of {known} but got {activation!r}")
    return {
        "has_bias": bias is not None,
        "activation": activation,
        "negative_slope": finite(name, "negative_slope", negative_slope),
    }


def second_pass(
    activation: str | None, negative_slope: float, done: Collection[str | None] = ()
) -> Callable[[Any], Any]:
    """What is left to do to the output, in place, after activations named in ``done`` were applied already."""
    if activation is None or activation in done:
        return lambda y: None
    from .. import activation as functions  # here, since the activations' own package imports nothing of epilogues

    function = getattr(functions, activation)
    if activation == "leaky_relu":
        function = partial(function, negative_slope=negative_slope)
    return lambda y: function(y, out=y)
