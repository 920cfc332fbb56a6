"""Matrix products "naive" on CUDA: one thread, one output.

    y[m, n] = activate(bias[n] + sum over k of a[m, k] * b[k, n])

The idea: outputs do not depend on each other, so each goes to a thread, which walks a row of a and a column of b as the
definition does (`product` in reference.py).

Index arithmetic: threads are numbered in the order in which y lies in memory, so the 32 of a warp have one m and 32
neighbouring n. For each k they read one number of a, which goes to all at once, and 32 neighbours of a row of b. With
``transpose_b``, as in linear layers, b is (N, K), and those 32 numbers lie K apart: as many transactions as numbers.

Memory traffic: two reads for a multiply-add; every number of a is read by N threads and every number of b by M. In
cuda_tiled.py a block reads it once for all its threads.

Sums are in the working type. Takes everything.
"""

from typing import Any

import numpy as np
from numba import cuda

from ..activation.epilogue import CODES, activate
from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .reference import product


@cuda.jit
def matmul_naive(a, b, bias, y, transpose_a, transpose_b, code, negative_slope):
    """Each thread computes one element of y. An empty bias stands for none."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    m, n = index // y.shape[1], index % y.shape[1]
    total = product(a, b, m, n, transpose_a, transpose_b, y.dtype.type(0))
    if bias.size > 0:
        total += bias[n]
    y[m, n] = activate(total, code, negative_slope)


def matrices(g: Any, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Both factors, the bias or an empty array, and the result, all but the bias with two axes."""
    a, b = arrays[:2]
    bias = arrays[2] if g.has_bias else new_like(a, (0,), np.dtype(g.dtype))
    return a.reshape((g.k, g.m) if g.transpose_a else (g.m, g.k)), b, bias, outputs[0].reshape(g.m, g.n)


def constants(g: Any) -> tuple[Any, ...]:
    """What the kernels are told besides the arrays."""
    return g.transpose_a, g.transpose_b, CODES[g.activation], g.dtype.type(g.negative_slope)


def build(g: Any) -> Run:
    """Prepare the launch: a thread for each output."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(matmul_naive, g.m * g.n, *matrices(g, arrays, outputs), *constants(g))

    return run
