"""The Laplacian in scikit-image's call form."""

from typing import Any

import numpy as np

from .. import kernels
from ..kernels.arrays import new_like
from .derivatives import EdgeImage

_SECOND = np.array([-1.0, 2.0, -1.0])


def laplace(
    image: np.ndarray,
    ksize: int = 3,
    mask: np.ndarray | None = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find edges by the Laplacian: each pixel, twice for each axis, less its two neighbours along each.

    Parameters
    ----------
    image, mask, channel_axis, batch_axes, out
        As in `sobel`.
    ksize : int
        At least 3. The operator has 3 pixels along each axis whatever it is, as in scikit-image.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Notes
    -----
    Equals ``skimage.filters.laplace`` 0.26 within rounding; the image is mirrored about its edge.

    Examples
    --------
    >>> laplace(np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]))
    array([[ 0., -1.,  0.],
           [-1.,  4., -1.],
           [ 0., -1.,  0.]])
    """
    if isinstance(ksize, bool) or not isinstance(ksize, int | np.integer):
        raise TypeError(f"laplace: ksize expects an integer but got {ksize!r}")
    if ksize < 3:
        raise ValueError(f"laplace: ksize expects a value of at least 3 but got {ksize}")
    checked = EdgeImage("laplace", image, mask, channel_axis, batch_axes, out)
    result: Any = new_like(image, image.shape, checked.source.dtype)
    result[...] = 0
    for axis in checked.axes:
        result += kernels.correlate1d(checked.source, _SECOND, axis=axis)
    return checked.finished(result)
