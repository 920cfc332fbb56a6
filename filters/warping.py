"""Images moved by affine and projective maps, in scikit-image's call forms."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from .images import as_float, axis_of_channels, check_image, check_out, from_nhwc, in_order, leading_axes, to_nhwc
from .sampling import SPLINE_FRAME, check_mode, check_number, check_order, clip_to_range

_INTERPOLATION = {0: "nearest-exact", 1: "bilinear", 2: "spline2", 3: "catmull-rom", 4: "spline4", 5: "spline5"}


def warp(
    image: np.ndarray,
    inverse_map: Any,
    map_args: None = None,
    output_shape: Sequence[int] | None = None,
    order: int | None = None,
    mode: str = "constant",
    cval: float = 0.0,
    clip: bool = True,
    preserve_range: bool = False,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Move an image by an affine or projective map.

    Parameters
    ----------
    image : array of real numbers
        Of two axes beside those of a batch and of channels, with at least one pixel. Any strides.
    inverse_map : (3, 3) array, or an object with such an array as ``params``
        Maps the result's (column, row, 1) to the image's. For a batch it may be one matrix for each of its images,
        ``(n, 3, 3)``. Callables and arrays of coordinates are not taken.
    map_args : None
        There for scikit-image's call form: a matrix has no arguments.
    output_shape : (rows, columns), optional
        By default that of the image.
    order : int, optional
        Of the interpolation, from 0 (the nearest pixel) to 5; by default 1, and 0 for booleans, which have no other.
        3 is Keys' cubic with a = -1/2; 2, 4 and 5 are splines.
    mode : {"constant", "edge", "symmetric", "reflect", "wrap"}
        What lies outside the image, in ``numpy.pad``'s names.
    cval : float
        The value outside where ``mode`` is "constant", in the units of the result.
    clip : bool
        Clip the result to the values of the image, and ``cval`` where it is reached.
    preserve_range : bool
        By default integers are scaled by their largest value, to [0, 1] or [-1, 1], unless the order is 0; True keeps
        their values.
    channel_axis : int, optional
        The axis of channels. Without it the last axis is that, where the image has three.
    out : array of the result's shape and type, optional
        Where to write.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array, or ``out``
        Of the image's type where the order is 0 (float16 becomes float32), otherwise float32 for float16 and float32
        images and float64 for all others.

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, no pixel, another number of axes, a map without a matrix, an order or mode that
        there is not, an ``out`` that does not fit.

    Notes
    -----
    Equals ``skimage.transform.warp`` 0.26 for such maps, within rounding; positions are computed in float64, for
    float32 images too. Splines of order 2, 4 and 5 along short axes under "symmetric": see `resize`. Integers of more
    than 53 bits are rounded to as many. A NaN reaches the pixels that take it with a weight that is not 0; of order 2,
    4 and 5, all pixels.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> warp(image, np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]]))
    array([[2., 3., 0.],
           [5., 6., 0.]])
    """
    return _warp(
        "warp", image, inverse_map, map_args, output_shape, order, mode, cval, clip, preserve_range,
        channel_axis, out, batch_axes,
    )  # fmt: skip


def _warp(
    name: str,
    image: np.ndarray,
    inverse_map: Any,
    map_args: None,
    output_shape: Sequence[int] | None,
    order: int | None,
    mode: str,
    cval: float,
    clip: bool,
    preserve_range: bool,
    channel_axis: int | None,
    out: np.ndarray | None,
    batch_axes: int,
) -> np.ndarray:
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    if channel_axis is None and image.ndim == batch + 3:
        channel_axis = -1
    planes = to_nhwc(name, image, channel_axis, batch)
    if 0 in planes.shape[1:]:
        raise ValueError(f"{name}: image expects at least one pixel but got shape {image.shape}")
    matrix = _matrix(name, inverse_map, map_args)
    size = _size(name, output_shape, planes.shape)
    border, order = check_mode(name, mode), check_order(name, order, image.dtype)
    cval = check_number(name, "cval", cval)
    dtype = np.dtype(np.float32) if image.dtype == np.float16 else image.dtype
    source = as_float(planes, preserve_range) if order > 0 else planes.astype(dtype, copy=False)
    if out is not None:
        channels = axis_of_channels(name, channel_axis, image.ndim, batch)
        shape = [*image.shape[:batch], *size]
        if channels is not None:
            shape.insert(channels, planes.shape[3])
        check_out(name, out, image, tuple(shape), source.dtype)
    wide = source if source.dtype.char in "fd" else source.astype(np.float64)
    result = _warped(wide, matrix, size, order, border, cval)
    if clip and order > 0:
        clip_to_range(result, source, mode, cval, 1)
    return in_order(from_nhwc(result.astype(source.dtype, copy=False), image, channel_axis, batch), out)


