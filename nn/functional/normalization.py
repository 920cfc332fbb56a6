"""Batch normalisation.

What the kernel computes in one pass has a hand-written first-order gradient. The same function composed of primitives
(``unfused``) has gradients of any order; it is what backward runs when gradients are recorded, and what the
hand-written gradient is tested on.
"""

from typing import Any

from ... import kernels
from ..primitive import Array, primitive
from ..tensor import Tensor
from .activation import activated
from .arithmetic import sqrt, square
from .shape import mean


@primitive()
def normalize(
    x: Array, mean: Array, var: Array, weight: Array = None, bias: Array = None, *,
    eps: float = 1e-5, activation: str | None = None, negative_slope: float = 0.01,
) -> Array:  # fmt: skip
    """``(x - mean) / sqrt(var + eps) * weight + bias`` per channel (the last axis), then an activation."""
    return kernels.batch_norm(x, mean, var, weight, bias, eps=eps, activation=activation, negative_slope=negative_slope)


@primitive(writes=("running_mean", "running_var"))
def batch_norm_train(
    x: Array, weight: Array = None, bias: Array = None, running_mean: Array = None, running_var: Array = None, *,
    momentum: float = 0.1, eps: float = 1e-5, activation: str | None = None, negative_slope: float = 0.01,
) -> Array:  # fmt: skip
    """Normalise by the batch's own statistics per channel, and move the running ones towards them."""
    y, batch_mean, inverse_std, affine = kernels.batch_norm_train(
        x, weight, bias, running_mean=running_mean, running_var=running_var,
        momentum=momentum, eps=eps, activation=activation, negative_slope=negative_slope,
    )  # fmt: skip
    return y, {"mean": batch_mean, "inverse_std": inverse_std, "affine": affine if activation else None}


def batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    activation: str | None = None,
    negative_slope: float = 0.01,
) -> Tensor:
    """Batch normalisation over all axes but the last, NHWC's channels; otherwise PyTorch's ``batch_norm``.

    Parameters
    ----------
    x : (..., C)
    running_mean, running_var : (C,), or None if training
        Updated in place if training, with the unbiased variance; used otherwise.
    weight, bias : (C,), optional
    training : bool
        Normalise by the statistics of ``x`` itself.
    momentum : float
        How far the running statistics move towards those of ``x``.
    activation : str, optional
        Applied by the kernel before it stores the result; ``negative_slope`` is that of "leaky_relu".

    Returns
    -------
    (..., C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([[1.0], [3.0]])
    >>> nn.functional.batch_norm(x, None, None, training=True, eps=0.0)
    Tensor([[-1.],
            [ 1.]], dtype=float32)
    """
    end: dict[str, Any] = {"eps": eps, "activation": activation, "negative_slope": negative_slope}
    if training:
        return batch_norm_train(x, weight, bias, running_mean, running_var, momentum=momentum, **end)
    if running_mean is None or running_var is None:
        raise ValueError("batch_norm: expects running_mean and running_var where it is not training")
    return normalize(x, running_mean, running_var, weight, bias, **end)


def normalized(
    x: Tensor, mean: Any, var: Any, weight: Any, bias: Any, *, eps: float, activation: Any, negative_slope: float
) -> Tensor:
    """`normalize`, composed of primitives."""
    y = (x - mean) / sqrt(var + eps)
    y = y if weight is None else y * weight
    y = y if bias is None else y + bias
    return activated(y, activation, negative_slope)


def batch_normalized(x: Tensor, weight: Any, bias: Any, *, momentum: float, **settings: Any) -> Tensor:
    """`batch_norm_train`, composed of primitives; there are no running statistics, hence no use for ``momentum``."""
    batch = tuple(range(x.ndim - 1))
    centre = mean(x, batch)
    return normalized(x, centre, mean(square(x - centre), batch), weight, bias, **settings)


def batch_norm_gradients(
    gy: Tensor, x: Array, weight: Any, mean: Array, inverse_std: Array, affine: Array, settings: dict[str, Any]
) -> dict[str, Tensor]:
    """The hand-written gradients of `batch_norm_train`; ``affine`` is None where no activation was fused."""
    gx, gweight, gbias = kernels.batch_norm_grad(
        gy.data, x, mean, inverse_std, None if weight is None else weight.data,
        affine=affine, activation=settings["activation"], negative_slope=settings["negative_slope"],
    )  # fmt: skip
    return {"x": Tensor.wrap(gx), "weight": Tensor.wrap(gweight), "bias": Tensor.wrap(gbias)}


def _together(gy, x, weight, mean, inverse_std, affine, settings):
    return batch_norm_gradients(gy, x.data, weight, mean, inverse_std, affine, settings)


normalize.gradients(x=None, mean=None, var=None, weight=None, bias=None, unfused=normalized)
batch_norm_train.gradients(
    x=None, weight=None, bias=None,
    together=_together, unfused=batch_normalized, without=("running_mean", "running_var"),
)  # fmt: skip
