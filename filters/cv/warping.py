"""Images moved by affine and projective maps, under OpenCV's names."""

import math
from typing import Any

import numpy as np

from ... import kernels
from ...kernels.arrays import beside, to_device
from .borders import BORDER_CONSTANT, border_mode, border_numbers
from .planes import Planes
from .resizing import INTER_CUBIC, INTER_LANCZOS4, INTER_LINEAR, INTER_NEAREST, check_size

WARP_INVERSE_MAP = 16

_WARP = {
    INTER_NEAREST: "nearest-even",
    INTER_LINEAR: "bilinear",
    INTER_CUBIC: "bicubic",
    INTER_LANCZOS4: "lanczos4",
}


def warpAffine(  # noqa: N802 - OpenCV's name
    src: np.ndarray,
    M: np.ndarray,
    dsize: tuple[int, int],
    dst: np.ndarray | None = None,
    flags: int = INTER_LINEAR,
    borderMode: int = BORDER_CONSTANT,
    borderValue: Any = 0,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Move an image by an affine map.

    Parameters
    ----------
    src, dst, batch_axes
        As in `resize`.
    M : (2, 3) array-like
        Maps the image's (x, y, 1) to the result's (x, y); with `WARP_INVERSE_MAP` the other way round.
    dsize : (width, height)
        The size of the result.
    flags : int
        `INTER_NEAREST`, `INTER_LINEAR`, `INTER_CUBIC` or `INTER_LANCZOS4`, plus `WARP_INVERSE_MAP`.
    borderMode : int
        What lies outside the image.
    borderValue : float or sequence of floats
        The value outside with `BORDER_CONSTANT`, of all channels or of each; integers are rounded and saturate.

    Returns
    -------
    array of the image's type, or ``dst``

    Raises
    ------
    TypeError, ValueError
        A matrix of another shape, or one that has no inverse; NaN outside of integers; as in `resize`.

    Notes
    -----
    Equals ``cv2.warpAffine``, whose positions are rounded: to a part of a pixel that differs from version to version.

    With `INTER_NEAREST` it takes the pixels that OpenCV 5 takes: positions are computed in float32, and of two pixels
    that are equally near the even one is taken. Of int16, float64 and of other than 1, 3 or 4 channels it is the later
    one; there OpenCV rounds positions to 1/1024, and may differ where one lies within that of the middle of two pixels.
    It may also where a position of the last ``width % 16`` of a row lies within rounding of that.

    Examples
    --------
    >>> import numpy as np
    >>> warpAffine(np.array([[1, 2, 3]], np.uint8), [[1, 0, 1], [0, 1, 0]], (3, 1))
    array([[0, 1, 2]], dtype=uint8)
    """
    matrix = _real_matrix("warpAffine", M, (2, 3))
    whole = np.vstack([matrix, [0.0, 0.0, 1.0]])
    return _warp("warpAffine", src, whole, dsize, dst, flags, borderMode, borderValue, batch_axes)


def warpPerspective(  # noqa: N802 - OpenCV's name
    src: np.ndarray,
    M: np.ndarray,
    dsize: tuple[int, int],
    dst: np.ndarray | None = None,
    flags: int = INTER_LINEAR,
    borderMode: int = BORDER_CONSTANT,
    borderValue: Any = 0,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Move an image by a projective map.

    Parameters
    ----------
    M : (3, 3) array-like
        Maps the image's (x, y, 1) to multiples of the result's; with `WARP_INVERSE_MAP` the other way round.
    src, dsize, dst, flags, borderMode, borderValue, batch_axes
        As in `warpAffine`.

    Returns
    -------
    array of the image's type, or ``dst``

    Notes
    -----
    Equals ``cv2.warpPerspective`` as `warpAffine` does its namesake. With `INTER_NEAREST`, of two pixels that are
    equally near the even one is taken, of all types; of int16, float64 and of other than 1, 3 or 4 channels OpenCV
    computes positions in float64, and may differ where one lies within float32's rounding of the middle of two pixels.

    Examples
    --------
    >>> import numpy as np
    >>> warpPerspective(np.array([[1, 2, 3]], np.uint8), np.diag([1.0, 1.0, 0.5]), (3, 1))
    array([[1, 2, 2]], dtype=uint8)
    """
    matrix = _real_matrix("warpPerspective", M, (3, 3))
    return _warp("warpPerspective", src, matrix, dsize, dst, flags, borderMode, borderValue, batch_axes)


def getRotationMatrix2D(center: tuple[float, float], angle: float, scale: float) -> np.ndarray:  # noqa: N802
    """The (2, 3) matrix that turns an image about ``center`` = (x, y) by ``angle`` degrees and scales it.

    Positive angles turn counter-clockwise, as seen with the origin at the top left. Equals ``cv2.getRotationMatrix2D``.

    >>> getRotationMatrix2D((2, 1), 90, 1).round(6)
    array([[ 0.,  1.,  1.],
           [-1.,  0.,  3.]])
    """
    x, y = map(float, center)
    alpha, beta = scale * math.cos(math.radians(angle)), scale * math.sin(math.radians(angle))
    return np.array([[alpha, beta, (1 - alpha) * x - beta * y], [-beta, alpha, beta * x + (1 - alpha) * y]])


def _real_matrix(name: str, M: Any, shape: tuple[int, int]) -> np.ndarray:
    matrix = np.asarray(to_device(M, "cpu"))
    if matrix.dtype.kind not in "fiu" or matrix.shape != shape:
        raise ValueError(f"{name}: M expects a real {shape} matrix but got {matrix.dtype} {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name}: M expects finite numbers but got {matrix.tolist()}")
    return matrix.astype(np.float64)


def _inverse(name: str, matrix: np.ndarray) -> np.ndarray:
    """By cofactors, bit for bit OpenCV's: on it depends where ties between two pixels lie."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    if determinant == 0:
        raise ValueError(f"{name}: M expects a matrix that has an inverse but got {matrix.tolist()}")
    r = 1 / determinant
    rows = (
        ((e * i - f * h) * r, (c * h - b * i) * r, (b * f - c * e) * r),
        ((f * g - d * i) * r, (a * i - c * g) * r, (c * d - a * f) * r),
        ((d * h - e * g) * r, (b * g - a * h) * r, (a * e - b * d) * r),
    )
    inverse = np.array(rows)
    if name == "warpAffine":
        inverse[:2, 2] = -inverse[:2, 0] * c - inverse[:2, 1] * f
    return inverse


def _in_fixed_point(x: np.ndarray) -> bool:
    """Whether OpenCV rounds places of an affine map to parts of 1/1024, and those between two pixels up."""
    return x.dtype in (np.int16, np.float64) or x.shape[3] not in (1, 3, 4)


def _warp(
    name: str,
    src: np.ndarray,
    matrix: np.ndarray,
    dsize: Any,
    dst: np.ndarray | None,
    flags: Any,
    border: Any,
    value: Any,
    batch_axes: int,
) -> np.ndarray:
    planes = Planes(name, src, batch_axes)
    if 0 in planes.array.shape[1:]:
        raise ValueError(f"{name}: src expects at least one pixel but got shape {src.shape}")
    size = check_size(name, dsize)
    planes.check_dst(dst, size)
    mode = border_mode(name, border)
    if isinstance(flags, bool) or not isinstance(flags, int | np.integer):
        raise TypeError(f"{name}: flags expects an integer but got {flags!r}")
    interpolation = int(flags) & ~WARP_INVERSE_MAP
    if interpolation not in _WARP:
        raise ValueError(
            f"{name}: flags expects one of {', '.join(map(str, _WARP))}, plus WARP_INVERSE_MAP = {WARP_INVERSE_MAP}, "
            f"but got {flags}"
        )
    if not flags & WARP_INVERSE_MAP:
        matrix = _inverse(name, matrix)
    x = planes.array
    if interpolation == INTER_NEAREST and name == "warpAffine" and _in_fixed_point(x):
        matrix[:2, 2] += 1 / 2048
    values = border_numbers(name, "borderValue", value, x.dtype).ravel()[: x.shape[3]]
    if values.size not in (1, x.shape[3]):
        raise ValueError(f"{name}: borderValue expects a number or {x.shape[3]} of them but got {value!r}")
    how: dict[str, Any] = {"mode": _WARP[interpolation], "border": mode}
    alike = mode != "constant" or bool(np.all(values == values[0]))
    wide = x if alike else planes.wide()  # sums of parts are rounded at the end
    result = kernels.warp2d(wide, matrix, size, **how, cval=float(values[0]) if alike else 0.0)
    if not alike:
        nothing = beside(x, np.zeros((1, *x.shape[1:3], 1), wide.dtype))
        outside = kernels.warp2d(nothing, matrix, size, **how, cval=1.0)
        with np.errstate(invalid="ignore"):  # 0 times what is no number
            result += np.where(outside != 0, outside * beside(x, values.astype(wide.dtype)), 0)
    return planes.done(result, dst)
