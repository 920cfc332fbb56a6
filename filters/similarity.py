"""Structural similarity of two images in scikit-image's call form."""

import warnings
from typing import Any, NamedTuple

import numpy as np

from .. import kernels
from .images import axis_of_channels, check_pair, float_type, leading_axes, native, value_range
from .metrics import check_data_range
from .separable import correlate_axes, gaussian_taps
from .similarity_by_axes import similarity_by_axes

_TRUNCATE = 3.5  # an 11-tap window at the default sigma of 1.5, as in Wang et al. 2004
_FUSED = 3  # axes of images that the kernel takes
_READ = (np.uint8, np.uint16, np.float32, np.float64)  # types that the kernel reads as they are


def structural_similarity(
    im1: np.ndarray,
    im2: np.ndarray,
    *,
    win_size: int | None = None,
    gradient: bool = False,
    data_range: float | None = None,
    channel_axis: int | None = None,
    gaussian_weights: bool = False,
    full: bool = False,
    use_sample_covariance: bool = True,
    sigma: float = 1.5,
    K1: float = 0.01,
    K2: float = 0.03,
    batch_axes: int = 0,
) -> Any:
    """Mean structural similarity of two images: 1 where they are equal.

    Parameters
    ----------
    im1, im2 : arrays of one shape and of real numbers
        Images of any number of spatial axes; values count as they are, nothing is scaled.
    win_size : int, optional
        Side of the window in pixels, odd, by default 7, and not longer than the image. With ``gaussian_weights`` the
        window follows from ``sigma``, and a ``win_size`` that is given decides only how much of the border is left
        out of the mean, and the sample covariance.
    gradient : bool
        Also return the gradient by ``im2``.
    data_range : float, optional
        The distance between the least and the largest value that images may have. Required for floating-point images;
        for integers by default that of their type, with a warning for others than uint8.
    channel_axis : int, optional
        The axis of channels: the result is the mean over them.
    gaussian_weights : bool
        A Gaussian window of standard deviation ``sigma`` that reaches ``int(3.5 * sigma + 0.5)`` pixels.
    full : bool
        Also return the similarity of each pixel.
    use_sample_covariance : bool
        Divide by N - 1 instead of N for windows of N pixels.
    sigma, K1, K2 : float
        Parameters of the method. Wang et al. use ``gaussian_weights=True, use_sample_covariance=False``.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    mssim : float64 number, or an array of one for each image of the batch
        Mean over the pixels whose window lies inside the image.
    grad : array of the images' shape, float32 or float64, if ``gradient``
        Of each channel's own mean.
    S : array of the images' shape, float32 or float64, if ``full``

    Raises
    ------
    TypeError, ValueError
        Not arrays of real numbers, different shapes, a window that is even or exceeds the image, a missing
        ``data_range``, parameters out of range.

    Notes
    -----
    Equals ``skimage.metrics.structural_similarity`` 0.26 (its gradient too, which takes the mean over the whole image
    and mirrors it at the border). Everything is computed in float64 and rounded at the end. A NaN reaches exactly the
    windows that hold it, and the mean.

    Source: Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004;
    A. N. Avanaki, "Exact global histogram specification optimized for structural similarity", 2009.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> float(structural_similarity(image, image))
    1.0
    >>> float(structural_similarity(image, image[::-1]).round(3))
    -0.739
    """
    name = "structural_similarity"
    pair = _compared(
        name, im1, im2, win_size, data_range, channel_axis, gaussian_weights, use_sample_covariance, sigma, K1, K2,
        batch_axes,
    )  # fmt: skip
    means, maps, _ = pair.run(maps=4 if gradient else int(full))
    channels, batch = pair.channels, pair.batch

    def as_given(array: np.ndarray) -> np.ndarray:
        array = array if channels is None else np.moveaxis(array, batch, channels)
        return array.astype(float_type(im1.dtype), order="C", copy=False)

    mssim = (means if channels is None else means.mean(axis=-1))[()]
    results = [mssim]
    if gradient:
        results.append(as_given(_gradient(pair.x, pair.y, maps[1:], pair.window.weights, pair.axes)))
    if full:
        results.append(as_given(maps[0]))
    return tuple(results) if len(results) > 1 else mssim


