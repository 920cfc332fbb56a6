"""Losses of numbers against their targets, alone or with their gradients in the same pass.

declare.py      what they share
logistic.py     binary cross-entropy
reference.py    the definitions
cpu_vector.py   "vector": one pass, float64 sums
cuda_naive.py   "naive" on CUDA: one thread, one number, then a sum
cuda_fused.py   "fused" on CUDA, with cuda_fused.cu: blocks sum what they compute
cuda_total.py   and, with cuda_total.cu, the sum of what blocks leave
"""

import numpy as np

from ..arguments import finite
from .declare import call, declare
from .logistic import bce_with_logits, bce_with_logits_and_grad

__all__ = [
    "bce_with_logits", "bce_with_logits_and_grad", "charbonnier_loss", "charbonnier_loss_and_grad", "huber_loss",
    "huber_loss_and_grad", "l1_loss", "l1_loss_and_grad", "mse_loss", "mse_loss_and_grad", "smooth_l1_loss",
    "smooth_l1_loss_and_grad",
]  # fmt: skip

MSE, MSE_AND_GRAD = declare("mse_loss")
L1, L1_AND_GRAD = declare("l1_loss")
HUBER, HUBER_AND_GRAD = declare("huber_loss", {"delta": 0.25})
SMOOTH_L1, SMOOTH_L1_AND_GRAD = declare("smooth_l1_loss", {"beta": 0.25})
CHARBONNIER, CHARBONNIER_AND_GRAD = declare("charbonnier_loss", {"eps": 0.1})


def _positive(name: str, argument: str, value: float) -> float:
    number = finite(name, argument, value)
    if number <= 0:
        raise ValueError(f"{name}: {argument} expects a positive number but got {value}")
    return number


def _at_least_zero(name: str, argument: str, value: float) -> float:
    number = finite(name, argument, value)
    if number < 0:
        raise ValueError(f"{name}: {argument} expects at least 0 but got {value}")
    return number


def mse_loss(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    reduction: str = "mean",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Squared error: the mean, the sum, or each of ``(x - target)**2``.

    Parameters
    ----------
    x : array, float32 or float64
        An array that is not C-contiguous is copied first.
    target : array of the same shape and dtype, or a number
        Shapes do not broadcast; a Python number stands for an array full of it.
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
        Where shapes or dtypes differ or are not supported, or the reduction is unknown.

    Notes
    -----
    Added in float64 in an order that depends on the shape alone. The mean of nothing is NaN. Equals
    ``torch.nn.functional.mse_loss``.

    Examples
    --------
    >>> import numpy as np
    >>> mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    array(2.)
    """
    return call(MSE, x, target, reduction, 0.0, out, variant)


def mse_loss_and_grad(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    reduction: str = "mean",
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`mse_loss` and its gradient by ``x``, in one pass: what a step of training asks for.

    Parameters
    ----------
    x, target, reduction, variant
        As in `mse_loss`.
    out : pair of arrays, optional
        Where to write the loss and the gradient.

    Returns
    -------
    loss : array
        As from `mse_loss`.
    gx : array of the shape of ``x``
        The gradient of the reduced loss by ``x``; for "none", of each loss by its own number. That by ``target`` is
        its negative.

    Examples
    --------
    >>> import numpy as np
    >>> mse_loss_and_grad(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    (array(2.), array([ 0., -2.]))
    """
    return call(MSE_AND_GRAD, x, target, reduction, 0.0, out, variant)


def l1_loss(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    reduction: str = "mean",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Absolute error: the mean, the sum, or each of ``|x - target|``; its slope at 0 is 0. Otherwise as `mse_loss`.

    Equals ``torch.nn.functional.l1_loss``.

    >>> import numpy as np
    >>> l1_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    array(1.)
    """
    return call(L1, x, target, reduction, 0.0, out, variant)


def l1_loss_and_grad(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    reduction: str = "mean",
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`l1_loss` and its gradient by ``x``, in one pass. Otherwise as `mse_loss_and_grad`.

    >>> import numpy as np
    >>> l1_loss_and_grad(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    (array(1.), array([ 0. , -0.5]))
    """
    return call(L1_AND_GRAD, x, target, reduction, 0.0, out, variant)


def huber_loss(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    reduction: str = "mean",
    delta: float = 1.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """``d**2 / 2`` of errors d up to ``delta``, a line of slope ``delta`` beyond. Otherwise as `mse_loss`.

    ``delta`` is positive. Equals ``torch.nn.functional.huber_loss``.

    >>> import numpy as np
    >>> huber_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    array(0.75)
    """
    delta = _positive("huber_loss", "delta", delta)
    return call(HUBER, x, target, reduction, delta, out, variant)


def huber_loss_and_grad(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    reduction: str = "mean",
    delta: float = 1.0,
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`huber_loss` and its gradient by ``x``, in one pass. Otherwise as `mse_loss_and_grad`.

    >>> import numpy as np
    >>> huber_loss_and_grad(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    (array(0.75), array([ 0. , -0.5]))
    """
    delta = _positive("huber_loss_and_grad", "delta", delta)
    return call(HUBER_AND_GRAD, x, target, reduction, delta, out, variant)


def smooth_l1_loss(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    reduction: str = "mean",
    beta: float = 1.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """``d**2 / (2 * beta)`` of errors d below ``beta``, a line of slope 1 beyond. Otherwise as `mse_loss`.

    ``beta`` is at least 0; 0 makes it `l1_loss`. Equals ``torch.nn.functional.smooth_l1_loss``.

    >>> import numpy as np
    >>> smooth_l1_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    array(0.75)
    """
    beta = _at_least_zero("smooth_l1_loss", "beta", beta)
    return call(SMOOTH_L1, x, target, reduction, beta, out, variant)


def smooth_l1_loss_and_grad(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    reduction: str = "mean",
    beta: float = 1.0,
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`smooth_l1_loss` and its gradient by ``x``, in one pass. Otherwise as `mse_loss_and_grad`.

    >>> import numpy as np
    >>> smooth_l1_loss_and_grad(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    (array(0.75), array([ 0. , -0.5]))
    """
    beta = _at_least_zero("smooth_l1_loss_and_grad", "beta", beta)
    return call(SMOOTH_L1_AND_GRAD, x, target, reduction, beta, out, variant)


def charbonnier_loss(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    reduction: str = "mean",
    eps: float = 1e-3,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """``sqrt(d**2 + eps**2)`` of errors d: `l1_loss`, smooth at 0. Otherwise as `mse_loss`.

    ``eps`` is positive. Charbonnier et al., Two deterministic half-quadratic regularization algorithms (ICIP 1994).

    >>> import numpy as np
    >>> charbonnier_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])).round(6)
    np.float64(1.0005)
    """
    eps = _positive("charbonnier_loss", "eps", eps)
    return call(CHARBONNIER, x, target, reduction, eps, out, variant)


def charbonnier_loss_and_grad(
    x: np.ndarray,
    target: np.ndarray | float,
    *,
    reduction: str = "mean",
    eps: float = 1e-3,
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`charbonnier_loss` and its gradient by ``x``, in one pass. Otherwise as `mse_loss_and_grad`.

    >>> import numpy as np
    >>> charbonnier_loss_and_grad(np.array([1.0, 2.0]), np.array([1.0, 4.0]))[1].round(6)
    array([ 0. , -0.5])
    """
    eps = _positive("charbonnier_loss_and_grad", "eps", eps)
    return call(CHARBONNIER_AND_GRAD, x, target, reduction, eps, out, variant)
