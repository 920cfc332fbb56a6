"""Matrix products: `matmul`, and the `linear` layer with bias and activation in its epilogue.

reference.py   the loops; compiled as they stand they are "naive"
cpu_direct.py  "direct": the micro-kernel over packed blocks of columns
cuda_naive.py  "naive" on CUDA: one thread, one output
cuda_tiled.py  "tiled" on CUDA: tiles of both factors in shared memory
cuda_register  "register" on CUDA, in C++ (.cu; .py launches it): blocks of results in registers; "mma", "mma_bf16" and
               "mma_3xtf32": the same on tensor cores, with products of tf32, bfloat16 and, nearly, float32
cuda_sum_partials  the sum of parts of a product, in their order, in C++; also of convolutions' weight gradients
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..activation.epilogue import CODES, check_epilogue
from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["linear", "matmul"]


class LinearGeometry(NamedTuple):
    """One product ``(M, K) x (K, N)`` with an epilogue."""

    m: int
    n: int
    k: int
    transpose_a: bool
    transpose_b: bool
    dtype: np.dtype
    has_bias: bool
    activation: str | None
    negative_slope: float
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def flops(self) -> float:
        return 2 * self.m * self.n * self.k

    @property
    def bytes_moved(self) -> float:
        return self.dtype.itemsize * (self.m * self.k + self.k * self.n + self.m * self.n)


def _check(name: str, first: str, a: Spec, second: str, b: Spec) -> None:
    for argument, spec in ((first, a), (second, b)):
        if spec is None:
            raise TypeError(f"{name}: {argument} expects an array but got None")
        if spec.dtype.char not in "fd":
            raise TypeError(f"{name}: {argument} expects float32 or float64 but got {spec.dtype}")
    if a.dtype != b.dtype:
        raise TypeError(f"{name}: {first} and {second} expect one dtype but got {a.dtype} and {b.dtype}")


def _matmul_geometry(a: Spec, b: Spec, transpose_a: bool, transpose_b: bool) -> LinearGeometry:
    _check("matmul", "a", a, "b", b)
    if len(a.shape) != 2 or len(b.shape) != 2:
        raise ValueError(f"matmul: expects two matrices but got shapes {a.shape} and {b.shape}")
    m, k = a.shape[::-1] if transpose_a else a.shape
    k_b, n = b.shape[::-1] if transpose_b else b.shape
    if k != k_b:
        seen = f"(a {a.shape}, transpose_a={transpose_a}, b {b.shape}, transpose_b={transpose_b})"
        raise ValueError(f"matmul: a has {k} columns but b has {k_b} rows {seen}")
    outputs = (((m, n), a.dtype),)
    return LinearGeometry(m, n, k, bool(transpose_a), bool(transpose_b), a.dtype, False, None, 0.0, outputs)


def _linear_geometry(x: Spec, w: Spec, bias: Spec | None, activation: Any, negative_slope: Any) -> LinearGeometry:
    _check("linear", "input", x, "weight", w)
    seen = f"(input {x.shape}, weight {w.shape})"
    if len(w.shape) != 2 or not x.shape:
        raise ValueError(f"linear: expects input (..., C_in) and weight (C_out, C_in) {seen}")
    if x.shape[-1] != w.shape[1]:
        raise ValueError(f"linear: weight expects C_in = {w.shape[1]} but input has C = {x.shape[-1]} {seen}")
    n, k = w.shape
    end = check_epilogue("linear", x.dtype, n, bias, activation, negative_slope)
    outputs = (((*x.shape[:-1], n), x.dtype),)
    return LinearGeometry(math.prod(x.shape[:-1]), n, k, False, True, x.dtype, **end, outputs=outputs)


def _mma(name: str, build: str, precision: str) -> Variant:
    return Variant(name, "cuda_register", device="cuda", build=build, rejects="rejects_mma", precision=precision)


_VARIANTS = (
    Variant("direct", "cpu_direct"),
    _mma("mma_bf16", "build_bf16", "bfloat16"),
    _mma("mma", "build_tf32", "tf32"),
    _mma("mma_3xtf32", "build_3xtf32", "3xtf32"),
    Variant("register", "cuda_register", device="cuda"),
    Variant("tiled", "cuda_tiled", device="cuda", teaching=True),
    Variant("naive", "cuda_naive", device="cuda"),
)

MATMUL = Operation(
    "matmul",
    package=__name__,
    geometry=_matmul_geometry,
    variants=_VARIANTS,
    reference=reference.matmul,
    reference_args=lambda g: (g.transpose_a, g.transpose_b),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1), (1, 1)]},
        {"shapes": [(7, 13), (13, 70)]},
        {"shapes": [(13, 7), (70, 13)], "transpose_a": True, "transpose_b": True},
    ),
)

LINEAR = Operation(
    "linear",
    package=__name__,
    geometry=_linear_geometry,
    variants=_VARIANTS,
    reference=reference.linear,
    reference_args=lambda g: (CODES[g.activation], g.negative_slope),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=({"shapes": [(3, 5), (2, 5)]}, {"shapes": [(2, 3, 17), (33, 17)], "activation": "relu"}),
)


def matmul(
    a: np.ndarray,
    b: np.ndarray,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Multiply two matrices.

    Parameters
    ----------
    a : (M, K) array, or (K, M) with ``transpose_a``; float32 or float64
    b : (K, N) array, or (N, K) with ``transpose_b``; the same dtype
        An array that is not C-contiguous is copied first; a transpose flag copies nothing.
    out : (M, N) array, optional
    variant : str, optional

    Returns
    -------
    (M, N) array. Sums are accumulated in the working type; NaN and infinity propagate.

    Raises
    ------
    ValueError, TypeError
        Where shapes or dtypes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> matmul(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]), transpose_b=True)
    array([[1., 3.],
           [2., 4.]])
    """
    return MATMUL.run((a, b), (transpose_a, transpose_b), out, variant)


def linear(
    x: np.ndarray,
    w: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    activation: str | None = None,
    negative_slope: float = 0.01,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Apply a linear layer to the last axis: ``activation(x @ w.T + bias)``.

    Parameters
    ----------
    x : (..., C_in) array, float32 or float64
    w : (C_out, C_in) array of the same dtype
    bias : (C_out,) array, optional
    activation : {None, "relu", "leaky_relu", "tanh", "sigmoid"}
    negative_slope : float
        Slope of "leaky_relu" below zero.
    out : (..., C_out) array, optional
    variant : str, optional

    Returns
    -------
    (..., C_out) array, as ``torch.nn.functional.linear``.

    Raises
    ------
    ValueError, TypeError
        Where shapes or dtypes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> linear(np.array([[1.0, -2.0]]), np.eye(2), np.array([0.5, 0.5]), activation="relu")
    array([[1.5, 0. ]])
    """
    return LINEAR.run((x, w, bias), (activation, negative_slope), out, variant)
