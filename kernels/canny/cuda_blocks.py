"""canny "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea; hysteresis' "blocks" comes behind.

Takes everything, and given derivatives, of images as large as cuda_union.py takes them.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..hysteresis.cuda_blocks import keeping
from ..machine import cuda, cuda_union
from ..operation import Run
from .geometry import CannyGeometry

_SOURCE = Path(__file__).with_suffix(".cu")

THREADS = 256
ROWS, LINE = THREADS // 32 * 4 - 2, 120
_SHARED_BYTES = (ROWS + 2) * 128 * 4

# As struct Arguments in cuda_blocks.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "y", "thresholds", "classes")]
    + [(name, cuda.DIVISOR) for name in ("tiles", "down")]
    + [(name, np.int32) for name in ("height", "width", "channels", "wide")]
)


@functools.cache
def kernel_for(aperture: int, *, squared: bool) -> cuda.Kernel:
    """The kernel of one aperture, 0 where derivatives are given, and norm."""
    name = f"canny_{aperture or 'gradient'}_{'l2' if squared else 'l1'}_{ROWS}x{LINE}"
    macros = (("THREADS", THREADS), ("APERTURE", aperture), ("SQUARED", int(squared)))
    return cuda.Kernel(_SOURCE, name, THREADS, ARGUMENTS, macros)


def rejects(g: CannyGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    return cuda_union.reason_against(g.n, g.h, g.w)


def build(g: CannyGeometry) -> Run:
    """Prepare the launches: a block for each 30 rows of 120 pixels, then those of hysteresis."""
    if not g.pixels:
        return lambda arrays, outputs: None
    tiles, down = -(-g.w // LINE), -(-g.h // ROWS)
    prepared = np.zeros(1, ARGUMENTS)
    prepared["tiles"], prepared["down"] = map(cuda.divisor, (tiles, down))
    prepared["height"], prepared["width"], prepared["channels"] = g.h, g.w, g.c
    kernel, grid = kernel_for(g.aperture, squared=g.squared), (tiles * down * g.n, 1, 1)
    keep = keeping(g.n, g.h, g.w, 2, 255)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, *other, thresholds = arrays
        classes, stage = new_like(x, (g.n, g.h, g.w), np.uint8), prepared.copy()
        aligned = all(cuda.address(array) % 4 == 0 for array in (x, classes))
        stage["wide"] = aligned and g.w % 4 == 0 and g.c == 1
        cuda.Stage(kernel, grid, _SHARED_BYTES, stage).run((x, *(other or [None]), thresholds), (classes,))
        keep((classes,), outputs)

    return run