class Quality(NamedTuple):
    """What `psnr_and_ssim` says of an image: numbers, or arrays of one for each image of the batch."""

    psnr: Any
    ssim: Any


def psnr_and_ssim(
    image_true: np.ndarray,
    image_test: np.ndarray,
    *,
    win_size: int | None = None,
    data_range: float | None = None,
    channel_axis: int | None = None,
    gaussian_weights: bool = False,
    use_sample_covariance: bool = True,
    sigma: float = 1.5,
    K1: float = 0.01,
    K2: float = 0.03,
    batch_axes: int = 0,
) -> Quality:
    """Peak signal-to-noise ratio and mean structural similarity, in one walk over both images.

    Parameters
    ----------
    image_true, image_test : arrays of one shape and of real numbers
    data_range : float, optional
        The distance between the least and the largest value that images may have; by default that of the type of
        unsigned integers and booleans, required for others.
    win_size, channel_axis, gaussian_weights, use_sample_covariance, sigma, K1, K2, batch_axes
        As in `structural_similarity`.

    Returns
    -------
    Quality
        ``psnr``, that of `peak_signal_noise_ratio` over all channels, and ``ssim``, that of `structural_similarity`.

    Raises
    ------
    TypeError, ValueError
        As in `structural_similarity`, and for signed integers without ``data_range``, of which the two metrics would
        take different ones.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    >>> quality = psnr_and_ssim(image, image ^ 8)
    >>> float(quality.psnr.round(2)), float(quality.ssim.round(3))
    (30.07, 0.985)
    """
    name = "psnr_and_ssim"
    check_pair(name, "image_true", image_true, "image_test", image_test)
    if data_range is None and image_true.dtype.kind == "i":
        raise ValueError(f"{name}: data_range expects a number for {image_true.dtype} images but got None")
    pair = _compared(
        name, image_true, image_test, win_size, data_range, channel_axis, gaussian_weights, use_sample_covariance,
        sigma, K1, K2, batch_axes,
    )  # fmt: skip
    means, _, errors = pair.run(maps=0)
    if pair.channels is not None:
        means, errors = means.mean(axis=-1), errors.mean(axis=-1)
    with np.errstate(divide="ignore"):
        return Quality((10 * np.log10(np.square(pair.extent) / errors))[()], means[()])


