"""Inpainting: what a mask marks is filled from what is around it."""

from typing import Any

import numpy as np

from .. import kernels
from ..kernels.arrays import new_like
from .images import (
    as_float,
    axis_of_channels,
    check_beside,
    check_image,
    check_out,
    float_type,
    from_nhwc,
    in_order,
    leading_axes,
    native,
    to_nhwc,
)

_READ = (np.uint8, np.uint16, np.float32, np.float64)  # types that the exemplar kernel reads as they are


def inpaint_biharmonic(
    image: np.ndarray,
    mask: np.ndarray,
    *,
    split_into_regions: bool = False,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Fill holes with the smoothest surface: the solution of the biharmonic equation.

    Parameters
    ----------
    image : array of one to three spatial axes, of real numbers
        Integers are scaled by their largest value, to [0, 1] or [-1, 1]; floating-point images keep their range.
    mask : array of the image's shape without its channels
        What is not 0 is a hole; the values of the image there are not read.
    split_into_regions : bool
        Has no effect: holes too far apart to influence each other are always solved one by one.
    channel_axis : int, optional
        The axis of channels, which are filled each on its own; without it, the image has one channel.
    out : floating-point array of the image's shape, optional
        Where to write; of the type of the result. It may be the image itself.
    batch_axes : int
        How many leading axes count images; the mask has them too.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``
        float32 for float16 and float32 images. Pixels outside the mask are those of the (scaled) image.

    Raises
    ------
    TypeError
        Not an array of real numbers, or a masked array.
    ValueError
        A mask of another shape, no or more than three spatial axes, a mask that leaves nothing of an image.

    Notes
    -----
    Equals ``skimage.restoration.inpaint_biharmonic`` within rounding: so also at the border, where the image
    reflects, and in that results are clipped to the range of the known pixels of their channel. Solved directly, in
    float64 (`tilegrad.kernels.inpaint_biharmonic`). A NaN beside a hole makes NaN of that hole and of no other. An
    empty image gives an empty result.

    References
    ----------
    .. [1] S. B. Damelin and N. S. Hoang, "On surface completion and image inpainting by biharmonic functions: numerical
           aspects", International Journal of Mathematics and Mathematical Sciences, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.tile(np.arange(5.0), (5, 1))
    >>> mask = np.zeros((5, 5))
    >>> mask[1:4, 1:4] = 1
    >>> inpaint_biharmonic(np.where(mask, np.nan, image), mask).round(2)[2]
    array([0.  , 0.86, 2.  , 3.14, 4.  ])
    """
    name = "inpaint_biharmonic"
    check_beside(name, "mask", mask, image)
    holes = _check(name, image, mask, channel_axis, batch_axes)
    if not isinstance(split_into_regions, bool | np.bool_):
        raise TypeError(f"{name}: split_into_regions expects a bool but got {split_into_regions!r}")
    spatial = holes.ndim - batch_axes
    if not 1 <= spatial <= 3:
        raise ValueError(
            f"{name}: image expects one to three spatial axes but has {spatial} "
            f"(image {image.shape}, batch_axes = {batch_axes}, channel_axis = {channel_axis})"
        )
    if out is not None:
        check_out(name, out, image, image.shape, float_type(image.dtype))
    if image.size == 0:
        return new_like(image, image.shape, float_type(image.dtype)) if out is None else out
    _check_some_known(name, holes, batch_axes)

    source = as_float(image, preserve_range=False)
    last = source[..., None] if channel_axis is None else np.moveaxis(source, channel_axis, -1)
    shape = holes.shape[batch_axes:]
    x = last.reshape(-1, *shape, last.shape[-1])
    marks = holes.reshape(-1, *shape)
    filled = kernels.inpaint_biharmonic(x, marks.view(np.uint8))
    result = _clipped_to_known(filled, x, marks).reshape(last.shape)
    result = result[..., 0] if channel_axis is None else np.moveaxis(result, -1, channel_axis)
    return in_order(result, out)


def inpaint_exemplar(
    image: np.ndarray,
    mask: np.ndarray,
    patch_size: int = 9,
    *,
    source: np.ndarray | None = None,
    refinements: int = 8,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Fill holes and repair tears with patches of the image itself, found by template matching.

    Parameters
    ----------
    image : array of two axes beside those of channels and of a batch, of real numbers
        Values count as they are; nothing is scaled.
    mask : array of the image's shape without its channels
        What is not 0 is a hole; the values of the image there are not read.
    patch_size : int
        Side of the square patches in pixels, at least 3: somewhat larger than what repeats or what must stay whole.
        Where the image is smaller, its side.
    source : array of the mask's shape, optional
        What is not 0 may be copied from; by default everything that is known. It keeps, say, a person beside the hole
        from being repeated in it, or limits the search to a region.
    refinements : int
        Rounds that improve the picture after it was filled once; 0 leaves the patches as they were copied.
    channel_axis : int, optional
        The axis of channels, which are matched together.
    out : array of the image's shape and type, optional
        Where to write; it may be the image itself.
    batch_axes : int
        How many leading axes count images; mask and source have them too.

    Returns
    -------
    array of the image's shape and type, or ``out``
        Pixels outside the mask keep their bits.

    Raises
    ------
    TypeError
        Not an array of real numbers, a ``patch_size`` or ``refinements`` that is not an integer.
    ValueError
        Shapes that do not fit, and an image with a hole but no patch that is known throughout.

    Notes
    -----
    The method is that of `tilegrad.kernels.inpaint_exemplar`, where it is described: the filling of Criminisi et al.,
    refined by voting patches, which are believed as far as they explain what is known around a hole; elsewhere a smooth
    surface takes their place, rough where the image is random texture. The same image gives the same bits on any number
    of threads. Pixels that are not finite stay, and are neither compared nor copied.

    uint8, uint16 and float32 images are compared in float32, float64 ones in float64; other types go through float32
    (float16, 8-bit integers, bool) or float64, and results are rounded and clipped to their range.

    An empty image gives an empty result, an image without a hole a copy.

    References
    ----------
    .. [1] A. Criminisi, P. Perez and K. Toyama, "Region filling and object removal by exemplar-based image inpainting",
           IEEE Transactions on Image Processing 13(9), 2004.

    Examples
    --------
    >>> import numpy as np
    >>> tiles = np.tile(np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]], np.uint8), (8, 8))
    >>> mask = np.zeros((24, 24), bool)
    >>> mask[8:15, 8:15] = True
    >>> restored = inpaint_exemplar(np.where(mask, 0, tiles), mask, patch_size=5)
    >>> bool((restored == tiles).all())
    True
    """
    name = "inpaint_exemplar"
    check_beside(name, "mask", mask, image)
    holes = _check(name, image, mask, channel_axis, batch_axes)
    usable = None
    if source is not None:
        check_beside(name, "source", source, image)
        check_image(name, "source", source)
        if source.shape != mask.shape:
            raise ValueError(f"{name}: source expects the mask's shape {mask.shape} but got {source.shape}")
        usable = source != 0
    if out is not None:
        check_out(name, out, image, image.shape, image.dtype)
    x = to_nhwc(name, native(image), channel_axis, batch_axes)
    marks = holes.reshape(x.shape[:3]).view(np.uint8)
    allowed = None if usable is None else usable.reshape(x.shape[:3]).view(np.uint8)
    filled = kernels.inpaint_exemplar(_readable(x), marks, allowed, patch_size=patch_size, refinements=refinements)
    if filled.dtype != x.dtype:
        filled = np.where(marks[..., None], _as_type(filled, x.dtype), x)
    return in_order(from_nhwc(filled, image, channel_axis, batch_axes), out)


def _check(name: str, image: Any, mask: Any, channel_axis: Any, batch_axes: Any) -> np.ndarray:
    """The mask as booleans, after a look that it fits the image."""
    for argument, array in (("image", image), ("mask", mask)):
        check_image(name, argument, array)
        if isinstance(array, np.ma.MaskedArray):
            raise TypeError(f"{name}: {argument} expects an ordinary array but got a masked one")
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    shape = tuple(n for axis, n in enumerate(image.shape) if axis != channels)
    if mask.shape != shape:
        raise ValueError(f"{name}: mask expects shape {shape} but got {mask.shape} (image {image.shape})")
    return mask != 0


def _check_some_known(name: str, holes: np.ndarray, batch_axes: int) -> None:
    full = holes.reshape(*holes.shape[:batch_axes], -1).all(axis=-1)
    if full.any():
        raise ValueError(f"{name}: mask leaves no pixel of {'the image' if batch_axes == 0 else 'an image'} known")


def _clipped_to_known(filled: np.ndarray, x: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Holes clipped to the least and the largest known number of each image and channel."""
    axes, holes = tuple(range(1, x.ndim - 1)), marks[..., None]
    known = ~(holes | np.isnan(x))
    low = np.where(known, x, np.inf).min(axis=axes, keepdims=True)
    high = np.where(known, x, -np.inf).max(axis=axes, keepdims=True)
    return np.where(holes, np.clip(filled, low, high), filled).astype(filled.dtype, copy=False)


def _readable(x: np.ndarray) -> np.ndarray:
    """The image in a type that the exemplar kernel takes, with room for all its values."""
    if x.dtype in _READ:
        return x
    return x.astype(np.float32 if x.dtype.itemsize == 1 or x.dtype == np.float16 else np.float64)


def _as_type(filled: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Filled numbers in a type that was computed in another one, integers rounded."""
    if dtype.kind == "f":
        return filled.astype(dtype)
    if dtype.kind == "b":
        return filled >= 0.5
    limits = np.iinfo(dtype)
    return np.clip(np.rint(np.nan_to_num(filled)), limits.min, limits.max).astype(dtype)
