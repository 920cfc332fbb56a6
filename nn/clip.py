"""Gradients kept within bounds, in place, before an optimiser's step."""

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from .. import kernels
from .replay import will_write
from .tensor import Tensor


def _with_gradients(name: str, parameters: Tensor | Iterable[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """The parameters that have a gradient, and their gradients."""
    found = []
    for parameter in [parameters] if isinstance(parameters, Tensor) else parameters:
        if not isinstance(parameter, Tensor):
            raise TypeError(f"{name}: parameters expect tensors but got {type(parameter).__name__}")
        if parameter.grad is not None:
            if parameter.grad.requires_grad:
                raise RuntimeError(f"{name}: expects gradients that are not recorded themselves")
            found.append((parameter, parameter.grad))
    return found


def _change(parameter: Tensor, gradient: Tensor, change: Callable[..., Any]) -> None:
    """Overwrite a gradient, or replace one whose memory is a view."""
    will_write(gradient.data)
    flags = gradient.data.flags
    if flags.c_contiguous and getattr(flags, "writeable", True):
        change(gradient.data, out=gradient.data)
        gradient.version.count += 1
    else:
        parameter.grad = Tensor.wrap(change(gradient.data))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, *, error_if_nonfinite: bool = False
) -> float | Tensor:
    """Scale all gradients together so that the norm of all their numbers is at most ``max_norm``.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are passed over.
    max_norm : float
        At least 0.
    error_if_nonfinite : bool
        Refuse a norm that is infinite or NaN. Otherwise the gradients are multiplied by 0 or NaN, as in PyTorch.

    Returns
    -------
    float
        The norm before: the root of the sum of the squares of all numbers. On CUDA it is a Tensor, which nobody has
        waited for, unless ``error_if_nonfinite`` asks to look at it.

    Raises
    ------
    ValueError, RuntimeError
        Where ``max_norm`` is negative, or the norm is not finite and that is an error; no gradient has changed then.

    Notes
    -----
    The factor is ``min(1, max_norm / (norm + 1e-6))``, as in ``torch.nn.utils.clip_grad_norm_``.

    Examples
    --------
    >>> from tilegrad import nn
    >>> p = nn.Parameter([3.0, 4.0])
    >>> p.grad = nn.Tensor([3.0, 4.0])
    >>> nn.clip_grad_norm_([p], 1.0)
    5.0
    >>> p.grad.numpy().round(3)
    array([0.6, 0.8], dtype=float32)
    """
    name = "clip_grad_norm_"
    if not max_norm >= 0:
        raise ValueError(f"{name}: max_norm expects a number of at least 0 but got {max_norm}")
    pairs = _with_gradients(name, parameters)
    alike: dict[Any, list[Any]] = {}
    for _, gradient in pairs:
        alike.setdefault(gradient.dtype, []).append(gradient.data)
    if pairs and pairs[0][1].device == "cuda" and not error_if_nonfinite:
        return _clip_on_cuda(pairs, [kernels.norm_of_all(arrays) for arrays in alike.values()], max_norm)
    norm = math.hypot(*(float(kernels.norm_of_all(arrays)) for arrays in alike.values()))
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(f"{name}: the norm of the gradients is {norm}")
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1:  # NaN reaches the gradients too
        for parameter, gradient in pairs:
            _change(parameter, gradient, partial(kernels.multiply, b=factor))
    return norm


def _clip_on_cuda(pairs: list[tuple[Tensor, Tensor]], norms: list[Any], max_norm: float) -> Tensor:
    """The same with numbers that stay on the device: a factor of 1 is multiplied by too."""
    norm = norms[0] if len(norms) == 1 else kernels.norm_of_all([norm.astype(np.float64) for norm in norms])
    factor = kernels.minimum(kernels.divide(max_norm, kernels.add(norm, 1e-6)), 1.0)
    factors = {dtype: factor.astype(dtype) for dtype in {gradient.dtype for _, gradient in pairs}}
    for parameter, gradient in pairs:
        _change(parameter, gradient, partial(kernels.multiply, b=factors[gradient.dtype]))
    return Tensor.wrap(norm)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Bring every number of the gradients into ``[-clip_value, clip_value]``; NaN stays NaN.

    Equals ``torch.nn.utils.clip_grad_value_``.

    Examples
    --------
    >>> from tilegrad import nn
    >>> p = nn.Parameter([1.0, 1.0])
    >>> p.grad = nn.Tensor([0.5, -7.0])
    >>> nn.clip_grad_value_([p], 1.0)
    >>> p.grad
    Tensor([ 0.5, -1. ], dtype=float32)
    """
    name = "clip_grad_value_"
    if not clip_value >= 0:
        raise ValueError(f"{name}: clip_value expects a number of at least 0 but got {clip_value}")
    bound = float(clip_value)

    def clipped(x: Any, out: Any = None) -> Any:
        y = kernels.minimum(x, bound, out=out)
        return kernels.maximum(y, -bound, out=y)

    for parameter, gradient in _with_gradients(name, parameters):
        _change(parameter, gradient, clipped)
