"""Convolution, its two gradients, and transposed convolution, on ``(N, H, W, C)`` images and OHWI weights.

conv2d is linear in its image and in its weight, and so are its two gradients in theirs; the derivative of each of the
three by either argument is one of the other two. So gradients of any order need no further kernel.
"""

from typing import Any

from ... import kernels
from ..primitive import Array, primitive

Padding = int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]
Pair = int | tuple[int, int]


@primitive(epilogue=True)
def conv2d(
    x: Array,
    w: Array,
    bias: Array = None,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    *,
    activation: str | None = None,
    negative_slope: float = 0.01,
) -> Array:
    """Convolution of NHWC images with OHWI weights; otherwise PyTorch's ``conv2d``.

    Parameters
    ----------
    x : (N, H, W, C_in)
    w : (C_out, KH, KW, C_in // groups)
    bias : (C_out,), optional
    stride, dilation : int or (height, width)
    padding : int, (height, width) or ((top, bottom), (left, right))
    groups : int
    activation : {None, "relu", "leaky_relu", "tanh", "sigmoid"}
        Applied by the kernel before it stores the result; ``negative_slope`` is that of "leaky_relu".

    Returns
    -------
    (N, P, Q, C_out) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x, w = nn.randn((1, 8, 8, 3)), nn.randn((16, 3, 3, 3))
    >>> nn.functional.conv2d(x, w, stride=2, padding=1, activation="relu").shape
    (1, 4, 4, 16)
    """
    return kernels.conv2d(
        x, w, bias, stride=stride, padding=padding, dilation=dilation, groups=groups,
        activation=activation, negative_slope=negative_slope,
    )  # fmt: skip


@primitive()
def conv2d_input_grad(
    gy: Array,
    w: Array,
    input_shape: tuple[int, ...],
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """The gradient of `conv2d` by its input, of shape ``input_shape``."""
    return kernels.conv2d_input_grad(
        gy, w, input_shape, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@primitive()
def conv2d_weight_grad(
    gy: Array,
    x: Array,
    weight_shape: tuple[int, ...],
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """The gradient of `conv2d` by its weight, of shape ``weight_shape``."""
    return kernels.conv2d_weight_grad(
        gy, x, weight_shape, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


@primitive(epilogue=True)
def conv_transpose2d(
    x: Array,
    w: Array,
    bias: Array = None,
    stride: Pair = 1,
    padding: Padding = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
    *,
    activation: str | None = None,
    negative_slope: float = 0.01,
) -> Array:
    """Transposed convolution of NHWC images with IHWO weights; otherwise PyTorch's ``conv_transpose2d``.

    Parameters
    ----------
    x : (N, H, W, C_in)
    w : (C_in, KH, KW, C_out // groups)
        The weight of the convolution that is transposed.
    bias : (C_out,), optional
    output_padding : int or (height, width)
        Rows and columns more at the bottom and the right.

    Returns
    -------
    (N, P, Q, C_out) Tensor, P = (H - 1) * stride - 2 * padding + dilation * (KH - 1) + output_padding + 1

    Examples
    --------
    >>> from tilegrad import nn
    >>> x, w = nn.randn((1, 7, 7, 64)), nn.randn((64, 4, 4, 32))
    >>> nn.functional.conv_transpose2d(x, w, stride=2, padding=1).shape
    (1, 14, 14, 32)
    """
    return kernels.conv_transpose2d(
        x, w, bias, stride=stride, padding=padding, output_padding=output_padding, groups=groups, dilation=dilation,
        activation=activation, negative_slope=negative_slope,
    )  # fmt: skip


def geometry(settings: dict[str, Any]) -> dict[str, Any]:
    """What a convolution and its two gradients have in common."""
    return {name: settings[name] for name in ("stride", "padding", "dilation", "groups")}


conv2d.gradients(
    x=lambda gy, w, x_shape, settings: conv2d_input_grad(gy, w, x_shape, **geometry(settings)),
    w=lambda gy, x, w_shape, settings: conv2d_weight_grad(gy, x, w_shape, **geometry(settings)),
    bias=lambda gy: gy.sum((0, 1, 2)),
)
conv2d_input_grad.gradients(
    gy=lambda g, w, settings: conv2d(g, w, **geometry(settings)),
    w=lambda g, gy, w_shape, settings: conv2d_weight_grad(gy, g, w_shape, **geometry(settings)),
)
conv2d_weight_grad.gradients(
    gy=lambda g, x, settings: conv2d(x, g, **geometry(settings)),
    x=lambda g, gy, x_shape, settings: conv2d_input_grad(gy, g, x_shape, **geometry(settings)),
)
conv_transpose2d.gradients(
    x=lambda gy, w, settings: conv2d(gy, w, **geometry(settings)),
    w=lambda gy, x, w_shape, settings: conv2d_weight_grad(x, gy, w_shape, **geometry(settings)),
    bias=lambda gy: gy.sum((0, 1, 2)),
)
