"""Sums and means over any axes.

reference.py       the definition
cpu_blocked.py     "blocked": float64 sums of short float32 ones in an order that the shape alone decides
cuda_naive.py      "naive" on CUDA: one block, one sum
cuda_coalesced.py  "coalesced" on CUDA: one block, 32 neighbouring sums
cuda_blocks.cu     "blocks" on CUDA: neighbouring threads read neighbouring numbers, whichever way sums lie
cuda_blocks.py     its launches
"""

from typing import Any

import numpy as np

from ..operation import Operation, Spec, Variant
from . import reference
from .geometry import Reduction, reduction

__all__ = ["mean", "sum"]

_CASES = (
    {"shapes": [(1,)]},
    {"shapes": [(2, 9, 7, 3)]},
    {"shapes": [(4, 40, 40, 16)], "axis": (0, 1, 2)},
    {"shapes": [(4, 40, 40, 16)], "axis": (1, 2)},
    {"shapes": [(128, 1000)], "axis": -1},
    {"shapes": [(4, 3)], "axis": 0},
)


def _declare(name: str, mean: bool) -> Operation:
    def geometry(x: Spec, axis: Any, keepdims: bool) -> Reduction:
        return reduction(name, x, axis, keepdims, mean)

    return Operation(
        name,
        package=__name__,
        geometry=geometry,
        variants=(
            Variant("blocked", "cpu_blocked"),
            Variant("blocks", "cuda_blocks", device="cuda"),
            Variant("coalesced", "cuda_coalesced", device="cuda", teaching=True),
            Variant("naive", "cuda_naive", device="cuda", teaching=True),
        ),
        reference=reference.reduce,
        reference_args=lambda g: (g.shape, g.steps, g.scale),
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=_CASES,
    )


SUM, MEAN = _declare("sum", mean=False), _declare("mean", mean=True)


def sum(
    x: np.ndarray,
    *,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Sum over some axes.

    Parameters
    ----------
    x : array, float32 or float64
        An array that is not C-contiguous is copied first.
    axis : None, int or tuple of int
        The axes to sum over; all if None.
    keepdims : bool
        Leave summed axes in the result with one element each.
    out : array of the result's shape and dtype, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the same dtype; without axes if all are summed over and not kept

    Raises
    ------
    ValueError, TypeError
        Where an axis does not exist or is named twice, or ``x`` or ``out`` does not fit.

    Notes
    -----
    Float32 numbers are added four at a time, those sums in float64, which is rounded once: the error is at most 1.5
    units in the last place of the sum of the numbers' sizes, for any number of terms. The order depends on the shape
    alone, so the result does not depend on the number of threads. The sum of nothing is 0. NaN and infinity propagate.
    Equals ``numpy.sum``.

    Examples
    --------
    >>> import numpy as np
    >>> sum(np.arange(6, dtype=np.float32).reshape(2, 3), axis=0)
    array([3., 5., 7.], dtype=float32)
    """
    return SUM.run((x,), (axis, bool(keepdims)), out, variant)


def mean(
    x: np.ndarray,
    *,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Mean over some axes; of nothing, NaN. Otherwise as `sum`.

    >>> import numpy as np
    >>> mean(np.arange(6, dtype=np.float32).reshape(2, 3), axis=1, keepdims=True)
    array([[1.],
           [4.]], dtype=float32)
    """
    return MEAN.run((x,), (axis, bool(keepdims)), out, variant)
