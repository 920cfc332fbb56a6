"""Canny's edge detector under OpenCV's name."""

import math
from typing import Any

import numpy as np

from ... import kernels
from ..images import check_image, check_out, leading_axes, to_nhwc


def Canny(  # noqa: N802
    image: np.ndarray,
    threshold1: Any,
    threshold2: Any,
    edges: Any = None,
    apertureSize: Any = 3,
    L2gradient: bool = False,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Find edges: ridges of the gradient that are strong, or touch a strong one. Nothing is blurred before.

    Also ``Canny(dx, dy, threshold1, threshold2, edges=None, L2gradient=False)``, of derivatives that were computed
    before.

    Parameters
    ----------
    image : (H, W) or (H, W, C) uint8 array
        Of several channels each pixel's gradient is that of the channel where it is longest. ``batch_axes`` more axes
        in front count images.
    dx, dy : (H, W) int16 arrays
    threshold1, threshold2 : float
        The lower and the higher one, in either order, in units of the Sobel derivatives.
    edges : (H, W) uint8 array, optional
        Where to write.
    apertureSize : {3, 5, 7}
        The size of Sobel's weights.
    L2gradient : bool
        The gradient's length is ``sqrt(dx**2 + dy**2)`` rather than ``abs(dx) + abs(dy)``.

    Returns
    -------
    (H, W) uint8 array, or ``edges``
        255 on edges, 0 elsewhere; no axis of channels.

    Raises
    ------
    TypeError, ValueError
        An image that is not of 8 bits, an aperture that does not exist, thresholds that are no numbers, an ``edges``
        that does not fit.

    Notes
    -----
    Equals ``cv2.Canny`` bit for bit, with apertures 5 and 7 that of ``cv2.setUseOptimized(False)`` (OpenCV's own vector
    code decides directions otherwise there, of one pixel in many images). An empty image gives an empty result.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[0, 0, 0, 90, 90, 90]] * 3, np.uint8)
    >>> Canny(image, 100, 200)[0]
    array([  0,   0, 255,   0,   0,   0], dtype=uint8)
    """
    name = "Canny"
    if isinstance(threshold1, np.ndarray):
        other = None if isinstance(apertureSize, int) else apertureSize
        return _canny_of_gradient(image, threshold1, threshold2, edges, other, L2gradient, batch_axes)
    check_image(name, "image", image)
    if image.dtype != np.uint8:
        raise TypeError(f"{name}: image expects uint8 but got {image.dtype}")
    low, high = _thresholds(name, threshold1, threshold2)
    if isinstance(apertureSize, bool) or not isinstance(apertureSize, int | np.integer):
        raise TypeError(f"{name}: apertureSize expects an integer but got {apertureSize!r}")
    if apertureSize not in (3, 5, 7):
        raise ValueError(f"{name}: apertureSize expects 3, 5 or 7 but got {apertureSize}")
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = -1 if image.ndim - batch == 3 else None
    x = to_nhwc(name, image, channels, batch)
    shape = image.shape if channels is None else image.shape[:-1]
    norm = "l2" if L2gradient else "l1"
    return _edges(
        name,
        image,
        shape,
        edges,
        "edges",
        lambda out: kernels.canny(x, low, high, aperture=int(apertureSize), norm=norm, out=out),
    )


def _canny_of_gradient(
    dx: Any, dy: Any, threshold1: Any, threshold2: Any, edges: Any, squared: bool, batch_axes: int
) -> np.ndarray:
    name = "Canny"
    for argument, derivative in (("dx", dx), ("dy", dy)):
        check_image(name, argument, derivative)
        if derivative.dtype != np.int16:
            raise TypeError(f"{name}: {argument} expects int16 but got {derivative.dtype}")
    if dx.shape != dy.shape:
        raise ValueError(f"{name}: dx and dy expect one shape but got {dx.shape} and {dy.shape}")
    low, high = _thresholds(name, threshold1, threshold2)
    along, down = (to_nhwc(name, d, None, leading_axes(name, batch_axes, d.ndim))[..., 0] for d in (dx, dy))
    norm = "l2" if squared else "l1"
    return _edges(
        name,
        dx,
        dx.shape,
        edges,
        "edges",
        lambda out: kernels.canny_of_gradient(along, down, low, high, norm=norm, out=out),
    )


def _edges(name: str, image: np.ndarray, shape: tuple[int, ...], dst: Any, argument: str, compute: Any) -> np.ndarray:
    """What a kernel computes, ``(N, H, W)``, in the given shape; in ``dst``, if there is one."""
    if dst is None:
        return compute(None).reshape(shape)
    check_out(name, dst, image, shape, np.dtype(np.uint8), argument)
    dst[...] = compute(None).reshape(shape)
    return dst


def _thresholds(name: str, first: Any, second: Any) -> tuple[float, float]:
    for argument, value in (("threshold1", first), ("threshold2", second)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
        if math.isnan(value):
            raise ValueError(f"{name}: {argument} expects a number but got {value!r}")
    return min(first, second), max(first, second)
