"""Pyramids of images, each smaller than the one before, in scikit-image's call forms."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..kernels.arguments import integer
from .images import as_float, axis_of_channels, check_image, check_nonempty, check_out, leading_axes
from .linear import gaussian
from .resizing import resized
from .sampling import check_mode, check_number

# What lies outside the image that is blurred: scikit-image passes the same word to SciPy, where "reflect" is another.
_BLUR = {"reflect": "reflect", "symmetric": "reflect", "edge": "nearest", "constant": "constant", "wrap": "wrap"}


def pyramid_reduce(
    image: np.ndarray,
    downscale: float = 2,
    sigma: float | None = None,
    order: int = 1,
    mode: str = "reflect",
    cval: float = 0,
    preserve_range: bool = False,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Blur an image and make it smaller.

    Parameters
    ----------
    image : array of real numbers
        Of any number of axes.
    downscale : float
        The factor, over 1; sizes are rounded up.
    sigma : float, optional
        Standard deviation of the blur; by default ``2 * downscale / 6``.
    order, mode, cval, preserve_range, channel_axis, out, batch_axes
        As in `resize`. Where the image is blurred, "reflect" repeats the pixel at the edge.

    Returns
    -------
    float32 or float64 array, or ``out``

    Raises
    ------
    TypeError, ValueError
        A factor that is not over 1, and as in `resize`.

    Notes
    -----
    Equals ``skimage.transform.pyramid_reduce`` 0.26.

    Source: P. Burt and E. Adelson, "The Laplacian pyramid as a compact image code", 1983.

    Examples
    --------
    >>> import numpy as np
    >>> pyramid_reduce(np.ones((5, 8))).shape
    (3, 4)
    """
    name = "pyramid_reduce"
    source, spread = _prepared(name, "downscale", image, downscale, sigma, preserve_range, batch_axes)
    sizes = _scaled(name, source, 1 / float(downscale), batch_axes, channel_axis)
    blurred = _blurred(name, source, spread, mode, cval, channel_axis, batch_axes)
    return _sized(name, blurred, sizes, order, mode, cval, channel_axis, batch_axes, out)


