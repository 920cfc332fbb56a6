"""Losses and their gradients.

reference.py     the definitions
cpu_vector.py    "vector": one pass, float64 sums
"""

import math
from dataclasses import dataclass

import numpy as np

from ..elementwise.geometry import check_real
from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["mse_loss", "mse_loss_grad"]


@dataclass(frozen=True)
class Loss:
    """A loss of ``size`` numbers, summed and scaled or not."""

    dtype: np.dtype
    size: int
    summed: bool
    scale: float
    operands: int
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        """A subtraction, a multiplication and an addition (or a second multiplication) for each number."""
        return 3 * self.size

    @property
    def bytes_moved(self) -> float:
        """Bytes of x, target and each full array besides, once."""
        return self.dtype.itemsize * self.size * self.operands


def _loss(name: str, x: Spec, target: Spec, reduction: str) -> tuple[int, bool, float]:
    """Check what loss and gradient share: the numbers in x, whether they are summed, and the scale."""
    check_real(name, "x", x)
    check_real(name, "target", target)
    if x.dtype != target.dtype:
        raise TypeError(f"{name}: x and target expect one dtype but got {x.dtype} and {target.dtype}")
    if x.shape != target.shape:
        raise ValueError(f"{name}: x and target expect one shape but got {x.shape} and {target.shape}")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'{name}: reduction expects "mean", "sum" or "none" but got {reduction!r}')
    size = math.prod(x.shape)
    scale = 1.0 if reduction != "mean" else 1 / size if size else math.nan
    return size, reduction != "none", scale


def _loss_geometry(x: Spec, target: Spec, reduction: str) -> Loss:
    size, summed, scale = _loss("mse_loss", x, target, reduction)
    shape = () if summed else x.shape
    return Loss(x.dtype, size, summed, scale, 2 if summed else 3, ((shape, x.dtype),))


def _grad_geometry(gy: Spec, x: Spec, target: Spec, reduction: str) -> Loss:
    name = "mse_loss_grad"
    size, summed, scale = _loss(name, x, target, reduction)
    check_real(name, "gy", gy)
    if gy.dtype != x.dtype:
        raise TypeError(f"{name}: gy and x expect one dtype but got {gy.dtype} and {x.dtype}")
    wanted = () if summed else x.shape
    if gy.shape != wanted:
        raise ValueError(f'{name}: gy expects shape {wanted} for reduction "{reduction}" but got {gy.shape}')
    return Loss(x.dtype, size, summed, scale, 3 if summed else 4, ((x.shape, x.dtype),))


MSE_LOSS = Operation(
    "mse_loss",
    package=__name__,
    geometry=_loss_geometry,
    variants=(Variant("vector", "cpu_vector"),),
    reference=reference.mse_loss,
    reference_args=lambda g: (g.scale, g.summed),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=({"shapes": [(1,), (1,)]}, {"shapes": [(2, 40, 40, 3), (2, 40, 40, 3)]}),
)

MSE_LOSS_GRAD = Operation(
    "mse_loss_grad",
    package=__name__,
    geometry=_grad_geometry,
    variants=(Variant("vector", "cpu_vector", build="build_grad"),),
    reference=reference.mse_loss_grad,
    reference_args=lambda g: (g.scale, g.summed),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=({"shapes": [(), (1,), (1,)]}, {"shapes": [(), (2, 40, 40, 3), (2, 40, 40, 3)]}),
)


def mse_loss(
    x: np.ndarray,
    target: np.ndarray,
    *,
    reduction: str = "mean",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Squared error: the mean, the sum, or each of ``(x - target)**2``.

    Parameters
    ----------
    x, target : arrays of one shape and dtype, float32 or float64
        Arrays that are not C-contiguous are copied first. They do not broadcast.
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
    return MSE_LOSS.run((x, target), (reduction,), out, variant)


def mse_loss_grad(
    gy: np.ndarray | float,
    x: np.ndarray,
    target: np.ndarray,
    *,
    reduction: str = "mean",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `mse_loss` by ``x`` (that by ``target`` is its negative).

    Parameters
    ----------
    gy : array of the loss's shape, or a Python number
        Gradient by the loss.
    x, target, reduction, out, variant
        As in `mse_loss`; ``out`` has the shape of ``x``.

    Returns
    -------
    array of the shape of ``x``: ``2 * gy * (x - target)``, divided by the size for "mean"

    Examples
    --------
    >>> import numpy as np
    >>> mse_loss_grad(1.0, np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    array([ 0., -2.])
    """
    if isinstance(gy, int | float) and isinstance(x, np.ndarray):
        gy = np.array(gy, x.dtype)
    return MSE_LOSS_GRAD.run((gy, x, target), (reduction,), out, variant)
