"""Optimiser steps "naive" on CUDA: one thread, one number, one launch for each parameter.

The idea: element i of what a step writes depends on elements i alone, so each goes to a thread, which does what the
definition does with an element (reference.py), in place.

Index arithmetic: threads are numbered as numbers lie in memory: the 32 of a warp read and write neighbouring words.

Memory traffic: each number is read and written once, which is what bounds a step on large arrays. A network has a
hundred small ones besides, biases and factors of normalisation, each of which costs a launch; one launch for them all,
which finds arrays through a table of their addresses, takes the time of their traffic: cuda_table.cu.

The step's scalars are arguments of the launch, so nothing is copied to the GPU; those of a captured graph, whose
arguments cannot change, are read from device memory. Steps are computed in float64, as in the definition. The norm of
all numbers takes their squares in float64, which a fixed tree adds up.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from ..reduction.cuda_naive import sum_rows
from ..reduction.geometry import Pass
from .in_place import Invocation
from .reference import adam_element, average_element, momentum_element, sgd_element

if TYPE_CHECKING:
    from .norm import Arrays


@cuda.jit
def adam_naive(parameter, grad, exp_avg, exp_avg_sq, scalars, decay):
    """Each thread updates one number of each array; so in all steps."""
    i = cuda.grid(1)
    if i < parameter.size:
        p, m, v = adam_element(parameter[i], grad[i], exp_avg[i], exp_avg_sq[i], scalars, decay)
        parameter[i] = p
        exp_avg[i] = m
        exp_avg_sq[i] = v


@cuda.jit
def sgd_naive(parameter, grad, scalars, decay):
    i = cuda.grid(1)
    if i < parameter.size:
        parameter[i] = sgd_element(parameter[i], grad[i], scalars, decay)


@cuda.jit
def sgd_momentum_naive(parameter, grad, buffer, scalars, decay, nesterov, first):
    i = cuda.grid(1)
    if i < parameter.size:
        p, b = momentum_element(parameter[i], grad[i], buffer[i], scalars, decay, nesterov, first)
        parameter[i] = p
        buffer[i] = b


@cuda.jit
def average_naive(average, array, scalars):
    i = cuda.grid(1)
    if i < average.size:
        average[i] = average_element(average[i], array[i], scalars)


def _builder(kernel: Any) -> Callable[[Invocation], Run]:
    """What prepares the launches of a step: a thread for each number, a launch for each row of the lists."""

    def build(call: Invocation) -> Run:
        def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
            *lists, scalars = arrays
            numbers = tuple(scalars) if isinstance(scalars, np.ndarray) else scalars
            for row in zip(*lists, strict=True):
                # Gradients may have any strides: reshaping copies those that are not contiguous.
                launch_each(kernel, row[0].size, *[a.reshape(-1) for a in row], numbers, *call.args)

        return run

    return build


build_adam = _builder(adam_naive)
build_sgd = _builder(sgd_naive)
build_sgd_momentum = _builder(sgd_momentum_naive)
build_average = _builder(average_naive)


@cuda.jit
def squares_naive(x, squares):
    """Each thread squares one number."""
    i = cuda.grid(1)
    if i < x.size:
        squares[i] = np.float64(x[i]) * np.float64(x[i])


@cuda.jit
def root_naive(total, norm):
    """One thread: the root of the sum."""
    norm[0] = total[0] ** 0.5


def build_norm(g: "Arrays") -> Run:
    """Prepare the launches: the squares of each array, their sum, and its root."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        norm, first = outputs[0].reshape(-1), 0
        squares, total = new_like(norm, (g.size,), np.float64), new_like(norm, (1,), np.float64)
        for x in arrays:
            launch_each(squares_naive, x.size, x, squares[first : first + x.size])
            first += x.size
        sum_rows(squares, total, Pass(1, g.size, 1))
        launch_each(root_naive, 1, total, norm)

    return run
