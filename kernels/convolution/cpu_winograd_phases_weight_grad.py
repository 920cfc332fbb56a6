"""The "winograd_phases" weight gradient on the CPU: 4 x 4, stride 2, with 2.4 times fewer multiplications.

The even and the odd rows and columns of the (padded) input are four images, its phases. Output o reads the rows
2o .. 2o + 3: two neighbours of the even phase, by the taps 0 and 2, and two of the odd one, by the taps 1 and 3. So
the weight falls apart into four 2 x 2 kernels, each of which meets one phase only, and so does its gradient::

    taps of gw     0   1   2   3            phase (a, b) of x has the rows a, a + 2, ... and columns b, b + 2, ...
               0   A   B   A   B
               1   C   D   C   D            gw[a + 2i, b + 2j] (K, C)  =  sum over images and outputs (p, q) of
               2   A   B   A   B                                          gy[p, q] (K)  x  phase[p + i, q + j] (C)
               3   C   D   C   D

Each of the four sums is the weight gradient of a 2 x 2 convolution of stride 1, taken through the tiles and points of
F(4, 2) and F(3, 2) (winograd_lines.py, winograd_tiling.py)::

    gU[point] (K, C)  =  sum over tiles of  D[point](tile, K) x V[point](tile, C)        V = B^T phase B,  D = A gy A^T
    gw of a phase     =  G^T gU G                                                        5 x 5 points -> 2 x 2 taps

Two passes. `transform_tiles` writes V of the four phases and D, which all four share, chunk by chunk of the channels,
and past the caches, which have no room for them.
In `multiply` a task is one phase, one chunk of the input channels and one of the output channels, and its reduction
runs over *all* tiles that have the point: 25 products, whose tiles lie one after the other in V and D::

    D[chunk][point]   tiles x 64     V[phase][chunk][point]   tiles x 64     gU of the task: 25 x 64 x 64, in the
    +------ 64 ------+               +------ 64 ------+                      second-level cache, then G^T gU G
    | tile 0         |               | tile 0         |                      into 4 taps of gw
    | tile 1         |   transposed  | tile 1         |   ->  64 x 64
    | ...            |       x       | ...            |

Nothing is summed by several tasks, so there are no partial sums to add and the result cannot depend on the number of
threads; and since columns of the product are input channels, as in gw, no transposition is left to do. V and D of
large inputs come in several segments of tiles, each of which adds to gw what it contributes.

Errors are below 3e-6 of the largest number of the result (float32), about those of the direct path: its sums are long,
and Winograd's are not longer. float64 has no use for the bargain and takes the direct path.
"""

from collections.abc import Callable
from ctypes import addressof
from typing import Any

import numpy as np
from numba import float32
from numba.extending import register_jitable

from ..machine.blocks import Template
from ..machine.compile import kernel
from ..machine.memory import empty
from ..machine.microkernel import MACS_PER_NS, call_panel, panel
from ..machine.packing import padded_columns
from ..machine.pointers import pointer
from ..machine.processor import lanes, vector_bytes
from ..machine.threads import launch, num_threads
from .cpu_winograd import SIZE, SKEW, patch_with_zeros
from .geometry import ConvGeometry
from .winograd_tiling import KINDS, POINTS, Tiling, active, place, sides
from .winograd_transforms import (
    GRADIENT3,
    GRADIENT4,
    INPUT3,
    INPUT4,
    WEIGHT_GRADIENT2,
    call_tile,
    streamed_tile,
    transform,
)

ALL_POINTS = POINTS * POINTS

_LEAST_CHANNELS, _LEAST_PAIRS = 16, 512  # below, the transforms take as long as they save
_CHUNK = 64  # channels: a task's 25 products of two chunks take 400 KB
_TASKS = 16  # at least so many, where chunks of half the output channels give them: what larger machines share out
_RUN = 8  # tiles that one task transforms
_SEGMENT_BYTES = 32 << 20  # of V and D
_LEAST_TILES = 64  # in a segment


def rejects(g: ConvGeometry) -> str | None:
    """Where the method does not apply, or does not pay."""
    if (g.r, g.s) != (4, 4) or g.stride != (2, 2) or g.dilation != (1, 1) or g.groups != 1:
        return (
            f"needs 4 x 4 taps, stride 2, no dilation and one group (got {g.r} x {g.s}, stride {g.stride}, "
            f"dilation {g.dilation}, groups = {g.groups})"
        )
    if g.dtype != np.float32:
        return f"needs float32 (got {g.dtype})"
    if min(g.c, g.k) < _LEAST_CHANNELS:
        return f"needs {_LEAST_CHANNELS} channels in and out (got C = {g.c}, C_out = {g.k})"
    if g.c * g.k < _LEAST_PAIRS:
        return f"needs {_LEAST_PAIRS} pairs of channels (got {g.c} x {g.k})"
    return None


