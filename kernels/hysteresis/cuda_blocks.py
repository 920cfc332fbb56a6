"""hysteresis "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea.

Takes images of one or two axes, as large as cuda_union.py takes them.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda, cuda_union
from ..operation import Run
from .geometry import HysteresisGeometry

_SOURCE = Path(__file__).with_suffix(".cu")

STEPS = ("tiles", "seams", "keep")

# As struct Arguments in cuda_blocks.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("classes", "parents", "kept")]
    + [("pixels", cuda_union.UNION)]
    + [(name, np.int32) for name in ("number", "unused")]
)


@functools.cache
def kernel_for(step: str) -> cuda.Kernel:
    """The kernel of one step."""
    macros = (("THREADS", cuda_union.THREADS), ("TALL", cuda_union.TALL), ("STEP", STEPS.index(step)))
    name = f"hysteresis_{step}_{cuda_union.TALL}x{cuda_union.WIDE}"
    return cuda.Kernel(_SOURCE, name, cuda_union.THREADS, ARGUMENTS, macros)


def rejects(g: HysteresisGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    if len(g.shape) > 2:
        return f"takes images of one or two axes but got {len(g.shape)}"
    return cuda_union.reason_against(g.n, *(1, *g.shape)[-2:])


def keeping(n: int, h: int, w: int, connectivity: int, number: int) -> Run:
    """``keep((classes,), (kept,))`` writes ``number`` where a pixel is kept and 0 elsewhere, of n images of (h, w)."""
    prepared = np.zeros(1, ARGUMENTS)
    prepared["pixels"] = cuda_union.union(h, w, connectivity)
    prepared["number"] = number
    tiles, seams, chunks = (grid(n, h, w) for grid in (cuda_union.tiles, cuda_union.seams, cuda_union.chunks))

    def keep(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (classes,), (kept,) = arrays, outputs
        parents = new_like(classes, (n, h, w), np.uint32)
        arguments = prepared.copy()
        arguments.view(np.uint64)[:3] = [cuda.address(array) for array in (classes, parents, kept)]
        cuda.launch(kernel_for("tiles"), tiles, cuda_union.SHARED_BYTES, arguments, (classes,), (parents,))
        if seams[0]:
            cuda.launch(kernel_for("seams"), seams, 0, arguments, (classes, parents), (parents,))
        cuda.launch(kernel_for("keep"), chunks, 0, arguments, (classes, parents), (parents, kept))

    return keep


def build(g: HysteresisGeometry) -> Run:
    """Prepare the launches: a block for each 32 rows of 64 pixels, then a thread for each pixel beside a seam."""
    if not g.pixels:
        return lambda arrays, outputs: None
    h, w = (1, *g.shape)[-2:]
    return keeping(g.n, h, w, g.connectivity, 1)
