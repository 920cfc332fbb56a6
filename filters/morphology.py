"""Gray morphology with flat footprints, in scikit-image's call forms.

Footprints of an even number of pixels along an axis have their middle before the border between both halves, as in
scikit-image; they may also be given as a sequence of pairs ``(footprint, how many times)``, which are applied in turn.
"""

from typing import Any

import numpy as np

from ..kernels.arrays import new_like
from .footprints import checked_call


def erosion(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The least of the numbers under a footprint.

    Parameters
    ----------
    image : array of real numbers
        Any number of axes, of which some may count images of a batch or channels. Any type up to 64 bits and any
        strides; nothing is rescaled.
    footprint : array, or sequence of (array, int), optional
        Which pixels count, with an axis for each of the image's that is neither of the batch nor of the channels. A
        cross of 3 pixels along each axis without it.
    out : array of the image's shape and type, optional
        Where to write; it may be the image itself.
    mode : {"reflect", "constant", "nearest", "mirror", "wrap", "max", "min", "ignore"}
        What lies outside the image: ``scipy.ndimage``'s names (`tilegrad.kernels.correlation` draws them), the greatest
        or the least number of the image's type, or what has no part in the result.
    cval : float
        The number outside the image where ``mode`` is "constant".
    channel_axis : int, optional
        The axis of channels, which are filtered each on its own.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError
        Not an array of real numbers, floats of more than 64 bits.
    ValueError
        A footprint of another number of axes or without pixels, an unknown mode, an axis that does not exist, an
        ``out`` that does not fit.

    Notes
    -----
    Equals ``skimage.morphology.erosion`` 0.26 bit for bit. A NaN reaches every pixel under whose footprint it lies. An
    empty image stays empty.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((5, 5), np.uint8)
    >>> image[1:4, 1:4] = 1
    >>> erosion(image)
    array([[0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0],
           [0, 0, 1, 0, 0],
           [0, 0, 0, 0, 0],
           [0, 0, 0, 0, 0]], dtype=uint8)
    """
    call = checked_call("erosion", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return call.filtered(image, greatest=False, out=out)


def dilation(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The greatest of the numbers under a footprint, which is not mirrored.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``skimage.morphology.dilation`` 0.26 bit for bit. ``scipy.ndimage.grey_dilation`` mirrors the footprint.

    Examples
    --------
    >>> import numpy as np
    >>> dilation(np.array([[0, 7, 0, 0]]))
    array([[7, 7, 7, 0]])
    """
    call = checked_call("dilation", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return call.filtered(image, greatest=True, out=out)


def opening(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """`erosion`, then `dilation` by the mirrored footprint: what is bright and smaller than the footprint goes.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``skimage.morphology.opening`` 0.26 bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> opening(np.array([[0, 7, 0, 5, 5, 5]]), np.ones((1, 3)))
    array([[0, 0, 0, 5, 5, 5]])
    """
    call = checked_call("opening", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return call.opened(image, out)


def closing(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """`dilation`, then `erosion` by the mirrored footprint: what is dark and smaller than the footprint goes.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``skimage.morphology.closing`` 0.26 bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> closing(np.array([[9, 2, 9, 4, 4, 4]]), np.ones((1, 3)))
    array([[9, 9, 9, 4, 4, 4]])
    """
    call = checked_call("closing", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return call.closed(image, out)


def white_tophat(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The image less its `opening`: what is bright and smaller than the footprint.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``skimage.morphology.white_tophat`` 0.26 bit for bit, the wrapping of integers included where an opening
    exceeds the image at its border; of booleans it is the difference of sets.

    Examples
    --------
    >>> import numpy as np
    >>> white_tophat(np.array([[0, 7, 0, 5, 5, 5]]), np.ones((1, 3)))
    array([[0, 7, 0, 0, 0, 0]])
    """
    call = checked_call("white_tophat", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return _difference(image, call.opened(image), image, out)


def black_tophat(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The `closing` of an image less the image: what is dark and smaller than the footprint.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``skimage.morphology.black_tophat`` 0.26 bit for bit, as `white_tophat` does.

    Examples
    --------
    >>> import numpy as np
    >>> black_tophat(np.array([[9, 2, 9, 4, 4, 4]]), np.ones((1, 3)))
    array([[0, 7, 0, 0, 0, 0]])
    """
    call = checked_call("black_tophat", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return _difference(call.closed(image), image, image, out)


def morphological_gradient(
    image: np.ndarray,
    footprint: Any = None,
    out: np.ndarray | None = None,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """The `dilation` of an image less its `erosion`: how much numbers differ under the footprint.

    Parameters
    ----------
    image, footprint, out, mode, cval, channel_axis, batch_axes
        As in `erosion`.

    Returns
    -------
    array of the image's shape and type, or ``out``

    Raises
    ------
    TypeError, ValueError
        As in `erosion`.

    Notes
    -----
    Equals ``scipy.ndimage.morphological_gradient`` bit for bit where the footprint is its own mirror image.

    Examples
    --------
    >>> import numpy as np
    >>> morphological_gradient(np.array([[1, 1, 4, 4, 4]]))
    array([[0, 3, 3, 0, 0]])
    """
    call = checked_call("morphological_gradient", image, footprint, out, mode, cval, channel_axis, batch_axes)
    return _difference(call.filtered(image, greatest=True), call.filtered(image, greatest=False), image, out)


def _difference(a: np.ndarray, b: np.ndarray, image: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    """a - b, of booleans where they differ."""
    subtract = np.logical_xor if image.dtype == np.bool_ else np.subtract
    return subtract(a, b, out=new_like(image, image.shape, image.dtype) if out is None else out)
