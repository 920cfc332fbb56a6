"""conv2d "naive" on CUDA: one thread, one output.

    y[n, p, q, k] = act(bias[k] + sum over r, s, c of x[n, p * stride - top + r * dilation, ..., c] * w[k, r, s, c])

The idea: the definition (reference.py) has four outer loops over outputs that do not depend on each other. Give each
output to a thread, and keep the three inner loops. Nothing is shared, so nothing is synchronised.

Index arithmetic: threads are numbered in the order in which y lies in memory, k fastest, and the number is taken apart
again by division. The 32 threads of a warp thus hold neighbouring channels of one pixel:

    thread    0        1        2     ...          y        one run of memory: coalesced
    y[n, p, q, k]  [.., k+1] [.., k+2]             x        the same element for all: one read, broadcast
                                                   w        rows R S C / groups apart: one read each

Memory traffic: two reads for each multiplication and addition, one of them from 32 places at once. Caches catch most
of it, since neighbouring pixels read the same weights, but each read is an instruction that the one load unit of a
multiprocessor takes many clocks for, and that is what bounds the kernel: a few percent of the arithmetic peak. In
cuda_tiled.py the same values are fetched once for many threads.

Takes everything: stride, padding per side, dilation, groups, any size and number of channels, float32 and float64.
"""

import math
from typing import Any

from numba import cuda

from ..activation.epilogue import CODES, LEAKY_RELU, RELU, SIGMOID, TANH
from ..machine.cuda_numba import launch
from ..operation import Run
from .geometry import ConvGeometry

THREADS = 128


@cuda.jit(device=True)
def activate(value, code, negative_slope, one):
    """The activation of that code in the type of ``one`` (a literal 1.0 would make it float64); NaN stays NaN."""
    if code == RELU:
        return one - one if value < 0 else value
    if code == LEAKY_RELU:
        return negative_slope * value if value < 0 else value
    if code == TANH:
        return math.tanh(value)
    if code == SIGMOID:
        return one / (one + math.exp(-value))
    return value


@cuda.jit
def conv2d_naive(x, w, bias, y, stride, pads, dilation, groups, code, negative_slope):
    """Each thread computes one element of y. An empty bias stands for none."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, H, W, _ = x.shape
    K, R, S, group_c = w.shape
    _, P, Q, _ = y.shape
    k = index % K
    q = index // K % Q
    p = index // (K * Q) % P
    n = index // (K * Q * P)
    first_c = k // (K // groups) * group_c

    one = y.dtype.type(1)
    total = one - one
    for r in range(R):
        h = p * stride[0] + r * dilation[0] - pads[0]
        if h < 0 or h >= H:
            continue
        for s in range(S):
            column = q * stride[1] + s * dilation[1] - pads[2]
            if column < 0 or column >= W:
                continue
            for c in range(group_c):
                total += x[n, h, column, first_c + c] * w[k, r, s, c]
    if bias.size > 0:
        total += bias[k]
    y[n, p, q, k] = activate(total, code, negative_slope, one)


def build(geometry: ConvGeometry) -> Run:
    """Prepare the launch: enough blocks of 128 threads for every output."""
    g = geometry
    blocks = -(-g.n * g.p * g.q * g.k // THREADS)
    constants = (g.stride, g.pads, g.dilation, g.groups, CODES[g.activation], g.dtype.type(g.negative_slope))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, w, bias), (y,) = arrays, outputs
        if blocks:
            launch(
                conv2d_naive, (blocks,), (THREADS,), x, w, w.reshape(-1)[:0] if bias is None else bias, y, *constants
            )

    return run
