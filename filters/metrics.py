"""Errors between two images, pixel by pixel, in scikit-image's call forms."""

import math
import warnings
from typing import Any

import numpy as np

from .. import kernels
from .images import check_pair, float_type, leading_axes, native, value_range

_SUMMED = (np.uint8, np.uint16, np.float32, np.float64)  # types that the kernel reads as they are


def mean_squared_error(image0: np.ndarray, image1: np.ndarray, *, batch_axes: int = 0) -> Any:
    """Mean of the squared difference of two images.

    Parameters
    ----------
    image0, image1 : arrays of one shape and of real numbers
        Of any number of axes; values count as they are, nothing is scaled. Images may not be empty.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    float64 number, or an array of one for each image of the batch

    Raises
    ------
    TypeError, ValueError
        Not arrays of real numbers, different shapes, empty images.

    Notes
    -----
    Equals ``skimage.metrics.mean_squared_error``; differences and sums are in float64 whatever the images' type, and
    NaN propagates.

    Examples
    --------
    >>> import numpy as np
    >>> float(mean_squared_error(np.array([0, 200], np.uint8), np.array([4, 200], np.uint8)))
    8.0
    """
    return _mean_squared_error("mean_squared_error", "image0", image0, "image1", image1, batch_axes)


def normalized_root_mse(
    image_true: np.ndarray, image_test: np.ndarray, *, normalization: str = "euclidean", batch_axes: int = 0
) -> Any:
    """Root of the mean squared error, in units of the true image.

    Parameters
    ----------
    image_true, image_test, batch_axes
        As in `mean_squared_error`.
    normalization : {"euclidean", "min-max", "mean"}
        The unit: the root of the mean square, the range, or the mean of the true image.

    Returns
    -------
    float64 number, or an array of one for each image of the batch; infinite or NaN where the unit is 0

    Notes
    -----
    Equals ``skimage.metrics.normalized_root_mse``.

    Examples
    --------
    >>> import numpy as np
    >>> float(normalized_root_mse(np.array([3.0, 4.0]), np.array([3.0, 3.0]), normalization="min-max").round(4))
    0.7071
    """
    name = "normalized_root_mse"
    if normalization not in ("euclidean", "min-max", "mean"):
        raise ValueError(f"{name}: normalization expects 'euclidean', 'min-max' or 'mean' but got {normalization!r}")
    error = _mean_squared_error(name, "image_true", image_true, "image_test", image_test, batch_axes)
    axes = tuple(range(batch_axes, image_true.ndim))
    true = image_true.astype(np.float64, copy=False)
    if normalization == "euclidean":
        unit = np.sqrt(np.mean(np.square(true), axis=axes))
    elif normalization == "min-max":
        unit = true.max(axis=axes) - true.min(axis=axes)
    else:
        unit = true.mean(axis=axes)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(error) / unit


def peak_signal_noise_ratio(
    image_true: np.ndarray, image_test: np.ndarray, *, data_range: float | None = None, batch_axes: int = 0
) -> Any:
    """Peak signal-to-noise ratio of an image, in decibels.

    Parameters
    ----------
    image_true, image_test, batch_axes
        As in `mean_squared_error`.
    data_range : float, optional
        The distance between the least and the largest value that images may have. By default it is that of
        ``image_true``'s type: its largest value, or the whole range where the image has negative values; for
        floating-point images that is 1 or 2, and it is an error if they have values outside [-1, 1].

    Returns
    -------
    float64 number, or an array of one for each image of the batch; infinite for equal images

    Notes
    -----
    Equals ``skimage.metrics.peak_signal_noise_ratio``; as there, a range by the type of images of two types warns.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((4, 4), np.uint8)
    >>> float(peak_signal_noise_ratio(image, image + 8).round(2))
    30.07
    """
    name = "peak_signal_noise_ratio"
    error = _mean_squared_error(name, "image_true", image_true, "image_test", image_test, batch_axes)
    if data_range is None and image_true.dtype != image_test.dtype:
        types = f"{image_true.dtype} and {image_test.dtype}"
        warnings.warn(f"{name}: Inputs have mismatched dtype, {types}; data_range is that of image_true", stacklevel=2)
    extent = _range_of(name, image_true, batch_axes) if data_range is None else check_data_range(name, data_range)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(np.square(extent) / error)


def check_data_range(name: str, data_range: Any) -> float:
    """A range given by the caller."""
    if isinstance(data_range, bool) or not isinstance(data_range, int | float | np.number):
        raise TypeError(f"{name}: data_range expects a number but got {data_range!r}")
    if not 0 < data_range < math.inf:
        raise ValueError(f"{name}: data_range expects a positive number but got {data_range!r}")
    return float(data_range)


def _range_of(name: str, image: np.ndarray, batch_axes: int) -> np.ndarray:
    """The range of each image of the batch by its type and the sign of its values."""
    low, high = value_range(image.dtype)
    axes = tuple(range(batch_axes, image.ndim))
    least, largest = image.min(axis=axes), image.max(axis=axes)
    if np.any(least < low) or np.any(largest > high):
        raise ValueError(
            f"{name}: image_true expects values in [{low:g}, {high:g}] for {image.dtype} without data_range "
            f"but has values in [{np.min(least):g}, {np.max(largest):g}]"
        )
    return np.where(least >= 0, high, high - low)


def _mean_squared_error(name: str, first: str, a: Any, second: str, b: Any, batch_axes: Any) -> Any:
    check_pair(name, first, a, second, b)
    batch = leading_axes(name, batch_axes, a.ndim)
    if math.prod(a.shape[batch:]) == 0:
        raise ValueError(f"{name}: {first} and {second} expect images of at least one number but got shape {a.shape}")
    if a.dtype != b.dtype or a.dtype.type not in _SUMMED:
        common = np.result_type(float_type(a.dtype), float_type(b.dtype))
        a, b = a.astype(common, copy=False), b.astype(common, copy=False)
    return kernels.mean_squared_error(native(a), native(b), batch_axes=batch)[()]