def pyramid_expand(
    image: np.ndarray,
    upscale: float = 2,
    sigma: float | None = None,
    order: int = 1,
    mode: str = "reflect",
    cval: float = 0,
    preserve_range: bool = False,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Make an image larger and blur it.

    Parameters
    ----------
    upscale : float
        The factor, over 1; sizes are rounded up.
    image, sigma, order, mode, cval, preserve_range, channel_axis, out, batch_axes
        As in `pyramid_reduce`.

    Returns
    -------
    float32 or float64 array, or ``out``

    Notes
    -----
    Equals ``skimage.transform.pyramid_expand`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> pyramid_expand(np.ones((5, 8))).shape
    (10, 16)
    """
    name = "pyramid_expand"
    source, spread = _prepared(name, "upscale", image, upscale, sigma, preserve_range, batch_axes)
    sizes = _scaled(name, source, float(upscale), batch_axes, channel_axis)
    if out is not None:
        check_out(name, out, image, (*image.shape[:batch_axes], *sizes), source.dtype)
    larger = _sized(name, source, sizes, order, mode, cval, channel_axis, batch_axes)
    return _blurred(name, larger, spread, mode, cval, channel_axis, batch_axes, out)


def pyramid_gaussian(
    image: np.ndarray,
    max_layer: int = -1,
    downscale: float = 2,
    sigma: float | None = None,
    order: int = 1,
    mode: str = "reflect",
    cval: float = 0,
    preserve_range: bool = False,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> Iterator[np.ndarray]:
    """The image, and what `pyramid_reduce` makes of it again and again.

    Parameters
    ----------
    max_layer : int
        How many layers follow the image itself; -1 goes on until nothing changes any more.
    image, downscale, sigma, order, mode, cval, preserve_range, channel_axis, batch_axes
        As in `pyramid_reduce`.

    Returns
    -------
    iterator of float32 or float64 arrays

    Notes
    -----
    Equals ``skimage.transform.pyramid_gaussian`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> [layer.shape for layer in pyramid_gaussian(np.ones((5, 8)))]
    [(5, 8), (3, 4), (2, 2), (1, 1)]
    """
    name = "pyramid_gaussian"
    integer(name, "max_layer", max_layer, -1, 2**31 - 1)
    layer, _ = _prepared(name, "downscale", image, downscale, sigma, preserve_range, batch_axes)
    _scaled(name, layer, 1.0, batch_axes, channel_axis)

    def layers(layer: np.ndarray) -> Iterator[np.ndarray]:
        yield layer.copy() if layer is image else layer
        count = 0
        while count != max_layer:
            count += 1
            smaller = pyramid_reduce(
                layer, downscale, sigma, order, mode, cval, channel_axis=channel_axis, batch_axes=batch_axes
            )
            if smaller.shape == layer.shape:
                return
            yield smaller
            layer = smaller

    return layers(layer)


def pyramid_laplacian(
    image: np.ndarray,
    max_layer: int = -1,
    downscale: float = 2,
    sigma: float | None = None,
    order: int = 1,
    mode: str = "reflect",
    cval: float = 0,
    preserve_range: bool = False,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> Iterator[np.ndarray]:
    """The detail that blurring takes from each layer of a pyramid.

    Parameters
    ----------
    image, max_layer, downscale, sigma, order, mode, cval, preserve_range, channel_axis, batch_axes
        As in `pyramid_gaussian`; -1 goes on to a layer of one pixel.

    Returns
    -------
    iterator of float32 or float64 arrays
        Each the difference of a layer and its blurred self, of which the next is made.

    Notes
    -----
    Equals ``skimage.transform.pyramid_laplacian`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> [layer.shape for layer in pyramid_laplacian(np.ones((5, 8)))]
    [(5, 8), (3, 4), (2, 2), (1, 1)]
    """
    name = "pyramid_laplacian"
    integer(name, "max_layer", max_layer, -1, 2**31 - 1)
    source, spread = _prepared(name, "downscale", image, downscale, sigma, preserve_range, batch_axes)
    batch = leading_axes(name, batch_axes, source.ndim)
    channels = axis_of_channels(name, channel_axis, source.ndim, batch)
    largest = max((n for axis, n in enumerate(source.shape) if axis >= batch and axis != channels), default=1)
    count = math.ceil(math.log(max(largest, 1), downscale)) if max_layer == -1 else max_layer

    def layers() -> Iterator[np.ndarray]:
        layer = source
        blurred = _blurred(name, layer, spread, mode, cval, channel_axis, batch_axes)
        yield layer - blurred
        for _ in range(count):
            sizes = _scaled(name, blurred, 1 / float(downscale), batch_axes, channel_axis)
            layer = _sized(name, blurred, sizes, order, mode, cval, channel_axis, batch_axes)
            blurred = _blurred(name, layer, spread, mode, cval, channel_axis, batch_axes)
            yield layer - blurred

    return layers()


def _prepared(
    name: str, argument: str, image: Any, factor: Any, sigma: float | None, preserve_range: bool, batch_axes: Any
) -> tuple[np.ndarray, float]:
    """The image as floating-point numbers, and the standard deviation of the blur."""
    check_image(name, "image", image)
    check_nonempty(name, image, leading_axes(name, batch_axes, image.ndim))
    if not 1 < check_number(name, argument, factor) < math.inf:
        raise ValueError(f"{name}: {argument} expects a number over 1 but got {factor!r}")
    return as_float(image, preserve_range), 2 * factor / 6.0 if sigma is None else sigma


def _scaled(name: str, image: np.ndarray, factor: float, batch_axes: Any, channel_axis: Any) -> list[int]:
    """Sizes of the axes that are not of the batch; the channels keep theirs."""
    batch = leading_axes(name, batch_axes, image.ndim)
    channels = axis_of_channels(name, channel_axis, image.ndim, batch)
    sizes = [n if axis == channels else math.ceil(n * factor) for axis, n in enumerate(image.shape)]
    return sizes[batch:]


def _sized(
    name: str,
    image: np.ndarray,
    sizes: list[int],
    order: int,
    mode: str,
    cval: float,
    channel_axis: int | None,
    batch_axes: int,
    out: np.ndarray | None = None,
) -> np.ndarray:
    return resized(name, image, sizes, order, mode, cval, True, False, False, None, channel_axis, out, batch_axes)


def _blurred(
    name: str,
    image: np.ndarray,
    sigma: float,
    mode: str,
    cval: float,
    channel_axis: int | None,
    batch_axes: int,
    out: np.ndarray | None = None,
) -> np.ndarray:
    check_mode(name, mode)
    return gaussian(
        image, sigma, mode=_BLUR[mode], cval=cval, channel_axis=channel_axis, batch_axes=batch_axes, out=out
    )
