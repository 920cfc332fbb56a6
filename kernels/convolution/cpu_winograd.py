"""The "winograd" convolution and input gradient on the CPU: 3 x 3, stride 1, with 4 times fewer multiplications.

The output is cut into tiles of 4 x 4 pixels, each computed from 6 x 6 input pixels that overlap its neighbours' by 2::

    +----+----+--        input tile of the second:  columns 3 .. 8
    | 4x4| 4x4|          (of the padded image 4 .. 9)
    +----+----+--
    |    |    |

winograd_lines.py has the matrices. With all channels, the 36 point-wise products are 36 matrix products::

    V[point] (tiles, C)  x  U[point] (C, K)  =  M[point] (tiles, K)        by the micro-kernel

A task is a block of 24 tiles, so that V and M (some 700 KB at 64 channels) stay in the second-level cache: transform
their inputs into V, multiply 36 times, transform M into the output. Tiles at the border go through a small patch with
zeros around the image. U is made from the weight on every call; that costs a hundredth of the rest.

The input gradient is the convolution of gy with the taps turned round and the channels' roles exchanged, so only the
packing of the weight differs.

Sums of numbers up to 4 * 4 times as large as the inputs cost about one decimal digit: errors are 6e-6 to 9e-6 of the
largest output (float32). float64 has no use for that bargain and takes the direct path.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from numba import float32
from numba.extending import register_jitable

from ..activation.epilogue import IN_REGISTERS, second_pass
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.microkernel import MACS_PER_NS, PACKED, block_columns, call_panel, panel
from ..machine.packing import Packing, pack_all, padded_columns
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from .geometry import ConvGeometry
from .winograd_transforms import INPUT, OUTPUT, WEIGHT, all_channels, transform

TILES = 24
"""Tiles in a block: enough rows for the micro-kernel, few enough for the cache."""

WEIGHT_ROWS = 16
"""Rows of a block of columns that a task transforms."""

# Points lie this many numbers more apart than they need, or their 36 streams would meet in the same cache sets.
SKEW = 16
SIZE = 4  # of a float32


def rejects(g: ConvGeometry) -> str | None:
    """Where the method does not apply, or does not pay."""
    if (g.r, g.s) != (3, 3) or g.stride != (1, 1) or g.dilation != (1, 1) or g.groups != 1:
        return (
            f"needs 3 x 3 taps, stride 1, no dilation and one group (got {g.r} x {g.s}, stride {g.stride}, "
            f"dilation {g.dilation}, groups = {g.groups})"
        )
    if g.dtype != np.float32:
        return f"needs float32 (got {g.dtype})"
    least = max(lanes(SIZE), 16)
    if min(g.c, g.k) < least:
        return f"needs {least} channels in and out (got C = {g.c}, C_out = {g.k})"
    return None


def pitch(tiles: int, channels: int) -> int:
    """Numbers from one point's matrix ``(tiles, channels)`` to the next."""
    return tiles * channels + lanes(SIZE) + SKEW


@register_jitable
def patch_with_zeros(patch, image, n, H, W, C, row, column, rows, columns):
    """Copy ``rows x columns`` pixels of image n, from (row, column) on, with zeros beyond the borders."""
    left, right = min(columns, max(0, -column)), max(0, min(columns, W - column))
    for r in range(rows):
        base = r * columns * C
        if row + r < 0 or row + r >= H:
            left_here, right_here = columns, columns
        else:
            left_here, right_here = left, max(left, right)
        source = pointer(image + ((n * H + row + r) * W + column) * C * SIZE, float32)
        for i in range(left_here * C):
            patch[base + i] = 0
        for i in range(left_here * C, right_here * C):
            patch[base + i] = source[i]
        for i in range(right_here * C, columns * C):
            patch[base + i] = 0


@kernel()
def transform_weights() -> Any:
    """Task: some rows of one block of columns: ``(9 taps, C, width)``, as packed for the direct path, to
    ``U[point](C, width)``.

    block = packed, U, C, K, numbers of one point of U
    """
    widest, width = block_columns(SIZE), lanes(SIZE)

    def transform_weights(begin, end, slot, block):
        C, K, point = block[2], block[3], block[4]
        parts = (C + WEIGHT_ROWS - 1) // WEIGHT_ROWS
        for task in range(begin, end):
            part, first = task % parts, task // parts * widest
            padded = (min(K - first, widest) + width - 1) // width * width
            entries = C * padded
            packed, u = block[0] + first * C * 9 * SIZE, block[1] + first * C * SIZE
            for i in range(part * WEIGHT_ROWS * padded, min(C, (part + 1) * WEIGHT_ROWS) * padded, width):
                transform(
                    WEIGHT, WEIGHT, SIZE, packed + i * SIZE, 3 * entries, entries, u + i * SIZE, 6 * point, point,
                    0, 0, 0.0,
                )  # fmt: skip

    return transform_weights


