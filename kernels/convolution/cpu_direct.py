"""The "direct" convolution and input gradient on the CPU: the micro-kernel reads rows of the image in place.

Nothing is rearranged but the weights. In an NHWC row padded with zeros, the S taps of the C channels that an output
pixel sees are contiguous, and the next output pixel's begin ``stride * C`` further on::

    row of the image     | 0 | x0 x0 x0 | x1 x1 x1 | x2 x2 x2 | x3 ...          (C = 3, one zero pixel of padding)
    output pixel 0       |<---- S * C numbers ---->|
    output pixel 1             |<---- S * C numbers ---->|

So a row of output pixels is a product of an (overlapping) matrix, whose rows are ``stride * C`` apart, with the
packed weights: reduction over R image rows (outer loop) and S * C numbers of each (inner loop), K columns. Rows above
and below the image shorten the outer loop; nothing is multiplied by their zeros.

A task is a band of output rows of one image: it copies the image rows that it needs into its thread's scratch, with
the zeros of the sides, small enough to stay in the second-level cache, and runs the panel once per output row.

**The input gradient is the same program.** Output pixel p reads input row ``p * stride + r * dilation - top``; turned
round, input row h is fed by the taps r for which ``h + top - r * dilation`` is a multiple of the stride. The rows with
one remainder are a *phase*: within it the valid taps are evenly spaced, and successive rows of the phase read
successive rows of gy. A stride-2 gradient is four phases, each an ordinary stride-1 convolution of gy by every other
tap, flipped, written to every second pixel: no multiplication by inserted zeros and no scattered additions.

Dilation across the row, and groups, break the contiguity of taps: then the panel runs once per tap row with the taps
as its outer loop.

relu and leaky_relu act in registers before the store; tanh and sigmoid in a second pass over the output.
"""

import math
from collections.abc import Callable
from ctypes import addressof
from typing import Any, NamedTuple

from numba import float32, float64
from numba.extending import register_jitable

from ..activation.epilogue import IN_REGISTERS, second_pass
from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.microkernel import ACCUMULATE, BIAS, MACS_PER_NS, PACKED, call_panel, panel
from ..machine.packing import Packing, pack_all
from ..machine.pointers import pointer, word_of
from ..machine.threads import launch, num_threads
from ..machine.vectors import LEAKY_RELU, RELU
from .geometry import ConvGeometry

# A band of the image should stay in a core's second-level cache together with a block of weights.
_BAND_BYTES = 256 * 1024
_ROWS_PER_BAND = 8


class Axis(NamedTuple):
    """One axis of one phase: output ``o`` (stored at ``first + o * step``) reads sources ``o * sy + tap * dy + oy``."""

    outputs: int
    first: int
    step: int
    taps: tuple[int, ...]  # the kernel's taps in the order in which they are read
    sy: int
    dy: int
    oy: int


def forward_axis(outputs: int, taps: int, stride: int, dilation: int, before: int) -> Axis:
    """The single phase of a convolution.

    >>> forward_axis(outputs=4, taps=3, stride=1, dilation=1, before=1)
    Axis(outputs=4, first=0, step=1, taps=(0, 1, 2), sy=1, dy=1, oy=-1)
    """
    return Axis(outputs, 0, 1, tuple(range(taps)), stride, dilation, -before)


