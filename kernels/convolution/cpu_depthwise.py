"""The "depthwise" convolution and its gradients on the CPU: one channel in, one channel out, vectorised over channels.

With one input channel for each output channel there is no reduction over channels for the micro-kernel to work on.
Channels are contiguous, so each tap is a multiply-add of vectors of channels (machine/channelwise.py), and the weights
of a strip of channels stay in registers while a band of the image passes. Which taps an output has is decided
beforehand, along each axis (tap_runs.py); the input gradient differs from the convolution in that alone.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from numba import float32, float64
from numba.extending import register_jitable

from ..activation.epilogue import IN_REGISTERS, second_pass
from ..machine.blocks import Template, address_of
from ..machine.channelwise import PIECE, piece, strip_channels
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.processor import lanes
from ..machine.threads import launch
from .cpu_direct_weight_grad import gather_shares
from .geometry import ConvGeometry
from .tap_runs import WORDS, runs_of, table_of

_MACS_PER_NS = 20.0
_SHARES = 16
_BAND_ROWS = 8  # of outputs: what a strip of channels reads for them stays in the first-level cache


def rejects(g: ConvGeometry) -> str | None:
    """Depthwise means as many groups as channels, in and out."""
    if g.groups == 1 or not g.groups == g.c == g.k:
        return f"needs groups = C = C_out > 1 (got groups = {g.groups}, C = {g.c}, C_out = {g.k})"
    return None


def _rows(itemsize: int, correlates: int) -> Callable[..., None]:
    """Do one run of rows of one image, piece by piece."""
    strip, width = strip_channels(itemsize), lanes(itemsize)

    @register_jitable
    def rows(x, w, y, bias, down, runs, count, C, S, W, Q, mode, slope):
        c = 0
        while c < C:
            whole = c + strip <= C
            for run in range(count):
                along = runs + run * WORDS * 8
                across = pointer(along, np.int64)
                high, wide = down[5], across[5]
                if high * wide == 0:
                    high, wide = 0, 0
                target = y + ((down[0] * Q + across[0]) * C + c) * itemsize
                for i in range(0, max(1, high), PIECE):
                    for j in range(0, max(1, wide), PIECE):
                        r, s = down[3] + i * down[4], across[3] + j * across[4]
                        h, v = down[6] + i * down[8], across[6] + j * across[8]
                        source, weights = x + ((h * W + v) * C + c) * itemsize, w + ((r * S + s) * C + c) * itemsize
                        y_row, y_step = down[1] * Q * C, across[1] * C
                        start, start_row, start_step = target, y_row, y_step
                        if i + j == 0:
                            start, start_row, start_step = bias + c * itemsize, 0, 0
                        last = mode if i + PIECE >= high and j + PIECE >= wide else 0
                        if whole:
                            piece(
                                itemsize, 1, correlates, 0, source, weights, target, start, min(PIECE, high - i),
                                min(PIECE, wide - j), down[2], across[2], down[7] * W * C, across[7] * C, y_row,
                                y_step, start_row, start_step, down[8] * W * C, across[8] * C, down[4] * S * C,
                                across[4] * C, last, slope,
                            )  # fmt: skip
                        else:
                            piece(
                                itemsize, 0, correlates, C - c, source, weights, target, start, min(PIECE, high - i),
                                min(PIECE, wide - j), down[2], across[2], down[7] * W * C, across[7] * C, y_row,
                                y_step, start_row, start_step, down[8] * W * C, across[8] * C, down[4] * S * C,
                                across[4] * C, last, slope,
                            )  # fmt: skip
            c += strip if whole else width

    return rows


@kernel()
def rows_of(itemsize: int) -> Any:
    """Task: one run of rows of one image.

    block = x, w (taps, C), bias, y, runs of rows, their number, of columns, their number, source rows and columns,
    outputs' rows and columns, C, S, mode, slope. For the input gradient, x is gy and y is gx.
    """
    rows = _rows(itemsize, 0)

    def rows_of(begin, end, slot, block):
        x, w, bias, y, row_runs, bands, runs, count = (
            block[0], block[1], block[2], block[3], block[4], block[5], block[6], block[7],
        )  # fmt: skip
        H, W, P, Q, C, S = block[8], block[9], block[10], block[11], block[12], block[13]
        mode, slope = block[14], float_bits(block[15])
        for task in range(begin, end):
            n = task // bands
            down = pointer(row_runs + (task - n * bands) * WORDS * 8, np.int64)
            source, target = x + n * H * W * C * itemsize, y + n * P * Q * C * itemsize
            rows(source, w, target, bias, down, runs, count, C, S, W, Q, mode, slope)

    return rows_of


@kernel()
def accumulate(itemsize: int) -> Any:
    """Task: one share of the runs of rows of all images, into its own sums ``(taps, C)``.

    block = x, gy, partials, runs of rows, their number, of columns, their number, H, W, P, Q, C, R, S, N, shares
    """
    dtype = float32 if itemsize == 4 else float64
    rows = _rows(itemsize, 1)

    def accumulate(begin, end, slot, block):
        x, gy, row_runs, bands, runs, count = block[0], block[1], block[3], block[4], block[5], block[6]
        H, W, P, Q, C, R, S = block[7], block[8], block[9], block[10], block[11], block[12], block[13]
        parts, shares = block[14] * bands, block[15]
        for share in range(begin, end):
            part = block[2] + share * R * S * C * itemsize
            sums = pointer(part, dtype)
            for i in range(R * S * C):
                sums[i] = 0
            for band in range(parts * share // shares, parts * (share + 1) // shares):
                n = band // bands
                down = pointer(row_runs + (band - n * bands) * WORDS * 8, np.int64)
                source, gradient = x + n * H * W * C * itemsize, gy + n * P * Q * C * itemsize
                rows(source, part, gradient, 0, down, runs, count, C, S, W, Q, 0, 0.0)

    return accumulate


def _taps_first(w: np.ndarray) -> np.ndarray:
    """``(C, R, S, 1)`` as ``(R * S, C)``: a few hundred numbers."""
    return np.ascontiguousarray(w.reshape(w.shape[0], -1).T)


def _runs(g: ConvGeometry, gradient: bool) -> tuple[np.ndarray, np.ndarray]:
    """The tables of runs of both axes; those of rows are short, so that there are tasks enough."""
    outputs, sources = ((g.h, g.w), (g.p, g.q)) if gradient else ((g.p, g.q), (g.h, g.w))
    rows = runs_of(outputs[0], sources[0], g.r, g.stride[0], g.dilation[0], g.pads[0], gradient, _BAND_ROWS)
    columns = runs_of(outputs[1], sources[1], g.s, g.stride[1], g.dilation[1], g.pads[2], gradient, outputs[1])
    return table_of(rows), table_of(columns)


def _build_rows(g: ConvGeometry, gradient: bool) -> Callable[..., None]:
    source, target = ((g.p, g.q), (g.h, g.w)) if gradient else ((g.h, g.w), (g.p, g.q))
    tables = rows, columns = _runs(g, gradient)
    bands, mode = rows.size // WORDS, IN_REGISTERS.get(g.activation, 0)
    words = [address_of(rows), bands, address_of(columns), columns.size // WORDS, *source, *target, g.c, g.s, mode]
    worker, template = rows_of.address(g.dtype.itemsize), Template(4, [*words, word_of(g.negative_slope)])
    finish, zeros = second_pass(g.activation, g.negative_slope, IN_REGISTERS), np.zeros(g.c, g.dtype)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...], tables: tuple[np.ndarray, ...] = tables) -> None:
        x, w, bias = arrays
        (y,) = outputs
        taps = _taps_first(w)
        block = template.filled(x, taps, zeros if bias is None else bias, y)  # it has the addresses of the tables
        launch(worker, g.n * bands, addressof(block), g.flops / (2 * _MACS_PER_NS))
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
    itemsize, taps = g.dtype.itemsize, g.r * g.s
    tables = rows, columns = _runs(g, gradient=False)
    bands = rows.size // WORDS
    shares = max(1, min(_SHARES, g.n * bands))
    worker, gather = accumulate.address(itemsize), gather_shares.address(itemsize)
    words = [address_of(rows), bands, address_of(columns), columns.size // WORDS]
    template = Template(3, [*words, g.h, g.w, g.p, g.q, g.c, g.r, g.s, g.n, shares])
    gather_template = Template(2, [shares, taps, 1, g.c, 0, 1, taps * g.c])

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...], tables: tuple[np.ndarray, ...] = tables) -> None:
        gy, x = arrays
        (gw,) = outputs
        partials = empty((shares, taps, g.c), g.dtype)
        block = template.filled(x, gy, partials)  # it has the addresses of the tables
        launch(worker, shares, addressof(block), g.flops / (2 * _MACS_PER_NS))
        block = gather_template.filled(partials, gw)
        launch(gather, g.c, addressof(block), partials.size * 0.5)

    return run
