"""Derivatives of images under OpenCV's names."""

import functools
from typing import Any, NamedTuple

import numpy as np

from ... import kernels
from ...kernels.arrays import overlap
from ..images import check_image, check_out, delivered, leading_axes
from .borders import BORDER_DEFAULT, BORDER_WRAP, border_mode
from .depths import depth_type

_LARGEST_KSIZE = 31
_SCHARR = -1
_SOURCES = ("uint8", "uint16", "int16", "float32", "float64")
_NATIVE = frozenset(map(np.dtype, _SOURCES))  # by which most are known: the name of a type takes 2 us
_EXACT_IN_FLOAT32 = 2**24


class _Term(NamedTuple):
    """Weights down the columns and along the rows, and the sum of the sizes of their products."""

    column: np.ndarray
    row: np.ndarray
    reach: int


def Sobel(  # noqa: N802
    src: np.ndarray,
    ddepth: int,
    dx: int,
    dy: int,
    dst: np.ndarray | None = None,
    ksize: int = 3,
    scale: float = 1.0,
    delta: float = 0.0,
    borderType: int = BORDER_DEFAULT,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Derivatives of an image by Sobel's weights, ``dx`` times along the rows and ``dy`` times down the columns.

    Parameters
    ----------
    src : (H, W) or (H, W, C) array, uint8, uint16, int16, float32 or float64
        ``batch_axes`` more axes in front count images.
    ddepth : int
        The type of the result, -1 for that of ``src``: `CV_8U` and `CV_16S` for uint8, `CV_32F`, `CV_64F`.
    dx, dy : int
        Orders, not both 0.
    dst : array, optional
        Where to write, of the result's type and the shape of ``src``.
    ksize : int
        The weights reach over so many pixels: odd, up to 31, greater than the orders. 1 is 3 along a derivative and
        1 across it; -1 is `Scharr`.
    scale, delta : float
        The result is ``scale`` times the sum and ``delta`` more.
    borderType : int
        What lies outside the image, but for `BORDER_WRAP`; with `BORDER_CONSTANT` it is 0.

    Returns
    -------
    array of the shape of ``src``, or ``dst``
        Integers are rounded, halves to even, and limited to what their type holds.

    Raises
    ------
    TypeError, ValueError
        A type, order, size or border that is not listed, a ``dst`` that does not fit.

    Notes
    -----
    Equals ``cv2.Sobel`` bit for bit for integers with ``scale=1, delta=0`` as long as no sum can reach 2**24: with
    ``ksize`` up to 9 for uint8, up to 5 for 16 bits. Beyond, sums are exact here and rounded once, while OpenCV rounds
    as it goes in float32. Others are equal within rounding. A NaN reaches every pixel whose window holds it.

    Examples
    --------
    >>> import numpy as np
    >>> src = np.array([[0, 0, 10, 10]] * 3, np.uint8)
    >>> Sobel(src, 3, 1, 0)[0]
    array([ 0, 40, 40,  0], dtype=int16)
    """
    name = "Sobel"
    kind, mode = _checked(name, src, ddepth, borderType, batch_axes, dst)
    terms = [_weights(name, _integer(name, "dx", dx), _integer(name, "dy", dy), ksize)]
    return _filtered(name, src, terms, kind, scale, delta, mode, batch_axes, dst)


def Scharr(  # noqa: N802
    src: np.ndarray,
    ddepth: int,
    dx: int,
    dy: int,
    dst: np.ndarray | None = None,
    scale: float = 1.0,
    delta: float = 0.0,
    borderType: int = BORDER_DEFAULT,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """The first derivative by Scharr's weights, (3, 10, 3) across it: along the rows, or down the columns.

    One of ``dx`` and ``dy`` is 1, the other 0; all else is as in `Sobel`. Equals ``cv2.Scharr`` as that does.

    Examples
    --------
    >>> import numpy as np
    >>> src = np.array([[0, 0, 10, 10]] * 3, np.uint8)
    >>> Scharr(src, 3, 1, 0)[0]
    array([  0, 160, 160,   0], dtype=int16)
    """
    name = "Scharr"
    kind, mode = _checked(name, src, ddepth, borderType, batch_axes, dst)
    terms = [_weights(name, _integer(name, "dx", dx), _integer(name, "dy", dy), _SCHARR)]
    return _filtered(name, src, terms, kind, scale, delta, mode, batch_axes, dst)


def Laplacian(  # noqa: N802
    src: np.ndarray,
    ddepth: int,
    dst: np.ndarray | None = None,
    ksize: int = 1,
    scale: float = 1.0,
    delta: float = 0.0,
    borderType: int = BORDER_DEFAULT,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """The sum of both second derivatives by Sobel's weights.

    ``ksize`` is odd, from 1 (the weights 0 1 0, 1 -4 1, 0 1 0) to 31; all else is as in `Sobel`. Equals
    ``cv2.Laplacian`` as that does.

    Examples
    --------
    >>> import numpy as np
    >>> Laplacian(np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]], np.uint8), 3)
    array([[  0,  18,   0],
           [ 18, -36,  18],
           [  0,  18,   0]], dtype=int16)
    """
    name = "Laplacian"
    kind, mode = _checked(name, src, ddepth, borderType, batch_axes, dst)
    if _integer(name, "ksize", ksize) < 1:
        raise ValueError(f"{name}: ksize expects an odd number of 1 to {_LARGEST_KSIZE} but got {ksize}")
    _check_factors(name, scale, delta)
    if ksize in (1, 3) and src.dtype == np.uint8 and kind.kind in "iu" and scale == 1 and delta == 0:
        target = dst if kind == np.int16 and _is_direct(src, dst) else None
        sums = kernels.laplacian2d(src, corners=ksize == 3, axis=batch_axes, mode=mode, out=target)
        return _written(sums if kind == np.int16 else np.clip(sums, 0, 255).astype(kind), dst)
    terms = [_weights(name, 2, 0, ksize), _weights(name, 0, 2, ksize)]
    return _filtered(name, src, terms, kind, scale, delta, mode, batch_axes, dst)


def _integer(name: str, argument: str, value: Any) -> int:
    if value.__class__ is int:
        return value
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
    return int(value)


def _checked(name: str, src: Any, ddepth: Any, border: Any, batch_axes: Any, dst: Any) -> tuple[np.dtype, str]:
    """The result's type and the border's mode."""
    check_image(name, "src", src)
    if src.dtype not in _NATIVE and src.dtype.name not in _SOURCES:
        raise TypeError(f"{name}: src expects one of {', '.join(_SOURCES)} but got {src.dtype}")
    kind = depth_type(name, ddepth, src.dtype)
    _check_kind(name, src.dtype, kind)
    spatial = src.ndim - leading_axes(name, batch_axes, src.ndim)
    if spatial not in (2, 3):
        raise ValueError(
            f"{name}: src expects (H, W) or (H, W, C) behind batch_axes = {batch_axes} but got {src.shape}"
        )
    if dst is not None:
        check_out(name, dst, src, src.shape, kind, "dst")
    return kind, border_mode(name, border, without=(BORDER_WRAP,))


@functools.lru_cache(maxsize=64)
def _check_kind(name: str, source: np.dtype, kind: np.dtype) -> None:
    possible = {source.name, "float32", "float64"} - ({"float32"} if source == np.float64 else set())
    possible |= {"int16"} if source == np.uint8 else set()
    if kind.name not in possible:
        raise ValueError(f"{name}: ddepth expects {' or '.join(sorted(possible))} for {source} but got {kind}")


def _binomial(taps: int, order: int) -> np.ndarray:
    """``(1, 1)`` convolved with itself, ``order`` times with ``(-1, 1)``."""
    weights = np.ones(1, np.int64)
    for i in range(taps - 1):
        weights = np.convolve(weights, (-1, 1) if i < order else (1, 1))
    return weights


def _weights(name: str, dx: int, dy: int, ksize: Any) -> _Term:
    """Weights down the columns and along the rows."""
    ksize = _integer(name, "ksize", ksize)
    if dx < 0 or dy < 0 or dx + dy == 0:
        raise ValueError(f"{name}: dx and dy expect orders of at least 0, not both 0, but got {dx} and {dy}")
    if ksize == _SCHARR:
        if dx + dy != 1:
            raise ValueError(f"{name}: dx and dy expect a 1 and a 0 but got {dx} and {dy}")
        smooth, slope = np.array([3, 10, 3]), np.array([-1, 0, 1])
        return _Term(slope, smooth, 32) if dy else _Term(smooth, slope, 32)
    if ksize % 2 == 0 or not 1 <= ksize <= _LARGEST_KSIZE:
        raise ValueError(f"{name}: ksize expects an odd number of 1 to {_LARGEST_KSIZE}, or -1, but got {ksize}")
    sizes = [3 if ksize == 1 and order else ksize for order in (dy, dx)]
    for argument, order, size in (("dy", dy, sizes[0]), ("dx", dx, sizes[1])):
        if order >= size > 1:
            raise ValueError(f"{name}: {argument} expects an order below ksize = {size} but got {order}")
    return _term(sizes[0], dy, sizes[1], dx)


@functools.cache
def _term(rows: int, dy: int, columns: int, dx: int) -> _Term:
    column, row = _binomial(rows, dy), _binomial(columns, dx)
    return _Term(column, row, int(np.abs(column).sum() * np.abs(row).sum()))


def _check_factors(name: str, scale: Any, delta: Any) -> None:
    for argument, value in (("scale", scale), ("delta", delta)):
        if value.__class__ is not float and (isinstance(value, bool) or not isinstance(value, int | float | np.number)):
            raise TypeError(f"{name}: {argument} expects a number but got {value!r}")


def _filtered(
    name: str, src: np.ndarray, terms: list[_Term], kind: np.dtype, scale: Any, delta: Any, mode: str, batch: int,
    dst: np.ndarray | None,
) -> np.ndarray:  # fmt: skip
    """The sum of the terms, scaled, shifted, and converted."""
    _check_factors(name, scale, delta)
    largest = sum(term.reach for term in terms)
    plain = scale == 1 and delta == 0
    if src.dtype == np.uint8 and kind.kind in "iu" and plain and (len(terms) == 1 or largest * 255 < 2**15):
        target = dst if len(terms) == 1 and kind == np.int16 and _is_direct(src, dst) else None
        sums = [kernels.derivative2d(src, term.column, term.row, axis=batch, mode=mode, out=target) for term in terms]
        total = sums[0] if len(sums) == 1 else np.add(sums[0], sums[1], out=sums[0])
        result = total if kind == np.int16 else np.clip(total, 0, 255).astype(kind)
    else:
        exact = src.dtype.kind in "iu" and largest * np.iinfo(src.dtype).max < _EXACT_IN_FLOAT32
        narrow = kind != np.float64 and (src.dtype == np.float32 or exact)
        x = src.astype(np.float32 if narrow else np.float64, copy=False)
        sums = [kernels.correlate_separable2d(x, term.column, term.row, axis=batch, mode=mode) for term in terms]
        total = sums[0] if len(sums) == 1 else np.add(sums[0], sums[1], out=sums[0])
        if not plain:
            total = total * scale + delta
        if kind.kind in "iu":
            total = np.clip(np.rint(total), np.iinfo(kind).min, np.iinfo(kind).max)
        result = total.astype(kind, copy=False)
    return _written(result, dst)


def _is_direct(src: np.ndarray, dst: np.ndarray | None) -> bool:
    """Whether a kernel may write into ``dst``."""
    return dst is not None and dst.flags.c_contiguous and not overlap(src, dst)


def _written(result: np.ndarray, dst: np.ndarray | None) -> np.ndarray:
    return result if dst is None or result is dst else delivered(result, dst)
