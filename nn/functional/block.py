"""Convolution (or its transpose), batch normalisation and activation as one node of the graph.

The block saves two images, its input and the convolution's result, where the three operations apart would save four,
and backward runs two kernels and one fused pass.
"""

from typing import Any

from ... import kernels
from ..primitive import Array, primitive
from ..tensor import Tensor
from .arithmetic import sqrt
from .convolution import Padding, Pair, conv2d, conv2d_input_grad, conv2d_weight_grad, conv_transpose2d, geometry
from .normalization import batch_norm_gradients, batch_normalized


@primitive(writes=("running_mean", "running_var"))
def conv2d_batch_norm_train(
    x: Array, w: Array, weight: Array, bias: Array, running_mean: Array = None, running_var: Array = None, *,
    momentum: float = 0.1, eps: float = 1e-5, activation: str | None = None, negative_slope: float = 0.01,
    stride: Pair = 1, padding: Padding = 0, dilation: Pair = 1, groups: int = 1,
) -> Array:  # fmt: skip
    """Convolve, normalise by the batch's own statistics, move the running ones towards them, and activate."""
    return _kept(
        kernels.conv2d_batch_norm_train(
            x, w, weight, bias, running_mean=running_mean, running_var=running_var,
            momentum=momentum, eps=eps, activation=activation, negative_slope=negative_slope,
            stride=stride, padding=padding, dilation=dilation, groups=groups,
        ),
        activation,
    )  # fmt: skip


@primitive(writes=("running_mean", "running_var"))
def conv_transpose2d_batch_norm_train(
    x: Array, w: Array, weight: Array, bias: Array, running_mean: Array = None, running_var: Array = None, *,
    momentum: float = 0.1, eps: float = 1e-5, activation: str | None = None, negative_slope: float = 0.01,
    stride: Pair = 1, padding: Padding = 0, output_padding: Pair = 0, dilation: Pair = 1, groups: int = 1,
) -> Array:  # fmt: skip
    """The same with a transposed convolution."""
    return _kept(
        kernels.conv_transpose2d_batch_norm_train(
            x, w, weight, bias, running_mean=running_mean, running_var=running_var,
            momentum=momentum, eps=eps, activation=activation, negative_slope=negative_slope,
            stride=stride, padding=padding, output_padding=output_padding, dilation=dilation, groups=groups,
        ),
        activation,
    )  # fmt: skip


def _kept(results, activation):
    """The result, and what backward needs."""
    y, z, mean, inverse_std, affine = results
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
    scale, shift = _folded("conv2d_batch_norm", running_mean, running_var, weight, bias, eps)
    return conv2d(x, w * scale.reshape(-1, 1, 1, 1), shift, **place, **end)


def conv_transpose2d_batch_norm(
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
    output_padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """`conv2d_batch_norm` with a transposed convolution, whose weight is ``(C_in, KH, KW, C_out // groups)``.

    Examples
    --------
    >>> from tilegrad import nn
    >>> x, w = nn.randn((1, 7, 7, 8)), nn.randn((8, 4, 4, 4))
    >>> one, zero = nn.Tensor([1.0] * 4), nn.Tensor([0.0] * 4)
    >>> nn.functional.conv_transpose2d_batch_norm(
    ...     x, w, None, None, one, zero, training=True, stride=2, padding=1, activation="relu"
    ... ).shape
    (1, 14, 14, 4)
    """
    end: dict[str, Any] = {"activation": activation, "negative_slope": negative_slope}
    place: dict[str, Any] = {
        "stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation, "groups": groups,
    }  # fmt: skip
    if training:
        settings: dict[str, Any] = {"momentum": momentum, "eps": eps, **end, **place}
        return conv_transpose2d_batch_norm_train(x, w, weight, bias, running_mean, running_var, **settings)
    scale, shift = _folded("conv_transpose2d_batch_norm", running_mean, running_var, weight, bias, eps)
    # Output channels are numbered group by group; the rows of the weight, input channels, lie in as many groups.
    grouped = w.reshape(groups, -1, *w.shape[1:]) * scale.reshape(groups, 1, 1, 1, -1)
    return conv_transpose2d(x, grouped.reshape(w.shape), shift, **place, **end)


def _folded(name: str, mean: Any, var: Any, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """What a normalisation by running statistics multiplies its channels by, and what it adds."""
    if mean is None or var is None:
        raise ValueError(f"{name}: expects running_mean and running_var where it is not training")
    scale = weight / sqrt(var + eps)
    return scale, bias - mean * scale


def _unfused(x: Tensor, w: Tensor, weight: Any, bias: Any, **settings: Any) -> Tensor:
    """`conv2d_batch_norm_train`, composed of primitives."""
    place = geometry(settings)
    rest = {name: value for name, value in settings.items() if name not in place}
    return batch_normalized(conv2d(x, w, **place), weight, bias, **rest)


def _unfused_transposed(x: Tensor, w: Tensor, weight: Any, bias: Any, output_padding: Any, **settings: Any) -> Tensor:
    """`conv_transpose2d_batch_norm_train`, composed of primitives."""
    place = geometry(settings)
    rest = {name: value for name, value in settings.items() if name not in place}
    return batch_normalized(conv_transpose2d(x, w, output_padding=output_padding, **place), weight, bias, **rest)


def _together(gy, x, w, weight, z, mean, inverse_std, affine, settings, wants):
    found = batch_norm_gradients(gy, z, weight, mean, inverse_std, affine, settings)
    gz = found.pop("x")
    if "x" in wants:
        found["x"] = conv2d_input_grad(gz, w, x.shape, **geometry(settings))
    if "w" in wants:
        found["w"] = conv2d_weight_grad(gz, x, w.shape, **geometry(settings))
    return found


def _together_transposed(gy, x, w, weight, z, mean, inverse_std, affine, settings, wants):
    found = batch_norm_gradients(gy, z, weight, mean, inverse_std, affine, settings)
    gz = found.pop("x")
    if "x" in wants:
        found["x"] = conv2d(gz, w, **geometry(settings))
    if "w" in wants:
        found["w"] = conv2d_weight_grad(x, gz, w.shape, **geometry(settings))
    return found


conv2d_batch_norm_train.gradients(
    x=None, w=None, weight=None, bias=None,
    together=_together, unfused=_unfused, without=("running_mean", "running_var"),
)  # fmt: skip
conv_transpose2d_batch_norm_train.gradients(
    x=None, w=None, weight=None, bias=None,
    together=_together_transposed, unfused=_unfused_transposed, without=("running_mean", "running_var"),
)  # fmt: skip
