"""Pixel shuffle "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea.

Takes everything. Whether a thread moves 16 bytes at once is decided at each call, by where the arrays begin.
"""

import functools
import math
from pathlib import Path

import numpy as np

from ..machine import cuda, cuda_image
from ..operation import Run
from . import Shuffling

_SOURCE = Path(__file__).with_suffix(".cu")

# As struct Arguments in cuda_blocks.cu.
ARGUMENTS = np.dtype(
    [("x", np.uint64), ("y", np.uint64), ("blocks", cuda_image.IMAGE)]
    + [(name, np.int32) for name in ("factor", "unused")]
)


@functools.cache
def kernel_for(dtype: str, vector: int, *, back: bool, large: bool = False) -> cuda.Kernel:
    """The kernel of one type, for so many numbers of the deep image at once."""
    macros = (
        ("THREADS", cuda_image.THREADS), ("DOUBLE", int(dtype == "float64")), ("VECTOR", vector),
        ("LARGE", int(large)), ("BACK", int(back)),
    )  # fmt: skip
    name = f"pixel_{'un' if back else ''}shuffle_{dtype}_x{vector}{'_large' if large else ''}"
    return cuda.Kernel(_SOURCE, name, cuda_image.THREADS, ARGUMENTS, macros)


def _build(g: Shuffling, *, back: bool) -> Run:
    if not math.prod(g.deep):
        return cuda_image.nothing
    squared = g.factor * g.factor
    blocks = (*g.deep[:3], g.deep[3] // squared)

    def stage(vector: int) -> cuda.Stage:
        prepared = np.zeros(1, ARGUMENTS)
        prepared["blocks"], prepared["factor"] = cuda_image.image(blocks, 1), g.factor
        kernel = kernel_for(g.dtype.name, vector, back=back, large=cuda_image.is_large(blocks, 1))
        return cuda.Stage(kernel, cuda_image.grid(blocks, 1), 0, prepared)

    return cuda_image.by_vectors(stage, squared, g.dtype.itemsize)


def build(g: Shuffling) -> Run:
    """Prepare the launch of the shuffle: a thread for each channel of a block."""
    return _build(g, back=False)


def build_unshuffle(g: Shuffling) -> Run:
    """Prepare the launch of the shuffle back."""
    return _build(g, back=True)
