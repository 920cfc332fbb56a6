"""Non-local means: every pixel becomes a mean of the pixels around it whose surroundings resemble its own.

    reference.py     the loops, interpreted in float64; compiled as they stand they are "naive"
    cpu_tiles.py     "tiles": floating-point images, patches with any separable weights
    weights.py       the integer weights of byte images, and whether a polynomial gives the same ones
    integer_rows.py  vector code for rows of squared differences of bytes
    cpu_integer.py   "integer": byte images, to the bit
    cuda_naive.py    "naive" on CUDA: both, one thread, one output

Distances of all patches under one offset of the search window are a window's sums over one image of squared
differences, so that a distance costs a few operations and not a patch's worth of them. Source: A. Buades, B. Coll and
J.-M. Morel, "A non-local algorithm for image denoising", 2005; J. Darbon et al., "Fast nonlocal filtering applied to
electron cryomicroscopy", 2008.
"""

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import beside
from ..operation import Operation, Variant
from . import reference
from .geometry import integer_geometry, means_geometry
from .weights import weights_of

__all__ = ["nl_means", "nl_means_uint8"]

NL_MEANS = Operation(
    "nl_means",
    package=__name__,
    geometry=means_geometry,
    variants=(Variant("tiles", "cpu_tiles"), Variant("naive", "cuda_naive", device="cuda")),
    reference=reference.nl_means,
    reference_args=lambda g: (g.shape, g.before, g.distance, g.inside, g.scale, g.offset, g.cutoff),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1), (3,)], "before": 1, "distance": 2},
        {"shapes": [(2, 6, 7, 2), (3,)], "before": 1, "distance": 2, "scale": 2.0, "offset": 0.01},
        {"shapes": [(1, 9, 5, 1), (4,)], "before": 1, "distance": 3, "inside": True, "cutoff": 30.0},
        {"shapes": [(1, 70, 530, 1), (1,)], "before": 0, "distance": 1},
    ),
)

NL_MEANS_UINT8 = Operation(
    "nl_means_uint8",
    package=__name__,
    geometry=integer_geometry,
    variants=(Variant("integer", "cpu_integer"), Variant("naive", "cuda_naive", device="cuda", build="build_uint8")),
    reference=reference.nl_means_uint8,
    reference_args=lambda g: (g.shape, weights_of(*g.key).table, g.patch, g.distance, weights_of(*g.key).shift),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1)], "below": {0: 256}, "integers": "uint8", "h": 20.0, "search_size": 5},
        {"shapes": [(1, 5, 9, 3)], "below": {0: 256}, "integers": "uint8", "h": 90.0, "search_size": 3},
        {"shapes": [(1, 70, 270, 1)], "below": {0: 64}, "integers": "uint8", "h": 20.0, "search_size": 7},
    ),
)


def nl_means(
    x: np.ndarray,
    weights: ArrayLike,
    *,
    before: int,
    distance: int,
    inside: bool = False,
    scale: float = 1.0,
    offset: float = 0.0,
    cutoff: float = 5.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Non-local means of images of floating-point numbers.

    Parameters
    ----------
    x : (N, H, W, C), float32 or float64
    weights : (taps,) array-like of real numbers
        A patch of ``taps * taps`` pixels is weighted by the products of two of these.
    before : int
        How many of the taps lie above, and left of, the pixel that the patch belongs to.
    distance : int
        The search window reaches so many pixels in each direction.
    inside : bool
        Average pixels of the image alone; by default also those that its mirrored continuation has.
    scale, offset : float, at least 0
        The distance of two patches is ``scale`` times the weighted sum, over pixels and channels, of their squared
        differences less ``offset`` (twice the noise's variance makes noise alone no distance).
    cutoff : float
        A patch counts with weight ``exp(-distance)``, a negative distance as 0, and not at all beyond this distance.
    out : (N, H, W, C) array, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H, W, C) array of the type of ``x``

    Raises
    ------
    TypeError, ValueError
        Where an array or a number does not fit.

    Notes
    -----
    Outside the image it is mirrored about its edge pixels ("mirror"). A pixel is NaN if its own patch holds a NaN, or
    its search window one. All channels of a pixel share one weight.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 0.1, 0.0, 1.0, 1.1, 1.0]).reshape(1, 1, 6, 1)
    >>> nl_means(x, [1.0], before=0, distance=4, scale=100.0).reshape(-1).round(2)
    array([0.02, 0.06, 0.02, 1.02, 1.06, 1.02])
    """
    taps = np.asarray(weights)
    if taps.dtype.kind not in "fiu":
        raise TypeError(f"nl_means: weights expects real numbers but got {taps.dtype}")
    arrays = (x, beside(x, taps.astype(np.float64, copy=False)))
    return NL_MEANS.run(arrays, (before, distance, inside, scale, offset, cutoff), out, variant)


def nl_means_uint8(
    x: np.ndarray,
    *,
    h: float = 3.0,
    patch_size: int = 7,
    search_size: int = 21,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Non-local means of images of bytes, in integers.

    Parameters
    ----------
    x : (N, H, W, C), uint8, of one to four channels
    h : float
        How much noise is taken away: a patch whose mean squared difference is d counts with weight ``exp(-d / h**2)``.
    patch_size, search_size : odd int
        Pixels along each side of the patches that are compared, and of the window in which they are searched.
    out : (N, H, W, C) uint8 array, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H, W, C) uint8 array

    Raises
    ------
    TypeError, ValueError
        Where an array or a number does not fit.

    Notes
    -----
    Equals ``cv2.fastNlMeansDenoising`` bit for bit: weights are integers from a table over distances that are shifted
    to the right, those below a thousandth of the largest are 0, and the weighted mean rounds half up. Outside the
    image it is mirrored about its edge pixels. All channels of a pixel share one weight.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([10, 12, 10, 12, 200, 200, 202], np.uint8).reshape(1, 1, 7, 1)
    >>> nl_means_uint8(x, h=5, patch_size=1, search_size=7).reshape(-1)
    array([ 11,  11,  11,  11, 200, 200, 200], dtype=uint8)
    """
    return NL_MEANS_UINT8.run((x,), (h, patch_size, search_size), out, variant)
