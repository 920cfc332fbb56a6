"""Canny's edge detector on real numbers, up to its hysteresis: smoothing, gradient, and thinning with interpolation.

    reference.py    the definition in loops; compiled as it stands it is "naive"
    cpu_rows.py     "rows": all stages in one walk over the image
    cuda_blocks.py  "blocks" on CUDA, with cuda_blocks.cu: all stages of a tile of pixels in one launch
    cuda_naive.py   "naive" on CUDA: a launch for each stage, one thread, one pixel

`hysteresis` makes edges of the classes. The detector on integers, which smooths nothing, is `canny`.
"""

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import beside, to_device
from ..correlation.reference import MODES
from ..operation import Operation, Variant
from . import reference
from .geometry import smoothed_edges_geometry, working_type

__all__ = ["smoothed_edges"]

SMOOTHED_EDGES = Operation(
    "smoothed_edges",
    package=__name__,
    geometry=smoothed_edges_geometry,
    variants=(
        Variant("rows", "cpu_rows"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    reference=reference.smoothed_edges,
    reference_args=lambda g: (g.n, g.h, g.w, MODES[g.mode], g.cval, g.scale, g.stage),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1), (1,), (1,)], "stage": "norms"},
        {"shapes": [(2, 9, 40), (1,), (1,)], "low": 0.5, "high": 1.0},
        {"shapes": [(1, 70, 7), (3,), (3,)], "stage": "smoothed", "mode": "constant", "cval": 2.0},
        {"shapes": [(1, 9, 11), (3,), (1,)], "stage": "norms", "mode": "mirror"},
    ),
)


def smoothed_edges(
    x: np.ndarray,
    column: ArrayLike,
    row: ArrayLike,
    *,
    divisor: np.ndarray | None = None,
    inside: np.ndarray | None = None,
    low: ArrayLike = 0.0,
    high: ArrayLike = 0.0,
    stage: str = "classes",
    mode: str = "reflect",
    cval: float = 0.0,
    scale: float = 1.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Smooth images, and find the pixels where the gradient is largest: classes for `hysteresis`.

    Parameters
    ----------
    x : (N, H, W) array, uint8, float32 or float64
        Of uint8 the numbers times ``scale`` are taken, in float64.
    column, row : (taps,) array-like of real numbers, an odd number of them
        Weights along H and along W, equal from both ends; only the first half and the middle are read.
    divisor : (N or 1, H, W) array of the type that is computed in, optional
        The smoothed image is divided by it. Of an odd number of rows below H, the middle one stands for all rows
        between those before and those behind it.
    inside : (N or 1, H, W) bool array, optional
        Pixels elsewhere are of no class, and neither are those at the image's border.
    low, high : float or (N,) array-like
        A maximum whose norm is at least ``low`` is weak, at least ``high`` strong; a norm of 0 is nothing.
    stage : {"classes", "norms", "smoothed"}
        What to return.
    mode, cval
        What lies outside the image, as in `correlate1d`.
    scale : float
        Factor of integers.
    out : array, optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H, W) uint8 array of classes, or array of norms or of the smoothed image in the type that is computed in

    Raises
    ------
    TypeError, ValueError
        Where shapes, ranges or types do not fit; nothing is computed.

    Notes
    -----
    Every step is rounded to float32 for float32 images, else to float64, in the order of the definition, which is that
    of ``skimage.feature.canny``: results are the same bits. A pixel whose norm is NaN is of no class.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.zeros((1, 4, 6))
    >>> x[:, :, 3:] = 1
    >>> smoothed_edges(x, [0.25, 0.5, 0.25], [0.25, 0.5, 0.25], low=2, high=2.5)[0]
    array([[0, 0, 0, 0, 0, 0],
           [0, 0, 2, 2, 0, 0],
           [0, 0, 2, 2, 0, 0],
           [0, 0, 0, 0, 0, 0]], dtype=uint8)
    """
    name = "smoothed_edges"
    images = x.shape[0] if hasattr(x, "dtype") and x.ndim else 1
    kind = working_type(x.dtype) if hasattr(x, "dtype") else np.dtype(float)
    thresholds = np.empty((images, 2))
    thresholds[:, 0], thresholds[:, 1] = to_device(low, "cpu"), to_device(high, "cpu")
    arrays = (
        x,
        beside(x, _weights(name, "column", column)),
        beside(x, _weights(name, "row", row)),
        beside(x, np.empty((0, 0, 0), kind)) if divisor is None else divisor,
        beside(x, np.empty((0, 0, 0), bool)) if inside is None else inside,
        beside(x, thresholds),
    )
    return SMOOTHED_EDGES.run(arrays, (mode, cval, scale, stage), out, variant)


def _weights(name: str, argument: str, weights: ArrayLike) -> np.ndarray:
    array = np.asarray(to_device(weights, "cpu"))
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}: {argument} expects real numbers but got {array.dtype}")
    return array.astype(np.float64, copy=False)
