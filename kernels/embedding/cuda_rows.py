"""Embeddings and their gradient "rows" on CUDA: the host side of cuda_rows.cu, which holds the idea.

Takes everything. Whether a thread has 16 bytes of a row is decided at each call, by where its arrays begin.
"""

import functools
import math
from pathlib import Path

import numpy as np

from ..machine import cuda, cuda_image
from ..operation import Run
from . import Embedding

_SOURCE = Path(__file__).with_suffix(".cu")

# As struct Arguments in cuda_rows.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "indices", "y")]
    + [("groups", cuda.DIVISOR)]
    + [(name, np.int64) for name in ("count", "rows", "taken", "width")]
)


@functools.cache
def kernel_for(dtype: str, vector: int, *, grad: bool, large: bool = False) -> cuda.Kernel:
    """The kernel of one type, for so many numbers in a load."""
    macros = (
        ("THREADS", cuda_image.THREADS), ("DOUBLE", int(dtype == "float64")), ("VECTOR", vector),
        ("LARGE", int(large)), ("GRAD", int(grad)),
    )  # fmt: skip
    name = f"embedding{'_grad' if grad else ''}_{dtype}_x{vector}{'_large' if large else ''}"
    return cuda.Kernel(_SOURCE, name, cuda_image.THREADS, ARGUMENTS, macros)


def _build(g: Embedding) -> Run:
    if not math.prod(g.outputs[0][0]):
        return cuda_image.nothing

    def stage(vector: int) -> cuda.Stage:
        threads = g.width // vector  # of a row
        groups = -(-threads // 32) if g.adds else threads
        count = groups * (g.rows if g.adds else g.taken)
        prepared = np.zeros(1, ARGUMENTS)
        prepared["groups"], prepared["count"] = cuda.divisor(groups), count
        prepared["rows"], prepared["taken"], prepared["width"] = g.rows, g.taken, g.width
        kernel = kernel_for(g.dtype.name, vector, grad=g.adds, large=count >= cuda_image.LARGE)
        blocks = -(-count * (32 if g.adds else 1) // cuda_image.THREADS)
        return cuda.Stage(kernel, (blocks, 1, 1), 0, prepared)

    return cuda_image.by_vectors(stage, g.width, g.dtype.itemsize)


def build(g: Embedding) -> Run:
    """Prepare the launch: a thread for 16 bytes of what is taken."""
    return _build(g)


def build_grad(g: Embedding) -> Run:
    """Prepare the launch: a warp for 512 bytes of a row of the table."""
    return _build(g)
