"""Edge filters in scikit-image's call form: derivatives and their magnitude.

A derivative is a slope along one axis, smoothed across it along all others; the filters differ in their weights. What
they take and give is said at `sobel`.
"""

import numpy as np

from .derivatives import Axis, EdgeImage, Mode, edges_of

_SOBEL = np.array([1.0, 2.0, 1.0]) / 4
_SCHARR = np.array([3.0, 10.0, 3.0]) / 16
_PREWITT = np.full(3, 1 / 3)
# Farid and Simoncelli, "Differentiation of discrete multidimensional signals", 2004, table 1, with more decimals.
_FARID = np.array([0.0376593171958126, 0.249153396177344, 0.426374573253687, 0.249153396177344, 0.0376593171958126])
_FARID_SLOPE = np.array([-0.109603762960254, -0.276690988455557, 0, 0.276690988455557, 0.109603762960254])


def sobel(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    axis: Axis = None,
    mode: Mode = "reflect",
    cval: float = 0.0,
    sigma: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find edges by Sobel's derivatives: slopes, smoothed by (1, 2, 1) / 4 across.

    Parameters
    ----------
    image : array of any number of axes and of real numbers
        float32 and float64 are filtered as they are, float16 as float32, everything else as float64, integers scaled
        by their largest value to [0, 1] or [-1, 1]. Any strides.
    mask : array of the image's shape, or of that of its axes without batch and channels, optional
        Pixels outside the mask, and those with a neighbour outside it or outside the image, are 0.
    axis : int or sequence of ints, optional
        The derivative along this axis (with its sign), or the magnitude of those along several; by default of all.
    mode : {"reflect", "mirror", "nearest", "wrap", "constant"} or one for each axis
        What lies outside the image, in ``scipy.ndimage``'s names.
    cval : float
        The value outside the image where ``mode`` is "constant", in the units of the filtered image.
    sigma : float
        The standard deviation in pixels of a Gaussian that blurs the image before, along all its axes and with the same
        border; 0 blurs nothing. For the magnitude in an image of two axes the CPU never writes the blurred image.
    channel_axis : int, optional
        The axis of channels, which are filtered each on its own.
    batch_axes : int
        How many leading axes count images. With the default a stack of images is one volume.
    out : array of the image's shape and the result's type, optional
        Where to write; it may be the image itself.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``
        A magnitude is the root of the sum of the squares over the number of axes of the image.

    Raises
    ------
    TypeError, ValueError
        Not an array of real numbers, axes that do not exist, an unknown mode, a mask or ``out`` that does not fit.

    Notes
    -----
    Equals ``skimage.filters.sobel`` 0.26 within rounding, for axes counted from the front (its result for negative ones
    is a quarter of the derivative). An empty image gives an empty result. A NaN reaches every pixel whose window of 3
    pixels along each axis holds it, and no pixel outside the mask. With ``sigma`` it is bit for bit
    ``sobel(gaussian(image, sigma, mode=mode, cval=cval), ...)``.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((3, 5))
    >>> image[:, 2:] = 1
    >>> sobel(image, axis=1)[0]
    array([0., 1., 1., 0., 0.])
    >>> sobel(image)[0].round(3)
    array([0.   , 0.707, 0.707, 0.   , 0.   ])
    >>> sobel(image, sigma=0.5)[0].round(3)
    array([0.075, 0.631, 0.631, 0.075, 0.   ])
    """
    checked = EdgeImage("sobel", image, mask, channel_axis, batch_axes, out)
    return edges_of(checked, axis, mode, cval, _SOBEL, sigma=sigma)


def sobel_h(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find horizontal edges: the derivative down the columns of `sobel`.

    The image has two axes beside those of the batch and of the channels; otherwise as `sobel`. Equals
    ``skimage.filters.sobel_h`` 0.26 within rounding.
    """
    checked = EdgeImage("sobel_h", image, mask, channel_axis, batch_axes, out, axes=2)
    return edges_of(checked, checked.axes[0], "reflect", 0.0, _SOBEL)


def sobel_v(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find vertical edges: the derivative along the rows of `sobel`.

    The image has two axes beside those of the batch and of the channels; otherwise as `sobel`. Equals
    ``skimage.filters.sobel_v`` 0.26 within rounding.
    """
    checked = EdgeImage("sobel_v", image, mask, channel_axis, batch_axes, out, axes=2)
    return edges_of(checked, checked.axes[1], "reflect", 0.0, _SOBEL)


def scharr(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    axis: Axis = None,
    mode: Mode = "reflect",
    cval: float = 0.0,
    sigma: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find edges by Scharr's derivatives: slopes, smoothed by (3, 10, 3) / 16 across, nearly alike in all directions.

    Arguments, result and errors are those of `sobel`. Equals ``skimage.filters.scharr`` 0.26 within rounding.

    Examples
    --------
    >>> image = np.zeros((3, 6))
    >>> image[:, 3:] = 1
    >>> scharr(image, axis=1)[0].round(3)
    array([0., 0., 1., 1., 0., 0.])
    """
    checked = EdgeImage("scharr", image, mask, channel_axis, batch_axes, out)
    return edges_of(checked, axis, mode, cval, _SCHARR, sigma=sigma)


def scharr_h(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find horizontal edges: the derivative down the columns of `scharr`.

    The image has two axes beside those of the batch and of the channels; otherwise as `sobel`. Equals
    ``skimage.filters.scharr_h`` 0.26 within rounding.
    """
    checked = EdgeImage("scharr_h", image, mask, channel_axis, batch_axes, out, axes=2)
    return edges_of(checked, checked.axes[0], "reflect", 0.0, _SCHARR)


def scharr_v(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find vertical edges: the derivative along the rows of `scharr`.

    The image has two axes beside those of the batch and of the channels; otherwise as `sobel`. Equals
    ``skimage.filters.scharr_v`` 0.26 within rounding.
    """
    checked = EdgeImage("scharr_v", image, mask, channel_axis, batch_axes, out, axes=2)
    return edges_of(checked, checked.axes[1], "reflect", 0.0, _SCHARR)


def prewitt(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    axis: Axis = None,
    mode: Mode = "reflect",
    cval: float = 0.0,
    sigma: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find edges by Prewitt's derivatives: slopes, smoothed by (1, 1, 1) / 3 across.

    Arguments, result and errors are those of `sobel`. Equals ``skimage.filters.prewitt`` 0.26 within rounding.

    Examples
    --------
    >>> image = np.zeros((3, 6))
    >>> image[:, 3:] = 1
    >>> prewitt(image, axis=1)[0].round(3)
    array([0., 0., 1., 1., 0., 0.])
    """
    checked = EdgeImage("prewitt", image, mask, channel_axis, batch_axes, out)
    return edges_of(checked, axis, mode, cval, _PREWITT, sigma=sigma)


def prewitt_h(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find horizontal edges: the derivative down the columns of `prewitt`.

    The image has two axes beside those of the batch and of the channels; otherwise as `sobel`. Equals
    ``skimage.filters.prewitt_h`` 0.26 within rounding.
    """
    checked = EdgeImage("prewitt_h", image, mask, channel_axis, batch_axes, out, axes=2)
    return edges_of(checked, checked.axes[0], "reflect", 0.0, _PREWITT)


def prewitt_v(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find vertical edges: the derivative along the rows of `prewitt`.

    The image has two axes beside those of the batch and of the channels; otherwise as `sobel`. Equals
    ``skimage.filters.prewitt_v`` 0.26 within rounding.
    """
    checked = EdgeImage("prewitt_v", image, mask, channel_axis, batch_axes, out, axes=2)
    return edges_of(checked, checked.axes[1], "reflect", 0.0, _PREWITT)


def farid(
    image: np.ndarray,
    mask: np.ndarray | None = None,
    *,
    axis: Axis = None,
    mode: Mode = "reflect",
    cval: float = 0.0,
    sigma: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find edges by Farid's and Simoncelli's derivatives, of 5 pixels along each axis.

    Arguments, result and errors are those of `sobel`. Equals ``skimage.filters.farid`` 0.26 within rounding.

    Examples
    --------
    >>> image = np.zeros((3, 6))
    >>> image[:, 3:] = 1
    >>> farid(image, axis=1)[0, :5].round(3)
    array([0.   , 0.11 , 0.386, 0.386, 0.11 ])
    """
    checked = EdgeImage("farid", image, mask, channel_axis, batch_axes, out)
    return edges_of(checked, axis, mode, cval, _FARID, _FARID_SLOPE, sigma)


def farid_h(
    image: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find horizontal edges: the derivative down the columns of `farid`.

    The image has two axes beside those of the batch and of the channels; otherwise as `sobel`. Equals
    ``skimage.filters.farid_h`` 0.26 within rounding.
    """
    checked = EdgeImage("farid_h", image, mask, channel_axis, batch_axes, out, axes=2)
    return edges_of(checked, checked.axes[0], "reflect", 0.0, _FARID, _FARID_SLOPE)


def farid_v(
    image: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Find vertical edges: the derivative along the rows of `farid`.

    The image has two axes beside those of the batch and of the channels; otherwise as `sobel`. Equals
    ``skimage.filters.farid_v`` 0.26 within rounding.
    """
    checked = EdgeImage("farid_v", image, mask, channel_axis, batch_axes, out, axes=2)
    return edges_of(checked, checked.axes[1], "reflect", 0.0, _FARID, _FARID_SLOPE)
