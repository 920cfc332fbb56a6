"""Images of another size and place, under OpenCV's names."""

import math
from typing import Any

import numpy as np

from ... import kernels
from ..framing import pad
from .borders import BORDER_CONSTANT, BORDER_DEFAULT, BORDER_REFLECT_101, border_mode
from .planes import Planes

INTER_NEAREST = 0
INTER_LINEAR = 1
INTER_CUBIC = 2
INTER_AREA = 3
INTER_LANCZOS4 = 4
INTER_NEAREST_EXACT = 6
WARP_INVERSE_MAP = 16

_RESIZE = {
    INTER_NEAREST: "nearest-below",
    INTER_NEAREST_EXACT: "nearest-exact",
    INTER_LINEAR: "bilinear",
    INTER_CUBIC: "bicubic",
    INTER_AREA: "area",
    INTER_LANCZOS4: "lanczos4",
}
_WARP = {
    INTER_NEAREST: "nearest-exact",
    INTER_LINEAR: "bilinear",
    INTER_CUBIC: "bicubic",
    INTER_LANCZOS4: "lanczos4",
}
_PAD = {
    "constant": "constant", "nearest": "edge", "reflect": "symmetric", "mirror": "reflect", "wrap": "wrap",
}  # fmt: skip


def resize(
    src: np.ndarray,
    dsize: tuple[int, int] | None,
    dst: np.ndarray | None = None,
    fx: float = 0,
    fy: float = 0,
    interpolation: int = INTER_LINEAR,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Resize an image.

    Parameters
    ----------
    src : (H, W) or (H, W, C) array, uint8, uint16, int16, float32 or float64
        At least one pixel.
    dsize : (width, height) or None
        The size of the result, and the factors with it; None or (0, 0) takes the rounded product of the image's size
        with ``fx`` and ``fy``.
    dst : array of the result's shape and type, optional
        Where to write.
    fx, fy : float
        Factors along the width and the height, which positions are divided by, whatever the rounded size. They count
        without ``dsize`` alone.
    interpolation : int
        `INTER_NEAREST`, `INTER_LINEAR`, `INTER_CUBIC`, `INTER_AREA`, `INTER_LANCZOS4` or `INTER_NEAREST_EXACT`.
    batch_axes : int
        How many axes in front count images.

    Returns
    -------
    array of the image's type, or ``dst``

    Raises
    ------
    TypeError, ValueError
        Another type, no pixel, no size, an interpolation that there is not, a ``dst`` that does not fit.

    Notes
    -----
    Equals ``cv2.resize`` within rounding for floating-point images. Integers are computed in float32 and rounded to
    the nearest, halves to even; up where both sides of 1, 3 or 4 channels are halved by `INTER_AREA` or, of uint8, by
    `INTER_LINEAR`. OpenCV's own fixed point of 8 bits lies within 1 of that for `INTER_LINEAR`, `INTER_CUBIC` and
    `INTER_LANCZOS4`. `INTER_AREA` with fractions of pixels counts every overlap, of which OpenCV drops those below a
    thousandth; and where one side becomes smaller and the other larger it averages, while OpenCV interpolates; and
    where it enlarges, OpenCV takes the pixel before where it rounds a position below a whole number. Of two pixels that
    are equally near, `INTER_NEAREST_EXACT` takes the later one, and OpenCV sometimes the other.

    Examples
    --------
    >>> import numpy as np
    >>> resize(np.array([[0, 100]], np.uint8), (4, 1))
    array([[  0,  25,  75, 100]], dtype=uint8)
    """
    name = "resize"
    planes = Planes(name, src, batch_axes)
    if interpolation not in _RESIZE:
        raise ValueError(
            f"{name}: interpolation expects one of {', '.join(map(str, sorted(_RESIZE)))} but got {interpolation!r}"
        )
    height, width = planes.array.shape[1:3]
    if height == 0 or width == 0:
        raise ValueError(f"{name}: src expects at least one pixel but got shape {src.shape}")
    size, given = _size_and_factors(name, dsize, height, width, fx, fy)
    factors = given or (size[0] / height, size[1] / width)
    # OpenCV's own path for halves of integers rounds up, and serves these numbers of channels.
    served = src.dtype.kind == "f" or planes.array.shape[3] in (1, 3, 4)
    means = (INTER_AREA, INTER_LINEAR) if src.dtype.kind == "f" or src.dtype == np.uint8 else (INTER_AREA,)
    halved = factors == (0.5, 0.5) and served and interpolation in means
    rows, columns = 2 * size[0], 2 * size[1]
    if halved and rows <= height and columns <= width:
        return planes.done(kernels.halve(planes.array[:, :rows, :columns]), dst)
    scale = {INTER_NEAREST: factors, INTER_NEAREST_EXACT: None}.get(interpolation, given)
    result = kernels.interpolate(planes.array, size, scale_factor=scale, mode=_RESIZE[interpolation])
    if halved and src.dtype.kind != "f":  # of the squares that an odd side cuts, halves are rounded to even
        rows, columns = height // 2, width // 2
        result[:, :rows, :columns] = kernels.halve(planes.array[:, : 2 * rows, : 2 * columns])
    return planes.done(result, dst)


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
        The value outside with `BORDER_CONSTANT`, of all channels or of each.

    Returns
    -------
    array of the image's type, or ``dst``

    Raises
    ------
    TypeError, ValueError
        A matrix of another shape, or one that has no inverse; as in `resize`.

    Notes
    -----
    Equals ``cv2.warpAffine``, whose positions are rounded: to a part of a pixel that differs from version to version.

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


def pyrDown(  # noqa: N802 - OpenCV's name
    src: np.ndarray, dst: np.ndarray | None = None, borderType: int = BORDER_DEFAULT, *, batch_axes: int = 0
) -> np.ndarray:
    """Blur an image and take every second pixel.

    Parameters
    ----------
    src, dst, batch_axes
        As in `resize`.
    borderType : int
        What lies outside the image; not `BORDER_CONSTANT`.

    Returns
    -------
    ((H + 1) // 2, (W + 1) // 2[, C]) array of the image's type, or ``dst``

    Notes
    -----
    Equals ``cv2.pyrDown``, bit for bit for integers: weights are 1, 4, 6, 4, 1 along each axis, over 16, and halves
    are rounded up.

    Examples
    --------
    >>> import numpy as np
    >>> pyrDown(np.array([[0, 16, 0, 0]], np.uint8))
    array([[8, 4]], dtype=uint8)
    """
    name = "pyrDown"
    planes = Planes(name, src, batch_axes)
    mode = border_mode(name, borderType, without=(BORDER_CONSTANT,))
    return planes.done(kernels.pyramid_down(planes.array, border=mode), dst)


def pyrUp(  # noqa: N802 - OpenCV's name
    src: np.ndarray, dst: np.ndarray | None = None, borderType: int = BORDER_DEFAULT, *, batch_axes: int = 0
) -> np.ndarray:
    """Put a pixel of 0 behind each and blur what results.

    Parameters
    ----------
    src, dst, batch_axes
        As in `resize`.
    borderType : int
        `BORDER_REFLECT_101`, which OpenCV takes alone.

    Returns
    -------
    (2 H, 2 W[, C]) array of the image's type, or ``dst``

    Notes
    -----
    Equals ``cv2.pyrUp``, bit for bit for integers: weights are 1, 4, 6, 4, 1 along each axis, over 8, and halves are
    rounded up.

    Examples
    --------
    >>> import numpy as np
    >>> pyrUp(np.array([[0, 8]], np.uint8))
    array([[2, 4, 7, 8],
           [2, 4, 7, 8]], dtype=uint8)
    """
    name = "pyrUp"
    planes = Planes(name, src, batch_axes)
    if border_mode(name, borderType) != border_mode(name, BORDER_REFLECT_101):
        raise ValueError(f"{name}: borderType expects BORDER_REFLECT_101 = {BORDER_REFLECT_101} but got {borderType}")
    return planes.done(kernels.pyramid_up(planes.array), dst)


def copyMakeBorder(  # noqa: N802 - OpenCV's name
    src: np.ndarray,
    top: int,
    bottom: int,
    left: int,
    right: int,
    borderType: int,
    dst: np.ndarray | None = None,
    value: float = 0,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Put rows and columns around an image.

    Parameters
    ----------
    src, dst, batch_axes
        As in `resize`.
    top, bottom, left, right : int
        How many; any number, borders repeat.
    borderType : int
        What they hold.
    value : float
        That of `BORDER_CONSTANT`, in all channels.

    Returns
    -------
    array of the image's type, or ``dst``

    Examples
    --------
    >>> import numpy as np
    >>> copyMakeBorder(np.array([[1, 2, 3]], np.uint8), 0, 0, 2, 1, BORDER_REFLECT_101)
    array([[3, 2, 1, 2, 3, 2]], dtype=uint8)
    """
    name = "copyMakeBorder"
    planes = Planes(name, src, batch_axes)
    mode = _PAD[border_mode(name, borderType)]
    around = [(0, 0)] * planes.batch + [(top, bottom), (left, right)] + [(0, 0)] * (src.ndim - planes.batch - 2)
    return pad(src, around, mode, value, out=dst)


def _size_and_factors(
    name: str, dsize: Any, height: int, width: int, fx: float, fy: float
) -> tuple[tuple[int, int], tuple[float, float] | None]:
    """Height and width of a result, and the factors that led to them; OpenCV copies where the size stays."""
    factors = None
    if dsize is None or dsize in ((0, 0), [0, 0]):
        if not (0 < fx < math.inf and 0 < fy < math.inf):
            raise ValueError(f"{name}: fx and fy expect positive numbers without dsize but got {fx!r}, {fy!r}")
        size = round(height * fy), round(width * fx)
        if size != (height, width):
            factors = float(fy), float(fx)
    else:
        size = _size(name, dsize)
    if min(size) < 1:
        raise ValueError(f"{name}: the result expects at least one pixel but has height {size[0]}, width {size[1]}")
    return size, factors


def _size(name: str, dsize: Any) -> tuple[int, int]:
    two = tuple(dsize) if isinstance(dsize, tuple | list | np.ndarray) else ()
    if len(two) != 2 or not all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in two):
        raise TypeError(f"{name}: dsize expects (width, height) but got {dsize!r}")
    if min(two) < 0:
        raise ValueError(f"{name}: dsize expects sizes of at least 0 but got {dsize!r}")
    return int(two[1]), int(two[0])


def _real_matrix(name: str, M: Any, shape: tuple[int, int]) -> np.ndarray:
    matrix = np.asarray(M)
    if matrix.dtype.kind not in "fiu" or matrix.shape != shape:
        raise ValueError(f"{name}: M expects a real {shape} matrix but got {matrix.dtype} {matrix.shape}")
    return matrix.astype(np.float64)


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
    size = _size(name, dsize)
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
        if np.linalg.det(matrix) == 0:
            raise ValueError(f"{name}: M expects a matrix that has an inverse but got {matrix.tolist()}")
        matrix = np.linalg.inv(matrix)
    x = planes.array
    values = np.asarray(value, np.float64).ravel()[: x.shape[3]]
    if values.size not in (1, x.shape[3]):
        raise ValueError(f"{name}: borderValue expects a number or {x.shape[3]} of them but got {value!r}")
    how: dict[str, Any] = {"mode": _WARP[interpolation], "border": mode}
    alike = mode != "constant" or bool(np.all(values == values[0]))
    wide = x if alike else planes.wide()  # sums of parts are rounded at the end
    result = kernels.warp2d(wide, matrix, size, **how, cval=float(values[0]) if alike else 0.0)
    if not alike:
        covered = kernels.warp2d(np.ones((1, *x.shape[1:3], 1), wide.dtype), matrix, size, **how)
        result += (1 - covered) * values.astype(wide.dtype)
    return planes.done(result, dst)
