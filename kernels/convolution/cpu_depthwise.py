"""The "depthwise" convolution and its gradients on the CPU: one channel in, one channel out, vectorised over channels.

With one input channel for each output channel there is no reduction over channels for the micro-kernel to work on,
and each number of x is used R * S times only. Channels are contiguous, so each tap is a multiply-add of two vectors
of C channels, and a row of outputs stays in the first-level cache while its taps pass.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from numba import float32, float64

from ..activation.epilogue import second_pass
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.threads import launch
from .cpu_direct_weight_grad import gather_shares
from .geometry import ConvGeometry

_MACS_PER_NS = 3.0
_SHARES = 8


def rejects(g: ConvGeometry) -> str | None:
    """Depthwise means as many groups as channels, in and out."""
    if g.groups == 1 or not g.groups == g.c == g.k:
        return f"needs groups = C = C_out > 1 (got groups = {g.groups}, C = {g.c}, C_out = {g.k})"
    return None


@kernel()
def rows_of(itemsize: int, gradient: bool) -> Any:
    """Task: one output row of one image.

    block = x, w (taps, C), bias or 0, y, source rows, source columns, outputs' rows, columns, C, R, S, strides,
    dilations, top, left. For the gradient, x is gy and y is gx.
    """
    dtype = float32 if itemsize == 4 else float64

    def rows_of(begin, end, slot, block):
        x, w, bias, y = (
            pointer(block[0], dtype), pointer(block[1], dtype), pointer(block[2], dtype), pointer(block[3], dtype),
        )  # fmt: skip
        H, W, P, Q, C, R, S = block[4], block[5], block[6], block[7], block[8], block[9], block[10]
        sy, sx, dy, dx, top, left = block[11], block[12], block[13], block[14], block[15], block[16]
        for task in range(begin, end):
            n, p = task // P, task % P
            for q in range(Q):
                at = (task * Q + q) * C
                if block[2] != 0:
                    for c in range(C):
                        y[at + c] = bias[c]
                else:
                    for c in range(C):
                        y[at + c] = 0
                for r in range(R):
                    if gradient:
                        row, off_row = (p + top - r * dy) // sy, (p + top - r * dy) % sy
                    else:
                        row, off_row = p * sy + r * dy - top, 0
                    if off_row != 0 or row < 0 or row >= H:
                        continue
                    for s in range(S):
                        if gradient:
                            column, off_column = (q + left - s * dx) // sx, (q + left - s * dx) % sx
                        else:
                            column, off_column = q * sx + s * dx - left, 0
                        if off_column != 0 or column < 0 or column >= W:
                            continue
                        source, tap = ((n * H + row) * W + column) * C, (r * S + s) * C
                        for c in range(C):
                            y[at + c] += x[source + c] * w[tap + c]

    return rows_of


@kernel()
def accumulate(itemsize: int) -> Any:
    """Task: one share of the output rows of all images, into its own sums ``(taps, C)``.

    block = x, gy, partials, rows of all images, shares, H, W, P, Q, C, R, S, strides, dilations, top, left
    """
    dtype = float32 if itemsize == 4 else float64

    def accumulate(begin, end, slot, block):
        x, gy, partials = pointer(block[0], dtype), pointer(block[1], dtype), pointer(block[2], dtype)
        rows, shares, H, W, P, Q, C = block[3], block[4], block[5], block[6], block[7], block[8], block[9]
        R, S, sy, sx, dy, dx = block[10], block[11], block[12], block[13], block[14], block[15]
        top, left = block[16], block[17]
        for share in range(begin, end):
            size = R * S * C
            for i in range(share * size, (share + 1) * size):
                partials[i] = 0
            for line in range(rows * share // shares, rows * (share + 1) // shares):
                n, p = line // P, line % P
                for r in range(R):
                    row = p * sy + r * dy - top
                    if row < 0 or row >= H:
                        continue
                    for q in range(Q):
                        for s in range(S):
                            column = q * sx + s * dx - left
                            if column < 0 or column >= W:
                                continue
                            source, out = ((n * H + row) * W + column) * C, share * size + (r * S + s) * C
                            at = (line * Q + q) * C
                            for c in range(C):
                                partials[out + c] += gy[at + c] * x[source + c]

    return accumulate


def _taps_first(w: np.ndarray) -> np.ndarray:
    """``(C, R, S, 1)`` as ``(R * S, C)``: a few hundred numbers."""
    return np.ascontiguousarray(w.reshape(w.shape[0], -1).T)


def _build_rows(g: ConvGeometry, gradient: bool) -> Callable[..., None]:
    source, target = ((g.p, g.q), (g.h, g.w)) if gradient else ((g.h, g.w), (g.p, g.q))
    worker = rows_of.address(g.dtype.itemsize, gradient)
    template = Template(4, [*source, *target, g.c, g.r, g.s, *g.stride, *g.dilation, g.pads[0], g.pads[2]])
    finish = second_pass(g.activation, g.negative_slope)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, w, bias = arrays
        (y,) = outputs
        taps = _taps_first(w)
        block = template.filled(x, taps, bias, y)
        launch(worker, g.n * target[0], addressof(block), g.flops / (2 * _MACS_PER_NS))
        finish(y)

    return run


def build(g: ConvGeometry) -> Callable[..., None]:
    """The convolution."""
    return _build_rows(g, gradient=False)


def build_input_grad(g: ConvGeometry) -> Callable[..., None]:
    """The input gradient: every pixel gathers from the outputs that read it."""
    return _build_rows(g, gradient=True)


def build_weight_grad(g: ConvGeometry) -> Callable[..., None]:
    """The weight gradient: a share of the rows for each task, then the shares in order."""
    itemsize = g.dtype.itemsize
    rows, taps = g.n * g.p, g.r * g.s
    shares = max(1, min(_SHARES, rows))
    worker, gather = accumulate.address(itemsize), gather_shares.address(itemsize)
    sizes = [g.h, g.w, g.p, g.q, g.c, g.r, g.s, *g.stride, *g.dilation, g.pads[0], g.pads[2]]
    template = Template(3, [rows, shares, *sizes])
    gather_template = Template(2, [shares, taps, 1, g.c, 0, 1, taps * g.c])

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, x = arrays
        (gw,) = outputs
        partials = empty((shares, taps, g.c), g.dtype)
        block = template.filled(x, gy, partials)
        launch(worker, shares, addressof(block), g.flops / (2 * _MACS_PER_NS))
        block = gather_template.filled(partials, gw)
        launch(gather, g.c, addressof(block), partials.size * 0.5)

    return run
