"""Filters that spare edges, under OpenCV's names."""

from typing import Any

import numpy as np

from ... import kernels
from ...kernels.bilateral.geometry import LARGEST_RADIUS
from ..images import check_image, check_out, from_nhwc, leading_axes, native, to_nhwc
from .borders import BORDER_DEFAULT, border_mode

_LEAST_SIGMA = 1e-6


def bilateralFilter(  # noqa: N802
    src: np.ndarray,
    d: int,
    sigmaColor: float,
    sigmaSpace: float,
    dst: np.ndarray | None = None,
    borderType: int = BORDER_DEFAULT,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Filter an image by distance in space and in colour.

    Parameters
    ----------
    src : (H, W) or (H, W, C) array, uint8 or float32, with the axes of a batch in front
        Any number of channels, any strides.
    d : int
        Diameter of the disk of pixels around each pixel; where it is not positive, ``round(1.5 * sigmaSpace)`` is the
        radius. The radius is at least 1 and at most 1023, and may exceed the image.
    sigmaColor, sigmaSpace : float
        Standard deviations of the Gaussians of distances between colours (the sum of the channels' differences, in
        units of the image) and between pixels; where one is at most 1e-6, the image is copied.
    dst : array of the shape and type of ``src``, optional
        Where to write; it may be ``src``.
    borderType : int
        What lies outside the image; the constant is 0.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of the shape and type of ``src``, or ``dst``

    Raises
    ------
    TypeError, ValueError
        An array that does not fit, a number that is none, an unknown border.

    Notes
    -----
    Equals ``cv2.bilateralFilter`` within 1 for uint8 (the same formula, added up in another order; OpenCV's vector code
    for windows of 3 and 5 cuts off fractions that are rounded here) and within what its table of weights allows for
    float32, some 1e-6 of the image's range. A pixel whose window holds a NaN is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[10, 12, 11, 200, 202, 201]] * 3, np.uint8)
    >>> bilateralFilter(image, 5, 10, 2)[1]
    array([ 11,  11,  11, 201, 201, 201], dtype=uint8)
    """
    name = "bilateralFilter"
    images, channel_axis = _images(name, src, batch_axes, ("uint8", "float32"))
    if isinstance(d, bool) or not isinstance(d, int | np.integer):
        raise TypeError(f"{name}: d expects an integer but got {d!r}")
    color = _number(name, "sigmaColor", sigmaColor)
    space = _number(name, "sigmaSpace", sigmaSpace)
    mode = border_mode(name, borderType)
    if dst is not None:
        check_out(name, dst, src, src.shape, src.dtype, "dst")
    radius = max(1, d // 2 if d > 0 else round(1.5 * space))
    if radius > LARGEST_RADIUS:
        raise ValueError(f"{name}: d and sigmaSpace expect a radius of at most {LARGEST_RADIUS} but got {radius}")
    if min(color, space) <= _LEAST_SIGMA:
        return _as_given(images.copy(), src, channel_axis, batch_axes, dst)
    result = kernels.bilateral(
        images,
        sigma_color=color,
        sigma_space=space,
        radius=radius,
        distance="city",
        mode=mode,
    )
    return _as_given(result, src, channel_axis, batch_axes, dst)


def fastNlMeansDenoising(  # noqa: N802
    src: np.ndarray,
    dst: np.ndarray | None = None,
    h: float = 3,
    templateWindowSize: int = 7,
    searchWindowSize: int = 21,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Denoise an image of bytes by non-local means.

    Parameters
    ----------
    src : (H, W) or (H, W, C) uint8 array of one to four channels, with the axes of a batch in front
        Any strides. Channels share the weights.
    dst : array of the shape and type of ``src``, optional
        Where to write; it may be ``src``.
    h : float
        How much noise is taken away.
    templateWindowSize, searchWindowSize : int
        Sides of the patches that are compared and of the window in which they are searched; an even number is raised
        by 1. They may exceed the image.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    uint8 array of the shape of ``src``, or ``dst``

    Raises
    ------
    TypeError, ValueError
        An array that does not fit, a number that is none.

    Notes
    -----
    Equals ``cv2.fastNlMeansDenoising`` bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[10, 12, 11, 10, 200, 202, 201, 200]] * 3, np.uint8)
    >>> fastNlMeansDenoising(image, h=10, templateWindowSize=1, searchWindowSize=7)[1]
    array([ 11,  11,  11,  11, 201, 201, 201, 201], dtype=uint8)
    """
    name = "fastNlMeansDenoising"
    images, channel_axis = _images(name, src, batch_axes, ("uint8",))
    if images.shape[-1] not in (1, 2, 3, 4):
        raise ValueError(f"{name}: src expects one to four channels but got shape {src.shape}")
    h = _number(name, "h", h)
    for argument, value in (("templateWindowSize", templateWindowSize), ("searchWindowSize", searchWindowSize)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
        if value < 1:
            raise ValueError(f"{name}: {argument} expects at least 1 but got {value}")
    if dst is not None:
        check_out(name, dst, src, src.shape, src.dtype, "dst")
    result = kernels.nl_means_uint8(
        images,
        h=h,
        patch_size=templateWindowSize // 2 * 2 + 1,
        search_size=searchWindowSize // 2 * 2 + 1,
    )
    return _as_given(result, src, channel_axis, batch_axes, dst)


def _images(name: str, src: Any, batch_axes: Any, dtypes: tuple[str, ...]) -> tuple[np.ndarray, int | None]:
    """The images as (N, H, W, C), and the axis of their channels, which is the last one if there are three axes."""
    check_image(name, "src", src)
    if src.dtype.name not in dtypes:
        raise TypeError(f"{name}: src expects {' or '.join(dtypes)} but got {src.dtype}")
    batch = leading_axes(name, batch_axes, src.ndim)
    if not 2 <= src.ndim - batch <= 3:
        raise ValueError(f"{name}: src expects (H, W) or (H, W, C) behind {batch} axes of a batch but got {src.shape}")
    channel_axis = -1 if src.ndim - batch == 3 else None
    return to_nhwc(name, native(src), channel_axis, batch), channel_axis


def _as_given(
    result: np.ndarray, src: np.ndarray, channel_axis: int | None, batch_axes: int, dst: np.ndarray | None
) -> np.ndarray:
    shaped = from_nhwc(result, src, channel_axis, batch_axes)
    if dst is None:
        return shaped
    dst[...] = shaped
    return dst


def _number(name: str, argument: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    if not np.isfinite(value):
        raise ValueError(f"{name}: {argument} expects a finite number but got {value}")
    return float(value)
