"""hysteresis "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea.

Takes images of one or two axes.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda
from ..operation import Run
from .geometry import HysteresisGeometry

_SOURCE = Path(__file__).with_suffix(".cu")

THREADS, LINE = 128, 64  # rows and columns of a window
_SHARED_BYTES = THREADS // 32 * 20

# As struct Arguments in cuda_blocks.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("classes", "kept", "changed")]
    + [(name, cuda.DIVISOR) for name in ("across", "down")]
    + [(name, np.int32) for name in ("height", "width", "connectivity", "number")]
)


@functools.cache
def kernel_for(*, first: bool) -> cuda.Kernel:
    """The kernel of the first launch, or of the ones behind it."""
    name = f"hysteresis_{'start' if first else 'grow'}_{THREADS}x{LINE}"
    return cuda.Kernel(_SOURCE, name, THREADS, ARGUMENTS, (("THREADS", THREADS), ("FIRST", int(first))))


def rejects(g: HysteresisGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    if len(g.shape) > 2:
        return f"takes images of one or two axes but got {len(g.shape)}"
    return reason_against(*(1, *g.shape)[-2:])


def reason_against(h: int, w: int) -> str | None:
    """Why images are too large, or None."""
    if max(h, w) >= (1 << 31) - THREADS:
        return f"takes lines and columns of less than 2^31 pixels but got {h} lines of {w}"
    return None


def growing(n: int, h: int, w: int, connectivity: int, number: int) -> Run:
    """``grow((classes,), (kept,))`` writes ``number`` where a pixel is kept and 0 elsewhere, of n images of (h, w).

    The host waits for the flag that asks for another launch.
    """
    across, down = -(-w // (LINE - 2)), -(-h // (THREADS - 2))
    prepared = np.zeros(1, ARGUMENTS)
    prepared["across"], prepared["down"] = map(cuda.divisor, (across, down))
    prepared["height"], prepared["width"] = h, w
    prepared["connectivity"], prepared["number"] = connectivity, number
    grid = (across * down * n, 1, 1)

    def grow(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (classes,), (kept,) = arrays, outputs
        changed = new_like(classes, (1,), np.int32)
        arguments = prepared.copy()
        arguments.view(np.uint64)[:3] = [cuda.address(array) for array in (classes, kept, changed)]
        read: tuple[Any, ...] = (classes, changed)
        first = True
        while True:
            changed[0] = 0
            cuda.launch(kernel_for(first=first), grid, _SHARED_BYTES, arguments, read, (kept, changed))
            if not int(changed[0]):
                return
            read, first = (classes, kept, changed), False

    return grow


def build(g: HysteresisGeometry) -> Run:
    """Prepare the launches: a block for each 126 rows of 62 pixels."""
    if not g.pixels:
        return lambda arrays, outputs: None
    h, w = (1, *g.shape)[-2:]
    return growing(g.n, h, w, g.connectivity, 1)
