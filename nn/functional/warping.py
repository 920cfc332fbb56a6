"""Images moved by affine and projective maps, and the coefficients of splines. All is linear, so gradients close."""

from typing import Any

from ... import kernels
from ..primitive import Array, primitive


@primitive()
def warp2d(
    x: Array,
    matrix: Array,
    size: Any = None,
    mode: str = "bilinear",
    border: str = "constant",
    cval: float = 0.0,
) -> Array:
    """NHWC images moved by an affine or projective map; the gradient is that by the images.

    Parameters
    ----------
    x : (N, H, W, C)
    matrix : (3, 3) or (N, 3, 3) array
        Maps the result's (column, row, 1) to the image's.
    size : int or (P, Q), optional
        The result's size; by default that of the images.
    mode, border, cval
        See `tilegrad.kernels.warp2d`.

    Returns
    -------
    (N, P, Q, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1)
    >>> nn.functional.warp2d(x, [[1, 0, 0.5], [0, 1, 0], [0, 0, 1]]).reshape(-1)
    Tensor([1.5, 3. , 2. ], dtype=float32)
    """
    return kernels.warp2d(x, matrix, size, mode=mode, border=border, cval=cval)


@primitive()
def warp2d_grad(
    gy: Array, matrix: Array, input_shape: tuple[int, ...], mode: str = "bilinear", border: str = "constant"
) -> Array:
    """The gradient of `warp2d` by its images, of shape ``input_shape``."""
    return kernels.warp2d_grad(gy, matrix, input_shape, mode=mode, border=border)


@primitive()
def spline_filter2d(x: Array, degree: int = 3, border: str = "mirror") -> Array:
    """Coefficients of the B-spline through the pixels of NHWC images: see `tilegrad.kernels.spline_filter2d`.

    >>> from tilegrad import nn
    >>> x = nn.randn((1, 8, 8, 3))
    >>> nn.functional.interpolate(nn.functional.spline_filter2d(x), 16, mode="spline3", border="mirror").shape
    (1, 16, 16, 3)
    """
    return kernels.spline_filter2d(x, degree, border=border)


@primitive()
def spline_filter2d_grad(gy: Array, degree: int = 3, border: str = "mirror") -> Array:
    """The gradient of `spline_filter2d`."""
    return kernels.spline_filter2d_grad(gy, degree, border=border)


warp2d.gradients(
    x=lambda gy, matrix, x_shape, mode, border: warp2d_grad(gy, matrix, x_shape, mode, border), without=("matrix",)
)
warp2d_grad.gradients(
    gy=lambda g, matrix, gy_shape, mode, border: warp2d(g, matrix, gy_shape[1:3], mode, border), without=("matrix",)
)
spline_filter2d.gradients(x=lambda gy, degree, border: spline_filter2d_grad(gy, degree, border))
spline_filter2d_grad.gradients(gy=lambda g, degree, border: spline_filter2d(g, degree, border))
