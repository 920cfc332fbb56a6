"""Linear filters of images, to train through: fixed or learned weights under a window, Gaussians and boxes.

A filter is linear in the image and in the weights, so its gradients are its adjoints in each; each of the three is made
of the other two when it is differentiated, so that gradients of any order exist.
"""

from collections.abc import Sequence

import numpy as np

from ... import kernels
from ...kernels.arrays import beside
from ...kernels.box.geometry import check_size
from ...kernels.correlation.weights import gaussian_taps
from ..primitive import Array, primitive
from ..tensor import Tensor


@primitive()
def correlate2d(
    x: Array, weight: Array, mode: str = "reflect", cval: float = 0.0, origin: int | tuple[int, int] = 0
) -> Array:
    """Correlate every channel of NHWC images with the same weights, which are not flipped. (PyTorch has no such one.)

    Parameters
    ----------
    x : (N, H, W, C)
    weight : (KH, KW)
        It may be larger than the images.
    mode : {"reflect", "mirror", "nearest", "wrap", "constant"}
        What lies outside the image, in ``scipy.ndimage``'s names (see `tilegrad.kernels.correlate1d`); ``cval`` is that
        of "constant".
    origin : int or (int, int)
        Weight ``(KH // 2 + origin[0], KW // 2 + origin[1])`` lies on the pixel that is computed.

    Returns
    -------
    (N, H, W, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([[1.0, 2.0, 3.0]]).reshape(1, 1, 3, 1)
    >>> nn.functional.correlate2d(x, nn.Tensor([[1.0, 0.0, 1.0]]), "nearest").reshape(-1)
    Tensor([3., 4., 5.], dtype=float32)
    """
    return kernels.correlate2d(x, weight, mode=mode, cval=cval, origin=origin)


@primitive()
def correlate2d_input_grad(gy: Array, weight: Array, mode: str, origin: int | tuple[int, int]) -> Array:
    """The gradient of `correlate2d` by the images."""
    return kernels.correlate2d_input_grad(gy, weight, mode=mode, origin=origin)


@primitive()
def correlate2d_weight_grad(
    gy: Array, x: Array, weight_shape: tuple[int, int], mode: str, cval: float, origin: int | tuple[int, int]
) -> Array:
    """The gradient of `correlate2d` by the weights."""
    return kernels.correlate2d_weight_grad(gy, x, weight_shape, mode=mode, cval=cval, origin=origin)


correlate2d.gradients(
    x=lambda gy, weight, mode, origin: correlate2d_input_grad(gy, weight, mode, origin),
    weight=lambda gy, x, weight_shape, mode, cval, origin: correlate2d_weight_grad(
        gy, x, weight_shape, mode, cval, origin
    ),
)
# The number outside is no part of the images: it has no share in what is linear in them.
correlate2d_input_grad.gradients(
    gy=lambda g, weight, mode, origin: correlate2d(g, weight, mode, 0.0, origin),
    weight=lambda g, gy, weight_shape, mode, origin: correlate2d_weight_grad(gy, g, weight_shape, mode, 0.0, origin),
)
correlate2d_weight_grad.gradients(
    gy=lambda g, x, mode, cval, origin: correlate2d(x, g, mode, cval, origin),
    x=lambda g, gy, mode, origin: correlate2d_input_grad(gy, g, mode, origin),
)


def gaussian_blur(
    x: Tensor, sigma: float | Sequence[float], mode: str = "reflect", cval: float = 0.0, truncate: float = 4.0
) -> Tensor:
    """Blur NHWC images with a Gaussian.

    Parameters
    ----------
    x : (N, H, W, C)
    sigma : float or (height, width)
        Standard deviation in pixels; no gradient flows to it. (torchvision's ``gaussian_blur`` takes the size first.)
    mode, cval
        As in `correlate2d`.
    truncate : float
        The window reaches ``int(truncate * sigma + 0.5)`` pixels.

    Returns
    -------
    (N, H, W, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([[0.0, 4.0, 0.0]]).reshape(1, 1, 3, 1)
    >>> nn.functional.gaussian_blur(x, (0, 1), truncate=1).data.reshape(-1).round(3)
    array([1.096, 1.807, 1.096], dtype=float32)
    """
    sigmas = (sigma, sigma) if isinstance(sigma, int | float) else tuple(sigma)
    if len(sigmas) != 2 or not all(0 <= s < np.inf for s in sigmas):
        raise ValueError(f"gaussian_blur: sigma expects one or two finite numbers of at least 0 but got {sigma!r}")
    if not 0 <= truncate < np.inf:
        raise ValueError(f"gaussian_blur: truncate expects a finite number of at least 0 but got {truncate!r}")
    column, row = (gaussian_taps(float(s), truncate) for s in sigmas)
    return _separable(x, column, row, mode, cval)


def box_blur(x: Tensor, size: int | tuple[int, int], mode: str = "reflect", cval: float = 0.0) -> Tensor:
    """The mean of a box around each pixel of NHWC images.

    Parameters
    ----------
    x : (N, H, W, C)
    size : int or (height, width)
    mode, cval
        As in `correlate2d`.

    Returns
    -------
    (N, H, W, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.functional.box_blur(nn.Tensor([[0.0, 6.0, 0.0]]).reshape(1, 1, 3, 1), (1, 3)).reshape(-1)
    Tensor([2., 2., 2.], dtype=float32)
    """
    height, width = check_size("box_blur", size)
    return _separable(x, np.full(height, 1 / height), np.full(width, 1 / width), mode, cval)


def _separable(x: Tensor, column: np.ndarray, row: np.ndarray, mode: str, cval: float) -> Tensor:
    """Along columns and then along rows, by weights that are no tensors."""
    image = x.data if isinstance(x, Tensor) else x
    if column.size > 1:
        x = correlate2d(x, beside(image, column[:, None].astype(x.dtype)), mode, cval)
    return correlate2d(x, beside(image, row[None, :].astype(x.dtype)), mode, cval)
