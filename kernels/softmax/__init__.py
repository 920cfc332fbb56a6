"""Softmax and its logarithm over the last axis, and their gradients.

reference.py       the definitions
cpu_rows.py        "rows": rows in blocks that stay in the first cache, the exponentials of a block as one vector loop
cuda_naive.py      "naive" on CUDA: one thread, one row
cuda_coalesced.py  "coalesced" on CUDA: one block, one row
cuda_teams.py      "teams" on CUDA, with cuda_teams.cu: threads side by side on each row
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arguments import check_real
from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["log_softmax", "log_softmax_grad", "softmax", "softmax_grad"]


class Rows(NamedTuple):
    """``rows`` vectors of ``columns`` numbers; ``operands`` arrays of them are read."""

    operation: str
    dtype: np.dtype
    rows: int
    columns: int
    operands: int
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def size(self) -> int:
        """Numbers in an array."""
        return self.rows * self.columns

    @property
    def flops(self) -> float:
        """A subtraction, an exponential, an addition and a multiplication for each number."""
        return 4 * self.size

    @property
    def bytes_moved(self) -> float:
        """Bytes of every array, once."""
        return self.dtype.itemsize * self.size * (self.operands + 1)


def _geometry(name: str, arguments: tuple[str, ...]) -> Callable[..., Rows]:
    def geometry(*specs: Spec) -> Rows:
        first = check_real(name, arguments[0], specs[0])
        for argument, spec in zip(arguments[1:], specs[1:], strict=True):
            check_real(name, argument, spec)
            if spec.dtype != first.dtype:
                seen = f"{first.dtype} and {spec.dtype}"
                raise TypeError(f"{name}: {arguments[0]} and {argument} expect one dtype but got {seen}")
            if spec.shape != first.shape:
                seen = f"{first.shape} and {spec.shape}"
                raise ValueError(f"{name}: {arguments[0]} and {argument} expect one shape but got {seen}")
        if not first.shape:
            raise ValueError(f"{name}: {arguments[0]} expects at least one axis but got shape ()")
        columns = first.shape[-1]
        return Rows(name, first.dtype, math.prod(first.shape[:-1]), columns, len(specs), ((first.shape, first.dtype),))

    return geometry


def _declare(name: str, arguments: tuple[str, ...], definition: Callable[..., None]) -> Operation:
    shapes = [(1,), (5, 7), (3, 4, 10), (2, 1500), (40, 40, 8)]
    return Operation(
        name,
        package=__name__,
        geometry=_geometry(name, arguments),
        variants=(
            Variant("rows", "cpu_rows"),
            Variant("teams", "cuda_teams", device="cuda"),
            Variant("coalesced", "cuda_coalesced", device="cuda", teaching=True),
            Variant("naive", "cuda_naive", device="cuda", teaching=True),
        ),
        reference=definition,
        reference_args=lambda g: (),
        flops=lambda g: g.flops,
        bytes_moved=lambda g: g.bytes_moved,
        cases=tuple({"shapes": [shape] * len(arguments)} for shape in shapes),
    )


SOFTMAX = _declare("softmax", ("x",), reference.softmax)
LOG_SOFTMAX = _declare("log_softmax", ("x",), reference.log_softmax)
SOFTMAX_GRAD = _declare("softmax_grad", ("gy", "y"), reference.softmax_grad)
LOG_SOFTMAX_GRAD = _declare("log_softmax_grad", ("gy", "y"), reference.log_softmax_grad)


def softmax(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """``exp(x)`` divided by its sum over the last axis: positive numbers that add up to 1.

    Parameters
    ----------
    x : (..., C) array, float32 or float64
        An array that is not C-contiguous is copied first.
    out : (..., C) array of the same dtype, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (..., C) array

    Raises
    ------
    ValueError, TypeError
        Where ``x`` has no axis or is not float32 or float64, or ``out`` does not fit.

    Notes
    -----
    The largest number of each row is subtracted first, so nothing overflows; sums are float64. A row with NaN or
    positive infinity, or of nothing but negative infinities, is NaN. Equals ``torch.softmax(x, -1)``.

    Examples
    --------
    >>> import numpy as np
    >>> softmax(np.array([[0.0, 0.0], [1000.0, -1000.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    return SOFTMAX.run((x,), (), out, variant)


def log_softmax(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """The logarithm of `softmax`, also where that underflows: ``x - log(sum(exp(x)))``. Otherwise as `softmax`.

    >>> import numpy as np
    >>> log_softmax(np.array([1000.0, -1000.0]))
    array([    0., -2000.])
    """
    return LOG_SOFTMAX.run((x,), (), out, variant)


def softmax_grad(
    gy: np.ndarray, y: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Gradient of `softmax` by its input: ``y * (gy - sum(gy * y))``.

    Parameters
    ----------
    gy : (..., C) array, float32 or float64
        Gradient by the output.
    y : (..., C) array of the same dtype
        The output.
    out, variant
        As in `softmax`.

    Returns
    -------
    (..., C) array

    Examples
    --------
    >>> import numpy as np
    >>> softmax_grad(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    array([ 0.25, -0.25])
    """
    return SOFTMAX_GRAD.run((gy, y), (), out, variant)


def log_softmax_grad(
    gy: np.ndarray, y: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Gradient of `log_softmax` by its input: ``gy - exp(y) * sum(gy)``. Otherwise as `softmax_grad`.

    >>> import numpy as np
    >>> log_softmax_grad(np.array([1.0, 0.0]), np.log([0.5, 0.5]))
    array([ 0.5, -0.5])
    """
    return LOG_SOFTMAX_GRAD.run((gy, y), (), out, variant)
