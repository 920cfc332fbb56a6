"""Structural similarity "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea.

A second launch adds the sums of blocks (cuda_means.py).

Takes images of two axes and windows whose sums fit into the GPU's shared memory: with 96 KB for a block, up to 85 taps.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda
from ..operation import Run
from .cuda_means import means_stage
from .geometry import SimilarityGeometry

_SOURCE = Path(__file__).with_suffix(".cu")

THREADS, ROWS, LINE = 128, 16, 64
TYPES = ("float32", "float64", "uint8", "uint16")
_MOMENTS = 5

# As struct Arguments in cuda_blocks.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "y", "weights", "maps", "parts")]
    + [(name, np.float64) for name in ("c1", "c2", "scale")]
    + [(name, cuda.DIVISOR) for name in ("places", "tiles", "down")]
    + [("pixels", np.int64)]
    + [(name, np.int32) for name in ("height", "width", "taps", "margin", "maps_count", "unused")]
)


@functools.cache
def kernel_for(dtype: str) -> cuda.Kernel:
    """The kernel of one type of images."""
    macros = (("THREADS", THREADS), ("ROWS", ROWS), ("LINE", LINE), ("TYPE", TYPES.index(dtype)))
    return cuda.Kernel(_SOURCE, f"structural_similarity_{dtype}_{ROWS}x{LINE}", THREADS, ARGUMENTS, macros)


def _places(g: SimilarityGeometry) -> int:
    """The sums of a line that a block has, in pairs."""
    return LINE + g.taps + 1


def _shared_bytes(g: SimilarityGeometry) -> int:
    table = 4 * (ROWS + g.taps - 1)
    return _MOMENTS * ROWS * _places(g) * 8 + (g.taps + 1) // 2 * 16 + THREADS // 32 * 16 + -(-table // 16) * 16


def rejects(g: SimilarityGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    if g.axes != 2:
        return f"takes images of two axes but got {g.axes}"
    if max(g.h, g.w) + ROWS + LINE + g.taps >= cuda.LONGEST_LINE:
        return f"takes lines and columns of less than 2^30 pixels but got {g.h} lines of {g.w}"
    return None


def build(g: SimilarityGeometry) -> Run:
    """Prepare both launches: a block for each 16 rows of 64 pixels, and one for each image."""
    if not g.n:
        return lambda arrays, outputs: None
    tiles, down = -(-g.w // LINE), -(-g.h // ROWS)
    prepared = np.zeros(1, ARGUMENTS)
    prepared[["c1", "c2", "scale", "pixels"]] = (g.c1, g.c2, g.scale, g.pixels)
    prepared["places"], prepared["tiles"], prepared["down"] = map(cuda.divisor, (_places(g), tiles, down))
    prepared[["height", "width", "taps", "margin", "maps_count"]] = (g.h, g.w, g.taps, g.margin, g.maps)
    moments = cuda.Stage(kernel_for(g.dtype.name), (tiles * down * g.n, 1, 1), _shared_bytes(g), prepared)
    inside = (g.w - 2 * g.margin) * (g.h - 2 * g.margin)
    means = means_stage(g.n, tiles * down, inside, g.h * g.w)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        parts = new_like(arrays[0], (g.n, tiles * down, 2), np.float64)
        moments.run(arrays, (outputs[1], parts))
        means.run((parts,), (outputs[0], outputs[2]))

    return run
