"""The exact Euclidean distance of every pixel to the nearest pixel of the background.

reference.py    the definition: every pixel looks at all others
cpu_columns.py  "columns": the nearest pixel of each column, then of each row the nearest column
cuda_naive.py   "naive" on CUDA: the same, one thread, one pixel
"""

from collections.abc import Sequence

import numpy as np

from ..operation import Operation, Variant
from . import reference
from .geometry import distance_geometry

__all__ = ["distance_transform"]

DISTANCE_TRANSFORM = Operation(
    "distance_transform",
    package=__name__,
    geometry=distance_geometry,
    variants=(Variant("columns", "cpu_columns"), Variant("naive", "cuda_naive", device="cuda")),
    reference=reference.distance_transform,
    reference_args=lambda g: (g.n, g.h, g.w, g.step_h, g.step_w),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1)], "below": {0: 1}, "integers": "int8"},
        {"shapes": [(13, 90)], "below": {0: 40}, "integers": "int8"},
        {"shapes": [(2, 17, 23)], "below": {0: 30}, "integers": "int8", "indices": True},
        {"shapes": [(21, 18)], "below": {0: 30}, "integers": "int8", "sampling": (2.0, 0.5), "indices": True},
    ),
)


def distance_transform(
    x: np.ndarray,
    *,
    sampling: Sequence[float] = (1.0, 1.0),
    indices: bool = False,
    distance_dtype: str = "float64",
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Distance from every pixel to the nearest pixel that is zero, in each of a batch of images.

    Parameters
    ----------
    x : (..., H, W) array of integers, booleans, float32 or float64
        A NaN is not zero. An array that is not C-contiguous is copied first.
    sampling : (float, float)
        Distance of neighbours along H and along W.
    indices : bool
        Whether to return which pixel is the nearest.
    distance_dtype : {"float64", "float32"}
    out : (distances, indices), optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    distances : array of the shape of ``x``
        Infinite where an image has no zero.
    indices : (2, *x.shape) int32 array, or (0, *x.shape) without ``indices``
        Row and column of the nearest zero: of several, the one in the first column, and the upper one of those; -1
        where there is none.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges or types do not fit; nothing is computed.

    Notes
    -----
    Distances equal those of ``scipy.ndimage.distance_transform_edt`` where an image has a zero: the squared distance in
    pixels is exact, and rounded once by the root.

    Source: A. Meijster, J. B. T. M. Roerdink, W. H. Hesselink, "A general algorithm for computing distance transforms
    in linear time", 2000; P. F. Felzenszwalb, D. P. Huttenlocher, "Distance transforms of sampled functions", 2012.

    Examples
    --------
    >>> import numpy as np
    >>> distance_transform(np.array([[1, 1, 0], [1, 1, 1]]))[0].round(2)
    array([[2.  , 1.  , 0.  ],
           [2.24, 1.41, 1.  ]])
    """
    return DISTANCE_TRANSFORM.run((x,), (sampling, indices, distance_dtype), out, variant)
