"""Losses."""

from ... import kernels
from ..primitive import Array, primitive
from ..tensor import Tensor
from .arithmetic import square


@primitive()
def mse_loss(x: Array, target: Array, reduction: str = "mean") -> Array:
    """The squared difference: its mean, its sum, or every element (``reduction`` "mean", "sum" or "none").

    >>> from tilegrad import nn
    >>> nn.functional.mse_loss(nn.Tensor([1.0, 2.0]), nn.Tensor([1.0, 4.0])).item()
    2.0
    """
    return kernels.mse_loss(x, target, reduction=reduction)


def _unfused(x: Tensor, target: Tensor, *, reduction: str) -> Tensor:
    squares = square(x - target)
    return squares if reduction == "none" else squares.sum() if reduction == "sum" else squares.mean()


def _together(gy, x, target, reduction, wants):
    gx = Tensor.wrap(kernels.mse_loss_grad(gy.data, x.data, getattr(target, "data", target), reduction=reduction))
    return {"x": gx, "target": -gx if "target" in wants else None}


mse_loss.gradients(x=None, target=None, together=_together, unfused=_unfused)
