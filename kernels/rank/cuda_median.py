"""Rank filters "median" on CUDA: the host side of cuda_median.cu, which holds the idea.

Takes medians of 3x3, 5x5 and 7x7 pixels, of integers of up to 32 bits (but for uint32) and float32; every border.
"""

import functools
from pathlib import Path

import numpy as np

from ..correlation.reference import MODES
from ..machine import cuda
from ..operation import Run
from .geometry import RankGeometry

_SOURCE = Path(__file__).with_suffix(".cu")

THREADS, ROWS, LINE = 256, 16, 64
SIDES = (3, 5, 7)
TYPES = ("uint8", "int8", "uint16", "int16", "int32", "float32")

# As struct Arguments in cuda_median.cu.
ARGUMENTS = np.dtype(
    [("x", np.uint64), ("y", np.uint64), ("constant", np.float64)]
    + [(name, cuda.DIVISOR) for name in ("tiles", "down", "channels")]
    + [(name, np.int32) for name in ("height", "width", "mode", "unused")]
)


@functools.cache
def kernel_for(dtype: str, side: int) -> cuda.Kernel:
    """The kernel of one type and window."""
    macros = (("THREADS", THREADS), ("ROWS", ROWS), ("LINE", LINE), ("TYPE", TYPES.index(dtype)), ("SIDE", side))
    return cuda.Kernel(_SOURCE, f"median_{dtype}_{side}x{side}", THREADS, ARGUMENTS, macros)


def rejects(g: RankGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    if not (g.median and g.footprint.rows in SIDES):
        return "takes medians of 3x3, 5x5 and 7x7 pixels"
    if g.dtype.name not in TYPES:
        return f"takes {', '.join(TYPES)} but got {g.dtype}"
    _, h, w, c = g.shape
    if max(h, w * c) + (max(SIDES) + LINE) * c >= cuda.LONGEST_LINE:
        return f"takes lines and columns of less than 2^30 numbers but got {h} lines of {w * c}"
    return None


def build(g: RankGeometry) -> Run:
    """Prepare the launch: a block for each 16 rows of 64 numbers."""
    n, h, w, c = g.shape
    if not g.numbers:
        return lambda arrays, outputs: None
    side = g.footprint.rows
    tiles, down = -(-w * c // LINE), -(-h // ROWS)
    prepared = np.zeros(1, ARGUMENTS)
    prepared["constant"] = g.constant[0]
    prepared["tiles"], prepared["down"], prepared["channels"] = map(cuda.divisor, (tiles, down, c))
    prepared["height"], prepared["width"], prepared["mode"] = h, w, MODES[g.mode]
    shared_bytes = (ROWS + side - 1) * (side * LINE + 1) * 4
    return cuda.Stage(kernel_for(g.dtype.name, side), (tiles * down * n, 1, 1), shared_bytes, prepared).run
