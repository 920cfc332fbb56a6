"""The "direct" weight gradient on the CPU: the same micro-kernel, with the roles of its strides exchanged.

Every weight is a sum over all images and output pixels::

    gw[k, r, s, c] = sum over n, p, q of  gy[n, p, q, k] * x[n, p * stride + r * dilation - top, ..., c]

so now the pixels of a band are the reduction (rows p outside, columns q inside), and the tile is a piece of gw. Two
ways to lay it, and the one that wastes fewer lanes is taken:

* *by output channels*: rows of the tile are (s, c), contiguous in the padded image; columns are the K channels of gy;
* *by input channels*: rows are the channels of gy, columns the C channels of one tap of x. For a layer with one output
  channel this uses whole vectors where the other would use one lane in sixteen.

A task is one tap row r and one share of the images' bands. It adds into a partial gradient of its own share, and a
second pass sums the shares in order. How many shares there are depends on the shapes alone, so the result does not
depend on the number of threads.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

from numba import float32, float64

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.microkernel import ACCUMULATE, MACS_PER_NS, call_panel, panel
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from .cpu_direct import copy_band
from .geometry import ConvGeometry

_BAND_BYTES = 512 * 1024  # of x in scratch: large bands, since each reads and writes the partial gradient once
_TASKS = 16  # at least so many, where there are bands enough: what larger machines can share out
_PARTIAL_BYTES = 16 << 20


@kernel()
def accumulate(itemsize: int) -> Any:
    """Task: tap row ``task % R`` of share ``task // R``; `_WeightGrad` fills the argument block."""
    dtype = float32 if itemsize == 4 else float64

    def accumulate(begin, end, slot, block):
        x, gy, partials, panel_at = block[0], block[1], block[2], block[4]
        N, H, W, C, P, Q, K = block[5], block[6], block[7], block[8], block[9], block[10], block[11]
        R, S, groups, sy, sx, dy, dx = block[12], block[13], block[14], block[15], block[16], block[17], block[18]
        top, left, shares, band_rows = block[19], block[20], block[21], block[22]
        by_input, pad_gy, x_size, scratch_size = block[23], block[24], block[25], block[26]
        group_c, group_k = C // groups, K // groups
        scratch = block[3] + slot * scratch_size * itemsize
        padded = scratch + x_size * itemsize
        band, gy_band = pointer(scratch, dtype), pointer(padded, dtype)
        wide = (Q - 1) * sx + (S - 1) * dx + 1
        bands = (P + band_rows - 1) // band_rows
        size = R * S * group_c * K
        for task in range(begin, end):
            r, share = task % R, task // R
            part = partials + (share * size + r * S * group_c * K) * itemsize
            sums = pointer(part, dtype)
            for i in range(S * group_c * K):
                sums[i] = 0
            for b in range(N * bands * share // shares, N * bands * (share + 1) // shares):
                n, p0 = b // bands, b % bands * band_rows
                p1 = min(P, p0 + band_rows)
                while p0 < p1 and p0 * sy + r * dy - top < 0:  # rows that tap r reads inside the image
                    p0 += 1
                while p1 > p0 and (p1 - 1) * sy + r * dy - top >= H:
                    p1 -= 1
                if p0 == p1:
                    continue
                high = (p1 - 1 - p0) * sy + 1
                copy_band(band, x, itemsize, dtype, n, H, W, C, p0 * sy + r * dy - top, -left, high, wide)
                rows_gy = gy + (n * P + p0) * Q * K * itemsize
                if pad_gy:  # whole vectors are read from gy's pixels: copied where the last would end beyond the array
                    source = pointer(rows_gy, dtype)
                    for i in range((p1 - p0) * Q * K):
                        gy_band[i] = source[i]
                    rows_gy = padded
                for g in range(groups):
                    gy_at, x_at = rows_gy + g * group_k * itemsize, scratch + g * group_c * itemsize
                    if by_input:
                        for s in range(S):
                            call_panel(
                                panel_at, part + (s * K + g * group_k) * group_c * itemsize, gy_at,
                                x_at + s * dx * C * itemsize, 0, group_k, group_c, p1 - p0, Q, Q * K, K, 1,
                                sy * wide * C, sx * C, 0, group_c, ACCUMULATE, 0,
                            )  # fmt: skip
                    elif dx == 1 and groups == 1:
                        call_panel(
                            panel_at, part, x_at, gy_at, 0, S * C, K, p1 - p0, Q, sy * wide * C, sx * C, 1,
                            Q * K, K, 0, K, ACCUMULATE, 0,
                        )  # fmt: skip
                    else:
                        for s in range(S):
                            call_panel(
                                panel_at, part + (s * group_c * K + g * group_k) * itemsize,
                                x_at + s * dx * C * itemsize, gy_at, 0, group_c, group_k, p1 - p0, Q, sy * wide * C,
                                sx * C, 1, Q * K, K, 0, K, ACCUMULATE, 0,
                            )  # fmt: skip

    return accumulate


@kernel()
def gather_shares(itemsize: int) -> Any:
    """Task: one output channel: ``gw[k, r, s, c]`` is the sum of the shares, in order.

    block = partials, gw, shares, R * S, C // groups, K, element stride of s, of c, of k in a share, size of a share
    """
    dtype = float32 if itemsize == 4 else float64

    def gather_shares(begin, end, slot, block):
        partials, gw = pointer(block[0], dtype), pointer(block[1], dtype)
        shares, taps, channels = block[2], block[3], block[4]
        tap_stride, c_stride, k_stride, size = block[5], block[6], block[7], block[8]
        for k in range(begin, end):
            for tap in range(taps):
                at, source = (k * taps + tap) * channels, tap * tap_stride + k * k_stride
                for c in range(channels):
                    gw[at + c] = partials[source + c * c_stride]
                for share in range(1, shares):
                    for c in range(channels):
                        gw[at + c] += partials[share * size + source + c * c_stride]

    return gather_shares


class _WeightGrad:
    """A planned weight gradient: the argument blocks but for addresses."""

    def __init__(self, g: ConvGeometry) -> None:
        self.g = g
        itemsize, group_c, group_k = g.dtype.itemsize, g.c // g.groups, g.k // g.groups
        width = lanes(itemsize)
        by_output = group_c * -(-group_k // width)  # tiles of one row a tap, for each way
        by_input = group_k * -(-group_c // width)
        vector_axis_is_input = by_input < by_output
        wide = (g.q - 1) * g.stride[1] + (g.s - 1) * g.dilation[1] + 1
        band_rows = max(1, min(g.p, _BAND_BYTES // max(1, g.stride[0] * wide * g.c * itemsize)))
        bands = g.n * -(-g.p // band_rows)
        self.size = g.r * g.s * group_c * g.k
        self.shares = max(1, min(-(-_TASKS // g.r), bands, _PARTIAL_BYTES // (self.size * itemsize)))
        pads_gy = not vector_axis_is_input and (g.k % width != 0 or g.groups > 1)
        x_size = (((band_rows - 1) * g.stride[0] + 1) * wide * g.c + 63 + 64 * width) // 64 * 64
        gy_size = band_rows * g.q * g.k + 64 * width if pads_gy else 0
        self.scratch = (x_size + gy_size + 63) // 64 * 64
        self.worker = accumulate.address(itemsize)
        sizes = [g.n, g.h, g.w, g.c, g.p, g.q, g.k, g.r, g.s, g.groups, *g.stride, *g.dilation, g.pads[0], g.pads[2]]
        way = [self.shares, band_rows, int(vector_axis_is_input), int(pads_gy), x_size, self.scratch]
        self.template = Template(4, [panel.address(itemsize), *sizes, *way])
        self.gather = gather_shares.address(itemsize)
        strides = [g.k * group_c, 1, group_c] if vector_axis_is_input else [group_c * g.k, g.k, 1]
        self.gather_template = Template(2, [self.shares, g.r * g.s, group_c, *strides, self.size])

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, x = arrays
        (gw,) = outputs
        partials = empty((self.shares * self.size,), x.dtype)
        scratch = empty((num_threads() * self.scratch,), x.dtype)
        block = self.template.filled(x, gy, partials, scratch)
        launch(self.worker, self.shares * self.g.r, addressof(block), self.g.flops / (2 * MACS_PER_NS))
        block = self.gather_template.filled(partials, gw)
        launch(self.gather, self.g.k, addressof(block), self.shares * self.size * 0.5)


def build(g: ConvGeometry) -> Callable[..., None]:
    """Plan a weight gradient."""
    return _WeightGrad(g)
