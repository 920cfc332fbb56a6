"""Derivatives of images: a slope along one axis, smoothed across it, and the length of the gradient.

    reference.py      the definitions in loops; compiled as they stand they are "naive"
    cpu_rows.py       "rows": both passes fused, one row of the result at a time
    cpu_slopes.py     "slopes": the same for the weights (-1, 0, 1) and (a, b, a) of 8-bit images
    cpu_blurred.py    "bands": the image blurred before, of which a few rows are kept at a time
    cpu_laplacian.py  "rows" of the Laplacian of 8-bit images
    cuda_naive.py     "naive" on CUDA: one thread, one output
    apart.py          "apart" on CUDA: blurred, then as above

Derivatives of 8-bit images are integers and exact. Borders are those of `tilegrad.kernels.correlation`.
"""

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import beside, to_device
from ..correlation.reference import MODES
from ..operation import Operation, Variant
from . import reference
from .geometry import (
    GradientGeometry,
    LaplacianGeometry,
    derivative_geometry,
    form_of,
    laplacian_geometry,
    magnitude_geometry,
)

__all__ = ["derivative2d", "gradient_magnitude2d", "laplacian2d"]


def _constants(g: GradientGeometry | LaplacianGeometry) -> tuple[int | float, ...]:
    return (g.outer, g.h, g.w, g.inner, MODES[g.mode], g.cval)


DERIVATIVE2D = Operation(
    "derivative2d",
    package=__name__,
    geometry=derivative_geometry,
    variants=(
        Variant("slopes", "cpu_slopes"),
        Variant("rows", "cpu_rows", build="build_derivative"),
        Variant("naive", "cuda_naive", device="cuda", build="build_derivative"),
    ),
    reference=reference.derivative2d,
    reference_args=_constants,
    flops=lambda g: 2.0 * g.pixels * (g.column + g.row),
    bytes_moved=lambda g: 3.0 * g.pixels,
    cases=(
        {"shapes": [(1, 1), (1,), (1,)], "below": {0: 256, 1: 4, 2: 4}, "integers": "uint8"},
        {"shapes": [(9, 70)], "below": {0: 256}, "integers": "uint8", "column": (1, 2, 1), "row": (-1, 0, 1)},
        {"shapes": [(5, 67)], "below": {0: 256}, "integers": "uint8", "column": (-1, 0, 1), "row": (3, 10, 3)},
        {"shapes": [(2, 19, 70), (3,), (3,)], "below": {0: 256, 1: 4, 2: 4}, "integers": "uint8", "mode": "mirror"},
        {
            "shapes": [(9, 11, 3), (7,), (4,)], "below": {0: 256, 1: 40, 2: 40}, "integers": "uint8",
            "axis": 0, "mode": "constant", "cval": 9,
        },
    ),
)  # fmt: skip

