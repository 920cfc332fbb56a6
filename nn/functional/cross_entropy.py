"""Cross-entropy of classes: one pass for the loss and its gradient, and a composition for what lies beyond."""

from typing import Any

import numpy as np

from ... import kernels
from ...kernels.arrays import beside
from ..primitive import Array, primitive
from ..tensor import Tensor
from .activation import log_softmax_last
from .loss import evaluated, scaled


@primitive()
def cross_entropy(
    x: Array,
    target: Array,
    weight: Array = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    *,
    recorded: bool = False,
) -> Array:
    """Cross-entropy between ``softmax(x)`` and classes; otherwise PyTorch's, but that classes lie on the last axis.

    Parameters
    ----------
    x : (..., C) Tensor
        Logits.
    target : (...) Tensor or array of integers
        ``0 <= target < C``, or ``ignore_index``, which adds nothing.
    weight : (C,) Tensor, optional
        Of each class; a mean is divided by the weights of the targets.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float in [0, 1]
        The part of each target that is spread evenly over all classes.

    Examples
    --------
    >>> import numpy as np
    >>> from tilegrad import nn
    >>> x = nn.Tensor([[0.0, 0.0], [0.0, 3.0]], requires_grad=True)
    >>> loss = nn.functional.cross_entropy(x, np.array([0, 1]))
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy()[0]
    (0.3709, array([-0.25,  0.25], dtype=float32))
    """
    return evaluated(
        "cross_entropy", recorded, x, target, weight,
        ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing,
    )  # fmt: skip


def _unfused(
    x: Tensor, target: Any, weight: Any, *, ignore_index: int, reduction: str, label_smoothing: float
) -> Tensor:
    labels = kernels.asarray(target.data if isinstance(target, Tensor) else target)
    counted = (labels != ignore_index)[..., None]
    chosen = ((labels[..., None] == beside(labels, np.arange(x.shape[-1]))) & counted).astype(x.dtype)
    parts = chosen * (1 - label_smoothing) + counted * (label_smoothing / max(1, x.shape[-1]))
    if weight is not None:
        parts, chosen = weight * parts, weight * chosen
    losses = -(log_softmax_last(x) * parts).sum(-1)
    if reduction == "none":
        return losses
    return losses.sum() / chosen.sum() if reduction == "mean" else losses.sum()


def _together(gy, gx, wants):
    if wants != {"x"}:
        return None
    return {"x": scaled(gx, gy if gy.ndim == 0 else gy.reshape(*gy.shape, 1))}


cross_entropy.gradients(x=None, target=None, weight=None, together=_together, unfused=_unfused)
