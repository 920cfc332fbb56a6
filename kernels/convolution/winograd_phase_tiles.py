"""What the workers of cpu_winograd_phases.py are made of: the argument block, and one tile or block of weights of it.

The block describes both directions. A *written phase* is an image of outputs that lie ``STEP`` pixels apart; each of
its outputs reads ``SOURCES`` x ``SOURCES`` phases of the source, whose pixels lie ``STRIDE`` apart::

                              written phases    STEP    phases read    STRIDE
    conv2d                    1                 1       2 x 2          2
    conv2d_input_grad         2 x 2             2       1              1
"""

from typing import Any

from numba import float32
from numba.extending import register_jitable

from ..machine.packing import transpose_all
from ..machine.pointers import float_bits, pointer
from ..machine.processor import lanes
from .cpu_winograd import SIZE, patch_with_zeros
from .winograd_tiling import POINTS, TILING_WORDS, place, sides
from .winograd_transforms import call_tile

# Words of the argument block. Arrays: source, result, weight, bias, the threads' scratch, and what is kept between
# two launches, transformed weights or transformed inputs.
X, Y, WEIGHT, BIAS, SCRATCH, KEPT = range(6)
# Sizes of the source and the result, the two directions' difference, the epilogue.
H, W, C, P, Q, K, STRIDE, STEP, SOURCES, MODE, SLOPE = range(6, 17)
# Numbers from one tap to the next read (down and across a 2 x 2 kernel), to the taps of the next phase of the source,
# and from one row (input channel) or column (output channel) of the product to the next.
TAP_DOWN, TAP_ACROSS, SOURCE_DOWN, SOURCE_ACROSS, ROW, COLUMN = range(17, 23)
# Compiled functions, the last two for each kind of tile.
PANEL, WEIGHT_TILE, INPUT_TILES, OUTPUT_TILES = 23, 24, 25, 29
# Tiles in a block, chunks of a source's channels, numbers from one tile and one point to the next, of one thread.
TILES, CHUNKS, V_PITCH, V_POINT, M_PITCH, M_POINT, U_POINT, THREAD = range(33, 41)
# Blocks of tiles before this launch, blocks of columns.
FIRST_BLOCK, COLUMN_BLOCKS = 41, 42
# Where a thread's own transformed weights begin in its scratch, or 0 where they are of all threads.
OWN = 43
PHASES = 44
"""The first written phase."""

MARK = 16
"""So far before a thread's own transformed weights stands the number of their phase, or -1."""

# Words of a written phase: its blocks of tiles, where it is written, the first source pixel of its first output, the
# first tap, and its tiling.
BLOCKS, BLOCKS_END, ROW_FIRST, COLUMN_FIRST, ROW_SOURCE, COLUMN_SOURCE, TAP_FIRST, TILED = range(8)
PHASE_WORDS = TILED + TILING_WORDS


@register_jitable
def phase_of(tiles, block):
    """The written phase that a block of tiles belongs to: where its words begin, and its number."""
    at, phase = PHASES, 0
    while tiles >= block[at + BLOCKS_END]:
        at += PHASE_WORDS
        phase += 1
    return at, phase


@register_jitable
def window(block, at, number, patch_at):
    """The kind of a tile, the address of its first source pixel and the numbers in a row of them.

    Tiles at the border read a patch that has zeros around the image.
    """
    height, width, channels = block[H], block[W], block[C]
    kind, n, p, q = place(number, block, at + TILED)
    high, wide = sides(kind)
    row, column = p * block[STRIDE] + block[at + ROW_SOURCE], q * block[STRIDE] + block[at + COLUMN_SOURCE]
    rows, columns = high * block[STRIDE] + block[SOURCES], wide * block[STRIDE] + block[SOURCES]
    if row < 0 or column < 0 or row + rows > height or column + columns > width:
        patch = pointer(patch_at, float32)
        patch_with_zeros(patch, block[X], n, height, width, channels, row, column, rows, columns)
        return kind, patch_at, columns * channels
    return kind, block[X] + ((n * height + row) * width + column) * channels * SIZE, width * channels


