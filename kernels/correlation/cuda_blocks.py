"""Separable correlation "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea.

Along one axis of an array (outer, n, inner) the other pass is left out: with few numbers inside, an array's lines are
rows of one image and weights go across; with more, they go down images of one channel.

Takes weights and channels whose sums fit into the GPU's shared memory, every border, float32 and float64, bytes in
fixed point. Whether a thread stores 4 results at once is decided at each call, by where the results begin.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..machine import cuda
from ..operation import Run
from .geometry import CorrelationGeometry
from .reference import MODES

_SOURCE = Path(__file__).with_suffix(".cu")

THREADS, ROWS, LINE = 256, 32, 128
TYPES = ("float32", "float64", "uint8")
_MANY = 32  # numbers inside of a filtered axis that fill a warp

# As struct Arguments in cuda_blocks.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "column", "row", "y")]
    + [("constant", np.float64)]
    + [(name, cuda.DIVISOR) for name in ("units", "tiles", "down", "channels")]
    + [(name, np.int32) for name in ("height", "width", "mode", "rows", "columns", "above", "before", "wide")]
)


@functools.cache
def kernel_for(dtype: str, *, one: bool) -> cuda.Kernel:
    """The kernel of one type, for images of one channel or any number."""
    macros = (("THREADS", THREADS), ("ROWS", ROWS), ("LINE", LINE), ("TYPE", TYPES.index(dtype)), ("ONE", int(one)))
    name = f"correlate_separable_{dtype}_{ROWS}x{LINE}{'' if one else '_channels'}"
    return cuda.Kernel(_SOURCE, name, THREADS, ARGUMENTS, macros)


def _fours(count: int) -> int:
    return -(-count // 4) * 4


def _places(g: CorrelationGeometry) -> int:
    """The sums of a line that a block has: what its windows reach, and what they run over."""
    return LINE + (_fours(max(g.row, 1)) if g.inner == 1 else _fours((max(g.row, 1) - 1) * g.inner))


def _shared_bytes(g: CorrelationGeometry) -> int:
    size = max(4, g.dtype.itemsize)
    return size * (ROWS * _places(g) + _fours(g.row) + _fours(g.column)) + 4 * (ROWS + _fours(g.column))


def _turned(g: CorrelationGeometry) -> CorrelationGeometry:
    """Correlation along one axis as an image whose other pass is left out."""
    if g.inner < _MANY:
        return g._replace(outer=1, h=g.outer)
    return g._replace(h=g.w, w=g.inner, inner=1, column=g.row, row=0)


def rejects(g: CorrelationGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    reach = g.w * g.inner + _places(g), g.h + g.column + ROWS
    if max(reach) >= cuda.LONGEST_LINE:
        return f"takes lines and columns of less than 2^30 numbers but got {g.h} lines of {g.w * g.inner}"
    return None


def rejects_one_axis(g: CorrelationGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    return rejects(_turned(g))


def _stage(g: CorrelationGeometry, *, wide: bool) -> cuda.Stage:
    line = g.w * g.inner
    tiles, down = -(-line // LINE), -(-g.h // ROWS)
    prepared = np.zeros(1, ARGUMENTS)
    prepared["constant"] = g.cval
    units = _places(g) // (4 if g.dtype == np.uint8 else 1)
    for name, number in (("units", units), ("tiles", tiles), ("down", down), ("channels", g.inner)):
        prepared[name] = cuda.divisor(number)
    prepared["height"], prepared["width"], prepared["mode"] = g.h, g.w, MODES[g.mode]
    prepared["rows"], prepared["columns"] = g.column, g.row
    # Of two axes no origin is given.
    prepared["above"] = g.column // 2 + (g.origin if g.column else 0)
    prepared["before"] = g.row // 2 + (g.origin if g.row else 0)
    prepared["wide"] = wide
    kernel = kernel_for(g.dtype.name, one=g.inner == 1)
    return cuda.Stage(kernel, (tiles * down * g.outer, 1, 1), _shared_bytes(g), prepared)


def _build(g: CorrelationGeometry) -> Run:
    if not g.pixels:
        return lambda arrays, outputs: None
    stages = [_stage(g, wide=wide) for wide in (False, True)]
    divides = g.w * g.inner % 4 == 0

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        wide = divides and cuda.address(outputs[0]) % (4 * g.dtype.itemsize) == 0
        stages[wide].run(arrays, outputs)

    return run


def build(g: CorrelationGeometry) -> Run:
    """Prepare the launch: a block for each 32 rows of 128 numbers."""
    return _build(g)


def build_one_axis(g: CorrelationGeometry) -> Run:
    """Prepare the launch with weights down or across alone."""
    turned = _turned(g)
    launch = _build(turned)
    return lambda arrays, outputs: launch(
        (arrays[0], *((arrays[1], None) if turned.column else (None, arrays[1]))), outputs
    )
