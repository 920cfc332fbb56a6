"""Mean squared error "blocks" on CUDA: the host side of cuda_errors.cu, which holds the idea.

Two launches, the second of which adds the parts of each image. Takes less than 2^31 images. Where not each of them
begins at a multiple of 16 bytes, all are read a number at a time.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import new_like
from ..machine import cuda
from ..operation import Run
from .cuda_means import means_stage
from .geometry import ErrorGeometry

_SOURCE = Path(__file__).with_suffix(".cu")

THREADS = 256
TYPES = ("float32", "float64", "uint8", "uint16")
_BLOCKS = 528  # four for each multiprocessor of a large GPU; more parts are more sums to read again
_LEAST_LOADS = 4  # of 16 bytes of either image, of a thread, before an image is cut into parts

# As struct Arguments in cuda_errors.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "y", "parts")]
    + [("size", np.int64), ("share", np.int64), ("blocks", cuda.DIVISOR)]
)


@functools.cache
def kernel_for(dtype: str, vector: int) -> cuda.Kernel:
    """The kernel of one type, and of so many numbers in a load."""
    macros = (("THREADS", THREADS), ("TYPE", TYPES.index(dtype)), ("VECTOR", vector))
    return cuda.Kernel(_SOURCE, f"squared_errors_{dtype}_x{vector}", THREADS, ARGUMENTS, macros)


def rejects(g: ErrorGeometry) -> str | None:
    """Why this variant cannot take a call, or None."""
    return f"takes less than 2^31 images but got {g.n}" if g.n >= 1 << 31 else None


def build(g: ErrorGeometry) -> Run:
    """Prepare both launches: a block for each part of an image, and one for each image."""
    if not g.n:
        return lambda arrays, outputs: None
    wide = 16 // g.dtype.itemsize
    most = max(1, min(_BLOCKS // g.n, g.size // (THREADS * wide * _LEAST_LOADS)))
    share = -(-g.size // (most * wide)) * wide
    blocks = -(-g.size // share)
    prepared = np.zeros(1, ARGUMENTS)
    prepared[["size", "share"]], prepared["blocks"] = (g.size, share), cuda.divisor(blocks)
    parts_of = {
        vector: cuda.Stage(kernel_for(g.dtype.name, vector), (g.n * blocks, 1, 1), THREADS // 32 * 8, prepared)
        for vector in (1, wide)
    }
    means, divides = means_stage(g.n, blocks, g.size), g.n == 1 or g.size % wide == 0

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        aligned = divides and not any(cuda.address(array) % 16 for array in arrays)
        parts = new_like(arrays[0], (g.n, blocks), np.float64)
        parts_of[wide if aligned else 1].run(arrays, [parts])
        means.run([parts], outputs)

    return run