def rotate(
    image: np.ndarray,
    angle: float,
    resize: bool = False,
    center: Sequence[float] | None = None,
    order: int | None = None,
    mode: str = "constant",
    cval: float = 0,
    clip: bool = True,
    preserve_range: bool = False,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Rotate an image about a point.

    Parameters
    ----------
    angle : float
        In degrees, counter-clockwise.
    resize : bool
        Make the result as large as the whole rotated image.
    center : (column, row), optional
        By default the image's middle.
    image, order, mode, cval, clip, preserve_range, channel_axis, out, batch_axes
        As in `warp`.

    Returns
    -------
    array, or ``out``

    Notes
    -----
    Equals ``skimage.transform.rotate`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> rotate(np.array([[1.0, 2.0], [3.0, 4.0]]), 90).round(6)
    array([[2., 4.],
           [1., 3.]])
    """
    name = "rotate"
    check_image(name, "image", image)
    turn = math.radians(check_number(name, "angle", angle))
    if not math.isfinite(turn):
        raise ValueError(f"{name}: angle expects a finite number but got {angle!r}")
    batch = leading_axes(name, batch_axes, image.ndim)
    if channel_axis is None and image.ndim == batch + 3:
        channel_axis = -1
    _, rows, columns, channels = to_nhwc(name, image, channel_axis, batch).shape
    if 0 in (rows, columns, channels):
        raise ValueError(f"{name}: image expects at least one pixel but got shape {image.shape}")
    check_mode(name, mode)
    check_order(name, order, image.dtype)
    check_number(name, "cval", cval)
    middle = (columns / 2 - 0.5, rows / 2 - 0.5) if center is None else _pair(name, "center", center, "(column, row)")
    cosine, sine = math.cos(turn), math.sin(turn)
    rotation = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    matrix = _moved(*middle) @ rotation @ _moved(-middle[0], -middle[1])
    shape = None
    if resize:
        corners = np.array([[0, 0, columns - 1, columns - 1], [0, rows - 1, rows - 1, 0], [1, 1, 1, 1]])
        places = (np.linalg.inv(matrix) @ corners)[:2]
        first, last = places.min(axis=1), places.max(axis=1)
        shape = [int(np.around(extent)) for extent in (last - first + 1)[::-1]]
        matrix = matrix @ _moved(*first)
    matrix[2] = (0, 0, 1)
    return _warp(
        name, image, matrix, None, shape, order, mode, cval, clip, preserve_range, channel_axis, out, batch_axes
    )


def _moved(columns: float, rows: float) -> np.ndarray:
    """The matrix of a translation."""
    return np.array([[1.0, 0.0, columns], [0.0, 1.0, rows], [0.0, 0.0, 1.0]])


def _warped(
    x: np.ndarray, matrix: np.ndarray, size: tuple[int, int], order: int, border: str, cval: float
) -> np.ndarray:
    """`kernels.warp2d`, of the coefficients where the order is that of a spline."""
    mode = _INTERPOLATION[order]
    if not mode.startswith("spline"):
        return kernels.warp2d(x, matrix, size, mode=mode, border=border, cval=cval)
    if border in ("constant", "nearest"):
        around = ((0, 0), (SPLINE_FRAME,) * 2, (SPLINE_FRAME,) * 2, (0, 0))
        outside: dict[str, Any] = {"constant_values": cval} if border == "constant" else {"mode": "edge"}
        x = np.pad(x, around, **outside)
        matrix = _moved(SPLINE_FRAME, SPLINE_FRAME) @ matrix
    inside = {"constant": "mirror", "nearest": "reflect"}.get(border, border)  # behind a frame, as SciPy
    coefficients = kernels.spline_filter2d(x, order, border=inside)
    return kernels.warp2d(coefficients, matrix, size, mode=mode, border=border, cval=cval)


def _matrix(name: str, inverse_map: Any, map_args: Any) -> np.ndarray:
    """The matrix of a map."""
    if map_args is not None:
        raise TypeError(f"{name}: map_args expects None, since a matrix has no arguments, but got {map_args!r}")
    matrix = getattr(inverse_map, "params", inverse_map)
    if not isinstance(matrix, np.ndarray) or matrix.dtype.kind not in "fiu" or matrix.shape[-2:] != (3, 3):
        found = f"shape {matrix.shape}" if isinstance(matrix, np.ndarray) else type(inverse_map).__name__
        raise TypeError(
            f"{name}: inverse_map expects a (3, 3) matrix or an object with one as params but got {found}; "
            "callables and arrays of coordinates are not taken"
        )
    return matrix.astype(np.float64)


def _size(name: str, output_shape: Any, planes: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of the result."""
    if output_shape is None:
        return planes[1], planes[2]
    if isinstance(output_shape, Sequence | np.ndarray) and len(output_shape) == 3 and output_shape[2] == planes[3]:
        output_shape = output_shape[:2]  # with the channels
    sizes = _pair(name, "output_shape", output_shape, "(rows, columns)")
    rows, columns = round(sizes[0]), round(sizes[1])
    if min(rows, columns) < 0 or max(abs(sizes[0] - rows), abs(sizes[1] - columns)) > 1e-3:
        raise ValueError(f"{name}: output_shape expects (rows, columns) but got {output_shape!r}")
    return rows, columns


def _pair(name: str, argument: str, values: Any, what: str) -> tuple[float, float]:
    """Two finite numbers."""
    try:
        first, second = (float(value) for value in values)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: {argument} expects {what} but got {values!r}") from None
    if not (math.isfinite(first) and math.isfinite(second)):
        raise ValueError(f"{name}: {argument} expects {what} but got {values!r}")
    return first, second
