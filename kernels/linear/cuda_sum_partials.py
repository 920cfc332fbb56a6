"""The sum of partial results in their order: the host side of cuda_sum_partials.cu."""

import functools
from pathlib import Path

import numpy as np

from ..activation.epilogue import CODES
from ..machine import cuda

_SOURCE = Path(__file__).with_suffix(".cu")
_THREADS = 256

# As struct Arguments in cuda_sum_partials.cu.
ARGUMENTS = np.dtype(
    [(name, np.uint64) for name in ("partials", "bias", "sum", "count", "parts", "columns")]
    + [("negative_slope", np.float64), ("activation", np.int32), ("unused", np.int32)]
)


@functools.cache
def sum_kernel(dtype: np.dtype) -> cuda.Kernel:
    """The kernel for one type."""
    macros = (("THREADS", _THREADS), ("DOUBLE", int(dtype == np.float64)))
    return cuda.Kernel(_SOURCE, f"sum_partials_{dtype.name}", _THREADS, ARGUMENTS, macros)


def adding(
    count: int,
    parts: int,
    dtype: np.dtype,
    *,
    columns: int = 1,
    activation: str | None = None,
    negative_slope: float = 0.0,
) -> cuda.Stage:
    """The launch for partials, bias or None, and their sum: one array of ``count`` numbers of so many.

    ``columns`` is the length of a bias.
    """
    prepared = np.zeros(1, ARGUMENTS)
    prepared["count"], prepared["parts"], prepared["columns"] = count, parts, columns
    prepared["activation"], prepared["negative_slope"] = CODES[activation], negative_slope
    return cuda.Stage(sum_kernel(dtype), (-(-count // _THREADS), 1, 1), 0, prepared)


def parts_of(units: int, wanted: int, least: int) -> tuple[int, int]:
    """Into how many parts so many units are cut, about as many as wanted, and the units of a part, at least so many."""
    parts = max(1, min(wanted, units // least))
    each = max(1, -(-units // parts))
    return max(1, -(-units // each)), each
