"""Pointwise losses.

Where a gradient may be asked for, the loss and its gradient are computed in one pass; backward then has nothing left
to do but to multiply, and not even that where it starts with 1. Gradients of higher orders come from the losses
composed of primitives. A target is a tensor, an array, or a number that stands for an array full of it.
"""

from typing import Any

import numpy as np

from ... import kernels
from ..primitive import Array, primitive
from ..tensor import Tensor
from .activation import softplus
from .arithmetic import abs, maximum, minimum, sqrt, square


@primitive()
def mse_loss(x: Array, target: Array, reduction: str = "mean", *, recorded: bool = False) -> Array:
    """The squared difference: its mean, its sum, or every element (``reduction`` "mean", "sum" or "none").

    >>> from tilegrad import nn
    >>> nn.functional.mse_loss(nn.Tensor([1.0, 2.0]), nn.Tensor([1.0, 4.0])).item()
    2.0
    """
    return evaluated("mse_loss", recorded, x, target, reduction=reduction)


@primitive()
def l1_loss(x: Array, target: Array, reduction: str = "mean", *, recorded: bool = False) -> Array:
    """The absolute difference; its gradient at 0 is 0."""
    return evaluated("l1_loss", recorded, x, target, reduction=reduction)


@primitive()
def huber_loss(
    x: Array, target: Array, reduction: str = "mean", delta: float = 1.0, *, recorded: bool = False
) -> Array:
    """Half the squared difference where that is at most ``delta``, a line of slope ``delta`` beyond."""
    return evaluated("huber_loss", recorded, x, target, reduction=reduction, delta=delta)


@primitive()
def smooth_l1_loss(
    x: Array, target: Array, reduction: str = "mean", beta: float = 1.0, *, recorded: bool = False
) -> Array:
    """`huber_loss` divided by its parameter: a line of slope 1 beyond ``beta``."""
    return evaluated("smooth_l1_loss", recorded, x, target, reduction=reduction, beta=beta)


@primitive()
def charbonnier_loss(
    x: Array, target: Array, reduction: str = "mean", eps: float = 1e-3, *, recorded: bool = False
) -> Array:
    """``sqrt((x - target)**2 + eps**2)``: the absolute difference, smooth at 0.

    >>> from tilegrad import nn
    >>> round(nn.functional.charbonnier_loss(nn.Tensor([1.0, 2.0]), nn.Tensor([1.0, 4.0])).item(), 4)
    1.0005
    """
    return evaluated("charbonnier_loss", recorded, x, target, reduction=reduction, eps=eps)


@primitive()
def binary_cross_entropy_with_logits(
    x: Array,
    target: Array,
    weight: Array = None,
    pos_weight: Array = None,
    reduction: str = "mean",
    *,
    recorded: bool = False,
) -> Array:
    """Binary cross-entropy between ``sigmoid(x)`` and ``target``; otherwise PyTorch's.

    Parameters
    ----------
    x : Tensor
        Logits.
    target : Tensor of the same shape, or a number
        Probabilities: 1 for what is real and 0 for what is not, say.
    weight, pos_weight : Tensors that broadcast to the shape of ``x``, optional
        Of each loss, and of the part of it that the target's positive side has.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> from tilegrad import nn
    >>> round(nn.functional.binary_cross_entropy_with_logits(nn.Tensor([0.0, 2.0]), 1.0).item(), 4)
    0.41
    """
    args = {"weight": weight, "pos_weight": pos_weight, "reduction": reduction}
    return evaluated("bce_with_logits", recorded, x, target, **args)


def evaluated(name: str, recorded: bool, *arrays: Array, **settings: Any) -> Any:
    """A loss, and its gradient by its first argument where that may be asked for."""
    if not recorded:
        return getattr(kernels, name)(*arrays, **settings)
    y, gx = getattr(kernels, f"{name}_and_grad")(*arrays, **settings)
    return y, {"gx": gx}


def scaled(gx: Array, gy: Tensor) -> Tensor:
    """``gx * gy``. Mostly gy is the 1 that backward starts with, and in main memory a look at it costs nothing."""
    if gy.size == 1 and isinstance(gy.data, np.ndarray) and gy.item() == 1:
        return Tensor.wrap(gx, None, gy.version)  # not to be written: the graph keeps it, as the version says
    return Tensor.wrap(kernels.multiply(gx, gy.data))


def _together(gy, gx, wants):
    found = scaled(gx, gy)
    return {"x": found, "target": -found if "target" in wants else None}


def by_input(gy, gx, wants):
    """The gradient of a loss that has another by its target, and by its weights."""
    return {"x": scaled(gx, gy)} if wants == {"x"} else None


def reduce(losses: Tensor, reduction: str) -> Tensor:
    """Losses as they are, their sum or their mean."""
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


def _clamped(d: Tensor, bound: float) -> Tensor:
    return minimum(maximum(d, -bound), bound)


def _mse(x, target, *, reduction):
    return reduce(square(x - target), reduction)


def _l1(x, target, *, reduction):
    return reduce(abs(x - target), reduction)


def _huber(x, target, *, reduction, delta):
    d = x - target
    near = _clamped(d, float(delta))
    return reduce(near * (d - near * 0.5), reduction)


def _smooth_l1(x, target, *, reduction, beta):
    if beta == 0:
        return _l1(x, target, reduction=reduction)
    return _huber(x, target, reduction=reduction, delta=beta) * (1 / beta)


def _charbonnier(x, target, *, reduction, eps):
    return reduce(sqrt(square(x - target) + eps * eps), reduction)


def _bce(x, target, weight, pos_weight, *, reduction):
    positive = softplus(-x) * target
    losses = (positive if pos_weight is None else positive * pos_weight) + softplus(x) * (1.0 - target)
    return reduce(losses if weight is None else losses * weight, reduction)


mse_loss.gradients(x=None, target=None, together=_together, unfused=_mse)
l1_loss.gradients(x=None, target=None, together=_together, unfused=_l1)
huber_loss.gradients(x=None, target=None, together=_together, unfused=_huber)
smooth_l1_loss.gradients(x=None, target=None, together=_together, unfused=_smooth_l1)
charbonnier_loss.gradients(x=None, target=None, together=_together, unfused=_charbonnier)
binary_cross_entropy_with_logits.gradients(
    x=None, target=None, weight=None, pos_weight=None, together=by_input, unfused=_bce
)
