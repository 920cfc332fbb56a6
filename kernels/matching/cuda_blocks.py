"""match_template and match_products "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea.

Takes templates whose bands of 16 rows fit into the GPU's shared memory with the pixels under them: with 96 KB for a
block, lines of up to some 210 numbers, 470 of bytes, with 64 KB 130 and 300; of bytes up to 33,000 pixels.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda
from ..operation import Run
from .geometry import MEASURES, MatchGeometry

_SOURCE = Path(__file__).with_suffix(".cu")

THREADS, ROWS, LINE, BAND = 128, 16, 64, 16
TYPES, RESULTS = ("float32", "float64", "uint8"), ("float32", "float64", "int64")
_WARPS = THREADS // 32
_LARGEST_SUM = (1 << 31) - 1
_PLAIN = -1  # sums of products as they are

# As structs Arguments in cuda_blocks.cu, with LEVELS and without.
LEVELS_ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "parts")]
    + [(name, np.int64) for name in ("pixels", "share")]
    + [(name, cuda.DIVISOR) for name in ("count", "channels")]
)
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "pattern", "parts", "y")]
    + [(name, cuda.DIVISOR) for name in ("across", "down", "line", "templates")]
    + [
        (name, np.int32)
        for name in ("height", "width", "channels", "rows", "columns", "centre", "measure", "count")
    ]
)  # fmt: skip


@functools.cache
def levels_kernel_for(dtype: str) -> cuda.Kernel:
    """The kernel that adds up images of one type."""
    macros = (("THREADS", THREADS), ("LEVELS", 1), ("TYPE", TYPES.index(dtype)), ("RESULT", 1), ("DIFFER", 0))
    return cuda.Kernel(_SOURCE, f"match_template_levels_{dtype}", THREADS, LEVELS_ARGUMENTS, macros)


@functools.cache
def kernel_for(dtype: str, result: str, *, differ: bool) -> cuda.Kernel:
    """The kernel of one type of images and results, by products or by squared differences."""
    macros = (
        ("THREADS", THREADS), ("LEVELS", 0), ("TYPE", TYPES.index(dtype)), ("RESULT", RESULTS.index(result)),
        ("DIFFER", int(differ)),
    )  # fmt: skip
    name = f"match_{'differences' if differ else 'products'}_{dtype}_{result}_{ROWS}x{LINE}"
    return cuda.Kernel(_SOURCE, name, THREADS, ARGUMENTS, macros)


def _line(g: MatchGeometry) -> tuple[int, int]:
    """Fours of pixels in a line of shared memory, and numbers in one of the template."""
    padded = (g.s + 6) // 4 * 4
    return (LINE - 4 + padded) // 4, padded


def _shared_bytes(g: MatchGeometry) -> int:
    size = 4 if g.dtype == np.uint8 else 8
    fours, padded = _line(g)
    return ((ROWS + BAND - 1) * fours * 4 + BAND * padded) * size + 5 * _WARPS * 8


def rejects(g: MatchGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    if g.dtype == np.uint8 and g.r * g.s * 255 * 255 > _LARGEST_SUM:
        return f"takes templates of bytes of up to {_LARGEST_SUM // 255**2} pixels but got {g.r * g.s}"
    if max(g.h, g.w) >= (1 << 31) - (1 << 12):
        return f"takes lines and columns of less than 2^31 pixels but got {g.h} lines of {g.w}"
    return None


def build(g: MatchGeometry) -> Run:
    """Prepare the launches: the image's level where it matters, then a block for each 16 rows of 64 places."""
    return _build(g, g.measure, MEASURES["differences"] <= g.measure)


def build_products(g: MatchGeometry) -> Run:
    """Prepare the launch of ``match_products``."""
    return _build(g, _PLAIN, False)


def _build(g: MatchGeometry, measure: int, differ: bool) -> Run:
    if not g.places:
        return lambda arrays, outputs: None
    across, down = -(-g.q // LINE), -(-g.p // ROWS)
    leveled = bool(g.centre) and g.dtype != np.uint8
    count = min(-(-g.h * g.w // (64 * THREADS)), 2 * THREADS) if leveled else 0
    prepared = np.zeros(1, ARGUMENTS)
    for name, number in (("across", across), ("down", down), ("line", _line(g)[0]), ("templates", g.templates)):
        prepared[name] = cuda.divisor(number)
    prepared["height"], prepared["width"], prepared["channels"] = g.h, g.w, g.c
    prepared["rows"], prepared["columns"] = g.r, g.s
    prepared["centre"], prepared["measure"], prepared["count"] = g.centre, measure, count
    kernel = kernel_for(g.dtype.name, g.outputs[0][1].name, differ=differ)
    match = cuda.Stage(kernel, (across * down * g.n, 1, 1), _shared_bytes(g), prepared)
    levels = _levels(g, count) if leveled else None

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        parts = None
        if levels is not None:
            parts = new_like(arrays[0], (g.n, g.c, count, 2), np.float64)
            levels.run(arrays[:1], (parts,))
        match.run((*arrays, parts), outputs)

    return run


def _levels(g: MatchGeometry, count: int) -> cuda.Stage:
    prepared = np.zeros(1, LEVELS_ARGUMENTS)
    prepared["pixels"], prepared["share"] = g.h * g.w, -(-g.h * g.w // count)
    prepared["count"], prepared["channels"] = map(cuda.divisor, (count, g.c))
    return cuda.Stage(levels_kernel_for(g.dtype.name), (g.n * g.c * count, 1, 1), 2 * _WARPS * 8, prepared)
