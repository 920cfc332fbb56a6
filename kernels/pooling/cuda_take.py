"""Numbers of images at given places "take" on CUDA: the host side of cuda_take.cu, which holds the idea.

Takes everything. Whether a thread has 16 bytes of channels is decided at each call, by where its arrays begin.
"""

import functools
import math
from pathlib import Path

import numpy as np

from ..machine import cuda, cuda_image
from ..operation import Run
from .geometry import Pooling

_SOURCE = Path(__file__).with_suffix(".cu")

# As struct Arguments in cuda_take.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "places", "y")] + [("image", cuda_image.IMAGE)] + [("pixels", np.int64)]
)


@functools.cache
def kernel_for(dtype: str, vector: int, *, large: bool = False) -> cuda.Kernel:
    """The kernel of one type, for so many channels in a load."""
    macros = (
        ("THREADS", cuda_image.THREADS), ("DOUBLE", int(dtype == "float64")), ("VECTOR", vector),
        ("LARGE", int(large)),
    )  # fmt: skip
    name = f"take_pixels_{dtype}_x{vector}{'_large' if large else ''}"
    return cuda.Kernel(_SOURCE, name, cuda_image.THREADS, ARGUMENTS, macros)


def build_take(g: Pooling) -> Run:
    """Prepare the launch: a thread for 16 bytes of the result."""
    shape = g.outputs[0][0]
    if not math.prod(shape):
        return cuda_image.nothing

    def stage(vector: int) -> cuda.Stage:
        prepared = np.zeros(1, ARGUMENTS)
        prepared["image"], prepared["pixels"] = cuda_image.image(shape, vector), g.image[1] * g.image[2]
        kernel = kernel_for(g.dtype.name, vector, large=cuda_image.is_large(shape, vector))
        return cuda.Stage(kernel, cuda_image.grid(shape, vector), 0, prepared)

    return cuda_image.by_vectors(stage, shape[3], g.dtype.itemsize)
