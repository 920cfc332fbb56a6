"""halve "vector" on CUDA: the host side of cuda_vector.cu, which holds the idea.

Takes everything. Loads have 16 bytes where these divide a row of one channel, or the channels, and where all arrays
begin at a multiple of 16; this is decided at each call.
"""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..machine import cuda, cuda_image
from ..operation import Run

if TYPE_CHECKING:
    from . import Halving

_SOURCE = Path(__file__).with_suffix(".cu")

TYPES = ("uint8", "uint16", "int16", "float32", "float64")

# As struct Arguments in cuda_vector.cu.
ARGUMENTS = np.dtype([("x", np.uint64), ("y", np.uint64), ("image", cuda_image.IMAGE)])


@functools.cache
def kernel_for(dtype: str, vector: int, *, pairs: bool, large: bool = False) -> cuda.Kernel:
    """The kernel of one type, for so many numbers in a load, neighbours of which make one result or not."""
    macros = (
        ("THREADS", cuda_image.THREADS), ("TYPE", TYPES.index(dtype)), ("VECTOR", vector), ("PAIRS", int(pairs)),
        ("LARGE", int(large)),
    )  # fmt: skip
    name = f"halve_{'pairs_' if pairs else ''}{dtype}_x{vector}{'_large' if large else ''}"
    return cuda.Kernel(_SOURCE, name, cuda_image.THREADS, ARGUMENTS, macros)


def build(g: "Halving") -> Run:
    """Prepare the launch: a thread for each load of a row."""
    if not g.numbers:
        return cuda_image.nothing

    def stage(vector: int) -> cuda.Stage:
        pairs = g.c == 1 and vector > 1
        shape, channels = ((g.n, g.p, 2 * g.q // vector, 1), 1) if pairs else ((g.n, g.p, g.q, g.c), vector)
        prepared = np.zeros(1, ARGUMENTS)
        prepared["image"] = cuda_image.image(shape, channels)
        kernel = kernel_for(g.dtype.name, vector, pairs=pairs, large=cuda_image.is_large(shape, channels))
        return cuda.Stage(kernel, cuda_image.grid(shape, channels), 0, prepared)

    return cuda_image.by_vectors(stage, 2 * g.q if g.c == 1 else g.c, g.dtype.itemsize)
