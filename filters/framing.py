"""What is taken from an array's edges or put around them: crop and pad."""

from typing import Any

import numpy as np

from ..kernels.arrays import new_like
from ..kernels.correlation.geometry import positions
from .images import axis_of_channels, check_array, check_image, check_out, leading_axes, moved_beside
from .sampling import check_mode, check_number


def crop(
    ar: np.ndarray,
    crop_width: Any,
    copy: bool = False,
    order: str = "K",
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Take values from the edges of an array.

    Parameters
    ----------
    ar : array
    crop_width : int, (before, after) or a sequence of such pairs, one for each axis
        How many to take, at least 0 and at most what there is; along axes that are neither of the channels nor of the
        batch.
    copy : bool
        Return a copy, of the memory layout ``order`` ("C", "F", "A" or "K"), rather than a view.
    channel_axis : int, optional
        The axis of channels.
    batch_axes : int
        How many leading axes count images.

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
    check_array(name, "ar", ar)
    widths = _widths(name, "crop_width", crop_width, ar.ndim, channel_axis, batch_axes)
    for (before, after), n in zip(widths, ar.shape, strict=True):
        if before + after > n:
            raise ValueError(f"{name}: crop_width takes {before} + {after} of {n} (shape {ar.shape})")
    found = ar[tuple(slice(before, n - after) for (before, after), n in zip(widths, ar.shape, strict=True))]
    return found.copy(order) if copy else found  # type: ignore[arg-type]


def pad(
    image: np.ndarray,
    pad_width: Any,
    mode: str = "constant",
    constant_values: float = 0,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Put values around an array.

    Parameters
    ----------
    image : array of real numbers
        Of any number of axes, strides and type, which the result has too.
    pad_width : int, (before, after) or a sequence of such pairs, one for each axis
        Any width, along axes that are neither of the channels nor of the batch; borders repeat.
    mode : {"constant", "edge", "symmetric", "reflect", "wrap"}
        Of ``numpy.pad``'s modes those that say what lies outside an image. Only "constant" widens an axis of size 0.
    constant_values : float
        The value of "constant".
    channel_axis : int, optional
        The axis of channels.
    batch_axes : int
        How many leading axes count images.
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
    widths = _widths(name, "pad_width", pad_width, image.ndim, channel_axis, batch_axes)
    outside = check_mode(name, mode)
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
        for strip, left, right in ((slice(0, before), before, -n), (slice(before + n, None), -n, after)):
            if left + right <= -n:
                continue
            if mode == "constant":
                result[(*filled, strip)] = constant_values
            else:
                places = moved_beside(result, before + positions(n, left, right, outside))
                result[(*filled, strip)] = result[(*filled, places)]
    return result


def _widths(
    name: str, argument: str, width: Any, ndim: int, channel_axis: Any, batch_axes: Any
) -> list[tuple[int, int]]:
    """(before, after) of each axis, none of those of the channels and of the batch."""
    batch = leading_axes(name, batch_axes, ndim)
    channels = axis_of_channels(name, channel_axis, ndim, batch)
    given = [axis for axis in range(batch, ndim) if axis != channels]
    axes = len(given)
    array = np.asarray(width)
    if array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        raise ValueError(f"{name}: {argument} expects integers of at least 0 but got {width!r}")
    if array.size == 1:
        array = np.broadcast_to(array.reshape(1, 1), (axes, 2))
    elif array.shape in ((2,), (1, 2)):
        array = np.broadcast_to(array.reshape(1, 2), (axes, 2))
    if array.shape != (axes, 2):
        raise ValueError(f"{name}: {argument} expects an integer, a pair, or {axes} pairs but got {width!r}")
    widths = [(0, 0)] * ndim
    for axis, (before, after) in zip(given, array, strict=True):
        widths[axis] = int(before), int(after)
    return widths
