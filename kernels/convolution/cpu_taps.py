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

A task is a band of target rows of one image. It goes through the source rows that serve them, in order, in chunks that
fit the first-level cache: panel, transpose (so that a tap's products of neighbouring pixels lie side by side), add. The
band's sums stay in the thread's scratch until they are written, with bias and activation. Source rows that serve two
bands are multiplied in both: so each sum is made whole, in one order, that of its source rows and then its source
columns, wherever bands and chunks begin. A pixel of a crop gets the same bits as that of the whole image.
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

_TASKS, _LEAST_TASKS = 16, 4  # at least so many, where rows that serve two bands are few, and where they are not
_ONCE = 16  # rows of a band for each that serves the next one too, where tasks are many
_BAND_BYTES = 256 * 1024  # of sums
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


@kernel(fastmath=False)
def add_taps(itemsize: int) -> Any:
    """Task: one band of target rows of one image; `_Taps` fills the argument block."""
    dtype, width = float32 if itemsize == 4 else float64, lanes(itemsize)

    def add_taps(begin, end, slot, block):
        x, packed, y, bias = block[0], block[1], pointer(block[2], dtype), pointer(block[3], dtype)
        phases, units, entries = pointer(block[5], np.int64), pointer(block[6], np.int64), pointer(block[7], np.int64)
        panel_at, H, W, C, bands, band_rows = block[8], block[9], block[10], block[11], block[12], block[13]
        P, Q, F, up, down, least, most = block[14], block[15], block[16], block[17], block[18], block[19], block[20]
        row_size, part_size, margin, steps = block[21], block[22], block[23], block[24]
        mode, slope = block[25], dtype(float_bits(block[26]))
        chunk, group, pitch = block[27], block[28], block[29]
        products = block[4] + slot * block[30] * itemsize
        turned_at, own = products + block[31] * itemsize, products + block[32] * itemsize
        turned, sums = pointer(turned_at, dtype), pointer(own, dtype)
        for task in range(begin, end):
            n, first_row, last_row = task // bands, task % bands * band_rows, min(P, (task % bands + 1) * band_rows)
            for i in range((last_row - first_row) * row_size):
                sums[i] = 0
            h, stop = max(0, -((most - first_row * down) // up)), min(H, ((last_row - 1) * down - least) // up + 1)
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
                                if target < first_row or target >= last_row:
                                    continue
                                place = (target - first_row) * row_size + entries[ENTRY_WORDS * entry + 1] + j
                                to, source = own + place * itemsize, entries[ENTRY_WORDS * entry + 2] * pitch
                                for i in range(0, pixels, width):
                                    add_vector(itemsize, to + i * itemsize, turned_at + (source + i) * itemsize)
                h += rows
            for p in range(first_row, last_row):
                for part in range(steps * F):
                    column, f = part // F, part % F
                    at, stride = ((n * P + p) * Q + column) * F + f, steps * F
                    source = (p - first_row) * row_size + part * part_size + margin
                    start = bias[f] if block[3] != 0 else dtype(0)
                    for i in range((Q - column + steps - 1) // steps):
                        value = sums[source + i] + start
                        if mode & RELU:
                            value = dtype(0) if value < 0 else value
                        elif mode & LEAKY_RELU:
                            value = slope * value if value < 0 else value
                        y[at + i * stride] = value

    return add_taps


def _bands(rows: Side, images: int, row_bytes: int) -> int:
    """How many bands the rows of an image are cut into; a band's neighbours multiply ``again`` of its source rows."""
    again = max(rows.adds) - min(rows.adds)
    wanted = min(over(_TASKS, images), rows.targets * rows.down // (_ONCE * max(1, again)))
    held = rows.targets * row_bytes // _BAND_BYTES
    return max(1, min(rows.targets, max(wanted, over(_LEAST_TASKS, images), held)))


class _Taps:
    """A planned convolution or input gradient from ``many`` channels to ``few``.

    ``strides`` are those of the weight by its axes (few, r, s, many).
    """

    def __init__(self, g: ConvGeometry, rows: Side, columns: Side, few: int, many: int, strides: tuple[int, ...]):
        itemsize, width = g.dtype.itemsize, lanes(g.dtype.itemsize)
        self.tables = tables = tap_tables(rows, columns, few, many, strides, itemsize)
        row_size = columns.up * few * tables.pitch
        band_rows = over(rows.targets, _bands(rows, max(1, g.n), row_size * itemsize))
        bands = over(rows.targets, band_rows)
        chunk = max(width, _CHUNK_BYTES // (tables.widest * itemsize) // width * width)
        group = max(1, chunk // columns.sources) if rows.down == columns.down == 1 else 1
        turned_pitch = rounded(min(chunk, columns.sources), width) + width
        products = (max(chunk, group * columns.sources) + width) * tables.widest
        sums = products + tables.widest * turned_pitch
        self.scratch = rounded(sums + band_rows * row_size, 64)
        self.tasks, self.worker = g.n * bands, add_taps.address(itemsize)
        looked_up = [address_of(table) for table in tables[:3]]
        source = [rows.sources, columns.sources, many, bands, band_rows]
        target = [rows.targets, columns.targets, few, rows.up, rows.down, min(rows.adds), max(rows.adds)]
        row = [row_size, tables.pitch, tables.margin, columns.up]
        end = [IN_REGISTERS.get(g.activation, 0), word_of(g.negative_slope)]
        cut = [chunk, group, turned_pitch, self.scratch, products, sums]
        self.template = Template(5, [*looked_up, panel.address(itemsize), *source, *target, *row, *end, *cut])
        self.ns = g.n * rows.sources * columns.sources * many * tables.widest / MACS_PER_NS
        self.finish = second_pass(g.activation, g.negative_slope, IN_REGISTERS)

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, w, bias = arrays
        (y,) = outputs
        packed = w.reshape(-1).take(self.tables.places)
        scratch = empty((num_threads() * self.scratch,), x.dtype)
        block = self.template.filled(x, packed, y, bias, scratch)
        launch(self.worker, self.tasks, addressof(block), self.ns)
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
