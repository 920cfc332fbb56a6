"""threshold "vector" on CUDA: the host side of cuda_vector.cu, which holds the idea.

Takes everything. Whether a thread has 16 bytes is decided at each call, by where its arrays begin.
"""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..machine import cuda, cuda_image
from ..operation import Run

if TYPE_CHECKING:
    from . import Threshold

_SOURCE = Path(__file__).with_suffix(".cu")

TYPES = ("uint8", "int16", "uint16", "float32", "float64")

# As struct Arguments in cuda_vector.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "levels", "y")]
    + [("image", cuda_image.IMAGE), ("top", np.float64), ("rule", np.int32), ("unused", np.int32)]
)


@functools.cache
def kernel_for(dtype: str, vector: int, *, large: bool = False) -> cuda.Kernel:
    """The kernel of one type, for so many numbers in a load."""
    macros = (
        ("THREADS", cuda_image.THREADS), ("TYPE", TYPES.index(dtype)), ("VECTOR", vector), ("LARGE", int(large)),
    )  # fmt: skip
    name = f"threshold_{dtype}_x{vector}{'_large' if large else ''}"
    return cuda.Kernel(_SOURCE, name, cuda_image.THREADS, ARGUMENTS, macros)


def build(g: "Threshold") -> Run:
    """Prepare the launch: a thread for 16 bytes of an image."""
    if not g.numbers:
        return cuda_image.nothing
    shape = (g.n, 1, 1, g.size)

    def stage(vector: int) -> cuda.Stage:
        prepared = np.zeros(1, ARGUMENTS)
        prepared["image"] = cuda_image.image(shape, vector)
        prepared["top"], prepared["rule"] = g.top, g.rule
        kernel = kernel_for(g.dtype.name, vector, large=cuda_image.is_large(shape, vector))
        return cuda.Stage(kernel, cuda_image.grid(shape, vector), 0, prepared)

    return cuda_image.by_vectors(stage, g.size, g.dtype.itemsize)
