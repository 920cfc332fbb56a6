"""How much two images differ: the sums over pixels and windows under the metrics.

    reference.py    the definitions in loops, interpreted in float64; compiled as they stand they are "naive"
    cpu_sums.py     "sums": mean squared error in one walk over both images
    cpu_rows.py     "rows": structural similarity fused, one row of pixels at a time, from both images to the sum
    cuda_blocks.py  "blocks" on CUDA, with cuda_blocks.cu: structural similarity fused, a tile of pixels for a block
    cuda_errors.py  "blocks" on CUDA, with cuda_errors.cu: mean squared error in parts of images
    cuda_means.py   the last launch of both, with cuda_means.cu: parts are added for each image
    cuda_naive.py   "naive" on CUDA: one thread, one pixel, then sums of sums

Images may be float32, float64, uint8 or uint16; sums are in float64.
"""

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import beside
from ..operation import Operation, Variant
from . import reference
from .geometry import error_geometry, similarity_geometry

__all__ = ["mean_squared_error", "structural_similarity"]

MEAN_SQUARED_ERROR = Operation(
    "mean_squared_error",
    package=__name__,
    geometry=error_geometry,
    variants=(
        Variant("sums", "cpu_sums"),
        Variant("blocks", "cuda_errors", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda", build="build_error"),
    ),
    reference=reference.mean_squared_error,
    reference_args=lambda g: (g.n, g.size),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1,), (1,)]},
        {"shapes": [(3, 130, 140), (3, 130, 140)]},
        {"shapes": [(3, 130, 140), (3, 130, 140)], "batch_axes": 1},
    ),
)

STRUCTURAL_SIMILARITY = Operation(
    "structural_similarity",
    package=__name__,
    geometry=similarity_geometry,
    variants=(
        Variant("rows", "cpu_rows"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    reference=reference.structural_similarity,
    reference_args=lambda g: ((g.n, g.d, g.h, g.w), g.axes, g.margin, g.c1, g.c2, g.scale),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1), (1, 1), (1,)], "c1": 0.01, "c2": 0.03},
        {"shapes": [(2, 11, 21), (2, 11, 21), (7,)], "c1": 0.01, "c2": 0.03, "margin": 3, "maps": 4},
        {"shapes": [(40,), (40,), (5,)], "axes": 1, "c1": 0.01, "c2": 0.03, "scale": 1.25, "maps": 1},
        {"shapes": [(4, 5, 6), (4, 5, 6), (3,)], "axes": 3, "c1": 0.01, "c2": 0.03, "margin": 1, "maps": 4},
    ),
)


def mean_squared_error(
    x: np.ndarray, y: np.ndarray, *, batch_axes: int = 0, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Mean of the squared difference of two images, for each of a batch of them.

    Parameters
    ----------
    x, y : arrays of one shape and type, float32, float64, uint8 or uint16
    batch_axes : int
        How many leading axes count images; the mean is taken over the others, which may not be empty.
    out : float64 array, optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    float64 array of the shape of the leading axes, without axes for ``batch_axes=0``

    Examples
    --------
    >>> import numpy as np
    >>> mean_squared_error(np.array([[1, 2], [3, 4]], np.uint8), np.array([[1, 4], [3, 4]], np.uint8), batch_axes=1)
    array([2., 0.])
    """
    return MEAN_SQUARED_ERROR.run((x, y), (batch_axes,), out, variant)


def structural_similarity(
    x: np.ndarray,
    y: np.ndarray,
    weights: ArrayLike,
    *,
    c1: float,
    c2: float,
    scale: float = 1.0,
    axes: int = 2,
    margin: int = 0,
    maps: int = 0,
    out: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Structural similarity and mean squared error of two images, for each of a batch of them.

    Parameters
    ----------
    x, y : (..., [D, [H,]] W) arrays of one shape and type, float32, float64, uint8 or uint16
    weights : (taps,) array-like of real numbers, an odd number of them
        The window along each axis of the image. They should add up to 1.
    c1, c2 : float
        The constants that keep the quotient finite, in squared units of the images.
    scale : float
        Factor on variances and covariance.
    axes : int
        How many last axes are the image's: 1, 2 or 3.
    margin : int
        Pixels closer to the border do not count in the mean.
    maps : {0, 1, 4}
        What to return of each pixel: nothing, S, or S and the three terms of its gradient, which are ``A1 / D``,
        ``-S / B2`` and ``(mx (A2 - A1) - my (B2 - B1) S) / D`` in the letters of the paper.
    out : (means, maps, errors) float64 arrays, optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    means : float64 array of the shape of the leading axes
        Mean of S over the pixels inside the margin.
    maps : (maps, *x.shape) float64 array
    errors : float64 array of the shape of the leading axes
        Mean of the squared difference over all pixels.

    Notes
    -----
    At the border the image is mirrored about its edge ("reflect"). A NaN reaches exactly the windows that hold it.

    Source: Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004;
    A. N. Avanaki, "Exact global histogram specification optimized for structural similarity", 2009 (equations 7, 8).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(64.0).reshape(8, 8)
    >>> means, maps, errors = structural_similarity(x, x, [0.25, 0.5, 0.25], c1=0.01, c2=0.03, maps=1)
    >>> means.item(), maps.shape, errors.item()
    (1.0, (1, 8, 8), 0.0)
    """
    taps = np.asarray(weights)
    if taps.dtype.kind not in "fiu":
        raise TypeError(f"structural_similarity: weights expects real numbers but got {taps.dtype}")
    arrays = (x, y, beside(x, taps.astype(np.float64, copy=False)))
    return STRUCTURAL_SIMILARITY.run(arrays, (axes, c1, c2, scale, margin, maps), out, variant)
