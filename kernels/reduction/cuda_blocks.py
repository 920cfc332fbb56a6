"""Sums and means "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea.

One launch for each pass of the geometry, and a second one where there are too few sums to occupy a GPU and the rows are
cut into parts: into how many is decided by the shape alone. Takes everything. Arrays whose rows are no multiple of 16
bytes, or that do not begin at one, are read a number at a time.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda
from ..operation import Run
from .geometry import Pass, Reduction

_SOURCE = Path(__file__).with_suffix(".cu")
_THREADS = 256
_BLOCKS = 528  # four for each multiprocessor of a large GPU; more parts are more partial sums to read again
_LEAST_LOADS = 16  # of a thread, before rows are cut into parts
_SHORT = 256  # loads that one warp makes by itself

# As struct Arguments in cuda_blocks.cu.
ARGUMENTS = np.dtype(
    [("x", np.uint64), ("y", np.uint64)]
    + [(name, np.int64) for name in ("outer", "rows", "inner", "part_rows")]
    + [("scale", np.float64), ("parts", np.int32), ("across", np.int32), ("strips", np.int32)],
    align=True,
)


@functools.cache
def kernel_for(source: str, result: str, vector: int, *, columns: bool) -> cuda.Kernel:
    """The kernel of cuda_blocks.cu for types, numbers in a load, and how sums lie."""
    macros = (
        ("THREADS", _THREADS), ("DOUBLE_IN", int(source == "float64")), ("DOUBLE_OUT", int(result == "float64")),
        ("VECTOR", vector), ("COLUMNS", int(columns)),
    )  # fmt: skip
    name = f"sum_{'columns' if columns else 'contiguous'}_{source}_{result}_x{vector}"
    return cuda.Kernel(_SOURCE, name, _THREADS, ARGUMENTS, macros)


def _power_of_two(count: int) -> int:
    """The smallest that is not below ``count``."""
    return 1 << max(0, count - 1).bit_length()


def _stage(walk: Pass, source: str, result: str, scale: float, *, wide: bool, cut: bool) -> tuple[cuda.Stage, int]:
    """One launch, with loads of 16 bytes where ``wide``, and the parts into which it cuts the rows if it may."""
    outer, rows, inner = walk
    columns, vector = inner > 1, 16 // np.dtype(source).itemsize
    if not wide or (inner if columns else rows) % vector:
        vector = 1
    if columns:
        across = min(32, _power_of_two(inner // vector))
        down = _THREADS // across
        strips = -(-inner // (across * vector))
        blocks = outer * strips
    else:
        rows //= vector
        down = _THREADS if rows > _SHORT else min(32, _power_of_two(rows))
        across, strips = _THREADS // down, 1
        blocks = -(-outer // across)
    parts = max(1, min(_BLOCKS // max(1, blocks), rows // (down * _LEAST_LOADS))) if cut else 1
    each = max(1, -(-rows // parts))
    parts = max(1, -(-rows // each))
    prepared = np.zeros(1, ARGUMENTS)
    names = ["outer", "rows", "inner", "part_rows", "scale", "parts", "across", "strips"]
    prepared[names] = (outer, rows, inner, each, scale if parts == 1 else 1.0, parts, across, strips)
    kernel = kernel_for(source, result if parts == 1 else "float64", vector, columns=columns)
    shared_bytes = _THREADS // 32 * across * vector * 8 if columns else _THREADS // 32 * 8
    return cuda.Stage(kernel, (blocks, parts, 1), shared_bytes, prepared), parts


def _stages(g: Reduction, *, wide: bool) -> list[tuple[cuda.Stage, int]]:
    """All launches and the numbers that each leaves: float64 in between, the result's type and the scale at the end."""
    made, source, name = [], g.dtype.name, g.dtype.name
    for i, walk in enumerate(g.passes):
        last = i == len(g.passes) - 1
        how = (name if last else "float64", g.scale if last else 1.0)
        stage, parts = _stage(walk, source, *how, wide=wide, cut=True)
        made.append((stage, walk.outer * parts * walk.inner))
        source, wide = "float64", True  # what lies in between is new, and begins where a load wants it
        if parts > 1:
            stage, _ = _stage(Pass(walk.outer, parts, walk.inner), source, *how, wide=True, cut=False)
            made.append((stage, walk.outer * walk.inner))
    return made


def build(g: Reduction) -> Run:
    """Prepare the launches."""
    stages = {wide: _stages(g, wide=wide) for wide in (False, True)}

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x,), (y,) = arrays, outputs
        if not y.size:
            return
        *most, (last, _) = stages[cuda.address(x) % 16 == 0]
        for stage, count in most:
            sums = new_like(y, (count,), np.float64)
            stage.run([x], [sums])
            x = sums
        last.run([x], [y])

    return run
