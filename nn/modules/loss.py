"""Losses as layers."""

from .. import functional
from ..tensor import Tensor
from .module import Module


class MSELoss(Module):
    """Any layout, element by element: the squared difference, its mean ("mean"), sum ("sum") or all of it ("none")."""

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        return functional.mse_loss(x, target, self.reduction)

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"
