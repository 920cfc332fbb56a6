"""Elementwise operations "naive" on CUDA: one thread, one number of the result.

The idea: numbers of the result do not depend on each other, so each goes to a thread, which calls the definition's one
line of arithmetic (reference.py).

Index arithmetic: threads are numbered in the order in which the result lies in memory. An operand that is broadcast
lies otherwise: the thread's number is taken apart into one index for each axis, innermost first, and each index moves
by the operand's step along that axis, 0 where it is repeated. Axes that all operands walk evenly are joined before, so
that two arrays of one shape have a single axis, and the 32 threads of a warp read and write neighbouring words.

Memory traffic: each operand is read and the result written once. That is what bounds it: a handful of operations for
12 bytes.

Takes everything; an operand that is not C-contiguous is copied first.
"""

import functools
import math
from collections.abc import Callable
from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import Elementwise, collapse
from .reference import DEFINITIONS


@cuda.jit(device=True)
def offset_of(index, shape, steps):
    """Where an operand keeps its number for the result's number ``index``."""
    offset = 0
    for back in range(len(shape)):
        axis = len(shape) - 1 - back
        offset += index % shape[axis] * steps[axis]
        index //= shape[axis]
    return offset


@functools.cache
def unary_kernel(name: str, function: Callable[..., Any]) -> Any:
    """The kernel ``y = function(x, parameter)`` of one thread a number."""
    scalar = cuda.jit(device=True)(function)

    def kernel(x, y, parameter, shape, steps):
        index = cuda.grid(1)
        if index < y.size:
            y[index] = scalar(x[offset_of(index, shape, steps[0])], parameter)

    kernel.__name__ = kernel.__qualname__ = f"{name}_naive"
    return cuda.jit(kernel)


@functools.cache
def binary_kernel(name: str, function: Callable[..., Any]) -> Any:
    """The kernel ``y = function(a, b, parameter)`` of one thread a number."""
    scalar = cuda.jit(device=True)(function)

    def kernel(a, b, y, parameter, shape, steps):
        index = cuda.grid(1)
        if index < y.size:
            left, right = a[offset_of(index, shape, steps[0])], b[offset_of(index, shape, steps[1])]
            y[index] = scalar(left, right, parameter)

    kernel.__name__ = kernel.__qualname__ = f"{name}_naive"
    return cuda.jit(kernel)


def contiguous_steps(shape: tuple[int, ...], result: tuple[int, ...]) -> tuple[int, ...]:
    """By how many numbers each axis of the result moves in a C-contiguous array that is broadcast to it.

    >>> contiguous_steps((3, 1, 5), (2, 3, 4, 5))
    (0, 5, 0, 1)
    """
    own = tuple(0 if extent == 1 else math.prod(shape[axis + 1 :]) for axis, extent in enumerate(shape))
    return (0,) * (len(result) - len(shape)) + own


def build_from(definitions: dict[str, Callable[..., Any]], g: Elementwise) -> Run:
    """Prepare the launch of one of these definitions: a thread for each number of the result."""
    make = unary_kernel if len(g.strides) == 1 else binary_kernel
    kernel = make(g.operation, definitions[g.operation])

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (y,) = outputs
        shape, steps = collapse(y.shape, [contiguous_steps(a.shape, y.shape) for a in arrays])
        launch_each(kernel, y.size, *[a.reshape(-1) for a in arrays], y.reshape(-1), g.parameter, shape, steps)

    return run


def build(g: Elementwise) -> Run:
    """Prepare the launch of an operation of this folder."""
    return build_from(DEFINITIONS, g)
