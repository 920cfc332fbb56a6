"""label_components "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea.

Takes images of one or two axes, as large as cuda_union.py takes them.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda, cuda_union
from ..operation import Run
from .geometry import LabelGeometry

_SOURCE = Path(__file__).with_suffix(".cu")

STEPS = ("tiles", "seams", "count", "scan", "number", "paint")

_POINTERS = ("x", "parents", "roots", "counts", "labels", "number")
_SUMS_BYTES = cuda_union.THREADS // 32 * 4

# As struct Arguments in cuda_blocks.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in (*_POINTERS, "background")]
    + [("pixels", cuda_union.UNION)]
    + [(name, cuda.DIVISOR) for name in ("words", "parts")]
    + [(name, np.int32) for name in ("has_background", "equal")]
)


@functools.cache
def kernel_for(step: str, itemsize: int = 4) -> cuda.Kernel:
    """The kernel of one step; of pixels of so many bytes in the first two, of labels in the last."""
    tile = (("THREADS", cuda_union.THREADS), ("TALL", cuda_union.TALL))
    macros = (*tile, ("STEP", STEPS.index(step)), ("BYTES", itemsize))
    name = f"label_{step}_{8 * itemsize}bit_{cuda_union.TALL}x{cuda_union.WIDE}"
    return cuda.Kernel(_SOURCE, name, cuda_union.THREADS, ARGUMENTS, macros)


def rejects(g: LabelGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    if g.d > 1:
        return f"takes images of one or two axes but got planes of {g.d}"
    return cuda_union.reason_against(g.n, g.h, g.w)


def build(g: LabelGeometry) -> Run:
    """Prepare the launches: a block for each 32 rows of 64 pixels, and threads for seams, words of roots and pixels."""
    if not g.pixels:
        return lambda arrays, outputs: outputs[1].fill(0)
    words = 2 * -(-g.w // cuda_union.WIDE)
    parts = -(-g.h * words // cuda_union.THREADS)
    kind = np.dtype(f"u{g.dtype.itemsize}")
    least, most = (0, 1) if g.dtype.kind == "b" else (np.iinfo(g.dtype).min, np.iinfo(g.dtype).max)
    prepared = np.zeros(1, ARGUMENTS)
    prepared["background"] = g.background % 2 ** (8 * kind.itemsize)  # of no value of the type, no matter
    prepared["has_background"], prepared["equal"] = least <= g.background <= most, g.equal
    prepared["pixels"] = cuda_union.union(g.h, g.w, g.connectivity)
    prepared["words"], prepared["parts"] = map(cuda.divisor, (words, parts))
    tiles, seams, chunks = (grid(g.n, g.h, g.w) for grid in (cuda_union.tiles, cuda_union.seams, cuda_union.chunks))
    counted, size, label_size = (g.n * parts, 1, 1), g.dtype.itemsize, g.outputs[0][1].itemsize

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x,), (labels, number) = arrays, outputs
        shapes = ((g.n, g.h, g.w), (g.n, g.h, words), (g.n, parts))
        parents, roots, counts = (new_like(x, shape, np.uint32) for shape in shapes)
        arguments = prepared.copy()
        arguments.view(np.uint64)[: len(_POINTERS)] = [
            cuda.address(array) for array in (x, parents, roots, counts, labels, number)
        ]

        def launch(kernel: cuda.Kernel, grid: cuda_union.Grid, shared: int, read: tuple, written: tuple) -> None:
            cuda.launch(kernel, grid, shared, arguments, read, written)

        launch(kernel_for("tiles", size), tiles, cuda_union.SHARED_BYTES, (x,), (parents, roots))
        if seams[0]:
            launch(kernel_for("seams", size), seams, 0, (x, parents), (parents,))
        launch(kernel_for("count"), counted, _SUMS_BYTES, (parents, roots), (parents, roots, counts))
        launch(kernel_for("scan"), (g.n, 1, 1), _SUMS_BYTES, (counts,), (counts, number))
        launch(kernel_for("number"), counted, _SUMS_BYTES, (roots, counts), (parents,))
        launch(kernel_for("paint", label_size), chunks, 0, (parents,), (labels,))

    return run
