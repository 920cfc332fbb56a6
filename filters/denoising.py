"""Denoising by means of pixels that resemble each other, in scikit-image's call form."""

import math
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.arrays import to_device
from ..kernels.bilateral.geometry import LARGEST_RADIUS
from ..kernels.nl_means.geometry import LARGEST_SIDE
from .images import as_float, check_image, check_out, from_nhwc, in_order, leading_axes, to_nhwc

# Borders by numpy.pad's names, as this function has them, in those of the kernels.
_PAD_MODES = {
    "constant": "constant",
    "edge": "nearest",
    "symmetric": "reflect",
    "reflect": "mirror",
    "wrap": "wrap",
}


def denoise_bilateral(
    image: np.ndarray,
    win_size: int | None = None,
    sigma_color: float | None = None,
    sigma_spatial: float = 1,
    bins: int = 10000,
    mode: str = "constant",
    cval: float = 0,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Denoise an image by the bilateral filter: means of pixels that are near in space and in colour.

    Parameters
    ----------
    image : array of two axes, and those of channels and of a batch
        float32 and float64 are filtered as they are, float16 as float32, everything else as float64; integers are
        scaled by their largest value, to [0, 1] or [-1, 1]. Any strides.
    win_size : int, optional
        Side of the square window, made odd by leaving out a row and a column; by default
        ``max(5, 2 * ceil(3 * sigma_spatial) + 1)``. It may exceed the image.
    sigma_color : float, optional
        Standard deviation of the Gaussian of distances between colours, in units of the filtered image; by default,
        and for 0, the standard deviation of each image.
    sigma_spatial : float
        Standard deviation of the Gaussian of distances between pixels.
    bins : int
        Has no effect: weights are computed and not looked up in a table of so many.
    mode : {"constant", "edge", "symmetric", "reflect", "wrap"}
        What lies outside the image, in ``numpy.pad``'s names.
    cval : float
        The value outside the image where ``mode`` is "constant".
    channel_axis : int, optional
        The axis of channels; their distance is the Euclidean one.
    out : array of the image's shape and of the result's type, optional
        Where to write; it may be the image itself.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Raises
    ------
    TypeError, ValueError
        Not an image of real numbers, a negative or infinite sigma, an unknown mode, axes or an ``out`` that do not fit.

    Notes
    -----
    Computed by the formula of C. Tomasi and R. Manduchi, "Bilateral filtering for gray and color images", 1998.
    ``skimage.restoration.denoise_bilateral`` 0.26 differs from it for odd windows, whose spatial weights it reads from
    a table at wrong places, and by the steps of its table of colour weights. Of integers it takes the greatest number
    for that table before it scales them: in steps of 65535 / ``bins`` for uint16 all colours are alike to it, and of
    signed ones the results are no numbers. Here integers are filtered as the scaled image is. As there, an image that
    is constant is returned as it is where ``sigma_color`` is not given. A pixel whose window holds a NaN is NaN. An
    empty image gives an empty result.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[0.1, 0.0, 0.1, 0.9, 1.0, 0.9]] * 3)
    >>> denoise_bilateral(image, sigma_color=0.2, mode="edge").round(2)[0]
    array([0.08, 0.05, 0.07, 0.93, 0.95, 0.92])
    """
    name = "denoise_bilateral"
    check_image(name, "image", image)
    if mode not in _PAD_MODES:
        raise ValueError(f"{name}: mode expects one of {', '.join(map(repr, _PAD_MODES))} but got {mode!r}")
    spatial = _number(name, "sigma_spatial", sigma_spatial, above=True)
    size = max(5, 2 * math.ceil(3 * spatial) + 1) if win_size is None else win_size
    argument = "the window of sigma_spatial" if win_size is None else "win_size"
    size = _integer(name, argument, size, 1, 2 * LARGEST_RADIUS + 1)
    color = 0.0 if sigma_color is None else _number(name, "sigma_color", sigma_color)
    source = as_float(image, preserve_range=False)
    images = to_nhwc(name, source, channel_axis, batch_axes)
    if out is not None:
        check_out(name, out, image, image.shape, source.dtype)
    sigmas = np.full(len(images), color or 1.0)
    constant = None
    if color == 0 and images.size:
        sigmas = to_device(images.std(axis=(1, 2, 3), dtype=np.float64), "cpu")
        constant = images.max(axis=(1, 2, 3)) == images.min(axis=(1, 2, 3))
        sigmas[~(sigmas > 0)] = 1.0  # of an image with a NaN too, whose windows know of it
    result = kernels.bilateral(
        images,
        sigma_color=sigmas,
        sigma_space=spatial,
        radius=(size - 1) // 2,
        window="square",
        mode=_PAD_MODES[mode],
        cval=cval,
    )
    if constant is not None:
        result = np.where(constant[:, None, None, None], images, result)
    return _as_given(result, image, channel_axis, batch_axes, out)


def denoise_nl_means(
    image: np.ndarray,
    patch_size: int = 7,
    patch_distance: int = 11,
    h: float = 0.1,
    fast_mode: bool = True,
    sigma: float = 0.0,
    *,
    preserve_range: bool = False,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Denoise an image by non-local means: means of pixels whose surroundings resemble each other.

    Parameters
    ----------
    image : array of two axes, and those of channels and of a batch
        float32 and float64 are filtered as they are, float16 as float32, everything else as float64. Any strides.
    patch_size : int
        Pixels along each side of the patches that are compared, up to 4095; an even number is raised by 1.
    patch_distance : int
        How far patches are searched in each direction, up to 2047 pixels. It may exceed the image.
    h : float, above 0
        How much noise is taken away, in units of the filtered image; for noise of a given ``sigma``, about
        ``0.8 * sigma`` (``0.6 * sigma`` in the slow mode) where ``sigma`` is given, and ``sigma`` where it is not.
    fast_mode : bool
        Pixels of a patch count alike; otherwise by a Gaussian of standard deviation ``(patch_size - 1) / 4``, and only
        pixels of the image itself are averaged.
    sigma : float
        Standard deviation of the noise, which is subtracted from the patches' distances.
    preserve_range : bool
        By default integers are scaled by their largest value, to [0, 1] or [-1, 1]; True keeps their values.
    channel_axis : int, optional
        The axis of channels, which share the weights.
    out : array of the image's shape and of the result's type, optional
        Where to write; it may be the image itself.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Raises
    ------
    TypeError, ValueError
        Not an image of real numbers, numbers out of range, axes or an ``out`` that do not fit.

    Notes
    -----
    The fast mode equals ``skimage.restoration.denoise_nl_means`` 0.26 but for its approximation of the exponential, up
    to 4 % off in each weight. As there, a patch is ``patch_size - 1`` pixels wide and high, those from
    ``(patch_size - 3) / 2`` before to ``(patch_size - 1) / 2`` behind a pixel, while its distance is divided by
    ``patch_size**2``, and patches at distances beyond 5 (in units of ``h**2``) do not count. In the slow mode all
    patches count, as in the paper; there, most of those beyond 5 do not. A patch of one pixel is that pixel.

    A pixel is NaN if its search window or its patch holds a NaN. An empty image gives an empty result.

    Source: A. Buades, B. Coll and J.-M. Morel, "A non-local algorithm for image denoising", 2005, and, for ``sigma``,
    "Non-local means denoising", 2011.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[0.1, 0.0, 0.1, 0.0, 0.9, 1.0, 0.9, 1.0]] * 8)
    >>> denoise_nl_means(image, patch_size=3, patch_distance=4, h=0.2).round(2)[4]
    array([0.06, 0.05, 0.06, 0.02, 0.94, 0.95, 0.95, 0.95])
    """
    name = "denoise_nl_means"
    check_image(name, "image", image)
    size = _integer(name, "patch_size", patch_size, 1, LARGEST_SIDE) // 2 * 2 + 1
    distance = _integer(name, "patch_distance", patch_distance, 0, LARGEST_SIDE // 2)
    h, sigma = _number(name, "h", h, above=True), _number(name, "sigma", sigma)
    source = as_float(image, preserve_range)
    images = to_nhwc(name, source, channel_axis, batch_axes)
    if out is not None:
        check_out(name, out, image, image.shape, source.dtype)
    radius = size // 2
    if fast_mode:
        weights, before = np.ones(max(1, size - 1)), max(0, radius - 1)
        scale, cutoff = 1 / (size * size), 5.0
    else:
        weights, before = np.exp(-8 * (np.arange(-radius, radius + 1) / max(1, size - 1)) ** 2), radius
        weights /= weights.sum()
        scale, cutoff = 1.0, math.inf
    result = kernels.nl_means(
        images,
        weights,
        before=before,
        distance=distance,
        inside=not fast_mode,
        scale=scale / (max(1, images.shape[3]) * h * h),
        offset=2 * sigma * sigma,
        cutoff=cutoff,
    )
    return _as_given(result, image, channel_axis, batch_axes, out)


def _as_given(
    result: np.ndarray, image: np.ndarray, channel_axis: int | None, batch_axes: int, out: np.ndarray | None
) -> np.ndarray:
    """A result with the axes of the image, C-contiguous, or written to ``out``."""
    shaped = from_nhwc(result, image, channel_axis, leading_axes("", batch_axes, image.ndim))
    return in_order(shaped, out)


def _integer(name: str, argument: str, value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
    if value < least:
        raise ValueError(f"{name}: {argument} expects at least {least} but got {value}")
    if value > most:
        raise ValueError(f"{name}: {argument} expects at most {most} but got {value}")
    return int(value)


def _number(name: str, argument: str, value: Any, above: bool = False) -> float:
    """A finite number of at least 0, or above it."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    if not 0 <= value < math.inf or (above and value == 0):
        wanted = "above 0" if above else "of at least 0"
        raise ValueError(f"{name}: {argument} expects a finite number {wanted} but got {value}")
    return float(value)
