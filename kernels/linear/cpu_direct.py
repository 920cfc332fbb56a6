"""Matrix products on the CPU: the micro-kernel over blocks that fit the caches.

B is packed into blocks of columns as wide as the micro-kernel's widest tile; where A has few rows, it is read where
it lies. A task is one block of columns and a band of rows of A; it walks the reduction in chunks, so that the chunk of
B (up to 128 KB) stays in the second-level cache while every tile of the band reads it. A is read in place, whichever
way it is transposed: its two strides are arguments of the micro-kernel.

Bands are lower where a product would otherwise be too few tasks to share out. That moves no sum: each number of the
result takes its products in one order, whatever the band.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

from ..activation.epilogue import IN_REGISTERS, second_pass
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.microkernel import ACCUMULATE, BIAS, MACS_PER_NS, PACKED, block_columns, call_panel, panel
from ..machine.packing import Packing, pack_all
from ..machine.pointers import word_of
from ..machine.processor import lanes
from ..machine.threads import launch
from ..machine.vectors import LEAKY_RELU, RELU
from . import LinearGeometry

_CHUNK = 512
_BANDS = (96, 48, 24)  # multiples of the tiles' 6 and 8 rows
_TASKS = 16  # at least so many, where the lowest bands make them
_THIN = 64  # rows of A up to which B is read in place: packing would take longer than it saves


@kernel()
def multiply(itemsize: int) -> Any:
    """Task: one band of rows of one block of columns.

    block = a, B (packed or in place), bias, y, M, N, K, row stride of A, reduction stride of A, mode, slope, panel,
    bands, rows of a band
    """
    widest = block_columns(itemsize)

    def multiply(begin, end, slot, block):
        a, b, bias, y = block[0], block[1], block[2], block[3]
        M, N, K, am, ai = block[4], block[5], block[6], block[7], block[8]
        mode, slope, panel_at, bands, band = block[9], block[10], block[11], block[12], block[13]
        for task in range(begin, end):
            first, m0 = task // bands * widest, task % bands * band
            here, height = min(N - first, widest), min(M - m0, band)
            chunks = max(1, (K + _CHUNK - 1) // _CHUNK)
            for chunk in range(chunks):
                k0 = chunk * _CHUNK
                step = mode & PACKED | (ACCUMULATE if chunk else mode & BIAS)
                if chunk == chunks - 1:
                    step |= mode & (RELU | LEAKY_RELU)
                at_b, row_b = (b + first * K * itemsize, k0) if mode & PACKED else (b + (k0 * N + first) * itemsize, N)
                call_panel(
                    panel_at, y + (m0 * N + first) * itemsize, a + (m0 * am + k0 * ai) * itemsize, at_b,
                    bias + first * itemsize, height, here, 1, min(_CHUNK, K - k0), 0, ai, am, 0, row_b, K, N, step,
                    slope,
                )  # fmt: skip

    return multiply


class _Product:
    """A planned product ``(M, K) x (K, N)``: how B is packed and the argument block but for addresses."""

    def __init__(self, g: LinearGeometry) -> None:
        self.g = g
        itemsize = g.dtype.itemsize
        row, step = (1, g.m) if g.transpose_a else (g.k, 1)
        channel, column = (1, g.k) if g.transpose_b else (g.n, 1)
        in_place = g.m <= _THIN and not g.transpose_b and g.n % lanes(itemsize) == 0
        self.packing = None if in_place else Packing(itemsize, [0], g.k, g.n, channel, column)
        mode = (BIAS if g.has_bias else 0) | (0 if in_place else PACKED) | IN_REGISTERS.get(g.activation, 0)
        blocks = -(-g.n // block_columns(itemsize))
        band = next((band for band in _BANDS if blocks * -(-g.m // band) >= _TASKS), _BANDS[-1])
        bands = -(-g.m // band)
        self.tasks = bands * blocks
        slope = word_of(g.negative_slope)
        self.template = Template(4, [g.m, g.n, g.k, row, step, mode, slope, panel.address(itemsize), bands, band])
        self.worker = multiply.address(itemsize)
        self.finish = second_pass(g.activation, g.negative_slope, IN_REGISTERS)

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        a, b, *rest = arrays
        bias = rest[0] if rest else None
        (y,) = outputs
        if self.packing is not None:
            b = pack_all([self.packing], b)  # named, since a block does not keep its arrays alive
        block = self.template.filled(a, b, bias, y)
        launch(self.worker, self.tasks, addressof(block), self.g.m * self.g.n * self.g.k / MACS_PER_NS)
        self.finish(y)


def build(g: LinearGeometry) -> Callable[..., None]:
    """Plan a product."""
    return _Product(g)
