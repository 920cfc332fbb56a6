"""Denoising by total variation, in scikit-image's call form."""

import numpy as np

from .. import kernels
from ..kernels.arguments import integer
from .images import as_float, check_image, check_out, from_nhwc, in_order, leading_axes, to_nhwc


def denoise_tv_chambolle(
    image: np.ndarray,
    weight: float = 0.1,
    eps: float = 0.0002,
    max_num_iter: int = 200,
    *,
    channel_axis: int | None = None,
    out: np.ndarray | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Denoise an image by total variation: near it, with a gradient that is short in sum.

    Parameters
    ----------
    image : array of two axes, and those of channels and of a batch
        float32 and float64 are filtered as they are, float16 as float32, everything else as float64; integers are
        scaled by their largest value, to [0, 1] or [-1, 1]. Any strides.
    weight : float, above 0
        How much is smoothed: the greater, the more, at the expense of likeness to the image.
    eps : float
        An image, or a channel of it, is done where a step changes its energy by less than ``eps`` times its first one.
    max_num_iter : int
        How many steps there are at most, of which the first gives the image itself.
    channel_axis : int, optional
        The axis of channels, which are denoised each on its own.
    out : array of the image's shape and of the result's type, optional
        Where to write; it may be the image itself.
    batch_axes : int
        How many leading axes count images, each denoised on its own.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Raises
    ------
    TypeError, ValueError
        Not an image of real numbers, numbers out of range, axes or an ``out`` that do not fit.

    Notes
    -----
    Equals ``skimage.restoration.denoise_tv_chambolle`` 0.26 of two axes within rounding. An image with a NaN never
    stops early, and NaN spreads by a pixel with each step. An empty image gives an empty result.

    Source: A. Chambolle, "An algorithm for total variation minimization and applications", 2004.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[0.0, 0.1, 0.0, 1.0, 0.9, 1.0]] * 4)
    >>> denoise_tv_chambolle(image, weight=0.1).round(2)[0]
    array([0.06, 0.07, 0.07, 0.93, 0.93, 0.94])
    """
    name = "denoise_tv_chambolle"
    check_image(name, "image", image)
    source = as_float(image, preserve_range=False)
    images = to_nhwc(name, source, channel_axis, batch_axes)
    if out is not None:
        check_out(name, out, image, image.shape, source.dtype)
    integer(name, "max_num_iter", max_num_iter, 0, 2**31 - 1)
    planes = kernels.total_variation(np.moveaxis(images, 3, 1), weight=weight, eps=eps, steps=max_num_iter)
    shaped = from_nhwc(np.moveaxis(planes, 1, 3), image, channel_axis, leading_axes(name, batch_axes, image.ndim))
    return in_order(shaped, out)
