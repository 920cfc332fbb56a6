"""Padding and its adjoint "channels" on CUDA: the host side of cuda_channels.cu, which holds the idea.

Takes everything. Whether a thread has 16 bytes of channels is decided at each call, by where its arrays begin.
"""

import functools
import math
from pathlib import Path

import numpy as np

from ..machine import cuda, cuda_image
from ..operation import Run
from . import Padding

_SOURCE = Path(__file__).with_suffix(".cu")

_AXIS = np.dtype([(name, np.int32) for name in ("size", "before", "behind", "unused")])
# As struct Arguments in cuda_channels.cu.
ARGUMENTS = np.dtype(
    [("x", np.uint64), ("y", np.uint64), ("image", cuda_image.IMAGE)]
    + [(name, _AXIS) for name in ("rows", "columns")]
    + [("value", np.float64), ("mode", np.int32), ("unused", np.int32)]
)


@functools.cache
def kernel_for(dtype: str, vector: int, *, grad: bool, large: bool = False) -> cuda.Kernel:
    """The kernel of one type, for so many channels in a load."""
    macros = (
        ("THREADS", cuda_image.THREADS), ("DOUBLE", int(dtype == "float64")), ("VECTOR", vector),
        ("LARGE", int(large)), ("GRAD", int(grad)),
    )  # fmt: skip
    name = f"pad{'_grad' if grad else ''}_{dtype}_x{vector}{'_large' if large else ''}"
    return cuda.Kernel(_SOURCE, name, cuda_image.THREADS, ARGUMENTS, macros)


def _build(g: Padding, *, grad: bool) -> Run:
    shape = g.outputs[0][0]
    if not math.prod(shape):
        return cuda_image.nothing

    def stage(vector: int) -> cuda.Stage:
        prepared = np.zeros(1, ARGUMENTS)
        prepared["image"], prepared["value"], prepared["mode"] = cuda_image.image(shape, vector), g.value, g.mode
        prepared["rows"], prepared["columns"] = (g.image[1], *g.pads[:2], 0), (g.image[2], *g.pads[2:], 0)
        kernel = kernel_for(g.dtype.name, vector, grad=grad, large=cuda_image.is_large(shape, vector))
        return cuda.Stage(kernel, cuda_image.grid(shape, vector), 0, prepared)

    return cuda_image.by_vectors(stage, shape[3], g.dtype.itemsize)


def build(g: Padding) -> Run:
    """Prepare the launch: a thread for 16 bytes of the padded image."""
    return _build(g, grad=False)


def build_grad(g: Padding) -> Run:
    """Prepare the launch: a thread for 16 bytes of the image."""
    return _build(g, grad=True)
