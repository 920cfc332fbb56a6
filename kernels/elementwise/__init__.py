"""Arithmetic, number by number, with NumPy's broadcasting.

    reference.py     the definitions, one line each, in a loop
    cpu_vector.py    "vector": the same arithmetic in loops that LLVM vectorises, exp and log as polynomials
    cpu_loops.py     those loops, for any strides (activations use them too)
    cuda_naive.py    "naive" on CUDA: one thread, one number
    cuda_vector.py   "vector" on CUDA, with cuda_vector.cu: 16 bytes at a time, any strides (activations too)

All functions take float32 and float64 arrays of any strides, and arrays of one dtype only; a Python number beside an
array takes the array's dtype. The result is C-contiguous. ``out`` may be one of the inputs. NaN and infinity
propagate as IEEE arithmetic has it.
"""

from typing import Any

import numpy as np

from ..arguments import finite
from ..arrays import beside
from ..operation import Operation
from .declare import check_overlap, declare
from .reference import DEFINITIONS

__all__ = [
    "absolute", "add", "divide", "exp", "log", "maximum", "minimum", "multiply", "negative", "power", "sqrt", "square",
    "subtract",
]  # fmt: skip

_TWO = {
    name: declare(name, __name__, ("a", "b"), DEFINITIONS[name])
    for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum")
}
_ONE = {
    name: declare(name, __name__, ("x",), DEFINITIONS[name])
    for name in ("negative", "absolute", "square", "sqrt", "exp", "log")
}
_ONE["power"] = declare("power", __name__, ("x",), DEFINITIONS["power"], sample={"exponent": 1.5})

_NUMBERS = (int, float, np.integer, np.floating)


def _binary(operation: Operation, a: Any, b: Any, out: np.ndarray | None, variant: str | None) -> np.ndarray:
    """Run an operation of two operands, of which one may be a number."""
    if a.__class__ is b.__class__:
        pass  # two arrays, most often: none is a number beside an array
    elif isinstance(b, _NUMBERS) and hasattr(a, "dtype"):
        b = beside(a, np.array(b, a.dtype))
    elif isinstance(a, _NUMBERS) and hasattr(b, "dtype"):
        a = beside(b, np.array(a, b.dtype))
    if out is not None:
        check_overlap(operation.name, out, a, b)
    return operation.run((a, b), (), out, variant)


def _unary(
    operation: Operation, x: Any, args: tuple[float, ...], out: np.ndarray | None, variant: str | None
) -> np.ndarray:
    if out is not None:
        check_overlap(operation.name, out, x)
    return operation.run((x,), args, out, variant)


