"""Correlation of arrays with weights along their axes, and of images with windows of weights: the linear filters.

    reference.py         the loops, interpreted in float64; compiled as they stand they are "naive"
    cpu_rows.py          "rows": both passes of a separable filter fused, one row of the result at a time
    cuda_blocks.py, .cu  "blocks" on CUDA, one axis or two, in floating point or fixed: both passes in a block
    cuda_naive.py        the same, one thread, one output
    cuda_tiled.py        separable on CUDA: both passes in a block's shared memory, a tile with its halo

    fixed.py         separable weights in 256ths for 8-bit images: the public function
    cpu_fixed.py     "rows": both passes in 16-bit integers

    window.py                    weights of two axes that are no product, and the gradients: the public functions
    window_reference.py          the definitions
    cpu_window_blocks.py         "blocks": 3x3 and 5x5 weights, four rows of the result at a time, in registers
    cpu_window.py                "rows": one row of the result at a time, from padded rows
    cpu_window_input_grad.py     like cpu_window.py, the gradient by the images
    cpu_window_weight_grad.py    like cpu_window.py, the gradient by the weights
    cuda_naive_window.py         on CUDA, all three: one thread, one output

Borders are those of ``scipy.ndimage``, by its names; beside them stand NumPy's ``pad`` and OpenCV's:

    reflect = grid-mirror       d c b a | a b c d | d c b a     symmetric   BORDER_REFLECT
    mirror                        d c b | a b c d | c b a       reflect     BORDER_REFLECT_101
    nearest                     a a a a | a b c d | d d d d     edge        BORDER_REPLICATE
    wrap = grid-wrap            a b c d | a b c d | a b c d     wrap        BORDER_WRAP
    constant = grid-constant    k k k k | a b c d | k k k k     constant    BORDER_CONSTANT

The weights may reach farther than the array is long: borders repeat.
"""

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import beside
from ..operation import Operation, Variant
from . import reference
from .fixed import correlate_fixed2d
from .geometry import one_axis, real_weights, two_axes
from .window import correlate2d, correlate2d_input_grad, correlate2d_weight_grad

__all__ = [
    "correlate1d",
    "correlate2d",
    "correlate2d_input_grad",
    "correlate2d_weight_grad",
    "correlate_fixed2d",
    "correlate_separable2d",
]

CORRELATE1D = Operation(
    "correlate1d",
    package=__name__,
    geometry=one_axis,
    variants=(
        Variant("rows", "cpu_rows"),
        Variant("blocks", "cuda_blocks", device="cuda", build="build_one_axis", rejects="rejects_one_axis"),
        Variant("naive", "cuda_naive", device="cuda", build="build_one_axis"),
    ),
    reference=reference.correlate1d,
    reference_args=lambda g: (g.outer, g.w, g.inner, reference.MODES[g.mode], g.cval, g.origin),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1,), (1,)]},
        {"shapes": [(23, 41), (5,)], "axis": 0, "mode": "mirror"},
        {"shapes": [(23, 41), (5,)], "axis": 1, "mode": "constant", "cval": 2.0},
        {"shapes": [(2, 3, 7, 3), (4,)], "axis": 2, "mode": "wrap", "origin": -1},
        {"shapes": [(3, 5, 40), (17,)], "axis": 1, "mode": "nearest"},
    ),
)

CORRELATE_SEPARABLE2D = Operation(
    "correlate_separable2d",
    package=__name__,
    geometry=two_axes,
    variants=(
        Variant("rows", "cpu_rows"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("tiled", "cuda_tiled", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    reference=reference.correlate_separable2d,
    reference_args=lambda g: (g.outer, g.h, g.w, g.inner, reference.MODES[g.mode], g.cval),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1), (1,), (1,)]},
        {"shapes": [(31, 67), (9,), (9,)], "mode": "nearest"},
        {"shapes": [(2, 13, 17, 3), (3,), (6,)], "axis": 1, "mode": "constant", "cval": -1.0},
        {"shapes": [(4, 5), (21,), (11,)], "mode": "mirror"},
    ),
)


def correlate1d(
    x: np.ndarray,
    weights: ArrayLike,
    *,
    axis: int = -1,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Correlate every line of an array along one axis with the same weights (which are not flipped).

    Parameters
    ----------
    x : array of any shape, float32 or float64
        An array that is not C-contiguous is copied first.
    weights : (taps,) array-like of real numbers
        Rounded to the type of ``x``.
    axis : int
    mode : {"reflect", "mirror", "nearest", "wrap", "constant", "grid-mirror", "grid-wrap", "grid-constant"}
        What lies outside the array; the last three are other names of the first, fourth and fifth.
    cval : float
        The value outside the array where ``mode`` is "constant".
    origin : int
        Weight ``taps // 2 + origin`` lies on the sample that is computed; in ``[-(taps // 2), (taps - 1) // 2]``.
    out : array of the shape and type of ``x``, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape and type of ``x``

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges or types do not fit; nothing is computed.

    Notes
    -----
    Equals ``scipy.ndimage.correlate1d`` within ``taps * eps * sum(abs(weights) * abs(x))``: sums are accumulated in
    the type of ``x``. A NaN reaches exactly the results whose weights cover it, weights of zero included.

    Examples
    --------
    >>> import numpy as np
    >>> correlate1d(np.array([2.0, 8, 0, 4, 1, 9, 9, 0]), [1, 3])
    array([ 8., 26.,  8., 12.,  7., 28., 36.,  9.])
    """
    arrays = (x, beside(x, real_weights("correlate1d", "weights", weights)))
    return CORRELATE1D.run(arrays, (axis, mode, cval, origin), out, variant)


def correlate_separable2d(
    x: np.ndarray,
    column: ArrayLike,
    row: ArrayLike,
    *,
    axis: int = -2,
    mode: str = "reflect",
    cval: float = 0.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Correlate along two neighbouring axes, by ``column`` along ``axis`` and then by ``row`` along the next.

    Parameters
    ----------
    x : array of two axes or more, float32 or float64
        Images ``(..., H, W)``, or ``(..., H, W, C)`` with ``axis=-3``.
    column, row : (taps,) array-like of real numbers
        Weights along H and along W.
    axis : int
        The axis of H; that of W follows it.
    mode, cval, out, variant
        As in `correlate1d`. With "constant" the image between the passes is continued by ``cval`` too.

    Returns
    -------
    array of the shape and type of ``x``

    Notes
    -----
    Equals two calls of ``scipy.ndimage.correlate1d``, within rounding; the image between them is never written.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.zeros((3, 4), np.float32)
    >>> x[1, 1] = 1
    >>> correlate_separable2d(x, [1, 2, 1], [3, 5, 7])
    array([[ 7.,  5.,  3.,  0.],
           [14., 10.,  6.,  0.],
           [ 7.,  5.,  3.,  0.]], dtype=float32)
    """
    name = "correlate_separable2d"
    arrays = (x, beside(x, real_weights(name, "column", column)), beside(x, real_weights(name, "row", row)))
    return CORRELATE_SEPARABLE2D.run(arrays, (axis, mode, cval), out, variant)