# The argument block, common to both passes: arrays, sizes, chunks and where they lie, the segment, compiled functions,
# the tiling. V_POINT and D_POINT are numbers from one point to the next, V_CHUNK and D_CHUNK from one chunk.
X, GY, GW, V, D, SCRATCH = range(6)
H, W, C, P, Q, K, TOP, LEFT = range(6, 14)
C_WIDE, V_POINT, V_CHUNK, K_WIDE, D_POINT, D_CHUNK, THREAD = range(14, 21)
FIRST, LAST = 21, 22
PANEL, INPUT_TILES, GRADIENT_TILES = 23, 24, 28
TILING = 32


@register_jitable
def chunks_of(channels, wide):
    return (channels + wide - 1) // wide


def _window() -> Any:
    width = lanes(SIZE)

    @register_jitable
    def window(image, n, height, width_, channels, row, column, rows, columns, patch_at):
        """The address of a tile's first pixel and the numbers in a row of it, in the image or in a patch with zeros.

        Whole vectors are read of a pixel, so a tile that might end the array is copied too, if channels are no
        multiple of a vector.
        """
        ends = channels % width != 0 and row + rows == height
        if ends or row < 0 or column < 0 or row + rows > height or column + columns > width_:
            patch = pointer(patch_at, float32)
            patch_with_zeros(patch, image, n, height, width_, channels, row, column, rows, columns)
            return patch_at, columns * channels
        return image + ((n * height + row) * width_ + column) * channels * SIZE, width_ * channels

    return window


