"""Roberts' cross in scikit-image's call form: differences along the diagonals of two by two pixels."""

import numpy as np

from .derivatives import EdgeImage


def roberts(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find edges by Roberts' cross: the root of the mean square of the differences along both diagonals.

    The image has two axes beside those of the batch and of the channels; otherwise arguments, result and errors are
    those of `sobel`. Equals ``skimage.filters.roberts`` 0.26 within rounding.

    Examples
    --------
    >>> roberts(np.array([[0.0, 0, 1], [0, 0, 1]]))
    array([[0., 1., 0.],
           [0., 1., 0.]])
    """
    checked = EdgeImage("roberts", image, mask, channel_axis, batch_axes, out, axes=2)
    result = np.sqrt(np.square(_difference(checked, False)) + np.square(_difference(checked, True)))
    return checked.finished(result / np.sqrt(2, dtype=result.dtype))


def roberts_pos_diag(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The difference of each pixel's neighbour below and to the right, and the pixel: one half of `roberts`."""
    checked = EdgeImage("roberts_pos_diag", image, mask, channel_axis, batch_axes, out, axes=2)
    return checked.finished(_difference(checked, False))


def roberts_neg_diag(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """The difference of each pixel's neighbour below, and that to the right: one half of `roberts`."""
    checked = EdgeImage("roberts_neg_diag", image, mask, channel_axis, batch_axes, out, axes=2)
    return checked.finished(_difference(checked, True))


def _difference(image: EdgeImage, across: bool) -> np.ndarray:
    """Along the main diagonal, or across it; the last row and column stand for those behind them."""
    first, second = image.axes
    down = np.minimum(np.arange(image.source.shape[first]) + 1, image.source.shape[first] - 1)
    right = np.minimum(np.arange(image.source.shape[second]) + 1, image.source.shape[second] - 1)
    below = image.source.take(down, first)
    if across:
        return below - image.source.take(right, second)
    return below.take(right, second) - image.source
