"""Numbers on either side of a threshold replaced.

reference.py    the definition
cpu_select.py   "select": one comparison and one choice for a vector of numbers
cuda_vector.py  "vector" on CUDA, with cuda_vector.cu: one thread, 16 bytes
cuda_naive.py   "naive" on CUDA: one thread, one number
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..arguments import integer
from ..operation import Operation, Spec, Variant
from . import reference
from .reference import RULES

__all__ = ["threshold"]

DTYPES = ("uint8", "int16", "uint16", "float32", "float64")


class Threshold(NamedTuple):
    """``n`` images of ``size`` numbers."""

    n: int
    size: int
    rule: int
    top: float
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def numbers(self) -> int:
        return self.n * self.size


def _geometry(x: Spec, levels: Spec, rule: Any, top: Any, batch_axes: Any) -> Threshold:
    if x.dtype.name not in DTYPES or not x.dtype.isnative:
        raise TypeError(f"threshold: x expects one of {', '.join(DTYPES)} but got {x.dtype}")
    batch = x.shape[: integer("threshold", "batch_axes", batch_axes, 0, len(x.shape))]
    if levels.dtype != x.dtype or levels.shape != batch:
        raise ValueError(f"threshold: levels expects {batch} {x.dtype} but got {levels.shape} {levels.dtype}")
    if rule not in RULES:
        raise ValueError(f"threshold: rule expects one of {', '.join(map(repr, RULES))} but got {rule!r}")
    if isinstance(top, bool) or not isinstance(top, int | float | np.number):
        raise TypeError(f"threshold: top expects a number but got {top!r}")
    if x.dtype.kind != "f" and not (np.iinfo(x.dtype).min <= top <= np.iinfo(x.dtype).max and top == int(top)):
        raise ValueError(f"threshold: top expects a number of the type {x.dtype} but got {top!r}")
    n = math.prod(batch)
    return Threshold(n, math.prod(x.shape[len(batch) :]), RULES.index(rule), float(top), x.dtype, ((x.shape, x.dtype),))


THRESHOLD = Operation(
    "threshold",
    package=__name__,
    geometry=_geometry,
    variants=(
        Variant("select", "cpu_select"),
        Variant("vector", "cuda_vector", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    reference=reference.threshold,
    reference_args=lambda g: (g.n, g.rule, g.top),
    flops=lambda g: float(g.numbers),
    bytes_moved=lambda g: 2.0 * g.dtype.itemsize * g.numbers,
    cases=(
        {"shapes": [(1,), ()]},
        {"shapes": [(9, 70), ()], "below": {0: 256, 1: 256}, "integers": "uint8", "top": 255},
        *({"shapes": [(2, 5, 7), (2,)], "rule": rule, "batch_axes": 1} for rule in RULES),
    ),
)


def threshold(
    x: np.ndarray,
    levels: np.ndarray,
    *,
    rule: str = "binary",
    top: float = 1,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Replace the numbers above and below a threshold.

    Parameters
    ----------
    x : array of any shape, uint8, int16, uint16, float32 or float64
    levels : array of the type of ``x``, its shape the first ``batch_axes`` sides of that of ``x``
        The threshold of each image.
    rule : {"binary", "binary_inv", "trunc", "tozero", "tozero_inv"}
        Numbers above the threshold become ``top``, 0, the threshold, themselves or 0; those up to it 0, ``top``,
        themselves, 0 or themselves. A NaN becomes 0 by the first two rules and stays by the others.
    top : float
        A number of the type of ``x``.
    batch_axes : int
        How many leading axes count images.
    out : array of the shape and type of ``x``, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape and type of ``x``

    Raises
    ------
    ValueError, TypeError
        Another type or rule, levels of another shape or type.

    Examples
    --------
    >>> import numpy as np
    >>> threshold(np.array([1.0, 5.0, 9.0]), np.array(4.0), rule="trunc")
    array([1., 4., 4.])
    """
    return THRESHOLD.run((x, levels), (rule, top, batch_axes), out, variant)
