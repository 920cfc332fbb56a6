"""Activations of neural networks and their gradients, number by number.

    reference.py     the definitions
    cpu_vector.py    "vector": vectorised loops, tanh and sigmoid as polynomials
    cuda_naive.py    "naive" on CUDA: one thread, one number
    cuda_vector.py   "vector" on CUDA: functions of elementwise/cuda_vector.cu

Each gradient is a function of the *output* y, so that a network keeps y and may forget x; that of softplus is the
sigmoid of its input. NaN and infinity propagate.
Arrays are float32 or float64, of any strides; results are C-contiguous; ``out`` may be one of the inputs.
"""

from typing import Any

import numpy as np

from ..arguments import finite
from ..elementwise.declare import check_overlap, declare
from ..operation import Operation
from .reference import DEFINITIONS

__all__ = [
    "leaky_relu", "leaky_relu_grad", "relu", "relu_grad", "sigmoid", "sigmoid_grad", "softplus", "tanh", "tanh_grad",
]  # fmt: skip

_OPERATIONS = {
    name: declare(name, __name__, ("gy", "y") if name.endswith("_grad") else ("x",), function, broadcasts=False)
    for name, function in DEFINITIONS.items()
}


def _run(
    operation: Operation, arrays: tuple[Any, ...], args: tuple[float, ...], out: np.ndarray | None, variant: str | None
) -> np.ndarray:
    if out is not None:
        check_overlap(operation.name, out, *arrays)
    return operation.run(arrays, args, out, variant)


def relu(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """``x`` where it is positive (or NaN), 0 elsewhere.

    Parameters
    ----------
    x : array, float32 or float64, any strides
    out : array of the same shape and dtype, optional
        Where to write, C-contiguous; may be ``x`` itself.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the same shape, C-contiguous

    Raises
    ------
    ValueError, TypeError
        Where ``x`` is no array of float32 or float64, or ``out`` does not fit.

    Notes
    -----
    Equals ``torch.relu``.

    Examples
    --------
    >>> import numpy as np
    >>> relu(np.array([-1.0, 2.0, np.nan]))
    array([ 0.,  2., nan])
    """
    return _run(_OPERATIONS["relu"], (x,), (), out, variant)


def leaky_relu(
    x: np.ndarray, *, negative_slope: float = 0.01, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """``x`` where it is positive, ``negative_slope * x`` below zero. Otherwise as `relu`.

    Equals ``torch.nn.functional.leaky_relu``.

    >>> import numpy as np
    >>> leaky_relu(np.array([-1.0, 2.0]), negative_slope=0.25)
    array([-0.25,  2.  ])
    """
    args = (finite("leaky_relu", "negative_slope", negative_slope),)
    return _run(_OPERATIONS["leaky_relu"], (x,), args, out, variant)


def tanh(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """The hyperbolic tangent, within 3 units in the last place. Otherwise as `relu`.

    >>> import numpy as np
    >>> tanh(np.array([0.0, np.inf]))
    array([0., 1.])
    """
    return _run(_OPERATIONS["tanh"], (x,), (), out, variant)


def sigmoid(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """The logistic function ``1 / (1 + exp(-x))``, within 3 units in the last place. Otherwise as `relu`.

    Small results keep their relative precision down to the denormal numbers.

    >>> import numpy as np
    >>> sigmoid(np.array([0.0, np.inf, -np.inf]))
    array([0.5, 1. , 0. ])
    """
    return _run(_OPERATIONS["sigmoid"], (x,), (), out, variant)


def softplus(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """``log(1 + exp(x))``, within 4 units in the last place and without overflow. Otherwise as `relu`.

    >>> import numpy as np
    >>> softplus(np.array([-np.inf, 0.0, 90.0])).round(4)
    array([ 0.    ,  0.6931, 90.    ])
    """
    return _run(_OPERATIONS["softplus"], (x,), (), out, variant)


def relu_grad(
    gy: np.ndarray, y: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Gradient of `relu` by its input: ``gy`` where y is positive (or NaN), 0 elsewhere.

    Parameters
    ----------
    gy : array, float32 or float64, any strides
        Gradient by the output.
    y : array of the same shape and dtype
        The output.
    out : array of the same shape and dtype, optional
        Where to write, C-contiguous; may be ``gy`` or ``y`` itself.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the same shape, C-contiguous

    Raises
    ------
    ValueError, TypeError
        Where shapes or dtypes differ or are not supported, or ``out`` does not fit.

    Notes
    -----
    The gradient at 0 is 0, as in PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> relu_grad(np.array([3.0, 4.0]), np.array([0.0, 2.0]))
    array([0., 4.])
    """
    return _run(_OPERATIONS["relu_grad"], (gy, y), (), out, variant)


def leaky_relu_grad(
    gy: np.ndarray,
    y: np.ndarray,
    *,
    negative_slope: float = 0.01,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `leaky_relu` by its input: ``gy`` where y is positive, ``negative_slope * gy`` elsewhere.

    ``negative_slope`` must not be negative: the sign of y would not tell that of x. Otherwise as `relu_grad`.

    >>> import numpy as np
    >>> leaky_relu_grad(np.array([4.0, 4.0]), np.array([-1.0, 2.0]), negative_slope=0.25)
    array([1., 4.])
    """
    slope = finite("leaky_relu_grad", "negative_slope", negative_slope)
    if slope < 0:
        raise ValueError(f"leaky_relu_grad: negative_slope expects at least 0 but got {slope}")
    return _run(_OPERATIONS["leaky_relu_grad"], (gy, y), (slope,), out, variant)


def tanh_grad(
    gy: np.ndarray, y: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Gradient of `tanh` by its input: ``gy * (1 - y**2)``. Otherwise as `relu_grad`.

    >>> import numpy as np
    >>> tanh_grad(np.array([2.0]), np.array([0.5]))
    array([1.5])
    """
    return _run(_OPERATIONS["tanh_grad"], (gy, y), (), out, variant)


def sigmoid_grad(
    gy: np.ndarray, y: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Gradient of `sigmoid` by its input: ``gy * y * (1 - y)``. Otherwise as `relu_grad`.

    >>> import numpy as np
    >>> sigmoid_grad(np.array([2.0]), np.array([0.5]))
    array([0.5])
    """
    return _run(_OPERATIONS["sigmoid_grad"], (gy, y), (), out, variant)
