"""The "taps" convolution and input gradient on the CPU: many channels on the side that is read, few on the other.

The direct path gives each output channel a lane of a vector. A layer that ends in one channel, as a denoiser's last
one does, then uses one lane in sixteen. Here the lanes are the taps instead. Each pixel that is read, with its many
channels, is multiplied by every tap of every output channel at once, and what comes out is a small number of *products*
for each pixel, which are added where they belong::

                       (r, s) = 00  01  02  10  11  12  20  21  22  -  -  ...     3 x 3 taps, one output channel:
    pixel w - 1 of row p        .   .   .   A   .   .   .   .   .                 9 of 16 lanes are used
    pixel w     of row p        .   .   .   .   B   .   .   .   .                 (the direct path: 1 of 16)
    pixel w + 1 of row p        .   .   .   .   .   C   .   .   .

    output pixel w of row p  =  A + B + C  +  three products of row p - 1  +  three of row p + 1

In symbols, with M the matrix of the weights, one column for each tap and output channel:

    products[pixel, (f, r, s)] = sum over c of  source[pixel, c] * M[c, (f, r, s)]          by the micro-kernel
    sums[row(h, r), column(w, s), f] += products[(h, w), (f, r, s)]                         shifted additions

tap_tables.py says where that is.

A task is a band of source rows of one image. It walks along them in chunks that fit the first-level cache: panel,
transpose (so that a tap's products of neighbouring pixels lie side by side), add. A task's sums are its own; where
bands overlap, a second pass adds them, in order, with bias and activation. So every pixel is read and multiplied once,
and the result depends on the shapes alone, not on the threads.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from numba import float32, float64

from ..activation.epilogue import IN_REGISTERS, second_pass
from ..machine.blocks import Template, address_of
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.microkernel import MACS_PER_NS, PACKED, call_panel, panel
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from ..machine.transpose import add_vector, transpose_square
from ..machine.vectors import LEAKY_RELU, RELU
from .geometry import ConvGeometry
from .tap_tables import ENTRY_WORDS, UNIT_WORDS, Side, forward_side, gradient_side, over, rounded, tap_tables

_TASKS = 32  # at least so many, where there are rows enough
_CHUNK_BYTES = 16 * 1024  # of products: they and their transpose share the first-level cache
_MOST_MULTIPLICATIONS = 0.75  # of the direct path's: with more, the additions cost what is saved


def _reason(g: ConvGeometry, few: int, many: int, phases: int) -> str | None:
    """Why a layer from ``many`` channels to ``few`` is not for this variant; ``phases`` of sources share the taps."""
    if g.groups != 1:
        return f"needs one group (got groups = {g.groups})"
    width = lanes(g.dtype.itemsize)
    ours = phases * over(g.r * g.s * few, phases * width)
    direct = g.r * g.s * over(few, width)
    if ours > _MOST_MULTIPLICATIONS * direct or many < width:
        return f"needs many channels read for few written (got {many} for {few}, by {g.r} x {g.s} taps)"
    return None


def rejects(g: ConvGeometry) -> str | None:
    """A convolution reads C channels and writes K."""
    return _reason(g, g.k, g.c, g.stride[0] * g.stride[1])


def rejects_input_grad(g: ConvGeometry) -> str | None:
    """An input gradient reads K channels and writes C."""
    return _reason(g, g.c, g.k, 1)


@kernel()
def add_taps(itemsize: int) -> Any:
    """Task: one band of source rows of one image; `_Taps` fills the argument block."""
    dtype, width = float32 if itemsize == 4 else float64, lanes(itemsize)

    def add_taps(begin, end, slot, block):
        x, packed, sums = block[0], block[1], block[2]
        phases, units, entries = pointer(block[4], np.int64), pointer(block[5], np.int64), pointer(block[6], np.int64)
        panel_at, H, W, C, bands, band_rows = block[7], block[8], block[9], block[10], block[11], block[12]
        targets, up, down, least = block[13], block[14], block[15], block[16]
        row_size, touched, chunk, group, pitch = block[17], block[18], block[19], block[20], block[21]
        products = block[3] + slot * block[22] * itemsize
        turned_at = products + block[23] * itemsize
        turned = pointer(turned_at, dtype)
        for task in range(begin, end):
            n, h, stop = task // bands, task % bands * band_rows, min(H, (task % bands + 1) * band_rows)
            start = (h * up + least) // down  # the first target row that this band may reach
            own = sums + task * touched * row_size * itemsize
            zeroed = pointer(own, dtype)
            for i in range(touched * row_size):
                zeroed[i] = 0
            while h < stop:
                rows = min(group, stop - h)
                for unit in range(phases[h % down], phases[h % down + 1]):
                    at = UNIT_WORDS * unit
                    first, step, count, columns = units[at], units[at + 1], units[at + 2], units[at + 3]
                    weights, begin_entry, end_entry = packed + units[at + 4] * itemsize, units[at + 5], units[at + 6]
                    for j in range(0, count, chunk):
                        pixels = min(chunk, count - j)
                        call_panel(
                            panel_at, products, x + ((n * H + h) * W + first + j * step) * C * itemsize, weights, 0,
                            rows * W if group > 1 else pixels, columns, 1, C, 0, 1, step * C, 0, 0, C, columns,
                            PACKED, 0,
                        )  # fmt: skip
                        for row in range(rows):
                            for i in range(0, pixels, width):
                                for column in range(0, columns, width):
                                    transpose_square(
                                        itemsize, products + ((row * W + i) * columns + column) * itemsize, columns,
                                        turned_at + (column * pitch + i) * itemsize, pitch,
                                    )  # fmt: skip
                            if pixels % width:
                                for column in range(columns):
                                    for i in range(pixels, (pixels + width - 1) // width * width):
                                        turned[column * pitch + i] = 0
                            for entry in range(begin_entry, end_entry):
                                target = ((h + row) * up + entries[ENTRY_WORDS * entry]) // down
                                if target < 0 or target >= targets:
                                    continue
                                to = (
                                    own
                                    + ((target - start) * row_size + entries[ENTRY_WORDS * entry + 1] + j) * itemsize
                                )
                                source = turned_at + entries[ENTRY_WORDS * entry + 2] * pitch * itemsize
                                for i in range(0, pixels * itemsize, width * itemsize):
                                    add_vector(itemsize, to + i, source + i)
                h += rows

    return add_taps


@kernel()
def collect(itemsize: int) -> Any:
    """Task: one target row of one image: the bands' sums, in order, with bias and activation."""
    dtype = float32 if itemsize == 4 else float64

    def collect(begin, end, slot, block):
        sums, y, bias = pointer(block[0], dtype), pointer(block[1], dtype), pointer(block[2], dtype)
        P, Q, F, bands, band_rows, up, down, least = (
            block[3], block[4], block[5], block[6], block[7], block[8], block[9], block[10],
        )  # fmt: skip
        row_size, touched, pitch, margin, steps = block[11], block[12], block[13], block[14], block[15]
        mode, slope = block[16], dtype(float_bits(block[17]))
        for task in range(begin, end):
            n, p = task // P, task % P
            for part in range(steps * F):
                column, f = part // F, part % F
                count, stride = (Q - column + steps - 1) // steps, steps * F
                at = (task * Q + column) * F + f
                start = dtype(bias[f]) if block[2] != 0 else dtype(0)
                for i in range(count):
                    y[at + i * stride] = start
                for band in range(bands):
                    row = p - (band * band_rows * up + least) // down
                    if row < 0 or row >= touched:
                        continue
                    source = ((n * bands + band) * touched + row) * row_size + part * pitch + margin
                    for i in range(count):
                        y[at + i * stride] += sums[source + i]
                if mode & RELU:
                    for i in range(count):
                        y[at + i * stride] = 0 if y[at + i * stride] < 0 else y[at + i * stride]
                elif mode & LEAKY_RELU:
                    for i in range(count):
                        value = y[at + i * stride]
                        y[at + i * stride] = slope * value if value < 0 else value

    return collect


