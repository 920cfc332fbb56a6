"""Template matching and integral images in scikit-image's call forms."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .. import kernels
from ..kernels.arrays import to_device
from .images import (
    axis_of_channels,
    check_image,
    check_out,
    delivered,
    float_type,
    leading_axes,
    moved_beside,
)

_PADS = ("constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect", "symmetric", "wrap")


def match_template(
    image: np.ndarray,
    template: np.ndarray,
    pad_input: bool = False,
    mode: str = "constant",
    constant_values: float = 0,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Where a template is in an image, by normalised cross-correlation: 1 where they are equal up to a linear change.

    Parameters
    ----------
    image : (H, W) or (D, H, W) array of real numbers
        Any strides; with axes of a batch and of channels where the next arguments say so. float64 counts as it is,
        float16 as float32, integers as float64.
    template : (h, w) or (d, h, w) array of real numbers
        Not larger than the image; with an axis of channels where the image has one.
    pad_input : bool
        Pad the image by half the template, so that the result has its size and scores stand at the template's centre
        ``(h // 2, w // 2)``; otherwise they stand at its upper left corner.
    mode, constant_values
        How it is padded, as in `numpy.pad`. scikit-image computes the mean of "mean" and its like the same way.
    channel_axis : int, optional
        The axis of channels, in both arrays. All channels together have one score, and one mean is taken off them, as
        scikit-image has it for a template that is as deep as the image.
    out : array of the result's shape and type, optional
    batch_axes : int
        How many leading axes count images; the template has none.

    Returns
    -------
    (H - h + 1, W - w + 1) array, or (H, W) with ``pad_input``, float32 or float64, in [-1, 1]

    Raises
    ------
    TypeError, ValueError
        Not arrays of real numbers; other than two or three spatial axes; a template that is larger than the image.

    Notes
    -----
    Equals ``skimage.feature.match_template`` 0.26 within its accuracy. scikit-image leaves
    [-1, 1] where a faint texture lies on a high level (708 for 0.01 on 1000 in float32) and gives 0 for images of tiny
    amplitude; here both score 1 where the template is. The score is 0 where template or window are constant.

    A window that holds a NaN or an infinity gives NaN, and no other does; with one in the template all do.

    Source: J. P. Lewis, "Fast template matching", 1995.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((4, 6))
    >>> image[1:3, 3:5] = [[1, 2], [3, 4]]
    >>> int(match_template(image, image[1:3, 3:5]).argmax())
    8
    """
    name = "match_template"
    check_image(name, "image", image)
    check_image(name, "template", template)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    if image.ndim - batch - (channels is not None) not in (2, 3):
        raise ValueError(
            f"{name}: image expects two or three axes beside those of the batch and of the channels "
            f"(image {image.shape}, batch_axes = {batch}, channel_axis = {channel_axis})"
        )
    if template.ndim != image.ndim - batch:
        raise ValueError(
            f"{name}: template expects {image.ndim - batch} axes, the image's less those of the batch, but got shape "
            f"{template.shape} (image {image.shape}, batch_axes = {batch})"
        )
    x = image[..., None] if channels is None else np.moveaxis(image, channels, -1)
    pattern = template[..., None] if channels is None else np.moveaxis(template, channels - batch, -1)
    x = x.reshape(-1, *x.shape[batch:])
    if pattern.shape[-1] != x.shape[-1]:
        raise ValueError(f"{name}: template expects the image's channels but got {template.shape} ({image.shape})")
    if not all(1 <= t <= i for t, i in zip(pattern.shape[:-1], x.shape[1:-1], strict=True)):
        raise ValueError(
            f"{name}: template expects to be at least one pixel and not larger than the image but got {template.shape} "
            f"(image {image.shape})"
        )
    if mode not in _PADS:
        raise ValueError(f"{name}: mode expects one of {', '.join(map(repr, _PADS))} but got {mode!r}")
    if not isinstance(constant_values, int | float | np.number):
        raise TypeError(f"{name}: constant_values expects a number but got {constant_values!r}")

    dtype = float_type(image.dtype)
    x, pattern = x.astype(dtype, copy=False), pattern.astype(dtype, copy=False)
    if pad_input:
        x = _padded(x, pattern.shape[:-1], mode, constant_values)
    places = [i - t + 1 for i, t in zip(x.shape[1:-1], pattern.shape[:-1], strict=True)]
    shape = (*image.shape[:batch], *places)
    if out is not None:
        check_out(name, out, image, shape, dtype)
    if pattern.ndim == 4:
        x, pattern = _slices_as_channels(x, pattern)
    result = kernels.match_template(x, pattern, centre="all").reshape(shape)
    if out is None:
        return result
    out[...] = result
    return out


