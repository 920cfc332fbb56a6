"""Pooling and its gradients "channels" on CUDA: the host side of cuda_channels.cu, which holds the idea.

Takes everything. Whether a thread has 16 bytes of channels is decided at each call, by where its arrays begin.
"""

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..machine import cuda
from ..operation import Run
from .geometry import Pooling

_SOURCE = Path(__file__).with_suffix(".cu")
_THREADS = 256
_LARGE = 1 << 31  # groups of channels, which the kernel takes apart in 64 bits

MODES = ("max", "average", "max_grad", "average_grad")

_AXIS = np.dtype(
    [("stride", cuda.DIVISOR)]
    + [(name, np.int32) for name in ("size", "count", "kernel", "padding", "dilation", "unused")]
)
# As struct Arguments in cuda_channels.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", "places", "y", "found")]
    + [(name, cuda.DIVISOR) for name in ("across", "down", "groups")]
    + [("rows", _AXIS), ("columns", _AXIS), ("count", np.uint64), ("include_pad", np.int32), ("divisor", np.int32)]
)


@functools.cache
def kernel_for(mode: str, dtype: str, vector: int, *, places: bool, large: bool = False) -> cuda.Kernel:
    """The kernel of one mode and type, for so many channels in a load, with or without places to write."""
    macros = (
        ("THREADS", _THREADS), ("DOUBLE", int(dtype == "float64")), ("VECTOR", vector), ("LARGE", int(large)),
        ("MODE", MODES.index(mode)), ("PLACES", int(places)),
    )  # fmt: skip
    name = f"pool_{mode}{'_places' if places else ''}_{dtype}_x{vector}{'_large' if large else ''}"
    return cuda.Kernel(_SOURCE, name, _THREADS, ARGUMENTS, macros)


def _axis(g: Pooling, axis: int) -> tuple[Any, ...]:
    kernel, stride = (0, 1) if g.kernel is None else (g.kernel[axis], g.stride[axis])
    count = (g.p, g.q)[axis]
    return cuda.divisor(stride), g.image[1 + axis], count, kernel, g.padding[axis], g.dilation[axis], 0


def _stage(g: Pooling, mode: str, vector: int) -> cuda.Stage:
    _, rows, columns, channels = g.outputs[0][0]
    count = math.prod(g.outputs[0][0]) // vector
    prepared = np.zeros(1, ARGUMENTS)
    for name, number in (("across", columns), ("down", rows), ("groups", channels // vector)):
        prepared[name] = cuda.divisor(number)
    prepared["rows"], prepared["columns"], prepared["count"] = _axis(g, 0), _axis(g, 1), count
    prepared["include_pad"], prepared["divisor"] = g.include_pad, g.divisor
    kernel = kernel_for(mode, g.dtype.name, vector, places=len(g.outputs) == 2, large=count >= _LARGE)
    return cuda.Stage(kernel, (-(-count // _THREADS), 1, 1), 0, prepared)


def _build(g: Pooling, mode: str) -> Run:
    size, wide = math.prod(g.outputs[0][0]), 16 // g.dtype.itemsize
    stages = {vector: _stage(g, mode, vector) for vector in {1, 1 if g.image[3] % wide else wide} if size}
    wide = max(stages, default=1)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if size:
            aligned = not any(cuda.address(array) % 16 for array in (*arrays, *outputs))
            stages[wide if aligned else 1].run((*arrays, None)[:2], outputs)

    return run


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