def add(
    a: np.ndarray | float, b: np.ndarray | float, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """``a + b``.

    Parameters
    ----------
    a, b : arrays that broadcast together, float32 or float64, or one array and a Python number
        Arrays of any strides and of one dtype.
    out : array of the broadcast shape, optional
        Where to write, C-contiguous; may be ``a`` or ``b`` itself.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the broadcast shape, C-contiguous

    Raises
    ------
    ValueError
        Where shapes do not broadcast, or ``out`` has another shape or overlaps an input that it is not.
    TypeError
        Where an operand is no array of float32 or float64, or the dtypes differ.

    Notes
    -----
    Equals ``numpy.add``.

    Examples
    --------
    >>> import numpy as np
    >>> add(np.ones((2, 3), np.float32), np.arange(3, dtype=np.float32))
    array([[1., 2., 3.],
           [1., 2., 3.]], dtype=float32)
    """
    return _binary(_TWO["add"], a, b, out, variant)


def subtract(
    a: np.ndarray | float, b: np.ndarray | float, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """``a - b``. Parameters and errors are those of `add`; equals ``numpy.subtract``.

    >>> import numpy as np
    >>> subtract(1, np.array([0.25, 2]))
    array([ 0.75, -1.  ])
    """
    return _binary(_TWO["subtract"], a, b, out, variant)


def multiply(
    a: np.ndarray | float, b: np.ndarray | float, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """``a * b``. Parameters and errors are those of `add`; equals ``numpy.multiply``.

    >>> import numpy as np
    >>> multiply(np.array([1.0, 2.0]), np.array([[3.0], [4.0]]))
    array([[3., 6.],
           [4., 8.]])
    """
    return _binary(_TWO["multiply"], a, b, out, variant)


def divide(
    a: np.ndarray | float, b: np.ndarray | float, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """``a / b``; by zero, infinity or NaN, without a warning. Parameters and errors are those of `add`.

    Equals ``numpy.divide``.

    >>> import numpy as np
    >>> divide(np.array([1.0, -1.0, 0.0]), 0)
    array([ inf, -inf,  nan])
    """
    return _binary(_TWO["divide"], a, b, out, variant)


def maximum(
    a: np.ndarray | float, b: np.ndarray | float, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """The larger of ``a`` and ``b``, NaN where either is. Parameters and errors are those of `add`.

    Equals ``numpy.maximum``.

    >>> import numpy as np
    >>> maximum(np.array([-1.0, 2.0, np.nan]), 0)
    array([ 0.,  2., nan])
    """
    return _binary(_TWO["maximum"], a, b, out, variant)


def minimum(
    a: np.ndarray | float, b: np.ndarray | float, *, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """The smaller of ``a`` and ``b``, NaN where either is. Parameters and errors are those of `add`.

    Equals ``numpy.minimum``.

    >>> import numpy as np
    >>> minimum(np.array([-1.0, 2.0, np.nan]), 0)
    array([-1.,  0., nan])
    """
    return _binary(_TWO["minimum"], a, b, out, variant)


def negative(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """``-x``.

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

    Examples
    --------
    >>> import numpy as np
    >>> negative(np.array([1.0, -2.0]))
    array([-1.,  2.])
    """
    return _unary(_ONE["negative"], x, (), out, variant)


def absolute(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """``|x|``. Parameters and errors are those of `negative`.

    >>> import numpy as np
    >>> absolute(np.array([1.0, -2.0]))
    array([1., 2.])
    """
    return _unary(_ONE["absolute"], x, (), out, variant)


def square(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """``x * x``. Parameters and errors are those of `negative`.

    >>> import numpy as np
    >>> square(np.array([1.0, -2.0]))
    array([1., 4.])
    """
    return _unary(_ONE["square"], x, (), out, variant)


def sqrt(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """The square root; NaN below zero, without a warning. Parameters and errors are those of `negative`.

    >>> import numpy as np
    >>> sqrt(np.array([4.0, -1.0]))
    array([ 2., nan])
    """
    return _unary(_ONE["sqrt"], x, (), out, variant)


def exp(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """e to the power ``x``, within 1.6 units in the last place. Parameters and errors are those of `negative`.

    >>> import numpy as np
    >>> exp(np.array([0.0, -np.inf, 1000.0]))
    array([ 1.,  0., inf])
    """
    return _unary(_ONE["exp"], x, (), out, variant)


def log(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """The natural logarithm, within 1.6 units in the last place; -inf at zero and NaN below, without a warning.

    Parameters and errors are those of `negative`.

    >>> import numpy as np
    >>> log(np.array([1.0, 0.0, -1.0]))
    array([  0., -inf,  nan])
    """
    return _unary(_ONE["log"], x, (), out, variant)


def power(x: np.ndarray, exponent: float, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """``x`` to a power that is one finite Python number for all.

    NaN for negative numbers to a power that is no integer; 1 for anything, NaN too, to the power 0. Other parameters
    and errors are those of `negative`. Equals ``numpy.power``.

    >>> import numpy as np
    >>> power(np.array([4.0, 0.25]), -0.5)
    array([0.5, 2. ])
    """
    return _unary(_ONE["power"], x, (finite("power", "exponent", exponent),), out, variant)
