"""Padding and its adjoint "naive" on CUDA: one thread, one output.

The idea: each thread of `pad2d` asks the definition (reference.py) which pixel its own is a copy of. The adjoint adds
every number to the pixel that it would be a copy of, which several threads would do to one pixel at once; so here each
thread has a pixel and *gathers* what is a copy of it: its own place, and those places of the frame whose source it is.

Index arithmetic: threads are numbered as results lie in memory, channels fastest: the 32 of a warp copy a run of
channels. Copies in the frame are sought, not computed: a pixel asks top + bottom rows and left + right columns, each in
ascending order, so that sums do not depend on which thread is first.

Memory traffic: each number is read once and written once. The adjoint's search costs integer arithmetic for
(top + bottom + 1) rows and, in those rows that are copies, left + right + 1 columns, which is small while frames are.

Sums are float64. Takes everything.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from . import Padding
from .reference import padded, source


@cuda.jit
def pad2d_naive(x, y, top, left, mode, value):
    """Each thread computes one element of y."""
    index = cuda.grid(1)
    if index >= y.size:
        return
    _, P, Q, C = y.shape
    n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
    y[n, p, q, c] = padded(x, n, p, q, c, top, left, mode, value)


@cuda.jit(device=True)
def place_of(i, own, before, size):
    """Place i of those that may be a copy of pixel ``own``: the frame before, ``own`` itself, the frame behind."""
    if i < before:
        return i
    return before + own if i == before else size + i - 1


@cuda.jit
def pad2d_grad_naive(gy, gx, top, left, mode):
    """Each thread computes one element of gx."""
    index = cuda.grid(1)
    if index >= gx.size:
        return
    _, H, W, C = gx.shape
    _, P, Q, _ = gy.shape
    n, h, w, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    total = 0.0
    for i in range(P - H + 1):
        p = place_of(i, h, top, H)
        if source(p - top, H, mode) != h:
            continue
        for j in range(Q - W + 1):
            q = place_of(j, w, left, W)
            if source(q - left, W, mode) == w:
                total += gy[n, p, q, c]
    gx[n, h, w, c] = total


def build(g: Padding) -> Run:
    """Prepare the launch: a thread for each element of the padded image."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x,), (y,) = arrays, outputs
        launch_each(pad2d_naive, y.size, x, y, g.pads[0], g.pads[2], g.mode, g.value)

    return run


def build_grad(g: Padding) -> Run:
    """Prepare the launch: a thread for each element of the image."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gy,), (gx,) = arrays, outputs
        launch_each(pad2d_grad_naive, gx.size, gy, gx, g.pads[0], g.pads[2], g.mode)

    return run