class _Taps:
    """A planned convolution or input gradient from ``many`` channels to ``few``.

    ``strides`` are those of the weight by its axes (few, r, s, many).
    """

    def __init__(self, g: ConvGeometry, rows: Side, columns: Side, few: int, many: int, strides: tuple[int, ...]):
        itemsize, width = g.dtype.itemsize, lanes(g.dtype.itemsize)
        self.tables = tables = tap_tables(rows, columns, few, many, strides, itemsize)
        bands = max(1, min(over(_TASKS, max(1, g.n)), rows.sources // (2 * len(rows.adds))))
        band_rows = over(rows.sources, bands)
        bands = over(rows.sources, band_rows)
        least, reach = min(rows.adds), max(rows.adds) - min(rows.adds)
        touched = ((band_rows - 1) * rows.up + reach) // rows.down + 2
        row_size = columns.up * few * tables.pitch
        chunk = max(width, _CHUNK_BYTES // (tables.widest * itemsize) // width * width)
        group = max(1, chunk // columns.sources) if rows.down == columns.down == 1 else 1
        turned_pitch = rounded(min(chunk, columns.sources), width) + width
        products = (max(chunk, group * columns.sources) + width) * tables.widest
        self.scratch = products + tables.widest * turned_pitch
        self.sums, self.tasks, self.rows = g.n * bands * touched * row_size, g.n * bands, g.n * rows.targets
        self.worker, self.collector = add_taps.address(itemsize), collect.address(itemsize)
        shared = [rows.up, rows.down, least, row_size, touched]
        source = [rows.sources, columns.sources, many, bands, band_rows, rows.targets]
        looked_up = [address_of(table) for table in tables[:3]]
        cut = [chunk, group, turned_pitch, self.scratch, products]
        self.template = Template(4, [*looked_up, panel.address(itemsize), *source, *shared, *cut])
        target = [rows.targets, columns.targets, few, bands, band_rows]
        end = [IN_REGISTERS.get(g.activation, 0), word_of(g.negative_slope)]
        self.collect_template = Template(3, [*target, *shared, tables.pitch, tables.margin, columns.up, *end])
        self.ns = g.n * rows.sources * columns.sources * many * tables.widest / MACS_PER_NS
        self.finish = second_pass(g.activation, g.negative_slope, IN_REGISTERS)

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, w, bias = arrays
        (y,) = outputs
        packed = w.reshape(-1).take(self.tables.places)
        sums = empty((self.sums,), x.dtype)
        scratch = empty((num_threads() * self.scratch,), x.dtype)
        block = self.template.filled(x, packed, sums, scratch)
        launch(self.worker, self.tasks, addressof(block), self.ns)
        block = self.collect_template.filled(sums, y, bias)
        launch(self.collector, self.rows, addressof(block), self.sums * 1.0)
        self.finish(y)


def build(g: ConvGeometry) -> Callable[..., None]:
    """The convolution: from C channels to K."""
    rows = forward_side(g.h, g.p, g.r, g.stride[0], g.dilation[0], g.pads[0])
    columns = forward_side(g.w, g.q, g.s, g.stride[1], g.dilation[1], g.pads[2])
    return _Taps(g, rows, columns, g.k, g.c, (g.r * g.s * g.c, g.s * g.c, g.c, 1))


def build_input_grad(g: ConvGeometry) -> Callable[..., None]:
    """The input gradient: from K channels to C."""
    rows = gradient_side(g.p, g.h, g.r, g.stride[0], g.dilation[0], g.pads[0])
    columns = gradient_side(g.q, g.w, g.s, g.stride[1], g.dilation[1], g.pads[2])
    return _Taps(g, rows, columns, g.c, g.k, (1, g.s * g.c, g.c, g.r * g.s * g.c))
