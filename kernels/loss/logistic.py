"""Binary cross-entropy of logits."""

from typing import Any

import numpy as np

from .declare import call, declare

__all__ = ["bce_with_logits", "bce_with_logits_and_grad"]

BCE, BCE_AND_GRAD = declare("bce_with_logits")


def _spread(name: str, argument: str, array: Any, x: Any) -> Any:
    """A weight as an array of the shape of x."""
    if array is None or getattr(array, "shape", x.shape) == x.shape:
        return array
    try:
        return np.broadcast_to(array, x.shape)
    except ValueError:
        raise ValueError(
            f"{name}: {argument} expects a shape that broadcasts to {x.shape} but got {array.shape}"
        ) from None


def bce_with_logits(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    weight: np.ndarray | None = None,
    pos_weight: np.ndarray | None = None,
    reduction: str = "mean",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Binary cross-entropy between ``sigmoid(x)`` and ``target``.

    Parameters
    ----------
    x : array, float32 or float64
        Logits: any real numbers.
    target : array of the same shape and dtype, or a number
        Probabilities, usually 0 or 1; a number stands for an array full of it.
    weight : array of the same dtype that broadcasts to the shape of ``x``, optional
        Multiplies each loss.
    pos_weight : array of the same dtype that broadcasts to the shape of ``x``, optional
        Multiplies the part of each loss that the target's positive side has; with shape (C,), one for each class on
        the last axis.
    reduction : {"mean", "sum", "none"}
    out : array of the result's shape and dtype, optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array without axes, or of the shape of ``x`` for "none"

    Raises
    ------
    ValueError, TypeError
        Where shapes or dtypes do not fit, or the reduction is unknown.

    Notes
    -----
    ``pos_weight * target * softplus(-x) + (1 - target) * softplus(x)``, which keeps its relative precision where a
    loss is small. "mean" divides by the number of elements, whatever the weights. Equals
    ``torch.nn.functional.binary_cross_entropy_with_logits``.

    Examples
    --------
    >>> import numpy as np
    >>> bce_with_logits(np.array([0.0, 1000.0]), 1.0).round(6)
    np.float64(0.346574)
    """
    weights = [_spread("bce_with_logits", *w, x) for w in (("weight", weight), ("pos_weight", pos_weight))]
    return call(BCE, x, target, reduction, 0.0, out, variant, *weights)


def bce_with_logits_and_grad(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    weight: np.ndarray | None = None,
    pos_weight: np.ndarray | None = None,
    reduction: str = "mean",
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`bce_with_logits` and its gradient by ``x``, in one pass. Otherwise as `mse_loss_and_grad`.

    >>> import numpy as np
    >>> bce_with_logits_and_grad(np.array([0.0, 1000.0]), 1.0)[1]
    array([-0.25,  0.  ])
    """
    name = "bce_with_logits_and_grad"
    weights = [_spread(name, *w, x) for w in (("weight", weight), ("pos_weight", pos_weight))]
    return call(BCE_AND_GRAD, x, target, reduction, 0.0, out, variant, *weights)
