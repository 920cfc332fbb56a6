"""Losses as layers."""

from typing import Any

from .. import functional
from ..tensor import Tensor
from .module import Module


class _Loss(Module):
    """A loss whose result is the mean of its elements ("mean"), their sum ("sum"), or all of them ("none")."""

    def __init__(self, reduction: str = "mean") -> None:
        if reduction not in ("mean", "sum", "none"):
            name = type(self).__name__
            raise ValueError(f'{name}: reduction expects "mean", "sum" or "none" but got {reduction!r}')
        self.reduction = reduction

    def extra_repr(self) -> str:
        return f"reduction={self.reduction!r}"


class MSELoss(_Loss):
    """Any layout, element by element: the squared difference, its mean ("mean"), sum ("sum") or all of it ("none")."""

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return functional.mse_loss(x, target, self.reduction)


class L1Loss(_Loss):
    """Any layout, element by element: the absolute difference."""

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return functional.l1_loss(x, target, self.reduction)


class HuberLoss(_Loss):
    """Any layout, element by element: half the square of differences up to ``delta``, a line beyond."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return functional.huber_loss(x, target, self.reduction, self.delta)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, delta={self.delta}"


class SmoothL1Loss(_Loss):
    """Any layout, element by element: `HuberLoss` with a line of slope 1 beyond ``beta``."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return functional.smooth_l1_loss(x, target, self.reduction, self.beta)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, beta={self.beta}"


class CharbonnierLoss(_Loss):
    """Any layout, element by element: ``sqrt((x - target)**2 + eps**2)``."""

    def __init__(self, reduction: str = "mean", eps: float = 1e-3) -> None:
        super().__init__(reduction)
        self.eps = eps

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return functional.charbonnier_loss(x, target, self.reduction, self.eps)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, eps={self.eps}"


class BCEWithLogitsLoss(_Loss):
    """Any layout, element by element: binary cross-entropy between ``sigmoid(x)`` and a target, or a number for all.

    Parameters
    ----------
    weight, pos_weight : Tensors that broadcast to the shape of ``x``, optional
        Of each loss, and of the part that the target's positive side has; part of the module's state.
    reduction : {"mean", "sum", "none"}

    Examples
    --------
    >>> from tilegrad import nn
    >>> round(nn.BCEWithLogitsLoss()(nn.Tensor([0.0, 2.0]), 1.0).item(), 4)
    0.41
    """

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean", pos_weight: Tensor | None = None) -> None:
        super().__init__(reduction)
        self.weight: Tensor | None
        self.pos_weight: Tensor | None
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return functional.binary_cross_entropy_with_logits(x, target, self.weight, self.pos_weight, self.reduction)


class CrossEntropyLoss(_Loss):
    """Logits (..., C), classes on the last axis (PyTorch: the second), against integers (...).

    Parameters
    ----------
    weight : (C,) Tensor, optional
        Of each class; part of the module's state.
    ignore_index : int
        A target with this value adds nothing.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float in [0, 1]

    Examples
    --------
    >>> import numpy as np
    >>> from tilegrad import nn
    >>> round(nn.CrossEntropyLoss()(nn.Tensor([[0.0, 0.0]]), np.array([1])).item(), 4)
    0.6931
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.weight: Tensor | None
        self.register_buffer("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, x: Tensor, target: Any) -> Tensor:
        return functional.cross_entropy(x, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing)

    def extra_repr(self) -> str:
        text = super().extra_repr()
        text += "" if self.ignore_index == -100 else f", ignore_index={self.ignore_index}"
        return text + ("" if self.label_smoothing == 0 else f", label_smoothing={self.label_smoothing}")
