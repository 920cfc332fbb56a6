"""Linear filters under OpenCV's names: filter2D and sepFilter2D. (Boxes and Gaussians: smoothing.py.)

All take images of type uint8, uint16, int16, float32 or float64 with any number of channels, each filtered on its own,
and every border; outside the image BORDER_CONSTANT is 0. Windows may exceed the image. Beyond OpenCV's arguments there
is ``batch_axes``.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ... import kernels
from ...kernels.correlation.geometry import real_weights
from ...kernels.correlation.window_geometry import number
from .borders import BORDER_DEFAULT, border_mode
from .depths import depth_type
from .layout import MIDDLE, given_back, origin_of, source_of, target_of

_RESULTS = {
    "uint8": ("uint8", "int16", "float32", "float64"),
    "uint16": ("uint16", "float32", "float64"),
    "int16": ("int16", "float32", "float64"),
    "float32": ("float32", "float64"),
    "float64": ("float64",),
}


def filter2D(  # noqa: N802
    src: np.ndarray,
    ddepth: int,
    kernel: ArrayLike,
    dst: np.ndarray | None = None,
    anchor: tuple[int, int] = MIDDLE,
    delta: float = 0.0,
    borderType: int = BORDER_DEFAULT,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Correlate an image with a kernel of two axes, which is not flipped.

    Parameters
    ----------
    src : (..., H, W) or (..., H, W, C), uint8, uint16, int16, float32 or float64
        Any strides.
    ddepth : int
        The type of the result: -1 for that of ``src``, ``CV_16S`` of uint8, ``CV_32F`` or ``CV_64F``.
    kernel : array-like of real numbers of two axes
    dst : array of the shape of ``src`` and of that type, optional
        Where to write; it may be ``src`` itself.
    anchor : (x, y)
        The element of the kernel that lies on the pixel that is computed; -1 is the middle.
    delta : float
        Added to every result.
    borderType : int
        One of the ``BORDER_`` constants.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of the shape of ``src`` (of one channel, too), or ``dst``

    Raises
    ------
    TypeError, ValueError
        Where types, shapes or values do not fit; nothing is computed.

    Notes
    -----
    Integers are rounded, halves to the even one, and saturate. Equals ``cv2.filter2D`` bit for bit where the sums are
    exact in float32 (8-bit images, weights that are sums of a few powers of two), otherwise within 1 or rounding; and
    it takes ``BORDER_WRAP``, which that does not. A NaN reaches the pixels whose window holds it, and no others.

    Examples
    --------
    >>> import numpy as np
    >>> filter2D(np.array([[10, 20, 250]], np.uint8), -1, [[1, 1, 0]])
    array([[ 30,  30, 255]], dtype=uint8)
    """
    name = "filter2D"
    x = source_of(name, src, batch_axes)
    dtype = _result_type(name, ddepth, x.dtype)
    weights = real_weights(name, "kernel", kernel)
    if weights.ndim != 2 or weights.size == 0:
        raise ValueError(f"{name}: kernel expects two axes of at least one number but got shape {weights.shape}")
    origin = origin_of(name, anchor, (weights.shape[0], weights.shape[1]))
    mode, offset = border_mode(name, borderType), number(name, "delta", delta)
    out = target_of(name, dst, src, dtype, x.shape)
    result = kernels.correlate2d(x, weights, mode=mode, origin=origin, delta=offset, dtype=dtype, out=out)
    return given_back(result, src, dst, batch_axes)


def sepFilter2D(  # noqa: N802
    src: np.ndarray,
    ddepth: int,
    kernelX: ArrayLike,
    kernelY: ArrayLike,
    dst: np.ndarray | None = None,
    anchor: tuple[int, int] = MIDDLE,
    delta: float = 0.0,
    borderType: int = BORDER_DEFAULT,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Correlate an image along rows with ``kernelX`` and along columns with ``kernelY``.

    Parameters
    ----------
    src, ddepth, dst, anchor, delta, borderType, batch_axes
        As in `filter2D`.
    kernelX, kernelY : array-like of real numbers
        One axis, or two of which one has extent 1.

    Returns
    -------
    array of the shape of ``src``, or ``dst``

    Raises
    ------
    TypeError, ValueError
        As in `filter2D`.

    Notes
    -----
    Equals ``cv2.sepFilter2D`` within rounding, of integers within 1. Results are rounded once, halves to even. OpenCV
    has fixed point for 8-bit results of weights that are symmetric about the anchor, not negative, not all integers,
    add up to 1 and are 256ths: there it rounds halves up in what is left of a row behind its last whole vector.

    Examples
    --------
    >>> import numpy as np
    >>> sepFilter2D(np.array([[0, 4, 0], [0, 0, 8]], np.int16), -1, [1, 2, 1], [1])
    array([[ 8,  8,  8],
           [ 0,  8, 16]], dtype=int16)
    """
    name = "sepFilter2D"
    x = source_of(name, src, batch_axes)
    dtype = _result_type(name, ddepth, x.dtype)
    row, column = _line(name, "kernelX", kernelX), _line(name, "kernelY", kernelY)
    origin = origin_of(name, anchor, (column.size, row.size))
    mode, offset = border_mode(name, borderType), number(name, "delta", delta)
    out = target_of(name, dst, src, dtype, x.shape)
    between = np.dtype(np.float64 if np.float64 in (x.dtype, dtype) else np.float32)
    result = separable(x, column, row, mode, origin, offset, between, dtype, out)
    return given_back(result, src, dst, batch_axes)


def separable(
    x: np.ndarray,
    column: np.ndarray,
    row: np.ndarray,
    mode: str,
    origin: tuple[int, int],
    delta: float,
    between: np.dtype,
    dtype: np.dtype,
    out: np.ndarray | None,
) -> np.ndarray:
    """Both passes over images (N, H, W, C), in the type ``between``: fused where nothing but sums is to be done."""
    if x.dtype == dtype and dtype.kind == "f" and delta == 0 and origin == (0, 0):
        return kernels.correlate_separable2d(x, column, row, axis=1, mode=mode, out=out)
    rows = kernels.correlate2d(x, row[None, :], mode=mode, origin=(0, origin[1]), dtype=between)
    return kernels.correlate2d(
        rows, column[:, None], mode=mode, origin=(origin[0], 0), delta=delta, dtype=dtype, out=out
    )


def _result_type(name: str, ddepth: Any, source: np.dtype) -> np.dtype:
    """The type that ``ddepth`` names, if the source can be filtered into it."""
    dtype = depth_type(name, ddepth, source)
    if dtype != source and dtype.name not in _RESULTS[source.name]:
        raise ValueError(
            f"{name}: ddepth expects one of {', '.join(_RESULTS[source.name])} for {source} but got {dtype}"
        )
    return dtype


def _line(name: str, argument: str, kernel: ArrayLike) -> np.ndarray:
    weights = real_weights(name, argument, kernel)
    if weights.size == 0 or weights.ndim not in (1, 2) or max(weights.shape) != weights.size:
        raise ValueError(f"{name}: {argument} expects a row or a column of numbers but got shape {weights.shape}")
    return weights.ravel()