def gradient_axes(inputs: int, taps: int, stride: int, dilation: int, before: int) -> list[Axis]:
    """The phases of an input gradient; a phase that no tap reaches has none.

    A 4-tap, stride-2 axis with one pixel of padding has two phases of two taps:

    >>> for axis in gradient_axes(inputs=8, taps=4, stride=2, dilation=1, before=1):
    ...     print(axis)
    Axis(outputs=4, first=1, step=2, taps=(2, 0), sy=1, dy=1, oy=0)
    Axis(outputs=4, first=0, step=2, taps=(3, 1), sy=1, dy=1, oy=-1)
    """
    common = math.gcd(stride, dilation)
    axes = []
    for remainder in range(stride):
        first = (remainder - before) % stride
        count = len(range(first, inputs, stride))
        valid = [t for t in range(taps) if (remainder - t * dilation) % stride == 0]
        if not count:
            continue
        if not valid:
            axes.append(Axis(count, first, stride, (), 1, 1, 0))
            continue
        furthest = valid[-1]
        start = (first + before - furthest * dilation) // stride
        axes.append(Axis(count, first, stride, tuple(reversed(valid)), 1, dilation // common, start))
    return axes


class Phase(NamedTuple):
    """Rows and columns of one phase, and how it is cut into bands."""

    rows: Axis
    columns: Axis
    band_rows: int
    band_columns: int

    @property
    def bands(self) -> int:
        return -(-self.rows.outputs // self.band_rows) * -(-self.columns.outputs // self.band_columns)


def _extent(axis: Axis, outputs: int) -> int:
    """Source rows (or columns) that ``outputs`` neighbours read."""
    return (outputs - 1) * axis.sy + (len(axis.taps) - 1) * axis.dy + 1 if axis.taps else 0


def _phase(rows: Axis, columns: Axis, pixel_bytes: int) -> Phase:
    """Cut a phase into bands that fit the cache: fewer rows first, then narrower."""
    band_rows, band_columns = min(_ROWS_PER_BAND, rows.outputs), columns.outputs
    while band_rows > 1 and _extent(rows, band_rows) * _extent(columns, band_columns) * pixel_bytes > _BAND_BYTES:
        band_rows -= 1
    while band_columns > 32 and _extent(rows, band_rows) * _extent(columns, band_columns) * pixel_bytes > _BAND_BYTES:
        band_columns = -(-band_columns // 2)
    return Phase(rows, columns, band_rows, band_columns)


# Words of the argument block: a header, then so many for each phase.
_HEADER, _PHASE_WORDS = 16, 21


@register_jitable
def copy_band(band, x, itemsize, dtype, n, H, W, C, first_row, first_column, high, wide):
    """Copy ``high`` rows of ``wide`` pixels of image n into scratch, with zeros where a pixel lies beside the image.

    Rows above and below the image are left as they are: nothing reads them.
    """
    left, right = min(wide, max(0, -first_column)), max(0, min(wide, W - first_column))
    for r in range(max(0, -first_row), min(high, H - first_row)):
        source = pointer(x + ((n * H + first_row + r) * W + first_column) * C * itemsize, dtype)
        base = r * wide * C
        for i in range(left * C):
            band[base + i] = 0
        for i in range(left * C, right * C):
            band[base + i] = source[i]
        for i in range(right * C, wide * C):
            band[base + i] = 0


@kernel()
def correlate(itemsize: int) -> Any:
    """Task: one band of one phase of one image; `_Correlation` fills the argument block."""
    dtype = float32 if itemsize == 4 else float64

    def correlate(begin, end, slot, block):
        x, y, packed, bias = block[0], block[1], block[2], block[3]
        H, W, C, P, Q, K = block[5], block[6], block[7], block[8], block[9], block[10]
        groups, mode, slope, panel_at = block[11], block[12], block[13], block[14]
        scratch = block[4] + slot * block[15] * itemsize
        band = pointer(scratch, dtype)
        group_c, group_k = C // groups, K // groups
        for task in range(begin, end):
            at = _HEADER
            while task >= block[at + 1]:  # the phase that this task belongs to
                at += _PHASE_WORDS
            local, bands, weights = task - block[at], block[at + 2], packed + block[at + 3] * itemsize
            rows, row_first, row_step, R = block[at + 4], block[at + 5], block[at + 6], block[at + 7]
            columns, column_first, column_step, S = block[at + 8], block[at + 9], block[at + 10], block[at + 11]
            sy, dy, oy, sx, dx, ox = (
                block[at + 12], block[at + 13], block[at + 14], block[at + 15], block[at + 16], block[at + 17],
            )  # fmt: skip
            band_rows, band_columns, group_size = block[at + 18], block[at + 19], block[at + 20]

            n, across = local // bands, (columns + band_columns - 1) // band_columns
            p0, q0 = local % bands // across * band_rows, local % bands % across * band_columns
            p1, q1 = min(rows, p0 + band_rows), min(columns, q0 + band_columns)
            wide = (q1 - 1 - q0) * sx + (S - 1) * dx + 1
            if R > 0 and S > 0:
                high = (p1 - 1 - p0) * sy + (R - 1) * dy + 1
                copy_band(band, x, itemsize, dtype, n, H, W, C, p0 * sy + oy, q0 * sx + ox, high, wide)

            for p in range(p0, p1):
                top = p * sy + oy
                t0, t1 = 0, R  # the tap rows that lie inside the image
                while t0 < R and top + t0 * dy < 0:
                    t0 += 1
                while t1 > t0 and top + (t1 - 1) * dy >= H:
                    t1 -= 1
                pixel = (n * P + row_first + p * row_step) * Q + column_first + q0 * column_step
                a_row = scratch + ((p - p0) * sy + t0 * dy) * wide * C * itemsize
                if dx == 1 and groups == 1:
                    call_panel(
                        panel_at, y + pixel * K * itemsize, a_row, weights, bias, q1 - q0, K,
                        t1 - t0, S * C, dy * wide * C, 1, sx * C, S * C, t0 * S * C, R * S * C, column_step * K,
                        mode, slope,
                    )  # fmt: skip
                    continue
                for g in range(groups):
                    for t in range(max(1, t1 - t0)):
                        step = PACKED | (ACCUMULATE if t else mode & BIAS)
                        if t + 1 >= t1 - t0:
                            step |= mode & (RELU | LEAKY_RELU)
                        call_panel(
                            panel_at, y + (pixel * K + g * group_k) * itemsize,
                            a_row + (t * dy * wide * C + g * group_c) * itemsize,
                            weights + g * group_size * itemsize, bias + g * group_k * itemsize, q1 - q0, group_k,
                            S if t1 > t0 else 0, group_c, dx * C, 1, sx * C, group_c, (t0 + t) * S * group_c,
                            R * S * group_c, column_step * K, step, slope,
                        )  # fmt: skip

    return correlate


class _Correlation:
    """A planned convolution or input gradient: its phases, packings and the argument block but for addresses."""

    def __init__(self, g: ConvGeometry, source: tuple[int, int, int], phases: list[Phase], packings: list[Packing]):
        self.g, self.packings = g, packings
        n, p, q, k = g.outputs[0][0]
        mode = PACKED | (BIAS if g.has_bias else 0) | IN_REGISTERS.get(g.activation, 0)
        h, w, c = source
        self.scratch = 0
        words: list[int] = []
        first_task, start = 0, 0
        for phase, packing in zip(phases, packings, strict=True):
            tasks = n * phase.bands
            rows, columns = phase.rows, phase.columns
            words += [first_task, first_task + tasks, phase.bands, start]
            words += [rows.outputs, rows.first, rows.step, len(rows.taps)]
            words += [columns.outputs, columns.first, columns.step, len(columns.taps)]
            words += [rows.sy, rows.dy, rows.oy, columns.sy, columns.dy, columns.oy]
            words += [phase.band_rows, phase.band_columns, packing.group_size]
            first_task, start = first_task + tasks, start + packing.size
            extent = _extent(rows, phase.band_rows) * _extent(columns, phase.band_columns) * c
            self.scratch = max(self.scratch, extent)
        self.tasks = first_task
        itemsize = g.dtype.itemsize
        self.scratch = -(-self.scratch // 64) * 64
        slope = word_of(g.negative_slope)
        header = [h, w, c, p, q, k, g.groups, mode, slope, panel.address(itemsize), self.scratch]
        self.template = Template(5, header + words)
        self.worker = correlate.address(itemsize)
        self.ns = g.flops / (2 * MACS_PER_NS)
        self.finish = second_pass(g.activation, g.negative_slope, IN_REGISTERS)

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, w, bias = arrays
        (y,) = outputs
        packed = pack_all(self.packings, w)
        scratch = empty((num_threads() * self.scratch,), x.dtype)
        block = self.template.filled(x, y, packed, bias, scratch)
        launch(self.worker, self.tasks, addressof(block), self.ns)
        self.finish(y)


def build(g: ConvGeometry) -> Callable[..., None]:
    """The convolution: one phase; columns of the packed weight are output channels."""
    rows = forward_axis(g.p, g.r, g.stride[0], g.dilation[0], g.pads[0])
    columns = forward_axis(g.q, g.s, g.stride[1], g.dilation[1], g.pads[2])
    group_c, group_k = g.c // g.groups, g.k // g.groups
    kernel_size = g.r * g.s * group_c
    packing = Packing(
        g.dtype.itemsize, _tap_offsets(g, rows, columns), channels=group_c, columns=group_k, channel_stride=1,
        column_stride=kernel_size, groups=g.groups, group_stride=group_k * kernel_size,
    )  # fmt: skip
    return _Correlation(g, (g.h, g.w, g.c), [_phase(rows, columns, g.c * g.dtype.itemsize)], [packing])


def build_input_grad(g: ConvGeometry) -> Callable[..., None]:
    """The input gradient: a phase for each remainder; columns of the packed weight are input channels."""
    group_c, group_k = g.c // g.groups, g.k // g.groups
    kernel_size = g.r * g.s * group_c
    phases, packings = [], []
    for rows in gradient_axes(g.h, g.r, g.stride[0], g.dilation[0], g.pads[0]):
        for columns in gradient_axes(g.w, g.s, g.stride[1], g.dilation[1], g.pads[2]):
            phases.append(_phase(rows, columns, g.k * g.dtype.itemsize))
            packing = Packing(
                g.dtype.itemsize, _tap_offsets(g, rows, columns), channels=group_k, columns=group_c,
                channel_stride=kernel_size, column_stride=1, groups=g.groups, group_stride=group_k * kernel_size,
            )  # fmt: skip
            packings.append(packing)
    return _Correlation(g, (g.p, g.q, g.k), phases, packings)


def _tap_offsets(g: ConvGeometry, rows: Axis, columns: Axis) -> list[int]:
    """Where each tap lies in a kernel ``(R, S, C // groups)``, in reading order."""
    return [(r * g.s + s) * (g.c // g.groups) for r in rows.taps for s in columns.taps]
