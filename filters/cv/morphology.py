"""OpenCV's morphology with flat structuring elements, which are never mirrored."""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ... import kernels
from ...kernels.arrays import to_device
from ...kernels.rank.geometry import Footprint, check_footprint
from ..comparing import constant_of, over_images
from ..images import check_out
from .borders import BORDER_CONSTANT, border_mode, border_numbers
from .channels import axis_of_channels
from .layout import MIDDLE

MORPH_RECT, MORPH_CROSS, MORPH_ELLIPSE, MORPH_DIAMOND = range(4)
MORPH_ERODE, MORPH_DILATE, MORPH_OPEN, MORPH_CLOSE, MORPH_GRADIENT, MORPH_TOPHAT, MORPH_BLACKHAT = range(7)


class _Call(NamedTuple):
    """A checked call: how an image is filtered."""

    name: str
    footprint: Footprint
    origin: tuple[int, int]
    iterations: int
    mode: str
    value: float | None
    channel_axis: int | None
    batch_axes: int

    def filtered(self, image: np.ndarray, greatest: bool, dst: np.ndarray | None = None) -> np.ndarray:
        """Eroded or dilated as often as wanted."""
        filter2d = kernels.max_filter2d if greatest else kernels.min_filter2d
        value = _outside(image.dtype, greatest) if self.value is None else self.value
        value = constant_of(value, image.dtype)

        def kernel(x: np.ndarray, out: np.ndarray | None) -> np.ndarray:
            return filter2d(x, self.footprint, mode=self.mode, cval=value, origin=self.origin, out=out)

        for left in reversed(range(self.iterations)):
            image = over_images(
                self.name, image, kernel, channel_axis=self.channel_axis, batch_axes=self.batch_axes,
                out=None if left else dst, arguments=("src", "dst"),
            )  # fmt: skip
        if self.iterations == 0 and dst is not None:
            dst[...] = image
        return image.copy() if self.iterations == 0 and dst is None else image if dst is None else dst


