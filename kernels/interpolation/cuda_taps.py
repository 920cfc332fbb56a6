"""Interpolation and its adjoint "taps" on CUDA: the host side of cuda_taps.cu, which holds the idea.

Takes float32 and float64. Whether a thread has 16 bytes of channels is decided at each call, by where its arrays begin.
"""

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import beside
from ..machine import cuda, cuda_image
from ..machine.separable import Taps
from ..operation import Run
from . import Interpolation
from .taps import taps_of

_SOURCE = Path(__file__).with_suffix(".cu")

_TABLES = [f"{axis}_{table}" for axis in ("row", "column") for table in ("starts", "places", "weights")]
# As struct Arguments in cuda_taps.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("x", *_TABLES, "y")]
    + [("image", cuda_image.IMAGE), ("height", np.int32), ("width", np.int32)]
)


def rejects(g: Interpolation) -> str | None:
    """Why this variant cannot take a call, or None."""
    return None if g.dtype.kind == "f" else "needs float32 or float64"


@functools.cache
def kernel_for(dtype: str, vector: int, *, large: bool = False) -> cuda.Kernel:
    """The kernel of one type, for so many channels in a load."""
    macros = (
        ("THREADS", cuda_image.THREADS), ("DOUBLE", int(dtype == "float64")), ("VECTOR", vector),
        ("LARGE", int(large)),
    )  # fmt: skip
    name = f"interpolate_{dtype}_x{vector}{'_large' if large else ''}"
    return cuda.Kernel(_SOURCE, name, cuda_image.THREADS, ARGUMENTS, macros)


def _build(g: Interpolation, rows: Taps, columns: Taps) -> Run:
    shape = g.outputs[0][0]
    if not math.prod(shape):
        return cuda_image.nothing
    tables = [
        table
        for taps in (rows, columns)
        for table in (taps.starts.astype(np.int32), taps.indices.astype(np.int32), taps.weights.astype(g.dtype))
    ]

    def stage(vector: int) -> cuda.Stage:
        prepared = np.zeros(1, ARGUMENTS)
        prepared["image"] = cuda_image.image(shape, vector)
        prepared["height"], prepared["width"] = rows.inputs, columns.inputs
        kernel = kernel_for(g.dtype.name, vector, large=cuda_image.is_large(shape, vector))
        return cuda.Stage(kernel, cuda_image.grid(shape, vector), 0, prepared)

    launch = cuda_image.by_vectors(stage, shape[3], g.dtype.itemsize)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch((arrays[0], *[beside(arrays[0], table) for table in tables]), outputs)

    return run


def build(g: Interpolation) -> Run:
    """Prepare the launch: a thread for 16 bytes of the result."""
    return _build(g, *taps_of(g))


def build_grad(g: Interpolation) -> Run:
    """Prepare the launch: a thread for 16 bytes of the image."""
    rows, columns = taps_of(g)
    return _build(g, rows.transposed(), columns.transposed())