class _Pair(NamedTuple):
    """Two images as the kernel reads them, (batch, [channels,] spatial axes), and how they are compared."""

    x: np.ndarray
    y: np.ndarray
    batch: int
    channels: int | None
    axes: int
    window: "_Window"
    extent: float
    c1: float
    c2: float

    def run(self, maps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        compare = kernels.structural_similarity if self.axes <= _FUSED else similarity_by_axes
        return compare(
            self.x, self.y, self.window.weights, c1=self.c1, c2=self.c2,
            scale=self.window.scale, axes=self.axes, margin=self.window.margin, maps=maps,
        )  # fmt: skip


def _compared(
    name: str,
    im1: np.ndarray,
    im2: np.ndarray,
    win_size: Any,
    data_range: Any,
    channel_axis: Any,
    gaussian_weights: bool,
    use_sample_covariance: bool,
    sigma: float,
    K1: float,
    K2: float,
    batch_axes: Any,
) -> _Pair:
    """Checks a call and makes it ready."""
    check_pair(name, "im1", im1, "im2", im2)
    batch = leading_axes(name, batch_axes, im1.ndim)
    channels = axis_of_channels(name, channel_axis, im1.ndim, batch)
    spatial = [n for axis, n in enumerate(im1.shape) if axis >= batch and axis != channels]
    if not spatial:
        raise ValueError(
            f"{name}: im1 and im2 expect an axis beside those of the batch and of the channels but got none "
            f"(shape {im1.shape}, batch_axes = {batch}, channel_axis = {channel_axis})"
        )
    for argument, value in (("sigma", sigma), ("K1", K1), ("K2", K2)):
        if not 0 <= value < np.inf:
            raise ValueError(f"{name}: {argument} expects a number of at least 0 but got {value!r}")
    window = _window(name, win_size, sigma if gaussian_weights else None, use_sample_covariance, spatial, im1.shape)
    extent = _range_of(name, im1, im2) if data_range is None else check_data_range(name, data_range)
    x, y = as_planes(native(im1), native(im2), batch, channels)
    return _Pair(x, y, batch, channels, len(spatial), window, extent, (K1 * extent) ** 2, (K2 * extent) ** 2)


class _Window(NamedTuple):
    """Weights along each axis, the factor on the covariances, and how much of the border is left out."""

    weights: np.ndarray
    scale: float
    margin: int


def _window(
    name: str, win_size: Any, sigma: float | None, sample: bool, spatial: list[int], shape: tuple[int, ...]
) -> _Window:
    """The window of the given side, or the Gaussian of ``sigma``."""
    weights = None if sigma is None else gaussian_taps(sigma, _TRUNCATE)
    if win_size is None:
        win_size = 7 if weights is None else weights.size
    if isinstance(win_size, bool) or not isinstance(win_size, int | np.integer):
        raise TypeError(f"{name}: win_size expects an integer but got {win_size!r}")
    if win_size < 1 or win_size % 2 == 0:
        raise ValueError(f"{name}: win_size expects a positive odd number but got {win_size}")
    if win_size > min(spatial):
        raise ValueError(
            f"{name}: win_size = {win_size} exceeds the image (shape {shape}, spatial axes {tuple(spatial)}); "
            "pass a smaller one, and channel_axis or batch_axes if the image has such axes"
        )
    pixels = int(win_size) ** len(spatial)
    if sample and pixels == 1:
        raise ValueError(f"{name}: use_sample_covariance expects a window of more than one pixel but got {pixels}")
    if weights is None:
        weights = np.full(win_size, 1 / win_size)
    return _Window(weights, pixels / (pixels - 1) if sample else 1.0, (int(win_size) - 1) // 2)


def _range_of(name: str, im1: np.ndarray, im2: np.ndarray) -> float:
    """The range of integer images by their type."""
    if im1.dtype.kind == "f" or im2.dtype.kind == "f":
        raise ValueError(f"{name}: data_range expects a number for floating-point images but got None")
    low, high = value_range(im1.dtype)
    guess = f"Setting data_range based on im1.dtype, {im1.dtype}, to {high - low:.0f}"
    if im1.dtype != im2.dtype:
        warnings.warn(f"{name}: {guess}, while im2 is {im2.dtype}", stacklevel=3)
    if im1.dtype.kind in "iu" and im1.dtype != np.uint8:
        warnings.warn(f"{name}: {guess}; pass it to be sure", stacklevel=3)
    return high - low


def as_planes(im1: np.ndarray, im2: np.ndarray, batch: int, channels: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Both images in one type that the kernel reads, channels behind the batch."""
    if im1.dtype != im2.dtype or im1.dtype.type not in _READ:
        im1, im2 = im1.astype(np.float64), im2.astype(np.float64)
    if channels is None:
        return im1, im2
    return np.moveaxis(im1, channels, batch), np.moveaxis(im2, channels, batch)


def _gradient(x: np.ndarray, y: np.ndarray, terms: np.ndarray, weights: np.ndarray, axes: int) -> np.ndarray:
    """Gradient of the mean of S by ``y``, from the kernel's three terms (equations 7 and 8 of Avanaki)."""
    windows = dict.fromkeys(range(terms.ndim - axes, terms.ndim), weights)
    terms = correlate_axes(terms, windows, mode="reflect")
    result = np.multiply(terms[0], x)
    result += np.multiply(terms[1], y, out=terms[1])
    result += terms[2]
    result *= 2 / np.prod(x.shape[x.ndim - axes :])
    return result
