"""The "winograd_rows" weight gradient on the CPU: one side of the layer is thin, and half the multiplications remain.

The transposes of cpu_winograd_rows.py's matrices. Of every quad of pixels of the wide side, 4 numbers in each channel
become 6 (in registers: 4 loads, a dozen additions), and every thin tap row takes 6 products of them where the direct
path takes 12::

    sums[r, group, c][point, k] = sum over n, p and quads q of
        points[row p * stride + r * dilation, q + 3 group, c][point] * (A gy[p, q .. q + 3, k])[point]
    gw[k, r, 3 group .. 3 group + 2, c] = G^T sums[r, group, c][:, k]

A tile is all 6 points of up to 4 tap rows, for one vector of channels: 24 sums in registers while it passes over a few
rows of gy. So gy, the large array, is read from memory once; where there are several groups or thin channels, they
follow each other over rows that are still in the first-level cache.

For a layer of many channels to few at stride 1 the roles are exchanged: x is the wide side, gy the thin one, and the
taps are turned round.

A task is one share of the images' bands, into its own sums; a second pass adds the shares, in order, and takes them
back from points to taps. How many shares there are depends on the shapes alone.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

from numba import float32

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.microkernel import MACS_PER_NS, block_vectors
from ..machine.pointers import pointer
from ..machine.processor import lanes
from ..machine.threads import launch, num_threads
from ..machine.transpose import add_vector
from .geometry import ConvGeometry
from .winograd_row_layers import Layer, band_points, forward_layer, group_of, reason_against, turned_layer
from .winograd_row_tiles import QUAD, SIZE, gradients_of_rows, points_of, taps_of_points

TAPS = 3  # of a group: with 2, turning gy into points takes half as long as the products, and nothing is gained
POINTS = points_of(TAPS)
_SHARES = 16
_BAND_BYTES = 192 * 1024  # of points
_CACHED = 16 * 1024  # bytes of one vector of channels of gy that all groups and thin channels pass over


def _layer(g: ConvGeometry) -> Layer:
    return turned_layer(g) if g.k < g.c else forward_layer(g)


def rejects(g: ConvGeometry) -> str | None:
    """Either side may be the thin one; if it is gy's, the stride must be 1."""
    if g.k < g.c and g.stride != (1, 1):
        return f"needs stride 1 where C_out = {g.k} is less than C = {g.c} (got {g.stride})"
    if group_of(g.s, g.stride[1]) != TAPS:
        return f"needs rows of taps that groups of {TAPS} save products of (got {g.s} taps at stride {g.stride[1]})"
    return reason_against(g, min(g.c, g.k), max(g.c, g.k), g.stride[1])