@kernel()
def transform_tiles() -> Any:
    """Task: V of all phases and D of a run of tiles of the segment."""
    window, width = _window(), lanes(SIZE)

    def transform_tiles(begin, end, slot, block):
        c_wide, v_point, k_wide, d_point = block[C_WIDE], block[V_POINT], block[K_WIDE], block[D_POINT]
        patch = block[SCRATCH] + slot * block[THREAD] * SIZE
        phases = chunks_of(block[C], c_wide) * block[V_CHUNK]  # numbers from one phase of V to the next
        for number in range(block[FIRST] + begin * _RUN, min(block[LAST], block[FIRST] + end * _RUN)):
            kind, n, p, q = place(number, block, TILING)
            high, wide = sides(kind)
            there = number - block[FIRST]
            source, row = window(
                block[X], n, block[H], block[W], block[C], 2 * p - block[TOP], 2 * q - block[LEFT], 2 * high + 2,
                2 * wide + 2, patch,
            )  # fmt: skip
            for c in range(0, block[C], c_wide):
                channels = (min(c_wide, block[C] - c) + width - 1) // width * width
                for phase in range(4):
                    v = phase * phases + c // c_wide * block[V_CHUNK] + there * c_wide
                    call_tile(
                        block[INPUT_TILES + kind], source + (phase // 2 * row + phase % 2 * block[C] + c) * SIZE,
                        2 * row, 2 * block[C], block[V] + v * SIZE, POINTS * v_point, v_point, channels, 0, 0, 0.0,
                    )  # fmt: skip
            source, row = window(block[GY], n, block[P], block[Q], block[K], p, q, high, wide, patch)
            for k in range(0, block[K], k_wide):
                channels = (min(k_wide, block[K] - k) + width - 1) // width * width
                call_tile(
                    block[GRADIENT_TILES + kind], source + k * SIZE, row, block[K],
                    block[D] + (k // k_wide * block[D_CHUNK] + there * k_wide) * SIZE, POINTS * d_point, d_point,
                    channels, 0, 0, 0.0,
                )  # fmt: skip

    return transform_tiles


def _four_taps() -> Any:
    width = lanes(SIZE)

    @register_jitable
    def four_taps(products, point, target, channels, tap_row, tap_column, adds, few_at):
        """G^T gU G of one output channel: ``channels`` numbers of each of 4 taps, written or added."""
        few = pointer(few_at, float32)
        for c in range(0, channels, width):
            source = products + c * SIZE
            if c + width <= channels and not adds:
                transform(
                    WEIGHT_GRADIENT2, WEIGHT_GRADIENT2, SIZE, source, POINTS * point, point, target + c * SIZE, tap_row,
                    tap_column, 0, 0, 0.0,
                )  # fmt: skip
                continue
            transform(
                WEIGHT_GRADIENT2, WEIGHT_GRADIENT2, SIZE, source, POINTS * point, point, few_at, 2 * width, width,
                0, 0, 0.0,
            )  # fmt: skip
            for tap in range(4):
                taps = pointer(target + (tap // 2 * tap_row + tap % 2 * tap_column + c) * SIZE, float32)
                for i in range(min(width, channels - c)):
                    taps[i] = few[tap * width + i] + (taps[i] if adds else float32(0))

    return four_taps


@kernel()
def multiply() -> Any:
    """Task: one phase, one chunk of input channels and one of output channels, over the tiles of the segment."""
    four_taps, width = _four_taps(), lanes(SIZE)

    def multiply(begin, end, slot, block):
        c_wide, v_point, k_wide, d_point = block[C_WIDE], block[V_POINT], block[K_WIDE], block[D_POINT]
        c_chunks, k_chunks, channels = chunks_of(block[C], c_wide), chunks_of(block[K], k_wide), block[C]
        products, point_size = block[SCRATCH] + slot * block[THREAD] * SIZE, k_wide * c_wide + width
        for task in range(begin, end):
            k_chunk, v_chunk = task % k_chunks, task // k_chunks
            c, k, phase = v_chunk % c_chunks * c_wide, k_chunk * k_wide, v_chunk // c_chunks
            c_here, k_here = min(channels - c, c_wide), min(block[K] - k, k_wide)
            v, d = block[V] + v_chunk * block[V_CHUNK] * SIZE, block[D] + k_chunk * block[D_CHUNK] * SIZE
            for point in range(ALL_POINTS):
                first, last = active(point, block, TILING)
                first = max(first, block[FIRST])
                last = max(first, min(last, block[LAST]))
                there = first - block[FIRST]
                call_panel(
                    block[PANEL], products + point * point_size * SIZE,
                    d + (point * d_point + there * k_wide) * SIZE, v + (point * v_point + there * c_wide) * SIZE, 0,
                    k_here, c_here, 1, last - first, 0, k_wide, 1, 0, c_wide, 0, c_wide, 0, 0,
                )  # fmt: skip
            for i in range(k_here):
                tap = (k + i) * 16 + phase // 2 * 4 + phase % 2
                four_taps(
                    products + i * c_wide * SIZE, point_size, block[GW] + (tap * channels + c) * SIZE, c_here,
                    8 * channels, 2 * channels, block[FIRST] > 0, products + ALL_POINTS * point_size * SIZE,
                )  # fmt: skip

    return multiply


def _chunks(channels: int, most: int) -> tuple[int, int]:
    """How many chunks there are, of about one size, and how many channels they have: whole vectors."""
    wide = padded_columns(-(-channels // -(-channels // most)), SIZE)
    return -(-channels // wide), wide


class _WeightGrad:
    """A planned weight gradient: for each segment, the block's words and how large its passes are."""

    def __init__(self, g: ConvGeometry) -> None:
        width, tiling = lanes(SIZE), Tiling(g.n, g.p, g.q)
        c_chunks, c_wide = _chunks(g.c, _CHUNK)
        k_chunks, k_wide = _chunks(g.k, _CHUNK)
        if 4 * c_chunks * k_chunks < _TASKS:
            k_chunks, k_wide = _chunks(g.k, _CHUNK // 2)
        self.tasks = 4 * c_chunks * k_chunks
        a_tile = ALL_POINTS * (4 * c_chunks * c_wide + k_chunks * k_wide)  # numbers of V and D
        segments = max(1, min(tiling.tiles // _LEAST_TILES, -(-tiling.tiles * a_tile * SIZE // _SEGMENT_BYTES)))
        tiles = -(-tiling.tiles // segments)
        v_point, d_point = tiles * c_wide + SKEW, tiles * k_wide + SKEW
        v_chunk, d_chunk = ALL_POINTS * v_point, ALL_POINTS * d_point
        self.v_size, self.d_size = 4 * c_chunks * v_chunk + width, k_chunks * d_chunk + width
        patch = max(100 * g.c, 16 * g.k) + width
        products = ALL_POINTS * (k_wide * c_wide + width) + 4 * width
        self.scratch = -(-max(patch, products) // 64) * 64

        sizes = [g.h, g.w, g.c, g.p, g.q, g.k, g.pads[0], g.pads[2]]
        chunks = [c_wide, v_point, v_chunk, k_wide, d_point, d_chunk, self.scratch]
        functions = [panel.address(SIZE)]
        for four, three in ((INPUT4, INPUT3), (GRADIENT4, GRADIENT3)):
            line = {4: four, 3: three}
            functions += [
                streamed_tile.address(line[high], line[wide], SIZE) if (high, wide) in tiling.kinds else 0
                for high, wide in KINDS
            ]
        self.segments = []
        for segment in range(segments):
            first, last = tiling.tiles * segment // segments, tiling.tiles * (segment + 1) // segments
            template = Template(6, [*sizes, *chunks, first, last, *functions, *tiling.words])
            self.segments.append((template, last - first))
        self.transform_ns, self.multiply_ns = a_tile / 16, 4.0 * ALL_POINTS * g.c * g.k / MACS_PER_NS
        self.transform, self.multiply = transform_tiles.address(), multiply.address()

    def __call__(self, arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        gy, x = arrays
        (gw,) = outputs
        v, d = empty((self.v_size,), x.dtype), empty((self.d_size,), x.dtype)
        scratch = empty((num_threads() * self.scratch,), x.dtype)
        for template, tiles in self.segments:
            block = template.filled(x, gy, gw, v, d, scratch)
            block[V] += -block[V] % vector_bytes()
            block[D] += -block[D] % vector_bytes()
            launch(self.transform, -(-tiles // _RUN), addressof(block), tiles * self.transform_ns)
            launch(self.multiply, self.tasks, addressof(block), tiles * self.multiply_ns)


def build(g: ConvGeometry) -> Callable[..., None]:
    """Plan a weight gradient."""
    return _WeightGrad(g)
