"""What is taken from an array's edges or put around them: crop and pad."""

import functools
from typing import Any

import numpy as np

from ..kernels.arrays import new_like
from ..kernels.correlation.reference import MODES, border
from .images import check_image, check_out, moved_beside
from .sampling import check_mode, check_number


def crop(ar: np.ndarray, crop_width: Any, copy: bool = False, order: str = "K") -> np.ndarray:
    """Take values from the edges of an array.

    Parameters
    ----------
    ar : array
    crop_width : int, (before, after) or a sequence of such pairs, one for each axis
        How many to take, at least 0 and at most what there is.
    copy : bool
        Return a copy, of the memory layout ``order`` ("C", "F", "A" or "K"), rather than a view.

    Returns
    -------
    array
        It may be empty.

    Notes
    -----
    Equals ``skimage.util.crop``, which cuts wrongly where more is to be taken than there is; here that is an error.

    Examples
    --------
    >>> import numpy as np
    >>> crop(np.arange(12).reshape(3, 4), ((1, 0), (1, 2)))
    array([[5],
           [9]])
    """
    name = "crop"
    if not isinstance(ar, np.ndarray):
        raise TypeError(f"{name}: ar expects a numpy.ndarray but got {type(ar).__name__}")
    widths = _widths(name, "crop_width", crop_width, ar.ndim)
    for (before, after), n in zip(widths, ar.shape, strict=True):
        if before + after > n:
            raise ValueError(f"{name}: crop_width takes {before} + {after} of {n} (shape {ar.shape})")
    found = ar[tuple(slice(before, n - after) for (before, after), n in zip(widths, ar.shape, strict=True))]
    return np.array(found, order=order, copy=True) if copy else found  # type: ignore[call-overload]


def pad(
    image: np.ndarray,
    pad_width: Any,
    mode: str = "constant",
    constant_values: float = 0,
    *,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Put values around an array.

    Parameters
    ----------
    image : array of real numbers
        Of any number of axes, strides and type, which the result has too.
    pad_width : int, (before, after) or a sequence of such pairs, one for each axis
        Any width; borders repeat. Pairs (0, 0) leave the axes of a batch and of channels alone.
    mode : {"constant", "edge", "symmetric", "reflect", "wrap"}
        Of ``numpy.pad``'s modes those that say what lies outside an image. Only "constant" widens an axis of size 0.
    constant_values : float
        The value of "constant".
    out : array of the result's shape and type, optional
        Where to write.

    Returns
    -------
    array, or ``out``

    Notes
    -----
    Equals ``numpy.pad``. Values are copied bit for bit. (`nn.functional.pad2d` is the one with a gradient.)

    Examples
    --------
    >>> import numpy as np
    >>> pad(np.array([1, 2, 3]), (4, 1), mode="reflect")
    array([1, 2, 3, 2, 1, 2, 3, 2])
    """
    name = "pad"
    check_image(name, "image", image)
    widths = _widths(name, "pad_width", pad_width, image.ndim)
    outside = MODES[check_mode(name, mode)]
    check_number(name, "constant_values", constant_values)
    shape = tuple(before + n + after for (before, after), n in zip(widths, image.shape, strict=True))
    if mode != "constant":
        for axis, (n, wide) in enumerate(zip(image.shape, shape, strict=True)):
            if n == 0 and wide > 0:
                raise ValueError(f'{name}: mode "{mode}" expects a value along axis {axis} but got shape {image.shape}')
    if out is not None:
        check_out(name, out, image, shape, image.dtype)
        image = image.copy() if np.may_share_memory(out, image) else image
    result = new_like(image, shape, image.dtype) if out is None else out
    inside = tuple(slice(before, before + n) for (before, _), n in zip(widths, image.shape, strict=True))
    result[inside] = image
    # From the last axis to the first, each copies its borders from what is there already: whole rows at the end.
    for axis in reversed(range(image.ndim)):
        n, (before, after) = image.shape[axis], widths[axis]
        filled = inside[:axis]
        for first, count in ((-before, before), (n, after)):
            strip = (*filled, slice(before + first, before + first + count))
            if count and mode == "constant":
                result[strip] = constant_values
            elif count:
                places = moved_beside(result, _places(n, first, count, outside))
                result[strip] = result[(*filled, before + places)]
    return result


@functools.lru_cache(maxsize=64)
def _places(n: int, first: int, count: int, outside: int) -> np.ndarray:
    """Which of n values each of ``count`` positions from ``first`` on stands for."""
    return np.array([border(i, n, outside) for i in range(first, first + count)], np.int64)


def _widths(name: str, argument: str, width: Any, axes: int) -> list[tuple[int, int]]:
    """(before, after) of each axis."""
    array = np.asarray(width)
    if array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        raise ValueError(f"{name}: {argument} expects integers of at least 0 but got {width!r}")
    if array.size == 1:
        array = np.broadcast_to(array.reshape(1, 1), (axes, 2))
    elif array.shape in ((2,), (1, 2)):
        array = np.broadcast_to(array.reshape(1, 2), (axes, 2))
    if array.shape != (axes, 2):
        raise ValueError(f"{name}: {argument} expects an integer, a pair, or {axes} pairs but got {width!r}")
    return [(int(before), int(after)) for before, after in array]
