"""Images of another size by means of areas, in scikit-image's call forms."""

import math
from collections.abc import Sequence

import numpy as np

from .. import kernels
from .axiswise import by_pairs, output_sizes, written
from .images import as_float, axis_of_channels, check_image, check_nonempty, check_out, leading_axes
from .sampling import check_number


def resize_local_mean(
    image: np.ndarray,
    output_shape: Sequence[int],
    grid_mode: bool = True,
    preserve_range: bool = False,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Resize an image by the mean of what each pixel of the result covers.

    Parameters
    ----------
    image, output_shape, preserve_range, channel_axis, out, batch_axes
        As in `resize`.
    grid_mode : bool
        Pixels are squares. False takes them for points at their centres, and the image from the first to the last.

    Returns
    -------
    float32 or float64 array of ``output_shape``, or ``out``

    Notes
    -----
    Equals ``skimage.transform.resize_local_mean`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> resize_local_mean(np.array([1.0, 2.0, 6.0]), (2,)).round(3)
    array([1.333, 4.667])
    """
    name = "resize_local_mean"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    image, sizes = output_sizes(name, image, output_shape, batch, channels)
    source = as_float(image, preserve_range)
    if out is not None:
        check_out(name, out, image, sizes, source.dtype)
    changed = {axis: size for axis, size in enumerate(sizes) if size != image.shape[axis]}

    def averaged(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        return kernels.interpolate(x, size, mode="area", align_corners=not grid_mode)

    result = by_pairs(source, changed, averaged)
    return written(result.copy(order="C") if np.may_share_memory(result, image) else result, out)


def downscale_local_mean(
    image: np.ndarray,
    factors: int | Sequence[int],
    cval: float = 0,
    clip: bool = True,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Make an image smaller by means of blocks.

    Parameters
    ----------
    image : array of real numbers
    factors : int or sequence of ints
        The size of a block along all axes that are neither of the batch nor of the channels, or along each.
    cval : float
        What fills the last blocks, where the image does not.
    clip : bool
        Changes nothing: a mean exceeds no values. It is there for scikit-image's call form.
    channel_axis, out, batch_axes
        As in `resize`.

    Returns
    -------
    float array, or ``out``
        Of the image's type if that is floating-point, otherwise float64; integers keep their range.

    Notes
    -----
    Equals ``skimage.transform.downscale_local_mean`` 0.26; means of float16 images are computed in float32.

    Examples
    --------
    >>> import numpy as np
    >>> downscale_local_mean(np.arange(15).reshape(3, 5), (2, 3))
    array([[3.5, 4. ],
           [5.5, 4.5]])
    """
    name = "downscale_local_mean"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    cval = check_number(name, "cval", cval)
    axes = [axis for axis in range(batch, image.ndim) if axis != channels]
    blocks = [factors] * len(axes) if isinstance(factors, int | np.integer) else list(factors)
    if len(blocks) != len(axes):
        raise ValueError(f"{name}: factors expects one for each of {len(axes)} axes but got {factors!r}")
    if not all(isinstance(block, int | np.integer) and block >= 1 for block in blocks):
        raise ValueError(f"{name}: factors expects integers of at least 1 but got {factors!r}")
    width = [(0, 0)] * image.ndim
    sizes = list(image.shape)
    for axis, block in zip(axes, blocks, strict=True):
        sizes[axis] = -(-image.shape[axis] // int(block))
        width[axis] = (0, sizes[axis] * int(block) - image.shape[axis])
    dtype = image.dtype if image.dtype.kind == "f" else np.dtype(np.float64)
    if out is not None:
        check_out(name, out, image, tuple(sizes), dtype)
    source = as_float(image, preserve_range=True)
    if any(after for _, after in width):
        source = np.pad(source, width, constant_values=cval)
    changed = {axis: sizes[axis] for axis in axes if sizes[axis] != source.shape[axis]}
    result = (by_pairs(source, changed, _block_sums) / math.prod(blocks)).astype(dtype, copy=False)
    return written(result, out)


def downsample(
    image: np.ndarray,
    factor: float,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Take resolution from images, as a coarser sensor does: each pixel is the mean of the area that it covers.

    Parameters
    ----------
    image : array of real numbers
    factor : float
        How many pixels become one, along each axis that is neither of the batch nor of the channels; at least 1. The
        result has ``round(size / factor)`` pixels, halves to even and one at least, which together cover the image.
    channel_axis, out, batch_axes
        As in `resize`; ``out`` is of the image's type.

    Returns
    -------
    array of the image's type, or ``out``
        Means of integers and of booleans are rounded, halves to even.

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, an empty one, a factor that is no finite number of at least 1.

    Notes
    -----
    Equals ``cv2.resize`` to the same size with ``INTER_AREA``, but for halves of integers, which OpenCV rounds up where
    the factor is 2, and its roundings in float32. Means are computed in float32 for float32 and float16 images, else in
    float64, which holds integers up to 2**53.

    Examples
    --------
    >>> import numpy as np
    >>> downsample(np.array([[0, 2, 9], [0, 4, 9], [5, 5, 9]], np.uint8), 1.5)
    array([[1, 7],
           [4, 8]], dtype=uint8)
    """
    name = "downsample"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    if not 1 <= check_number(name, "factor", factor) < math.inf:
        raise ValueError(f"{name}: factor expects a finite number of at least 1 but got {factor!r}")
    check_nonempty(name, image, batch)
    axes = [axis for axis in range(batch, image.ndim) if axis != channels]
    sizes = [max(1, round(n / factor)) if axis in axes else n for axis, n in enumerate(image.shape)]
    if out is not None:
        check_out(name, out, image, tuple(sizes), image.dtype)
    means = resize_local_mean(image, sizes[batch:], preserve_range=True, channel_axis=channels, batch_axes=batch)
    if image.dtype.kind != "f":
        np.rint(means, out=means)
    return written(means.astype(image.dtype, copy=False), out)


def _block_sums(x: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    block = x.shape[1] // size[0], x.shape[2] // size[1]
    return kernels.avg_pool2d(x, block, stride=block, divisor_override=1)