def _padded(x: np.ndarray, template: tuple[int, ...], mode: str, value: float) -> np.ndarray:
    """The images with half the template on every side, so that there are as many places as pixels.

    They are padded by the whole template first, because ramps and means depend on how far they reach.
    """
    keywords: dict[str, Any] = {"constant_values": value} if mode == "constant" else {}
    widths = ((0, 0), *((n, n) for n in template), (0, 0))
    wide: np.ndarray = np.pad(x, widths, mode=mode, **keywords)  # type: ignore[call-overload]
    starts = [(n - 1) // 2 + 1 for n in template]
    extents = [length + n - 1 for length, n in zip(x.shape[1:-1], template, strict=True)]
    return wide[:, *(slice(start, start + extent) for start, extent in zip(starts, extents, strict=True))]


def _slices_as_channels(x: np.ndarray, template: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Volumes as images: the slices that a template of that depth covers at each place are an image's channels."""
    depth, height, width, channels = template.shape
    covered = np.lib.stride_tricks.sliding_window_view(x, depth, axis=1)  # (N, places, H, W, C, depth)
    images = covered.reshape(-1, *covered.shape[2:4], channels * depth)
    return images, template.transpose(1, 2, 3, 0).reshape(height, width, channels * depth)


def integral_image(
    image: np.ndarray,
    *,
    dtype: DTypeLike | None = None,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Sums over all boxes that begin at the first pixel: ``S[m, n]`` is the sum of ``image[:m + 1, :n + 1]``.

    Parameters
    ----------
    image : array of real numbers and of any number of axes
    dtype : optional
        Of the sums; by default float64 for floating-point images, and for integers what ``numpy.cumsum`` takes.
    channel_axis : int, optional
        The axis of channels, which are summed each on its own.
    batch_axes : int
        How many leading axes count images.
    out : array of the image's shape and of the type of the sums, optional
        Where to write.

    Returns
    -------
    array of the image's shape, or ``out``

    Notes
    -----
    Equals ``skimage.transform.integral_image`` 0.26. A NaN reaches all sums behind it.

    Examples
    --------
    >>> import numpy as np
    >>> integral_image(np.arange(6).reshape(2, 3))
    array([[ 0,  1,  3],
           [ 3,  8, 15]])
    """
    name = "integral_image"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    if dtype is None and image.dtype.kind == "f":
        dtype = np.promote_types(image.dtype, np.float64)
    total = image
    for axis in range(batch, image.ndim):
        if axis != channels:
            total = total.cumsum(axis=axis, dtype=dtype)
    if total is image:  # of no axis
        total = image.astype(dtype or image.dtype)
    if out is not None:
        check_out(name, out, image, image.shape, total.dtype)
    return delivered(total, out)


def integrate(ii: np.ndarray, start: ArrayLike, end: ArrayLike, *, batch_axes: int = 0) -> np.ndarray:
    """Sums over boxes of an image from its integral image.

    Parameters
    ----------
    ii : array of k axes
        From `integral_image`.
    start, end : k integers, or (boxes, k)
        The first and the last pixel of each box, both included; negative numbers count from the end.
    batch_axes : int
        How many leading axes of ``ii`` count images, which have the same boxes.

    Returns
    -------
    (boxes,) array, behind the axes of a batch

    Raises
    ------
    IndexError
        A box that ends before it begins, or lies outside.

    Notes
    -----
    Equals ``skimage.transform.integrate`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> integrate(integral_image(np.ones((5, 6))), (1, 1), [(1, 1), (2, 4)])
    array([1., 8.])
    """
    name = "integrate"
    check_image(name, "ii", ii)
    first, last = (np.atleast_2d(np.asarray(corner)) for corner in (start, end))
    batch = leading_axes(name, batch_axes, ii.ndim)
    axes = ii.ndim - batch
    if first.shape[-1] != axes or last.shape[-1] != axes:
        raise ValueError(f"{name}: start and end expect {axes} numbers for each box but got {start!r}, {end!r}")
    if first.dtype.kind not in "iu" or last.dtype.kind not in "iu":
        raise TypeError(f"{name}: start and end expect integers but got {start!r}, {end!r}")
    first, last = np.broadcast_arrays(first, last)
    shape = np.array(ii.shape[batch:])
    first, last = (np.where(corner < 0, corner + shape, corner) for corner in (first, last))
    if np.any(last < first):
        raise IndexError("end coordinates must be greater or equal to start")
    if np.any(first < 0) or np.any(last >= shape):
        raise IndexError(f"{name}: start and end expect to lie inside the image {ii.shape} but got {start!r}, {end!r}")
    dtype = np.result_type(ii.dtype, np.float64) if ii.dtype.kind == "f" else np.float64
    total = np.zeros((*ii.shape[:batch], len(first)), dtype)
    # Inclusion and exclusion: each corner of the box with the sign of how many axes it takes from before the box.
    for corner in np.ndindex(*(2,) * axes):
        before = np.array(corner, bool)
        place = np.where(before, first - 1, last)
        inside = (place >= 0).all(axis=1)
        sign = -1 if before.sum() % 2 else 1
        places = [moved_beside(ii, np.ascontiguousarray(along)) for along in place[inside].T]
        total[..., inside] += sign * to_device(ii[(*[slice(None)] * batch, *places)], "cpu").astype(dtype)
    return moved_beside(ii, total)