@kernel()
def accumulate() -> Any:
    """Task: one share of the bands of all images; `_WeightGrad` fills the argument block."""
    width, most_rows = lanes(SIZE), 4 if block_vectors() == 4 else 2

    def accumulate(begin, end, slot, block):
        x, gy, partials = block[0], block[1], block[2]
        N, H, W, C, P, Q, K = block[4], block[5], block[6], block[7], block[8], block[9], block[10]
        R, sy, dy, top, left, groups, across = (
            block[11], block[12], block[13], block[14], block[15], block[16], block[17],
        )  # fmt: skip
        bands, band_rows, cached_rows, shares = block[18], block[19], block[20], block[21]
        row_size, line_size, vectors = block[22], block[23], block[24]
        line = block[3] + slot * block[25] * SIZE
        points = line + line_size * SIZE
        rest_at = points + block[26] * SIZE
        rest = pointer(rest_at, float32)
        channels, quads, point = across * C, Q // QUAD, vectors * width
        pixel, sums_row = channels * POINTS, groups * channels * POINTS * point
        pieces = (R + most_rows - 1) // most_rows
        piece = (R + pieces - 1) // pieces
        for share in range(begin, end):
            sums = partials + share * R * sums_row * SIZE
            zeroed = pointer(sums, float32)
            for i in range(R * sums_row):
                zeroed[i] = 0
            for band in range(N * bands * share // shares, N * bands * (share + 1) // shares):
                n, first = band // bands, band % bands * band_rows
                last = min(P, first + band_rows)
                high = (last - 1 - first) * sy + (R - 1) * dy + 1
                band_points(
                    TAPS, points, line, x, n, H, W, C, first * sy - top, left, across, high, row_size, line_size, width
                )
                for p in range(first, last, cached_rows):
                    many = min(cached_rows, last - p)
                    rows = gy + (n * P + p) * Q * K * SIZE
                    if Q % QUAD:  # the last quads, filled up with zeros
                        source = pointer(rows, float32)
                        for o in range(many):
                            at = (o * Q + quads * QUAD) * K
                            for i in range(Q % QUAD * K):
                                rest[o * QUAD * K + i] = source[at + i]
                            for i in range(Q % QUAD * K, QUAD * K):
                                rest[o * QUAD * K + i] = 0
                    for v in range(vectors):
                        k = min(v * width, K - width) * SIZE
                        for r in range(0, R, piece):
                            for c in range(groups * channels):
                                to = sums + (r * sums_row + c * POINTS * point + v * width) * SIZE
                                taps = min(piece, R - r)
                                start = (c // channels * TAPS * channels + c % channels) * POINTS
                                a = points + (((p - first) * sy + r * dy) * row_size + start) * SIZE
                                for part in range(2 if Q % QUAD else 1):
                                    from_gy, gy_row, length = rows + k, Q * K, quads
                                    if part:
                                        from_gy, gy_row, length = rest_at + k, QUAD * K, 1
                                        a += quads * QUAD * pixel * SIZE
                                    if taps == 4 and most_rows == 4:
                                        gradients_of_rows(
                                            TAPS, 4, to, sums_row, point, a, sy * row_size, dy * row_size, QUAD * pixel,
                                            from_gy, gy_row, K, many, length,
                                        )  # fmt: skip
                                    elif taps == 3 and most_rows == 4:
                                        gradients_of_rows(
                                            TAPS, 3, to, sums_row, point, a, sy * row_size, dy * row_size, QUAD * pixel,
                                            from_gy, gy_row, K, many, length,
                                        )  # fmt: skip
                                    elif taps == 2:
                                        gradients_of_rows(
                                            TAPS, 2, to, sums_row, point, a, sy * row_size, dy * row_size, QUAD * pixel,
                                            from_gy, gy_row, K, many, length,
                                        )  # fmt: skip
                                    else:
                                        gradients_of_rows(
                                            TAPS, 1, to, sums_row, point, a, sy * row_size, dy * row_size, QUAD * pixel,
                                            from_gy, gy_row, K, many, length,
                                        )  # fmt: skip

    return accumulate


@kernel()
def collect() -> Any:
    """Task: one tap row, group and thin channel: the shares' sums, in order, and from points to taps.

    block = partials, gw, scratch, shares, few, groups, S, stride, K, vectors, sums of a share, place of tap (0, 0) in
    gw, strides of (many, r, s, few)
    """
    width = lanes(SIZE)

    def collect(begin, end, slot, block):
        partials, gw = block[0], pointer(block[1], float32)
        taps_at = block[2] + slot * TAPS * width * SIZE
        taps = pointer(taps_at, float32)
        shares, few, groups, S, across, K = block[3], block[4], block[5], block[6], block[7], block[8]
        vectors, size, place = block[9], block[10], block[11]
        many_step, r_step, s_step, few_step = block[12], block[13], block[14], block[15]
        for task in range(begin, end):
            c, one = task % few, task // few % across
            group, r = task // (few * across) % groups, task // (few * across * groups)
            sums = partials + task * POINTS * vectors * width * SIZE
            for share in range(1, shares):
                for i in range(0, POINTS * vectors * width * SIZE, width * SIZE):
                    add_vector(SIZE, sums + i, sums + share * size * SIZE + i)
            for v in range(vectors):
                taps_of_points(TAPS, sums + v * width * SIZE, vectors * width, taps_at, width)
                for tap in range(TAPS):
                    s = (group * TAPS + tap) * across + one
                    if s < S:
                        at = place + min(v * width, K - width) * many_step + r * r_step + s * s_step + c * few_step
                        for k in range(width):
                            gw[at + k * many_step] = taps[tap * width + k]

    return collect


class _WeightGrad:
    """A planned weight gradient: the argument blocks but for addresses."""

    def __init__(self, g: ConvGeometry) -> None:
        layer = _layer(g)
        self.turned = g.k < g.c
        (h, w, few), (p, q, many), (r, s) = layer.source, layer.target, layer.taps
        width = lanes(SIZE)
        vectors = -(-many // width)
        band_rows = max(1, min(p, 16, (_BAND_BYTES // (layer.row * SIZE) - layer.rows(1)) // layer.stride))
        bands = -(-p // band_rows)
        cached_rows = max(1, min(band_rows, _CACHED // (q * width * SIZE)))
        self.shares = max(1, min(_SHARES, g.n * bands))
        self.tasks = r * layer.groups * layer.channels
        size = self.tasks * POINTS * vectors * width
        points = -(-layer.rows(band_rows) * layer.row // 16) * 16
        self.scratch = -(-(layer.line + points + cached_rows * QUAD * many) // 64) * 64
        self.sums = self.shares * size
        sizes = [g.n, h, w, few, p, q, many, r, layer.stride, layer.dilation, *layer.before]
        cut = [layer.groups, layer.across, bands, band_rows, cached_rows, self.shares]
        self.template = Template(4, [*sizes, *cut, layer.row, layer.line, vectors, self.scratch, points])
        ends = [self.shares, few, layer.groups, s, layer.across, many, vectors, size, *layer.weight]
        self.collect_template = Template(3, ends)
        self.worker, self.collector = accumulate.address(), collect.address()
        self.ns = g.flops / (4 * MACS_PER_NS)

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, x = arrays
        (gw,) = outputs
        thin, wide = (gy, x) if self.turned else (x, gy)
        partials, threads = empty((self.sums,), x.dtype), num_threads()
        scratch = empty((threads * self.scratch,), x.dtype)
        block = self.template.filled(thin, wide, partials, scratch)
        launch(self.worker, self.shares, addressof(block), self.ns)
        taps = empty((threads * TAPS * lanes(SIZE),), x.dtype)
        block = self.collect_template.filled(partials, gw, taps)
        launch(self.collector, self.tasks, addressof(block), self.sums * 0.1)


def build(g: ConvGeometry) -> Callable[..., None]:
    """Plan a weight gradient."""
    return _WeightGrad(g)