@kernel()
def winograd() -> Any:
    """Task: one block of tiles; `_Winograd` fills the argument block."""
    transform_input, transform_output = all_channels(INPUT, INPUT, SIZE), all_channels(OUTPUT, OUTPUT, SIZE)

    def winograd(begin, end, slot, block):
        x, y, u, bias = block[0], block[1], block[2], block[3]
        H, W, C, P, Q, K = block[5], block[6], block[7], block[8], block[9], block[10]
        top, left, tiles, mode, slope = block[11], block[12], block[13], block[14], float_bits(block[15])
        v_point, m_point, u_point, panel_at = block[16], block[17], block[18], block[19]
        v = block[4] + slot * block[20] * SIZE
        m = v + 36 * v_point * SIZE
        patch_at = m + 36 * m_point * SIZE
        patch = pointer(patch_at, float32)
        down, across = (P + 3) // 4, (Q + 3) // 4
        for task in range(begin, end):
            first = task * TILES
            count = min(TILES, tiles - first)
            for t in range(count):
                n, local = (first + t) // (down * across), (first + t) % (down * across)
                row, column = local // across * 4 - top, local % across * 4 - left
                source, pitch = x + ((n * H + row) * W + column) * C * SIZE, W * C
                if row < 0 or column < 0 or row + 6 > H or column + 6 > W:
                    patch_with_zeros(patch, x, n, H, W, C, row, column, 6, 6)
                    source, pitch = patch_at, 6 * C
                transform_input(source, pitch, C, v + t * C * SIZE, 6 * v_point, v_point, C, 0, 0, 0.0)
            for point in range(36):
                call_panel(
                    panel_at, m + point * m_point * SIZE, v + point * v_point * SIZE, u + point * u_point * SIZE, 0,
                    count, K, 1, C, 0, 1, C, 0, 0, C, K, PACKED, 0,
                )  # fmt: skip
            for t in range(count):
                n, local = (first + t) // (down * across), (first + t) % (down * across)
                p, q = local // across * 4, local % across * 4
                target = y + ((n * P + p) * Q + q) * K * SIZE
                products = m + t * K * SIZE
                if p + 4 <= P and q + 4 <= Q:
                    transform_output(products, 6 * m_point, m_point, target, Q * K, K, K, bias, mode, slope)
                    continue
                transform_output(products, 6 * m_point, m_point, patch_at, 4 * K, K, K, bias, mode, slope)
                pixels = pointer(target, float32)
                for r in range(min(4, P - p)):
                    for i in range(min(4, Q - q) * K):
                        pixels[r * Q * K + i] = patch[r * 4 * K + i]

    return winograd


class _Winograd:
    """A planned convolution of ``source`` to ``target`` (shapes H, W, C), with the weight packed by ``packing``."""

    def __init__(
        self,
        g: ConvGeometry,
        source: tuple[int, int, int],
        target: tuple[int, int, int],
        before: tuple[int, int],
        packing: Packing,
    ) -> None:
        (h, w, c), (p, q, k) = source, target
        self.packing = packing
        tiles = g.n * -(-p // 4) * -(-q // 4)
        v_point, m_point, u_point = pitch(TILES, c), pitch(TILES, k), c * padded_columns(k, SIZE)
        scratch = 36 * (v_point + m_point + max(c, k))
        self.scratch, self.u_size = -(-scratch // 64) * 64, 36 * u_point
        mode, slope = IN_REGISTERS.get(g.activation, 0), word_of(g.negative_slope)
        points = [v_point, m_point, u_point, panel.address(SIZE), self.scratch]
        self.template = Template(5, [h, w, c, p, q, k, *before, tiles, mode, slope, *points])
        self.weight_template = Template(2, [c, k, u_point])
        self.weight_tasks = -(-k // block_columns(SIZE)) * -(-c // WEIGHT_ROWS)
        self.tasks = -(-tiles // TILES)
        self.worker, self.weight_worker = winograd.address(), transform_weights.address()
        self.ns = tiles * 36 * c * k / MACS_PER_NS
        self.finish = second_pass(g.activation, g.negative_slope, IN_REGISTERS)

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, w, bias = arrays
        (y,) = outputs
        packed, u = pack_all([self.packing], w), empty((self.u_size,), x.dtype)
        scratch = empty((num_threads() * self.scratch,), x.dtype)
        block = self.weight_template.filled(packed, u)
        launch(self.weight_worker, self.weight_tasks, addressof(block), self.u_size * 0.3)
        block = self.template.filled(x, y, u, bias, scratch)
        launch(self.worker, self.tasks, addressof(block), self.ns)
        self.finish(y)


def build(g: ConvGeometry) -> Callable[..., None]:
    """The convolution."""
    taps = [tap * g.c for tap in range(9)]
    packing = Packing(SIZE, taps, channels=g.c, columns=g.k, channel_stride=1, column_stride=9 * g.c)
    return _Winograd(g, (g.h, g.w, g.c), (g.p, g.q, g.k), (g.pads[0], g.pads[2]), packing)


def build_input_grad(g: ConvGeometry) -> Callable[..., None]:
    """The input gradient: gy, padded by what the kernel reaches beyond the convolution's own padding."""
    taps = [tap * g.c for tap in reversed(range(9))]
    packing = Packing(SIZE, taps, channels=g.k, columns=g.c, channel_stride=9 * g.c, column_stride=1)
    return _Winograd(g, (g.p, g.q, g.k), (g.h, g.w, g.c), (2 - g.pads[0], 2 - g.pads[2]), packing)
