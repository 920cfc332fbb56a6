"""smoothed_edges "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea.

Takes weights whose tile fits into the GPU's shared memory: with 96 KB for a block, up to some 400 along a row.
"""

import functools
from pathlib import Path

import numpy as np

from ..correlation.reference import MODES
from ..machine import cuda
from ..operation import Run
from .geometry import SmoothedEdgesGeometry
from .reference import STAGES

_SOURCE = Path(__file__).with_suffix(".cu")

THREADS, ROWS, LINE = 256, 16, 64
TYPES = ("float32", "float64", "uint8")

# As struct Arguments in cuda_blocks.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "column", "row", "divisor", "inside", "thresholds", "y")]
    + [("cval", np.float64), ("scale", np.float64)]
    + [(name, cuda.DIVISOR) for name in ("places", "tiles", "down")]
    + [
        (name, np.int32)
        for name in (
            "height", "width", "mode", "down_radius", "along_radius", "divisors", "divisor_rows", "insides",
        )
    ]
)  # fmt: skip


@functools.cache
def kernel_for(dtype: str, stage: str) -> cuda.Kernel:
    """The kernel of one type that ends with a stage."""
    macros = (
        ("THREADS", THREADS), ("ROWS", ROWS), ("LINE", LINE), ("TYPE", TYPES.index(dtype)), ("STAGE", STAGES[stage]),
    )  # fmt: skip
    return cuda.Kernel(_SOURCE, f"smoothed_edges_{stage}_{dtype}_{ROWS}x{LINE}", THREADS, ARGUMENTS, macros)


def _places(g: SmoothedEdgesGeometry) -> int:
    """Of a line of the image between both smoothings."""
    return LINE + 4 + g.row - 1


def _shared_bytes(g: SmoothedEdgesGeometry) -> int:
    weights, table = 8 * (g.column // 2 + g.row // 2 + 2), 4 * (ROWS + 3 + g.column)
    middle, rest = 8 * (ROWS + 4) * _places(g), (ROWS + 4) * (LINE + 4) + (ROWS + 2) * (LINE + 2)
    return middle + weights + rest * g.kind.itemsize + table


def rejects(g: SmoothedEdgesGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    if max(g.h + g.column + ROWS, g.w + g.row + LINE) + 4 >= cuda.LONGEST_LINE:
        return f"takes lines and columns of less than 2^30 pixels but got {g.h} lines of {g.w}"
    return None


def build(g: SmoothedEdgesGeometry) -> Run:
    """Prepare the launch: a block for each 16 rows of 64 pixels."""
    if not g.pixels:
        return lambda arrays, outputs: None
    tiles, down = -(-g.w // LINE), -(-g.h // ROWS)
    prepared = np.zeros(1, ARGUMENTS)
    prepared["cval"], prepared["scale"] = g.cval, g.scale
    prepared["places"], prepared["tiles"], prepared["down"] = map(cuda.divisor, (_places(g), tiles, down))
    prepared["height"], prepared["width"], prepared["mode"] = g.h, g.w, MODES[g.mode]
    prepared["down_radius"], prepared["along_radius"] = g.column // 2, g.row // 2
    prepared["divisors"], prepared["divisor_rows"] = g.divisor[:2]
    prepared["insides"] = g.inside[0]
    stage = next(name for name, number in STAGES.items() if number == g.stage)
    return cuda.Stage(kernel_for(g.dtype.name, stage), (tiles * down * g.n, 1, 1), _shared_bytes(g), prepared).run
