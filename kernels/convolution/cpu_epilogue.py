"""Activations at the end of a matrix-like operation: in registers where the micro-kernel can, else a second pass."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from .. import activation as activations
from ..machine.microkernel import LEAKY_RELU, RELU

IN_REGISTERS = {"relu": RELU, "leaky_relu": LEAKY_RELU}
"""Bits of the micro-kernel's mode for the activations that it applies before its store."""


def second_pass(activation: str | None, negative_slope: float, done: Collection[str] = ()) -> Callable[[Any], Any]:
    """What is left to do to the output, in place, after activations named in ``done`` were applied already."""
    if activation is None or activation in done:
        return lambda y: None
    function = getattr(activations, activation)
    if activation == "leaky_relu":
        function = partial(function, negative_slope=negative_slope)
    return lambda y: function(y, out=y)
