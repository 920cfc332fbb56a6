"""Images of another size, under OpenCV's names."""

import math
from typing import Any

import numpy as np

from ... import kernels
from .borders import BORDER_CONSTANT, BORDER_DEFAULT, BORDER_REFLECT_101, border_mode
from .planes import Planes

INTER_NEAREST = 0
INTER_LINEAR = 1
INTER_CUBIC = 2
INTER_AREA = 3
INTER_LANCZOS4 = 4
INTER_NEAREST_EXACT = 6

_RESIZE = {
    INTER_NEAREST: "nearest-below",
    INTER_NEAREST_EXACT: "nearest-exact",
    INTER_LINEAR: "bilinear",
    INTER_CUBIC: "bicubic",
    INTER_AREA: "area",
    INTER_LANCZOS4: "lanczos4",
}


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
    if 0 in planes.array.shape[1:]:
        raise ValueError(f"{name}: src expects at least one pixel but got shape {src.shape}")
    size, given = _size_and_factors(name, dsize, height, width, fx, fy)
    planes.check_dst(dst, size)
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
    height, width = planes.array.shape[1:3]
    planes.check_dst(dst, ((height + 1) // 2, (width + 1) // 2))
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
    height, width = planes.array.shape[1:3]
    planes.check_dst(dst, (2 * height, 2 * width))
    return planes.done(kernels.pyramid_up(planes.array), dst)


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
        size = check_size(name, dsize)
    if min(size) < 1:
        raise ValueError(f"{name}: the result expects at least one pixel but has height {size[0]}, width {size[1]}")
    return size, factors


def check_size(name: str, dsize: Any) -> tuple[int, int]:
    two = tuple(dsize) if isinstance(dsize, tuple | list | np.ndarray) else ()
    if len(two) != 2 or not all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in two):
        raise TypeError(f"{name}: dsize expects (width, height) but got {dsize!r}")
    if min(two) < 0:
        raise ValueError(f"{name}: dsize expects sizes of at least 0 but got {dsize!r}")
    return int(two[1]), int(two[0])
