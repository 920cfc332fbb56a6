"""Sums over all rectangles that begin at the first pixel of an image.

reference.py     the definition
cpu_scan.py      "scan": sums across a row in vectors, of bytes into integers
cpu_rows.py      "rows": down the columns in vectors, then across four rows at a time
cuda_scan.py     "scan" on CUDA, with cuda_scan.cu: a warp or a block for some columns, and then for a row
cuda_naive.py    "naive" on CUDA: one thread, one column, then one row
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["integral"]

DTYPES = ("uint8", "float32", "float64")
SUMS = ("int32", "float32", "float64")


class Integral(NamedTuple):
    """Images (N, H, W, C)."""

    n: int
    h: int
    w: int
    c: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def numbers(self) -> int:
        """Of the images."""
        return self.n * self.h * self.w * self.c

    @property
    def working(self) -> np.dtype:
        """The type in which sums are made: they are rounded once, as they are written."""
        kind = self.outputs[0][1]
        return np.dtype(np.float64) if kind.kind == "f" else kind

    @property
    def bytes_moved(self) -> float:
        """Bytes of the images and of the sums, each once."""
        shape, dtype = self.outputs[0]
        return float(self.dtype.itemsize * self.numbers + dtype.itemsize * math.prod(shape))


def _geometry(x: Spec, dtype: Any) -> Integral:
    if len(x.shape) != 4:
        raise ValueError(f"integral: x expects shape (N, H, W, C) but got {x.shape}")
    if x.dtype.name not in DTYPES:
        raise TypeError(f"integral: x expects one of {', '.join(DTYPES)} but got {x.dtype}")
    if dtype not in SUMS or (dtype == "int32" and x.dtype.kind == "f"):
        known = SUMS if x.dtype.kind == "u" else SUMS[1:]
        raise ValueError(f"integral: dtype expects one of {', '.join(known)} for {x.dtype} but got {dtype!r}")
    n, h, w, c = x.shape
    return Integral(n, h, w, c, x.dtype, (((n, h + 1, w + 1, c), np.dtype(dtype)),))


INTEGRAL = Operation(
    "integral",
    package=__name__,
    geometry=_geometry,
    variants=(
        Variant("scan", "cpu_scan"),
        Variant("rows", "cpu_rows"),
        Variant("scan", "cuda_scan", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    reference=reference.integral,
    reference_args=lambda g: (),
    flops=lambda g: 2.0 * g.numbers,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1)]},
        {"shapes": [(2, 7, 30, 1)], "dtype": "int32", "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(1, 9, 14, 3)]},
        {"shapes": [(1, 4, 33, 2)], "dtype": "float32"},
    ),
)


def integral(
    x: np.ndarray, *, dtype: str = "float64", out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Sums over all rectangles that begin at the first pixel of an image; the first row and column are zero.

    Parameters
    ----------
    x : (N, H, W, C) array, uint8, float32 or float64
    dtype : {"float64", "float32", "int32"}
        The type of the sums. Floating-point ones are made in float64; int32, of uint8 alone, overflows beyond 8 million
        pixels of 255.
    out : (N, H + 1, W + 1, C) array of that type, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H + 1, W + 1, C) array

    Raises
    ------
    ValueError, TypeError
        Another type or number of axes.

    Notes
    -----
    Equals ``cv2.integral``, exactly for uint8. A NaN reaches all sums that hold it. Columns are summed first, then
    rows of their sums.

    Examples
    --------
    >>> import numpy as np
    >>> integral(np.array([[1, 2], [3, 4]], np.uint8).reshape(1, 2, 2, 1), dtype="int32")[0, :, :, 0]
    array([[ 0,  0,  0],
           [ 0,  1,  3],
           [ 0,  4, 10]], dtype=int32)
    """
    return INTEGRAL.run((x,), (dtype,), out, variant)
