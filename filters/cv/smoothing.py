"""Boxes and Gaussians under OpenCV's names: blur, boxFilter, GaussianBlur, getGaussianKernel.

What linear.py says of types, channels, borders and batches holds here.
"""

import functools
from typing import Any

import numpy as np

from ... import kernels
from ...kernels.correlation.weights import LARGEST_RADIUS
from ...kernels.correlation.window_geometry import number
from .borders import BORDER_DEFAULT, border_mode
from .depths import CV_32F, CV_64F, depth_type
from .layout import MIDDLE, given_back, origin_of, size_of, source_of, target_of
from .linear import separable

# Gaussians of a given size and no given sigma, in 256ths.
_BINOMIAL = {1: (256,), 3: (64, 128, 64), 5: (16, 64, 96, 64, 16), 7: (8, 28, 56, 72, 56, 28, 8)}
_BINOMIAL[9] = (4, 13, 30, 51, 60, 51, 30, 13, 4)

_LARGEST_EXACT = 2**15  # pixels of a box whose sums of 16-bit integers fit 32 bits


def blur(
    src: np.ndarray,
    ksize: tuple[int, int],
    dst: np.ndarray | None = None,
    anchor: tuple[int, int] = MIDDLE,
    borderType: int = BORDER_DEFAULT,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """The mean of a box around each pixel.

    Parameters
    ----------
    src, ksize, dst, anchor, borderType, batch_axes
        As in `boxFilter`.

    Returns
    -------
    array of the shape and type of ``src``, or ``dst``

    Raises
    ------
    TypeError, ValueError
        As in `boxFilter`.

    Notes
    -----
    Equals ``cv2.blur`` of uint8 images bit for bit: see `boxFilter`.

    Examples
    --------
    >>> import numpy as np
    >>> blur(np.array([[0, 0, 90, 0, 0]], np.uint8), (3, 1))
    array([[ 0, 30, 30, 30,  0]], dtype=uint8)
    """
    return _box("blur", src, -1, ksize, dst, anchor, True, borderType, batch_axes)


def boxFilter(  # noqa: N802
    src: np.ndarray,
    ddepth: int,
    ksize: tuple[int, int],
    dst: np.ndarray | None = None,
    anchor: tuple[int, int] = MIDDLE,
    normalize: bool = True,
    borderType: int = BORDER_DEFAULT,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """The mean, or the sum, of a box around each pixel.

    Parameters
    ----------
    src : (..., H, W) or (..., H, W, C), uint8, uint16, int16, float32 or float64
        Any strides.
    ddepth : int
        The type of the result: -1 for that of ``src``; of integers any type of pixels and ``CV_32S``; of floating-point
        images ``CV_32F`` (of float32) or ``CV_64F``.
    ksize : (width, height)
        Of any size; the time hardly depends on it.
    dst : array of the shape of ``src`` and of that type, optional
        Where to write; it may be ``src`` itself.
    anchor : (x, y)
        The pixel of the box that is computed; -1 is the middle.
    normalize : bool
        False gives sums.
    borderType : int
        One of the ``BORDER_`` constants.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of the shape of ``src``, or ``dst``

    Raises
    ------
    TypeError, ValueError
        Where types, shapes or values do not fit; nothing is computed.

    Notes
    -----
    Sums of integers are exact; means are rounded, halves to the even one, and saturate. Means of uint8 in uint8 of up
    to 256 pixels are OpenCV's: halves are rounded up, and where the number of pixels is a power of two, so are the
    parts that are smaller than a half by one pixel's share. (For boxes of two pixels that makes every mean of a flat
    image larger by 1; where it leaves the range OpenCV may wrap around, and this saturates.) A NaN reaches the pixels
    whose box holds it, and no others; in ``cv2`` it stays in the running sum.

    Examples
    --------
    >>> import numpy as np
    >>> boxFilter(np.array([[1, 2, 3]], np.uint8), 5, (3, 1), normalize=False)
    array([[5., 6., 7.]], dtype=float32)
    """
    return _box("boxFilter", src, ddepth, ksize, dst, anchor, normalize, borderType, batch_axes)


def _box(
    name: str, src: Any, ddepth: Any, ksize: Any, dst: Any, anchor: Any, normalize: Any, border: Any, batch_axes: Any
) -> np.ndarray:
    x = source_of(name, src, batch_axes)
    dtype = depth_type(name, ddepth, x.dtype)
    if dtype == np.int8 or (x.dtype.kind == "f" and (dtype.kind != "f" or dtype.itemsize < x.dtype.itemsize)):
        raise ValueError(f"{name}: ddepth expects a type that holds means of {x.dtype} but got {dtype}")
    size = size_of(name, "ksize", ksize)
    origin, mode = origin_of(name, anchor, size), border_mode(name, border)
    out = target_of(name, dst, src, dtype, x.shape)
    area, offset = size[0] * size[1], None
    if normalize and x.dtype == dtype == np.uint8 and 1 < area <= 256:
        offset = area // 2 + (area & (area - 1) == 0)
    if x.dtype.kind != "f" and area > _LARGEST_EXACT and x.dtype != np.uint8:
        wide = kernels.box2d(x.astype(np.float64), size, axis=1, mode=mode, origin=origin, mean=bool(normalize))
        result = _as_pixels(wide, dtype)
        return given_back(result, src, dst, batch_axes)
    result = kernels.box2d(
        x, size, axis=1, mode=mode, origin=origin, mean=bool(normalize), dtype=dtype, offset=offset, out=out
    )
    return given_back(result, src, dst, batch_axes)


def _as_pixels(wide: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind == "f":
        return wide.astype(dtype)
    return np.clip(np.rint(wide), np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)


def GaussianBlur(  # noqa: N802
    src: np.ndarray,
    ksize: tuple[int, int],
    sigmaX: float,
    dst: np.ndarray | None = None,
    sigmaY: float = 0.0,
    borderType: int = BORDER_DEFAULT,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Blur an image with a Gaussian.

    Parameters
    ----------
    src : (..., H, W) or (..., H, W, C), uint8, uint16, int16, float32 or float64
        Any strides.
    ksize : (width, height)
        Odd, or 0 to be taken from sigma: some 6 times sigma for uint8 and 8 times for other types.
    sigmaX : float
        Standard deviation along rows in pixels; 0 takes it from ``ksize`` (`getGaussianKernel`).
    dst : array of the shape and type of ``src``, optional
        Where to write; it may be ``src`` itself.
    sigmaY : float
        Along columns; 0 takes ``sigmaX``.
    borderType : int
        One of the ``BORDER_`` constants.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of the shape and type of ``src``, or ``dst``

    Raises
    ------
    TypeError, ValueError
        Where types, shapes or values do not fit; nothing is computed.

    Notes
    -----
    Images of uint8 are filtered in fixed point, with weights in 256ths whose rounding errors are passed on from the
    edge of the window inwards, and rounded once, at the end: bit for bit ``cv2.GaussianBlur``. Those of uint16, by
    weights in 65536ths, and of int16 are within 1 of it, others within rounding.

    Examples
    --------
    >>> import numpy as np
    >>> GaussianBlur(np.array([[0, 0, 160, 0, 0]], np.uint8), (3, 1), 0)
    array([[ 0, 40, 80, 40,  0]], dtype=uint8)
    """
    name = "GaussianBlur"
    x = source_of(name, src, batch_axes)
    sizes = size_of(name, "ksize", ksize, least=0)
    sigma_x, sigma_y = number(name, "sigmaX", sigmaX), number(name, "sigmaY", sigmaY)
    sigmas = sigma_y if sigma_y > 0 else sigma_x, sigma_x
    reach = 3 if x.dtype == np.uint8 else 4
    parts = 256 if x.dtype == np.uint8 else 65536 if x.dtype == np.uint16 else None
    column = _weights(name, sizes[0], sigmas[0], reach, parts)
    row = _weights(name, sizes[1], sigmas[1], reach, parts)
    mode = border_mode(name, borderType)
    out = target_of(name, dst, src, x.dtype, x.shape)
    if x.dtype == np.uint8:
        result = kernels.correlate_fixed2d(x, column, row, axis=1, mode=mode, out=out)
    else:
        between = np.dtype(np.float32 if x.dtype == np.float32 else np.float64)
        if x.dtype == np.uint16:  # products of 48 bits, which float64 adds exactly
            column, row = column / 65536, row / 65536
        result = separable(x, column, row, mode, (0, 0), 0.0, between, x.dtype, out)
    return given_back(result, src, dst, batch_axes)


def getGaussianKernel(ksize: int, sigma: float, ktype: int = CV_64F) -> np.ndarray:  # noqa: N802
    """Weights of a Gaussian along one axis, which add up to 1.

    Parameters
    ----------
    ksize : int
        How many; odd.
    sigma : float
        Standard deviation in pixels. Where it is not above 0, it is ``0.3 * ((ksize - 1) * 0.5 - 1) + 0.8``, or, for
        up to 9 weights, they are binomial ones or near them.
    ktype : int
        ``CV_32F`` or ``CV_64F``.

    Returns
    -------
    (ksize, 1) array

    Raises
    ------
    TypeError, ValueError
        For a size that is even or not positive, or another type.

    Notes
    -----
    Equals ``cv2.getGaussianKernel`` within rounding.

    Examples
    --------
    >>> getGaussianKernel(3, 0).ravel()
    array([0.25, 0.5 , 0.25])
    """
    name = "getGaussianKernel"
    dtype = depth_type(name, ktype, np.dtype(np.float64))
    if ktype not in (CV_32F, CV_64F):
        raise ValueError(f"{name}: ktype expects CV_32F = {CV_32F} or CV_64F = {CV_64F} but got {ktype!r}")
    height, _ = size_of(name, "ksize", (1, ksize))
    return _gaussian(name, height, number(name, "sigma", sigma)).astype(dtype)[:, None]


@functools.lru_cache(maxsize=128)
def _weights(name: str, size: int, sigma: float, reach: int, parts: int | None) -> np.ndarray:
    """The weights of one axis, as many as ``sigma`` needs where their number is 0; read-only, as they are kept."""
    if size == 0:
        if not 0 < sigma < np.inf:
            raise ValueError(f"{name}: ksize of 0 expects a finite sigma above 0 but got {sigma}")
        size = round(sigma * reach * 2 + 1) | 1
    weights = _gaussian(name, size, sigma)
    if parts is not None:
        weights = _in_parts(weights, parts)
    weights.flags.writeable = False
    return weights


def _gaussian(name: str, size: int, sigma: float) -> np.ndarray:
    if size % 2 == 0:
        raise ValueError(f"{name}: ksize expects odd numbers but got {size}")
    if size // 2 > LARGEST_RADIUS:
        raise ValueError(f"{name}: ksize expects at most {2 * LARGEST_RADIUS + 1} but got {size}")
    if not -np.inf < sigma < np.inf:
        raise ValueError(f"{name}: sigma expects a finite number but got {sigma}")
    if sigma <= 0 and size in _BINOMIAL:
        return np.array(_BINOMIAL[size]) / 256
    sigma = sigma if sigma > 0 else 0.15 * size + 0.35
    weights = np.exp(-0.5 / sigma**2 * np.arange(-(size // 2), size // 2 + 1.0) ** 2)
    return weights / weights.sum()


def _in_parts(weights: np.ndarray, one: int) -> np.ndarray:
    """Integers that add up to ``one``: each is rounded with the error of those further out, the middle is the rest."""
    rounded, error = np.zeros(weights.size, np.int64), 0.0
    middle = weights.size // 2
    for i in range(middle):
        wanted = one * weights[i] + error
        rounded[i] = rounded[-1 - i] = round(wanted)
        error = wanted - rounded[i]
    rounded[middle] = one - 2 * rounded[:middle].sum()
    return rounded