@register_jitable
def finish_tile(block, at, number, products, first, channels, patch_at):
    """Transform the products of a tile into ``channels`` of the result from ``first`` on, with bias and activation."""
    kind, n, p, q = place(number, block, at + TILED)
    high, wide = sides(kind)
    point, mode, slope = block[M_POINT], block[MODE], float_bits(block[SLOPE])
    row, column = block[at + ROW_FIRST] + p * block[STEP], block[at + COLUMN_FIRST] + q * block[STEP]
    target = block[Y] + (((n * block[P] + row) * block[Q] + column) * block[K] + first) * SIZE
    down, across = block[STEP] * block[Q] * block[K], block[STEP] * block[K]
    bias = block[BIAS] + first * SIZE if block[BIAS] != 0 else 0
    rows, columns = min(high, block[at + TILED + 9] - p), min(wide, block[at + TILED + 10] - q)
    whole = rows == high and columns == wide
    to, to_down, to_across = (target, down, across) if whole else (patch_at, wide * channels, channels)
    call_tile(
        block[OUTPUT_TILES + kind], products, POINTS * point, point, to, to_down, to_across, channels, bias, mode, slope
    )
    if whole:
        return
    patch, pixels = pointer(patch_at, float32), pointer(target, float32)
    for r in range(rows):
        for c in range(columns):
            for k in range(channels):
                pixels[r * down + c * across + k] = patch[(r * wide + c) * channels + k]


def weight_transform() -> Any:
    """For a worker: U of one phase of the source, the rows of some of its channels, one block of columns."""
    lane, transpose_square = lanes(SIZE), transpose_all(SIZE)

    @register_jitable
    def copy_square(source_at, row, columns, target_at, padded):
        """Copy as many rows as a vector has lanes, each filled up with zeros."""
        source, target = pointer(source_at, float32), pointer(target_at, float32)
        for i in range(lane):
            for k in range(columns):
                target[i * padded + k] = source[i * row + k]
            for k in range(columns, padded):
                target[i * padded + k] = 0

    @register_jitable
    def transform_weights(block, at, source, channel, channels, column, columns, u, point, stage):
        # The 2 x 2 taps of a square of channels are first brought into ``stage``, the columns in whole vectors side by
        # side, unless they lie so in the weight.
        row_stride, column_stride = block[ROW], block[COLUMN]
        tap = block[at + TAP_FIRST] + source // 2 * block[SOURCE_DOWN] + source % 2 * block[SOURCE_ACROSS]
        w = block[WEIGHT] + (tap + channel * row_stride + column * column_stride) * SIZE
        padded = (columns + lane - 1) // lane * lane
        in_place = column_stride == 1 and columns == padded
        row, down, across = row_stride, block[TAP_DOWN], block[TAP_ACROSS]
        if not in_place:
            row, down, across = padded, 2 * lane * padded, lane * padded
        for first in range(0, channels, lane):
            c = min(first, channels - lane)
            source_at = w + c * row_stride * SIZE
            if not in_place:
                for t in range(4):
                    there = source_at + (t // 2 * block[TAP_DOWN] + t % 2 * block[TAP_ACROSS]) * SIZE
                    if column_stride == 1:
                        copy_square(there, row_stride, columns, stage + t * across * SIZE, padded)
                    else:
                        transpose_square(there, column_stride, lane, columns, stage + t * across * SIZE, padded)
                source_at = stage
            for i in range(lane):
                call_tile(
                    block[WEIGHT_TILE], source_at + i * row * SIZE, down, across, u + (c + i) * padded * SIZE,
                    POINTS * point, point, padded, 0, 0, 0.0,
                )  # fmt: skip

    return transform_weights