LAPLACIAN2D = Operation(
    "laplacian2d",
    package=__name__,
    geometry=laplacian_geometry,
    variants=(
        Variant("rows", "cpu_laplacian"),
        Variant("naive", "cuda_naive", device="cuda", build="build_laplacian"),
    ),
    reference=reference.laplacian2d,
    reference_args=lambda g: (*_constants(g), g.corners),
    flops=lambda g: 5.0 * g.pixels,
    bytes_moved=lambda g: 3.0 * g.pixels,
    cases=(
        {"shapes": [(1, 1)], "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(9, 70)], "below": {0: 256}, "integers": "uint8", "corners": True},
        {"shapes": [(2, 19, 7, 3)], "below": {0: 256}, "integers": "uint8", "axis": 1, "mode": "mirror"},
        {"shapes": [(5, 67)], "below": {0: 256}, "integers": "uint8", "mode": "constant", "cval": 9, "corners": True},
    ),
)

GRADIENT_MAGNITUDE2D = Operation(
    "gradient_magnitude2d",
    package=__name__,
    geometry=magnitude_geometry,
    variants=(
        Variant("rows", "cpu_rows", build="build_magnitude"),
        Variant("bands", "cpu_blurred"),
        Variant("naive", "cuda_naive", device="cuda", build="build_magnitude", rejects="rejects_blurred"),
        Variant("apart", "apart", device="cuda", composed=True),
    ),
    reference=reference.gradient_magnitude2d,
    reference_args=_constants,
    flops=lambda g: g.pixels * (8.0 * g.column + 4 * g.blur + 5),
    bytes_moved=lambda g: 2.0 * g.pixels * g.dtype.itemsize,
    cases=(
        {"shapes": [(1, 1), (3,), (3,)]},
        {"shapes": [(19, 70), (3,), (3,)], "mode": "nearest"},
        {"shapes": [(2, 9, 11, 3), (5,), (5,)], "axis": 1, "mode": "constant", "cval": 2.0},
        {"shapes": [(2, 9, 11, 3), (3,), (3,), (4,)], "axis": 1, "mode": "constant", "cval": 2.0},
        {"shapes": [(5, 7), (3,), (3,), (9,)], "mode": "wrap"},
    ),
)


def derivative2d(
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
    """Correlate 8-bit images with integers, by ``column`` along ``axis`` and ``row`` along the next axis; exact.

    Parameters
    ----------
    x : array of two axes or more, uint8
        Images ``(..., H, W)``, or ``(..., H, W, C)`` with ``axis=-3``.
    column, row : (taps,) array-like of integers
        Weights along H and along W, which are not flipped; Sobel's derivative along W has (1, 2, 1) and (-1, 0, 1).
    axis : int
        The axis of H; that of W follows it.
    mode : {"reflect", "mirror", "nearest", "wrap", "constant", "grid-mirror", "grid-wrap", "grid-constant"}
        What lies outside the image; see `correlate1d`.
    cval : int
        The value outside the image where ``mode`` is "constant", in [0, 255].
    out : int16 array of the shape of ``x``, optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    int16 array of the shape of ``x``
        Sums that int16 does not hold become the nearest number that it does.

    Raises
    ------
    TypeError, ValueError
        Not uint8, fewer than two axes, weights that are no integers or whose sums leave 32 bits, an unknown mode.

    Notes
    -----
    Equals ``cv2.Sobel`` and ``cv2.Scharr`` of 8-bit images, with their weights.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 250, 250]], np.uint8)
    >>> derivative2d(x, [1, 2, 1], [-1, 0, 1])
    array([[  0,  40,  40,   0],
           [  0, 280, 280,   0],
           [  0, 760, 760,   0]], dtype=int16)
    """
    name = "derivative2d"
    weights = [_integers(name, "column", column), _integers(name, "row", row)]
    form = form_of(name, tuple(weights[0].tolist()), tuple(weights[1].tolist()))
    arrays = (x, *[beside(x, numbers) for numbers in weights])
    return DERIVATIVE2D.run(arrays, (axis, mode, cval, form), out, variant)


def laplacian2d(
    x: np.ndarray,
    *,
    corners: bool = False,
    axis: int = -2,
    mode: str = "reflect",
    cval: int = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """The sum of both second derivatives of 8-bit images, in one pass; exact.

    Parameters
    ----------
    x : array of two axes or more, uint8
        Images ``(..., H, W)``, or ``(..., H, W, C)`` with ``axis=-3``.
    corners : bool
        Of second differences, (1, -2, 1), alone: the four neighbours beside a pixel less four times it. True smooths
        each by (1, 2, 1) across: twice the four at its corners less eight times it.
    axis, mode, cval, variant
        As in `derivative2d`.
    out : int16 array of the shape of ``x``, optional

    Returns
    -------
    int16 array of the shape of ``x``

    Raises
    ------
    TypeError, ValueError
        Not uint8, fewer than two axes, an unknown mode.

    Notes
    -----
    Equals ``cv2.Laplacian`` of 8-bit images, with ``ksize=1`` and 3.

    Examples
    --------
    >>> import numpy as np
    >>> laplacian2d(np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]], np.uint8))
    array([[  0,   9,   0],
           [  9, -36,   9],
           [  0,   9,   0]], dtype=int16)
    """
    return LAPLACIAN2D.run((x,), (axis, mode, cval, corners), out, variant)


def gradient_magnitude2d(
    x: np.ndarray,
    smooth: ArrayLike,
    slope: ArrayLike,
    blur: ArrayLike | None = None,
    *,
    axis: int = -2,
    mode: str = "reflect",
    cval: float = 0.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """The root of the mean square of an image's derivatives along two neighbouring axes.

    Parameters
    ----------
    x : array of two axes or more, float32 or float64
        Images ``(..., H, W)``, or ``(..., H, W, C)`` with ``axis=-3``.
    smooth, slope : (taps,) array-like of real numbers
        A derivative is a correlation by ``slope`` along one axis and by ``smooth`` along the other.
    blur : (taps,) array-like of real numbers, optional
        Weights by which the image is correlated along both axes before. On the CPU the blurred image is never written
        as a whole.
    axis, mode, cval, out, variant
        As in `correlate1d`; the axis behind ``axis`` is the other one.

    Returns
    -------
    array of the shape and type of ``x``
        ``sqrt((down**2 + along**2) / 2)``

    Raises
    ------
    TypeError, ValueError
        Not float32 or float64, fewer than two axes, weights of two lengths, an unknown mode.

    Notes
    -----
    Sums are accumulated in the type of ``x``. A NaN reaches exactly the pixels whose windows hold it. A length whose
    square the type does not hold is infinite.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0, 0, 1, 1]] * 3, np.float32)
    >>> gradient_magnitude2d(x, [0.25, 0.5, 0.25], [-1, 0, 1]).round(3)[0]
    array([0.   , 0.707, 0.707, 0.   ], dtype=float32)
    """
    name = "gradient_magnitude2d"
    weights = [_numbers(name, "smooth", smooth), _numbers(name, "slope", slope)]
    arrays = (x, *[beside(x, w) for w in weights], None if blur is None else beside(x, _numbers(name, "blur", blur)))
    return GRADIENT_MAGNITUDE2D.run(arrays, (axis, mode, cval), out, variant)


def _integers(name: str, argument: str, weights: ArrayLike) -> np.ndarray:
    array = np.asarray(to_device(weights, "cpu"))
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: {argument} expects integers but got {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"{name}: {argument} expects one axis of at least one number but got shape {array.shape}")
    return array.astype(np.int64, copy=False)


def _numbers(name: str, argument: str, weights: ArrayLike) -> np.ndarray:
    array = np.asarray(to_device(weights, "cpu"))
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: {argument} expects real numbers but got {array.dtype}")
    return array.astype(np.float64, copy=False)
