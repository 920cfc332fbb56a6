"""window_sums "windows" on CUDA: the host side of cuda_windows.cu, which holds the idea.

Takes windows whose sums fit into the GPU's shared memory: with 96 KB for a block, lines of up to 321 numbers, 705 of
bytes, divided by the channels; of bytes up to 66,000 rows.
"""

import functools
from pathlib import Path

import numpy as np

from ..machine import cuda
from ..operation import Run
from .geometry import MatchGeometry

_SOURCE = Path(__file__).with_suffix(".cu")

THREADS, ROWS, LINE = 128, 16, 64
TYPES = ("float32", "float64", "uint8")
_MOST_ROWS = ((1 << 32) - 1) // 255**2  # of bytes, whose squares are added in 32 bits

# As struct Arguments in cuda_windows.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "sums", "squares")]
    + [(name, cuda.DIVISOR) for name in ("places", "tiles", "down")]
    + [(name, np.int32) for name in ("height", "line", "rows", "columns", "channels", "unused")]
)


@functools.cache
def kernel_for(dtype: str) -> cuda.Kernel:
    """The kernel of one type of images."""
    macros = (("THREADS", THREADS), ("ROWS", ROWS), ("LINE", LINE), ("TYPE", TYPES.index(dtype)))
    return cuda.Kernel(_SOURCE, f"window_sums_{dtype}_{ROWS}x{LINE}", THREADS, ARGUMENTS, macros)


def _places(g: MatchGeometry) -> int:
    """The sums of a line that a block has: what its windows reach."""
    return LINE + (g.s - 1) * g.c


def _shared_bytes(g: MatchGeometry) -> int:
    return ROWS * _places(g) * (8 if g.dtype == np.uint8 else 16)


def rejects(g: MatchGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    if g.dtype == np.uint8 and g.r > _MOST_ROWS:
        return f"takes windows of bytes of up to {_MOST_ROWS} rows but got {g.r}"
    if max(g.h, g.w * g.c) >= (1 << 31) - (1 << 12):
        return f"takes lines and columns of less than 2^31 numbers but got {g.h} lines of {g.w * g.c}"
    return None


def build(g: MatchGeometry) -> Run:
    """Prepare the launch: a block for each 16 rows of 64 numbers."""
    if not g.places:
        return lambda arrays, outputs: None
    tiles, down = -(-g.q * g.c // LINE), -(-g.p // ROWS)
    prepared = np.zeros(1, ARGUMENTS)
    prepared["places"], prepared["tiles"], prepared["down"] = map(cuda.divisor, (_places(g), tiles, down))
    prepared[["height", "line", "rows", "columns", "channels"]] = (g.h, g.w * g.c, g.r, g.s, g.c)
    return cuda.Stage(kernel_for(g.dtype.name), (tiles * down * g.n, 1, 1), _shared_bytes(g), prepared).run
