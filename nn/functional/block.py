"""Convolution, batch normalisation and activation as one node of the graph.

The block saves two images, its input and the convolution's result, where the three operations apart would save four,
and backward runs two kernels and one fused pass.
"""

from typing import Any

from ... import kernels
from ..primitive import Array, primitive
from ..tensor import Tensor
from .arithmetic import sqrt
from .convolution import Padding, Pair, conv2d, conv2d_input_grad, conv2d_weight_grad, geometry
from .normalization import batch_norm_gradients, batch_normalized


@primitive(writes=("running_mean", "running_var"))
def conv2d_batch_norm_train(
    x: Array, w: Array, weight: Array, bias: Array, running_mean: Array = None, running_var: Array = None, *,
    momentum: float = 0.1, eps: float = 1e-5, activation: str | None = None, negative_slope: float = 0.01,
    stride: Pair = 1, padding: Padding = 0, dilation: Pair = 1, groups: int = 1,
) -> Array:  # fmt: skip
    """Convolve, normalise by the batch's own statistics, move the running ones towards them, and activate."""
    z = kernels.conv2d(x, w, stride=stride, padding=padding, dilation=dilation, groups=groups)
    y, mean, inverse_std, affine = kernels.batch_norm_train(
        z, weight, bias, running_mean=running_mean, running_var=running_var,
        momentum=momentum, eps=eps, activation=activation, negative_slope=negative_slope,
    )  # fmt: skip
    return y, {"z": z, "mean": mean, "inverse_std": inverse_std, "affine": affine if activation else None}


def conv2d_batch_norm(
    x: Tensor,
    w: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor,
    bias: Tensor,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    activation: str | None = None,
    negative_slope: float = 0.01,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution of NHWC images with OHWI weights, then batch normalisation and an activation, as one operation.

    Not training, it is a single convolution: the normalisation is folded into its weight and bias.

    Parameters
    ----------
    x : (N, H, W, C_in)
    w : (C_out, KH, KW, C_in // groups)
    running_mean, running_var, weight, bias : (C_out,)
        Of the normalisation; see `batch_norm`.
    stride, padding, dilation, groups
        Of the convolution; see `conv2d`.

    Returns
    -------
    (N, P, Q, C_out) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x, w = nn.randn((1, 8, 8, 3)), nn.randn((16, 3, 3, 3))
    >>> one, zero = nn.Tensor([1.0] * 16), nn.Tensor([0.0] * 16)
    >>> nn.functional.conv2d_batch_norm(x, w, None, None, one, zero, training=True, padding=1).shape
    (1, 8, 8, 16)
    """
    end: dict[str, Any] = {"activation": activation, "negative_slope": negative_slope}
    place: dict[str, Any] = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if training:
        statistics: dict[str, Any] = {"momentum": momentum, "eps": eps}
        return conv2d_batch_norm_train(x, w, weight, bias, running_mean, running_var, **statistics, **end, **place)
    if running_mean is None or running_var is None:
        raise ValueError("conv2d_batch_norm: expects running_mean and running_var where it is not training")
    scale = weight / sqrt(running_var + eps)
    return conv2d(x, w * scale.reshape(-1, 1, 1, 1), bias - running_mean * scale, **place, **end)


def _unfused(x: Tensor, w: Tensor, weight: Any, bias: Any, **settings: Any) -> Tensor:
    """`conv2d_batch_norm_train`, composed of primitives."""
    place = geometry(settings)
    rest = {name: value for name, value in settings.items() if name not in place}
    return batch_normalized(conv2d(x, w, **place), weight, bias, **rest)


def _together(gy, x, w, weight, z, mean, inverse_std, affine, settings, wants):
    found = batch_norm_gradients(gy, z, weight, mean, inverse_std, affine, settings)
    gz = found.pop("x")
    if "x" in wants:
        found["x"] = conv2d_input_grad(gz, w, x.shape, **geometry(settings))
    if "w" in wants:
        found["w"] = conv2d_weight_grad(gz, x, w.shape, **geometry(settings))
    return found


conv2d_batch_norm_train.gradients(
    x=None, w=None, weight=None, bias=None,
    together=_together, unfused=_unfused, without=("running_mean", "running_var"),
)  # fmt: skip
