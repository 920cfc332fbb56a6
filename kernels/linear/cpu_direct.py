"""Matrix products on the CPU: the micro-kernel over blocks that fit the caches.

B is packed into blocks of columns as wide as the micro-kernel's widest tile. A task is one block of columns and a
band of rows of A; it walks the reduction in chunks, so that the chunk of B (up to 128 KB) stays in the second-level
cache while every tile of the band reads it. A is read in place, whichever way it is transposed: its two strides are
arguments of the micro-kernel.
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
from ..machine.threads import launch
from ..machine.vectors import LEAKY_RELU, RELU
from . import LinearGeometry

_CHUNK = 512
_BAND = 96


@kernel()
def multiply(itemsize: int) -> Any:
    """Task: one band of rows of one block of columns.

    block = a, packed, bias, y, M, N, K, row stride of A, reduction stride of A, mode, slope, panel, bands
    """
    widest = block_columns(itemsize)

    def multiply(begin, end, slot, block):
        a, packed, bias, y = block[0], block[1], block[2], block[3]
        M, N, K, am, ai = block[4], block[5], block[6], block[7], block[8]
        mode, slope, panel_at, bands = block[9], block[10], block[11], block[12]
        for task in range(begin, end):
            first, m0 = task // bands * widest, task % bands * _BAND
            here, height = min(N - first, widest), min(M - m0, _BAND)
            chunks = max(1, (K + _CHUNK - 1) // _CHUNK)
            for chunk in range(chunks):
                k0 = chunk * _CHUNK
                step = PACKED | (ACCUMULATE if chunk else mode & BIAS)
                if chunk == chunks - 1:
                    step |= mode & (RELU | LEAKY_RELU)
                call_panel(
                    panel_at, y + (m0 * N + first) * itemsize, a + (m0 * am + k0 * ai) * itemsize,
                    packed + first * K * itemsize, bias + first * itemsize, height, here, 1, min(_CHUNK, K - k0),
                    0, ai, am, 0, k0, K, N, step, slope,
                )  # fmt: skip

    return multiply


class _Product:
    """A planned product ``(M, K) x (K, N)``: how B is packed and the argument block but for addresses."""

    def __init__(self, g: LinearGeometry) -> None:
        self.g = g
        itemsize = g.dtype.itemsize
        row, step = (1, g.m) if g.transpose_a else (g.k, 1)
        channel, column = (1, g.k) if g.transpose_b else (g.n, 1)
        self.packing = Packing(itemsize, [0], g.k, g.n, channel, column)
        mode = (BIAS if g.has_bias else 0) | IN_REGISTERS.get(g.activation, 0)
        bands = -(-g.m // _BAND)
        self.tasks = bands * -(-g.n // block_columns(itemsize))
        slope = word_of(g.negative_slope)
        self.template = Template(4, [g.m, g.n, g.k, row, step, mode, slope, panel.address(itemsize), bands])
        self.worker = multiply.address(itemsize)
        self.finish = second_pass(g.activation, g.negative_slope, IN_REGISTERS)

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        a, b, *rest = arrays
        bias = rest[0] if rest else None
        (y,) = outputs
        packed = pack_all([self.packing], b)  # named, since a block does not keep its arrays alive
        block = self.template.filled(a, packed, bias, y)
        launch(self.worker, self.tasks, addressof(block), self.g.m * self.g.n * self.g.k / MACS_PER_NS)
        self.finish(y)


def build(g: LinearGeometry) -> Callable[..., None]:
    """Plan a product."""
    return _Product(g)
