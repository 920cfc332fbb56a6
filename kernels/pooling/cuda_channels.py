"""Pooling and its gradients "channels" on CUDA: the host side of cuda_channels.cu, which holds the idea.

Takes everything. Whether a thread has 16 bytes of channels is decided at each call, by where its arrays begin.
"""

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..machine import cuda, cuda_image
from ..operation import Run
from .geometry import Pooling

_SOURCE = Path(__file__).with_suffix(".cu")

MODES = ("max", "average", "max_grad", "average_grad")

_AXIS = np.dtype(
    [("stride", cuda.DIVISOR)]
    + [(name, np.int32) for name in ("size", "count", "kernel", "padding", "dilation", "unused")]
)
# As struct Arguments in cuda_channels.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "places", "y", "found")]
    + [("image", cuda_image.IMAGE), ("rows", _AXIS), ("columns", _AXIS)]
    + [("include_pad", np.int32), ("divisor", np.int32)]
)


@functools.cache
def kernel_for(mode: str, dtype: str, vector: int, *, places: bool, large: bool = False) -> cuda.Kernel:
    """The kernel of one mode and type, for so many channels in a load, with or without places to write."""
    macros = (
        ("THREADS", cuda_image.THREADS), ("DOUBLE", int(dtype == "float64")), ("VECTOR", vector), ("LARGE", int(large)),
        ("MODE", MODES.index(mode)), ("PLACES", int(places)),
    )  # fmt: skip
    name = f"pool_{mode}{'_places' if places else ''}_{dtype}_x{vector}{'_large' if large else ''}"
    return cuda.Kernel(_SOURCE, name, cuda_image.THREADS, ARGUMENTS, macros)


def _axis(g: Pooling, axis: int) -> tuple[Any, ...]:
    kernel, stride = (0, 1) if g.kernel is None else (g.kernel[axis], g.stride[axis])
    count = (g.p, g.q)[axis]
    return cuda.divisor(stride), g.image[1 + axis], count, kernel, g.padding[axis], g.dilation[axis], 0


def _build(g: Pooling, mode: str) -> Run:
    shape = g.outputs[0][0]
    if not math.prod(shape):
        return cuda_image.nothing

    def stage(vector: int) -> cuda.Stage:
        prepared = np.zeros(1, ARGUMENTS)
        prepared["image"] = cuda_image.image(shape, vector)
        prepared["rows"], prepared["columns"] = _axis(g, 0), _axis(g, 1)
        prepared["include_pad"], prepared["divisor"] = g.include_pad, g.divisor
        large = cuda_image.is_large(shape, vector)
        kernel = kernel_for(mode, g.dtype.name, vector, places=len(g.outputs) == 2, large=large)
        return cuda.Stage(kernel, cuda_image.grid(shape, vector), 0, prepared)

    launch = cuda_image.by_vectors(stage, shape[3], g.dtype.itemsize)
    return lambda arrays, outputs: launch((*arrays, None)[:2], outputs)


def build_max(g: Pooling) -> Run:
    """Prepare the launch of max pooling, with places if they are asked for."""
    return _build(g, "max")


def build_max_grad(g: Pooling) -> Run:
    """Prepare the launch of the gradient of max pooling."""
    return _build(g, "max_grad")


def build_avg(g: Pooling) -> Run:
    """Prepare the launch of average pooling."""
    return _build(g, "average")


def build_avg_grad(g: Pooling) -> Run:
    """Prepare the launch of the gradient of average pooling."""
    return _build(g, "average_grad")
