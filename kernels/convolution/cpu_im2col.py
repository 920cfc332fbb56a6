"""The "im2col" convolution on the CPU: copy every receptive field out, then one matrix product.

The rung between the loops and the micro-kernel that reads the image in place. The matrix of receptive fields has a row
for each output pixel and R * S * C columns::

    columns[(n, p, q), (r, s, c)] = x[n, p * stride + r * dilation - top, ..., c]        zero outside the image

    y           = columns @ w.T          (N P Q, R S C) x (R S C, K)
    gw          = gy.T @ columns         (K, N P Q) x (N P Q, R S C)
    gx[n, h, w] = sum of the entries of (gy @ w) that were copied from (n, h, w)

The copy is R * S times as large as the image, written once and read once: for a 3 x 3 layer of 64 channels that
traffic costs more than the product. It is here to be read and to be measured against; it runs when named.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from numba import float32, float64

from ..activation.epilogue import second_pass
from ..linear import matmul
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.pointers import pointer
from ..machine.threads import launch
from .geometry import ConvGeometry


@kernel()
def spread(itemsize: int, gradient: bool) -> Any:
    """Task: one row of one image: an output row to fill (`columns` from x), or an image row to collect (gx).

    block = image, columns, H, W, C, P, Q, R, S, strides, dilations, top, left, first channel, channels
    """
    dtype = float32 if itemsize == 4 else float64

    def spread(begin, end, slot, block):
        image, columns = pointer(block[0], dtype), pointer(block[1], dtype)
        H, W, C, P, Q, R, S = block[2], block[3], block[4], block[5], block[6], block[7], block[8]
        sy, sx, dy, dx, top, left = block[9], block[10], block[11], block[12], block[13], block[14]
        first, channels = block[15], block[16]
        for task in range(begin, end):
            n, p = task // P, task % P
            for q in range(Q):
                for r in range(R):
                    for s in range(S):
                        h, w = p * sy + r * dy - top, q * sx + s * dx - left
                        at = ((task * Q + q) * R * S + r * S + s) * channels
                        source = ((n * H + h) * W + w) * C + first
                        if h < 0 or h >= H or w < 0 or w >= W:
                            for c in range(channels):
                                columns[at + c] = 0
                        else:
                            for c in range(channels):
                                columns[at + c] = image[source + c]

    def collect(begin, end, slot, block):
        image, columns = pointer(block[0], dtype), pointer(block[1], dtype)
        H, W, C, P, Q, R, S = block[2], block[3], block[4], block[5], block[6], block[7], block[8]
        sy, sx, dy, dx, top, left = block[9], block[10], block[11], block[12], block[13], block[14]
        first, channels = block[15], block[16]
        for task in range(begin, end):
            n, h = task // H, task % H
            for w in range(W):
                at = (task * W + w) * C + first
                for c in range(channels):
                    image[at + c] = 0
                for r in range(R):
                    p = h + top - r * dy
                    if p % sy != 0 or p < 0 or p >= P * sy:
                        continue
                    for s in range(S):
                        q = w + left - s * dx
                        if q % sx != 0 or q < 0 or q >= Q * sx:
                            continue
                        source = ((((n * P + p // sy) * Q + q // sx) * R + r) * S + s) * channels
                        for c in range(channels):
                            image[at + c] += columns[source + c]

    return collect if gradient else spread


class _Columns:
    """The matrix of receptive fields of one group, and its copies from and to an image."""

    def __init__(self, g: ConvGeometry, gradient: bool) -> None:
        self.g = g
        self.channels, self.outputs = g.c // g.groups, g.k // g.groups
        self.shape = (g.n * g.p * g.q, g.r * g.s * self.channels)
        self.tasks = g.n * (g.h if gradient else g.p)
        self.worker = spread.address(g.dtype.itemsize, gradient)
        sizes = [g.h, g.w, g.c, g.p, g.q, g.r, g.s, *g.stride, *g.dilation, g.pads[0], g.pads[2]]
        self.templates = [Template(2, [*sizes, i * self.channels, self.channels]) for i in range(g.groups)]

    def empty(self) -> np.ndarray:
        return empty(self.shape, self.g.dtype)

    def copy(self, image: np.ndarray, columns: np.ndarray, group: int) -> None:
        block = self.templates[group].filled(image, columns)
        launch(self.worker, self.tasks, addressof(block), columns.size * 0.5)

    def weight(self, w: np.ndarray, group: int) -> np.ndarray:
        return w.reshape(self.g.groups, self.outputs, -1)[group]

    def pixels(self, y: np.ndarray, group: int) -> np.ndarray:
        return y.reshape(-1, self.g.k)[:, group * self.outputs : (group + 1) * self.outputs]


def build(g: ConvGeometry) -> Callable[..., None]:
    """The convolution."""
    columns = _Columns(g, gradient=False)
    finish = second_pass(g.activation, g.negative_slope)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, w, bias = arrays
        (y,) = outputs
        matrix = columns.empty()
        for group in range(g.groups):
            columns.copy(x, matrix, group)
            columns.pixels(y, group)[...] = matmul(matrix, columns.weight(w, group), transpose_b=True)
        if bias is not None:
            y += bias
        finish(y)

    return run


def build_input_grad(g: ConvGeometry) -> Callable[..., None]:
    """The input gradient: the product first, then every pixel collects what was copied from it."""
    columns = _Columns(g, gradient=True)
    finish = second_pass(g.activation, g.negative_slope)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, w, bias = arrays
        (gx,) = outputs
        for group in range(g.groups):
            matrix = matmul(np.ascontiguousarray(columns.pixels(gy, group)), columns.weight(w, group))
            columns.copy(gx, matrix, group)
        if bias is not None:
            gx += bias
        finish(gx)

    return run


def build_weight_grad(g: ConvGeometry) -> Callable[..., None]:
    """The weight gradient."""
    columns = _Columns(g, gradient=False)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, x = arrays
        (gw,) = outputs
        matrix = columns.empty()
        for group in range(g.groups):
            columns.copy(x, matrix, group)
            pixels = np.ascontiguousarray(columns.pixels(gy, group))
            columns.weight(gw, group)[...] = matmul(pixels, matrix, transpose_a=True)

    return run
