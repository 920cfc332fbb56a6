"""The "winograd_rows" convolution and input gradient on the CPU: few channels in, many out, half the multiplications.

A layer of one channel in and 64 out has no reduction over channels worth transforming images for in two dimensions:
its time goes into 64 outputs a pixel. Along a row alone, though, Winograd's F(4, 3) costs next to nothing here: what
is transformed on the way in are the few channels, once for all 64 outputs, and on the way out 6 sums become 4 outputs
by additions that run beside the multiplications. Each group of three taps of a tap row takes 6 products for 4 outputs,
where the direct path takes 12; where tap rows are 4 long, or 4 long at stride 2, groups of two take 5 instead of 8::

    taps of a row (S = 9)     | 0 1 2 | 3 4 5 | 6 7 8 |        3 groups; a last group is filled up with zeros
    pixels of a row       ... | q ............ q + 11 | ...
    outputs                   | q .. q + 3 |                   a quad

    sums[point, k] = sum over r, group, c of  points[row p * stride + r * dilation, q + 3 group, c][point]
                                                * weight_points[r, group, c][point, k]
    y[q .. q + 3, k] = A^T sums

A task is a band of output rows of one image. It copies the rows that it needs, with zeros beside the image, turns every
position of them into its points, and goes along each output row two quads and two vectors of channels at a time: 24
sums in registers, or 20. Rows above and below the image shorten the reduction. One quad at a time gives the same bits
as two: its sums are added as they are written, which LLVM's freedom to reassociate would undo.

The input gradient of a layer of many channels to few is the same program, on gy with the taps turned round. Errors
are below those of two-dimensional Winograd; float64 has no use for the bargain and takes the direct path.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from numba import float32

from ..activation.epilogue import IN_REGISTERS, second_pass
from ..machine.blocks import Template, address_of
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.microkernel import MACS_PER_NS, block_vectors
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from .geometry import ConvGeometry
from .winograd_row_layers import Layer, band_points, forward_layer, reason_against, step_offsets, turned_layer
from .winograd_row_tiles import QUAD, SIZE, points_of, quads_of_row, weight_points

_TASKS = 16  # at least so many, where there are rows enough
_BAND_ROWS = 24
_CHUNK = 64  # pixels of a row for which a block of weights is used before the next one's turn comes
_BLOCK_WORDS = 3


def rejects(g: ConvGeometry) -> str | None:
    """A convolution reads C channels and writes K, whole quads of them."""
    return reason_against(g, g.c, g.k, g.stride[1]) or _whole_quads(g.q)


def rejects_input_grad(g: ConvGeometry) -> str | None:
    """An input gradient reads K channels and writes C; with a stride, it has phases of fewer taps."""
    if g.stride != (1, 1):
        return f"needs stride 1 (got {g.stride})"
    return reason_against(g, g.k, g.c, 1) or _whole_quads(g.w)


def _whole_quads(outputs: int) -> str | None:
    return None if outputs >= QUAD else f"needs rows of {QUAD} outputs (got {outputs})"


@kernel()
def pack_points(group: int) -> Any:
    """Task: one step of the reduction: the points of its weights, for all blocks of channels.

    block = packed, w, scratch, few, groups, S, stride, place of tap (0, 0), strides of (many, r, s, few), blocks,
    address of the blocks' table
    """
    width, points = lanes(SIZE), points_of(group)

    def pack_points(begin, end, slot, block):
        w = pointer(block[1], float32)
        few, groups, S, across, place = block[3], block[4], block[5], block[6], block[7]
        many_step, r_step, s_step, few_step = block[8], block[9], block[10], block[11]
        blocks, table = block[12], pointer(block[13], np.int64)
        taps_at = block[2] + slot * group * width * SIZE
        taps = pointer(taps_at, float32)
        for step in range(begin, end):
            c, one = step % few, step // few % across
            number, r = step // (few * across) % groups, step // (few * across * groups)
            for b in range(blocks):
                first, vectors = table[_BLOCK_WORDS * b], table[_BLOCK_WORDS * b + 1]
                target = block[0] + (table[_BLOCK_WORDS * b + 2] + step * points * vectors * width) * SIZE
                for v in range(vectors):
                    for tap in range(group):
                        s = (number * group + tap) * across + one
                        at = place + (first + v * width) * many_step + r * r_step + s * s_step + c * few_step
                        for k in range(width):
                            taps[tap * width + k] = w[at + k * many_step] if s < S else float32(0)
                    weight_points(group, taps_at, width, target + v * width * SIZE, vectors * width)

    return pack_points


@kernel(fastmath=False)
def rows_of_quads(group: int) -> Any:
    """Task: one band of output rows of one image; `_Rows` fills the argument block."""
    width, points_of_quad = lanes(SIZE), points_of(group)
    pair = 2 if block_vectors() == 4 else 1

    def rows_of_quads(begin, end, slot, block):
        x, y, packed, bias = block[0], block[1], block[2], block[3]
        H, W, C, P, Q, K = block[5], block[6], block[7], block[8], block[9], block[10]
        R, sy, dy, top, left, per_row = block[11], block[12], block[13], block[14], block[15], block[16]
        bands, band_rows, row_size, line_size = block[17], block[18], block[19], block[20]
        across = block[27]
        mode, slope, offsets = block[21], float_bits(block[22]), block[23]
        blocks, table = block[24], pointer(block[25], np.int64)
        line = block[4] + slot * block[26] * SIZE
        points = line + line_size * SIZE
        position = across * C * points_of_quad
        for task in range(begin, end):
            n, p0 = task // bands, task % bands * band_rows
            p1 = min(P, p0 + band_rows)
            high = (p1 - 1 - p0) * sy + (R - 1) * dy + 1
            band_points(
                group, points, line, x, n, H, W, C, p0 * sy - top, left, across, high, row_size, line_size, width
            )
            for p in range(p0, p1):
                t0, t1 = 0, R  # the tap rows that lie inside the image
                while t0 < R and p * sy - top + t0 * dy < 0:
                    t0 += 1
                while t1 > t0 and p * sy - top + (t1 - 1) * dy >= H:
                    t1 -= 1
                steps, taps = (t1 - t0) * per_row, offsets + t0 * per_row * 8
                for chunk in range(0, Q, _CHUNK):
                    stop = min(Q, chunk + _CHUNK)
                    for b in range(blocks):
                        first, vectors = table[_BLOCK_WORDS * b], table[_BLOCK_WORDS * b + 1]
                        skipped = t0 * per_row * points_of_quad * vectors * width
                        weights, added = packed + (table[_BLOCK_WORDS * b + 2] + skipped) * SIZE, bias + first * SIZE
                        q = chunk
                        while q < stop:
                            # A last quad overlaps the one before.
                            quads, here = pair if stop - q > QUAD else 1, min(q, Q - QUAD)
                            apart = min(QUAD, stop - q - QUAD)
                            to = y + (((n * P + p) * Q + here) * K + first) * SIZE
                            a = points + ((p - p0) * sy * row_size + here * position) * SIZE
                            if quads == 2 and vectors == 2:
                                quads_of_row(
                                    group, 2, 2, to, K, a, position, apart, steps, taps, weights, added, mode, slope
                                )
                            elif quads == 2:
                                quads_of_row(
                                    group, 2, 1, to, K, a, position, apart, steps, taps, weights, added, mode, slope
                                )
                            elif vectors == 2:
                                quads_of_row(
                                    group, 1, 2, to, K, a, position, apart, steps, taps, weights, added, mode, slope
                                )
                            else:
                                quads_of_row(
                                    group, 1, 1, to, K, a, position, apart, steps, taps, weights, added, mode, slope
                                )
                            q += QUAD * quads

    return rows_of_quads


def _channel_blocks(many: int, rows: int) -> tuple[np.ndarray, int]:
    """First channel, vectors and first packed number of each block, and the packed numbers of all.

    Blocks are two vectors wide; the last ones overlap others, or are one vector wide, where channels are no multiple.
    """
    width = lanes(SIZE)
    whole = many // (2 * width)
    blocks = [(i * 2 * width, 2) for i in range(whole)]
    rest = many - whole * 2 * width
    if rest > width and whole:
        blocks.append((many - 2 * width, 2))
    elif rest:
        blocks += [(whole * 2 * width, 1)] if rest > width else []
        blocks.append((many - width, 1))
    table, size = list[int](), 0
    for first, vectors in blocks:
        table += [first, vectors, size]
        size += rows * vectors * width
    return np.array(table, np.int64), size


class _Rows:
    """A planned convolution or input gradient."""

    def __init__(self, g: ConvGeometry, layer: Layer) -> None:
        (h, w, few), (p, q, many), (r, s) = layer.source, layer.target, layer.taps
        bands = -(-p // min(_BAND_ROWS, -(-p * layer.n // _TASKS) or 1))
        band_rows = -(-p // bands)
        bands = -(-p // band_rows)
        self.offsets = step_offsets(layer)
        steps = len(self.offsets)
        self.blocks, self.packed = _channel_blocks(many, steps * layer.points)
        self.zeros = np.zeros(many, np.float32)
        self.scratch = -(-(layer.line + layer.rows(band_rows) * layer.row) // 64) * 64
        blocks = [len(self.blocks) // _BLOCK_WORDS, address_of(self.blocks)]
        self.pack_template = Template(3, [few, layer.groups, s, layer.across, *layer.weight, *blocks])
        sizes = [h, w, few, p, q, many, r, layer.stride, layer.dilation, *layer.before, layer.groups * layer.channels]
        cut = [bands, band_rows, layer.row, layer.line]
        end = [IN_REGISTERS.get(g.activation, 0), word_of(g.negative_slope), address_of(self.offsets)]
        self.template = Template(5, [*sizes, *cut, *end, *blocks, self.scratch, layer.across])
        self.group, self.steps, self.tasks, self.ns = layer.group, steps, g.n * bands, g.flops / (4 * MACS_PER_NS)
        self.packer, self.worker = pack_points.address(layer.group), rows_of_quads.address(layer.group)
        self.finish = second_pass(g.activation, g.negative_slope, IN_REGISTERS)

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, w, bias = arrays
        (y,) = outputs
        packed, threads = empty((self.packed,), x.dtype), num_threads()
        taps = empty((threads * self.group * lanes(SIZE),), x.dtype)
        block = self.pack_template.filled(packed, w, taps)
        launch(self.packer, self.steps, addressof(block), self.packed * 0.5)
        scratch = empty((threads * self.scratch,), x.dtype)
        block = self.template.filled(x, y, packed, self.zeros if bias is None else bias, scratch)
        launch(self.worker, self.tasks, addressof(block), self.ns)
        self.finish(y)


def build(g: ConvGeometry) -> Callable[..., None]:
    """The convolution."""
    return _Rows(g, forward_layer(g))


def build_input_grad(g: ConvGeometry) -> Callable[..., None]:
    """The input gradient."""
    return _Rows(g, turned_layer(g))
