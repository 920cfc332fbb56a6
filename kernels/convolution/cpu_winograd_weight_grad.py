"""The "winograd" weight gradient on the CPU, through the tiles of cpu_winograd.py.

The convolution's output is linear in the transformed weight, so its gradient is found at the 36 points and brought
back::

    gU[point] (C, K)  =  sum over tiles of  V[point](tile, C) x D[point](tile, K)        V = B^T d B,  D = A gy A^T
    gw                =  G^T gU G                                                        for every pair of channels

A block of tiles is transformed into V and D, and the micro-kernel adds their 36 products to the block's sums: the
reduction runs over tiles, rows of the product are input channels, columns output channels. The sums, 4 times as large
as the weight, stay in the second-level cache. Blocks are dealt to a number of shares that the shapes alone decide,
each with sums of its own, added in order at the end: results do not depend on the number of threads.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

from numba import float32

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.microkernel import ACCUMULATE, MACS_PER_NS, call_panel, panel
from ..machine.packing import padded_columns
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from .cpu_direct_weight_grad import gather_shares
from .cpu_winograd import SIZE, SKEW, patch_with_zeros
from .cpu_winograd import rejects as rejects
from .geometry import ConvGeometry
from .winograd_transforms import GRADIENT, INPUT, WEIGHT_GRADIENT, all_channels, transform

TILES = 48
_SHARES = 8
_SUM_BYTES = 32 << 20


@kernel()
def accumulate() -> Any:
    """Task: one share of the blocks of tiles; `_WeightGrad` fills the argument block."""
    transform_input = all_channels(INPUT, INPUT, SIZE)
    transform_gradient = all_channels(GRADIENT, GRADIENT, SIZE)

    def accumulate(begin, end, slot, block):
        x, gy, sums = block[0], block[1], block[2]
        H, W, C, P, Q, K = block[4], block[5], block[6], block[7], block[8], block[9]
        top, left, tiles, shares = block[10], block[11], block[12], block[13]
        v_point, d_point, d_pitch, panel_at = block[14], block[15], block[16], block[17]
        v = block[3] + slot * block[18] * SIZE
        d = v + 36 * v_point * SIZE
        patch_at = d + 36 * d_point * SIZE
        patch = pointer(patch_at, float32)
        down, across = (P + 3) // 4, (Q + 3) // 4
        blocks = (tiles + TILES - 1) // TILES
        for share in range(begin, end):
            mine = sums + share * 36 * C * K * SIZE
            zeros = pointer(mine, float32)
            for i in range(36 * C * K):
                zeros[i] = 0
            for first in range(blocks * share // shares * TILES, blocks * (share + 1) // shares * TILES, TILES):
                count = min(TILES, tiles - first)
                for t in range(count):
                    n, local = (first + t) // (down * across), (first + t) % (down * across)
                    p, q = local // across * 4, local % across * 4
                    row, column = p - top, q - left
                    source, pitch = x + ((n * H + row) * W + column) * C * SIZE, W * C
                    if row < 0 or column < 0 or row + 6 > H or column + 6 > W:
                        patch_with_zeros(patch, x, n, H, W, C, row, column, 6, 6)
                        source, pitch = patch_at, 6 * C
                    transform_input(source, pitch, C, v + t * C * SIZE, 6 * v_point, v_point, C, 0, 0, 0.0)
                    source, pitch = gy + ((n * P + p) * Q + q) * K * SIZE, Q * K
                    if p + 4 > P or q + 4 > Q:
                        patch_with_zeros(patch, gy, n, P, Q, K, p, q, 4, 4)
                        source, pitch = patch_at, 4 * K
                    transform_gradient(source, pitch, K, d + t * d_pitch * SIZE, 6 * d_point, d_point, K, 0, 0, 0.0)
                for point in range(36):
                    call_panel(
                        panel_at, mine + point * C * K * SIZE, v + point * v_point * SIZE,
                        d + point * d_point * SIZE, 0, C, K, 1, count, 0, C, 1, 0, d_pitch, 0, K, ACCUMULATE, 0,
                    )  # fmt: skip

    return accumulate


_RUN = 256


@kernel()
def finish() -> Any:
    """Task: a run of (c, k) pairs: add the shares in order, then G^T gU G into ``(9 taps, pairs)``.

    block = sums, taps, pairs, numbers of one tap (pairs in whole vectors), shares
    """
    width = lanes(SIZE)

    def finish(begin, end, slot, block):
        sums, pairs, tap, shares = pointer(block[0], float32), block[2], block[3], block[4]
        for task in range(begin, end):
            first, last = task * _RUN, min(task * _RUN + _RUN, pairs)
            for point in range(36):
                for share in range(1, shares):
                    there = (share * 36 + point) * pairs
                    for i in range(first, last):
                        sums[point * pairs + i] += sums[there + i]
            for i in range(first, last, width):  # lanes beyond the last pair are computed from what lies there
                transform(
                    WEIGHT_GRADIENT, WEIGHT_GRADIENT, SIZE, block[0] + i * SIZE, 6 * pairs, pairs,
                    block[1] + i * SIZE, 3 * tap, tap, 0, 0, 0.0,
                )  # fmt: skip

    return finish


class _WeightGrad:
    """A planned weight gradient."""

    def __init__(self, g: ConvGeometry) -> None:
        tiles, pairs = g.n * -(-g.p // 4) * -(-g.q // 4), g.c * g.k
        blocks = -(-tiles // TILES)
        self.shares = max(1, min(_SHARES, blocks, _SUM_BYTES // (36 * pairs * SIZE)))
        d_pitch = padded_columns(g.k, SIZE)  # the micro-kernel reads whole vectors of gy
        v_point, d_point = TILES * g.c + SKEW, TILES * d_pitch + SKEW
        scratch = 36 * (v_point + d_point + max(g.c, g.k)) + 64
        self.scratch, self.pairs = -(-scratch // 64) * 64, pairs
        points = [v_point, d_point, d_pitch, panel.address(SIZE), self.scratch]
        sizes = [g.h, g.w, g.c, g.p, g.q, g.k, g.pads[0], g.pads[2]]
        self.template = Template(4, [*sizes, tiles, self.shares, *points])
        self.tap = padded_columns(pairs, SIZE)
        self.finish_template = Template(2, [pairs, self.tap, self.shares])
        self.gather_template = Template(2, [1, 9, g.c, self.tap, g.k, 1, 9 * self.tap])
        self.worker, self.finish, self.gather = accumulate.address(), finish.address(), gather_shares.address(SIZE)
        self.runs, self.k = -(-pairs // _RUN), g.k
        self.ns = tiles * 36 * pairs / MACS_PER_NS

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, x = arrays
        (gw,) = outputs
        sums = empty((self.shares * 36 * self.pairs + lanes(SIZE),), x.dtype)
        taps = empty((9 * self.tap,), x.dtype)
        scratch = empty((num_threads() * self.scratch,), x.dtype)
        block = self.template.filled(x, gy, sums, scratch)
        launch(self.worker, self.shares, addressof(block), self.ns)
        block = self.finish_template.filled(sums, taps)
        launch(self.finish, self.runs, addressof(block), self.pairs * 36.0 * self.shares * 0.2)
        block = self.gather_template.filled(taps, gw)
        launch(self.gather, self.k, addressof(block), self.pairs * 9.0)


def build(g: ConvGeometry) -> Callable[..., None]:
    """Plan a weight gradient."""
    return _WeightGrad(g)
