"""The last launch of a sum on CUDA: the host side of cuda_total.cu, which holds the idea."""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..machine import cuda

_SOURCE = Path(__file__).with_suffix(".cu")
_THREADS = 256
SHARED_BYTES = _THREADS // 32 * 8
"""A float64 for each warp of a block of 256 threads."""

# As struct Arguments in cuda_total.cu.
ARGUMENTS = np.dtype([(name, np.uint64) for name in ("partials", "divisor", "y", "count")] + [("scale", np.float64)])


@functools.cache
def total_kernel(dtype: str) -> cuda.Kernel:
    """The kernel that writes a sum of that type."""
    macros = (("THREADS", _THREADS), ("DOUBLE", int(dtype == "float64")))
    return cuda.Kernel(_SOURCE, f"total_{dtype}", _THREADS, ARGUMENTS, macros)


def total(partials: Any, y: Any, scale: float = 1.0, divisor: Any = None) -> None:
    """Write ``scale * partials.sum() / divisor`` to y, an array of one number; partials and divisor are float64."""
    prepared = np.zeros(1, ARGUMENTS)
    prepared["count"], prepared["scale"] = partials.size, scale
    cuda.Stage(total_kernel(y.dtype.name), (1, 1, 1), SHARED_BYTES, prepared).run([partials, divisor], [y])
