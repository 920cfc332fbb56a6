"""Correlation of 8-bit images in fixed point: public function and declaration."""

import functools

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import beside, to_device
from ..operation import Operation, Spec, Variant
from . import reference
from .geometry import CorrelationGeometry, check_weights, neighbours
from .reference import MODES

_ONE = 256


def _geometry(x: Spec, column: Spec, row: Spec, axis: object, mode: object, cval: object) -> CorrelationGeometry:
    name = "correlate_fixed2d"
    if x.dtype != np.uint8:
        raise TypeError(f"{name}: x expects uint8 but got {x.dtype}")
    taps = check_weights(name, "column", column), check_weights(name, "row", row)
    g = neighbours(name, x, *taps, axis, mode, cval)
    if not (0 <= g.cval <= 255 and g.cval == int(g.cval)):
        raise ValueError(f"{name}: cval expects an integer in [0, 255] but got {cval!r}")
    return g


CORRELATE_FIXED2D = Operation(
    "correlate_fixed2d",
    package=__package__,
    geometry=_geometry,
    variants=(
        Variant("rows", "cpu_fixed"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda", build="build_fixed"),
    ),
    reference=reference.correlate_fixed2d,
    reference_args=lambda g: (g.outer, g.h, g.w, g.inner, MODES[g.mode], int(g.cval)),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=tuple(
        {"below": {0: 256, 1: 50, 2: 50}, "integers": "uint8", **case}
        for case in (
            {"shapes": [(1, 1), (1,), (1,)]},
            {"shapes": [(2, 13, 17, 3), (3,), (4,)], "axis": 1, "mode": "constant", "cval": 200},
            {"shapes": [(7, 150), (5,), (5,)], "mode": "mirror"},
            {"shapes": [(4, 5), (5,), (5,)], "mode": "wrap"},
        )
    ),
)


def correlate_fixed2d(
    x: np.ndarray,
    column: ArrayLike,
    row: ArrayLike,
    *,
    axis: int = -2,
    mode: str = "reflect",
    cval: int = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Correlate 8-bit images along two neighbouring axes, by weights that are given in 256ths.

    Parameters
    ----------
    x : array of two axes or more, uint8
        Images ``(..., H, W)``, or ``(..., H, W, C)`` with ``axis=-3``.
    column, row : (taps,) array-like of integers
        256 times the weights along H and along W: not negative, and each at most 256 together.
    axis, mode, out, variant
        As in `correlate_separable2d`.
    cval : int
        The value outside the image where ``mode`` is "constant", in [0, 255].

    Returns
    -------
    uint8 array of the shape of ``x``
        ``(sum of column[r] * row[s] * x + 32768) // 65536``: nothing is rounded between the passes.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges or types do not fit; nothing is computed.

    Notes
    -----
    This is what OpenCV calls the bit-exact Gaussian of 8-bit images.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0, 0, 100, 0, 0]], np.uint8)
    >>> correlate_fixed2d(x, [256], [64, 128, 64])
    array([[ 0, 25, 50, 25,  0]], dtype=uint8)
    """
    weights = [beside(x, _in_256ths(argument, given)) for argument, given in (("column", column), ("row", row))]
    return CORRELATE_FIXED2D.run((x, *weights), (axis, mode, cval), out, variant)


@functools.lru_cache(maxsize=64)
def _are_256ths(weights: bytes) -> bool:
    """Whether int64 weights can be used; kept, since most filters use few."""
    numbers = np.frombuffer(weights, np.int64).tolist()
    return all(number >= 0 for number in numbers) and sum(numbers) <= _ONE


def _in_256ths(argument: str, weights: ArrayLike) -> np.ndarray:
    array = np.asarray(to_device(weights, "cpu"))
    if array.dtype == np.int64 and array.ndim == 1 and array.size and _are_256ths(array.tobytes()):
        return array
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"correlate_fixed2d: {argument} expects integers but got {array.dtype}")
    array = array.astype(np.int64)
    if array.size and (array.min() < 0 or array.sum() > _ONE):
        raise ValueError(
            f"correlate_fixed2d: {argument} expects weights of at least 0 and at most 256 together but got {weights!r}"
        )
    return array