def erode(
    src: np.ndarray,
    kernel: np.ndarray | None,
    dst: np.ndarray | None = None,
    anchor: tuple[int, int] = MIDDLE,
    iterations: int = 1,
    borderType: int = BORDER_CONSTANT,
    borderValue: float | Sequence[float] | None = None,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """The least of the numbers under a structuring element.

    Parameters
    ----------
    src : (H, W) or (H, W, C) array of real numbers
        Of any type up to 64 bits and any number of channels, with ``batch_axes`` more axes in front.
    kernel : array of two axes
        Its pixels that are not 0 count, see `getStructuringElement`; None or an empty one stands for 3x3 pixels.
    dst : array of the shape and type of ``src``, optional
        Where to write; it may be ``src`` itself.
    anchor : (int, int)
        The element's pixel that lies on the pixel that is computed, (x, y) as in OpenCV; -1 is the middle,
        ``size // 2``.
    iterations : int
        How many times the image is eroded.
    borderType : int
        What lies outside the image: BORDER_CONSTANT, BORDER_REPLICATE, BORDER_REFLECT, BORDER_REFLECT_101,
        BORDER_WRAP.
    borderValue : float or sequence of floats, optional
        The number outside with BORDER_CONSTANT, one for all channels; without it the greatest finite one of the type
        (for dilations the least), which has no part in the result where any pixel has. Integers are rounded and
        saturate.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of the shape and type of ``src``, or ``dst``

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, an element without pixels, an anchor outside of it, values that differ between
        channels, NaN outside of integers, a ``dst`` that does not fit.

    Notes
    -----
    Equals OpenCV's ``erode`` bit for bit; like that it erodes several times by a full element at once, by one that is
    as much larger. A NaN reaches every pixel under whose element it lies.

    Examples
    --------
    >>> import numpy as np
    >>> erode(np.array([[5, 5, 5, 0, 5, 5]], np.uint8), None)
    array([[5, 5, 0, 0, 0, 5]], dtype=uint8)
    """
    call = _checked("erode", src, kernel, dst, anchor, iterations, borderType, borderValue, batch_axes)
    return call.filtered(src, greatest=False, dst=dst)


def dilate(
    src: np.ndarray,
    kernel: np.ndarray | None,
    dst: np.ndarray | None = None,
    anchor: tuple[int, int] = MIDDLE,
    iterations: int = 1,
    borderType: int = BORDER_CONSTANT,
    borderValue: float | Sequence[float] | None = None,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """The greatest of the numbers under a structuring element, which is not mirrored.

    Parameters
    ----------
    src, kernel, dst, anchor, iterations, borderType, borderValue, batch_axes
        As in `erode`.

    Returns
    -------
    array of the shape and type of ``src``, or ``dst``

    Raises
    ------
    TypeError, ValueError
        As in `erode`.

    Notes
    -----
    Equals OpenCV's ``dilate`` bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> dilate(np.array([[0, 0, 7, 0, 0]], np.uint8), np.ones((1, 2)))
    array([[0, 0, 7, 7, 0]], dtype=uint8)
    """
    call = _checked("dilate", src, kernel, dst, anchor, iterations, borderType, borderValue, batch_axes)
    return call.filtered(src, greatest=True, dst=dst)


def morphologyEx(  # noqa: N802
    src: np.ndarray,
    op: int,
    kernel: np.ndarray | None,
    dst: np.ndarray | None = None,
    anchor: tuple[int, int] = MIDDLE,
    iterations: int = 1,
    borderType: int = BORDER_CONSTANT,
    borderValue: float | Sequence[float] | None = None,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Erosions and dilations combined.

    Parameters
    ----------
    src, kernel, dst, anchor, iterations, borderType, borderValue, batch_axes
        As in `erode`. Each erosion and each dilation is repeated ``iterations`` times.
    op : int
        MORPH_ERODE, MORPH_DILATE, MORPH_OPEN (eroded, then dilated), MORPH_CLOSE (dilated, then eroded),
        MORPH_GRADIENT (dilated less eroded), MORPH_TOPHAT (the image less opened), MORPH_BLACKHAT (closed less the
        image).

    Returns
    -------
    array of the shape and type of ``src``, or ``dst``

    Raises
    ------
    TypeError, ValueError
        As in `erode`, and another ``op``. MORPH_HITMISS is not offered.

    Notes
    -----
    Equals OpenCV's ``morphologyEx`` bit for bit. Differences of
    integers end at the ends of their type.

    Examples
    --------
    >>> import numpy as np
    >>> morphologyEx(np.array([[0, 7, 0, 5, 5, 5]], np.uint8), MORPH_OPEN, np.ones((1, 3)))
    array([[0, 0, 0, 5, 5, 5]], dtype=uint8)
    """
    name = "morphologyEx"
    if isinstance(op, bool) or not isinstance(op, int | np.integer) or not MORPH_ERODE <= op <= MORPH_BLACKHAT:
        raise ValueError(f"{name}: op expects one of MORPH_ERODE = 0 to MORPH_BLACKHAT = 6 but got {op!r}")
    call = _checked(name, src, kernel, dst, anchor, iterations, borderType, borderValue, batch_axes)
    if op in (MORPH_ERODE, MORPH_DILATE):
        return call.filtered(src, op == MORPH_DILATE, dst)
    if op == MORPH_GRADIENT:
        return _less(call.filtered(src, greatest=True), call.filtered(src, greatest=False), dst)
    first = op in (MORPH_CLOSE, MORPH_BLACKHAT)
    between = call.filtered(src, first)
    if op in (MORPH_OPEN, MORPH_CLOSE):
        return call.filtered(between, not first, dst)
    result = call.filtered(between, not first)
    return _less(src, result, dst) if op == MORPH_TOPHAT else _less(result, src, dst)


def getStructuringElement(  # noqa: N802
    shape: int, ksize: tuple[int, int], anchor: tuple[int, int] = MIDDLE
) -> np.ndarray:
    """A structuring element.

    Parameters
    ----------
    shape : int
        MORPH_RECT, MORPH_CROSS (the row and the column of the anchor), MORPH_ELLIPSE (inscribed) or MORPH_DIAMOND
        (pixels that lie at most ``height // 2`` steps from the middle).
    ksize : (int, int)
        Its width and height, in this order as in OpenCV.
    anchor : (int, int)
        Where a cross has its middle, (x, y); -1 is ``size // 2``.

    Returns
    -------
    (height, width) array of uint8, 1 where pixels count

    Raises
    ------
    ValueError
        Another shape, sizes below 1, an anchor outside.

    Notes
    -----
    Equals OpenCV's ``getStructuringElement``.

    Examples
    --------
    >>> getStructuringElement(MORPH_ELLIPSE, (5, 5))
    array([[0, 0, 1, 0, 0],
           [1, 1, 1, 1, 1],
           [1, 1, 1, 1, 1],
           [1, 1, 1, 1, 1],
           [0, 0, 1, 0, 0]], dtype=uint8)
    """
    name = "getStructuringElement"
    if isinstance(shape, bool) or shape not in range(4):
        raise ValueError(f"{name}: shape expects one of MORPH_RECT = 0 to MORPH_DIAMOND = 3 but got {shape!r}")
    sizes = list(ksize) if isinstance(ksize, Sequence | np.ndarray) else []
    if len(sizes) != 2 or not all(isinstance(size, int | np.integer) and size >= 1 for size in sizes):
        raise ValueError(f"{name}: ksize expects a width and a height of at least 1 but got {ksize!r}")
    width, height = map(int, sizes)
    x, y = _anchor(name, anchor, (height, width))
    if shape == MORPH_RECT:
        return np.ones((height, width), np.uint8)
    element = np.zeros((height, width), np.uint8)
    if shape == MORPH_CROSS:
        element[y, :] = element[:, x] = 1
        return element
    down, across = height // 2, width // 2
    for row in range(height):
        away = row - down
        if abs(away) <= down:
            ellipse = across * math.sqrt((down * down - away * away) * (1 / (down * down) if down else 0.0))
            reach = round(ellipse) if shape == MORPH_ELLIPSE else down - abs(away)
            element[row, max(across - reach, 0) : across + reach + 1] = 1
    return element


def _checked(
    name: str,
    src: Any,
    kernel: Any,
    dst: Any,
    anchor: Any,
    iterations: Any,
    border: Any,
    value: Any,
    batch_axes: int,
) -> _Call:
    channels = axis_of_channels(name, src, batch_axes)
    if dst is not None:
        check_out(name, dst, src, src.shape, src.dtype, "dst")
    element = (3, 3) if kernel is None else np.asarray(to_device(kernel, "cpu"))
    if isinstance(element, np.ndarray):
        if element.size == 0:
            element = (3, 3)
        elif element.ndim != 2:
            raise ValueError(f"{name}: kernel expects two axes but got shape {element.shape}")
    footprint = check_footprint(name, element)
    x, y = _anchor(name, anchor, footprint.sides)
    if isinstance(iterations, bool) or not isinstance(iterations, int | np.integer) or iterations < 0:
        raise ValueError(f"{name}: iterations expects an integer of at least 0 but got {iterations!r}")
    if footprint.chosen is None and iterations > 1:  # at once, by an element that is as much larger
        rows, columns = (size + (iterations - 1) * (size - 1) for size in footprint.sides)
        footprint, x, y, iterations = Footprint((rows, columns), None), x * iterations, y * iterations, 1
    if footprint.size == 1 and footprint.chosen is None:
        iterations = 0
    origin = y - footprint.rows // 2, x - footprint.columns // 2
    mode = border_mode(name, border)
    return _Call(name, footprint, origin, int(iterations), mode, _value(name, value, src), channels, batch_axes)


def _anchor(name: str, anchor: Any, shape: tuple[int, ...]) -> tuple[int, int]:
    """(x, y) of the pixel that lies on the one that is computed."""
    if anchor is MIDDLE:
        return shape[1] // 2, shape[0] // 2
    if len(anchor) != 2 or any(isinstance(a, bool) or not isinstance(a, int | np.integer) for a in anchor):
        raise TypeError(f"{name}: anchor expects two integers but got {anchor!r}")
    x, y = (size // 2 if at == -1 else int(at) for at, size in zip(anchor, shape[::-1], strict=True))
    if not (0 <= y < shape[0] and 0 <= x < shape[1]):
        raise ValueError(f"{name}: anchor expects a pixel of the element {shape} but got {anchor!r}")
    return x, y


def _value(name: str, value: Any, src: np.ndarray) -> float | None:
    """The number outside all channels, or None."""
    if value is None:
        return None
    values = border_numbers(name, "borderValue", value, src.dtype).tolist()
    if isinstance(values, float):
        return values
    used = values[: src.shape[-1] if src.ndim > 2 else 1]
    if not used or len(set(used)) > 1:
        raise ValueError(f"{name}: borderValue expects one number for all channels but got {value!r}")
    return used[0]


@functools.cache
def _outside(dtype: np.dtype, greatest: bool) -> float:
    """The number that lies outside an image of that type if none is given: its type's least or greatest finite one."""
    if dtype == np.bool_:
        return float(not greatest)
    ends = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return float(ends.min if greatest else ends.max)


def _less(a: np.ndarray, b: np.ndarray, dst: np.ndarray | None) -> np.ndarray:
    """a - b, which of integers ends at the ends of their type."""
    if a.dtype.kind in "iu":
        # Where b is far below a or above it, it is moved to where the difference just fits.
        ends = np.iinfo(a.dtype)
        if a.dtype.kind == "u":
            b = np.minimum(a, b)
        else:
            low = np.where(a >= 0, a - ends.max, ends.min).astype(a.dtype)
            high = np.where(a < 0, a - ends.min, ends.max).astype(a.dtype)
            b = np.clip(b, low, high)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities, and the ends of floats at the border
        difference = np.logical_and(a, ~b) if a.dtype == np.bool_ else np.subtract(a, b)
    if dst is None:
        return difference
    dst[...] = difference
    return dst
