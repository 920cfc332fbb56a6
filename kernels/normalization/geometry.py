"""Checked calls of batch normalisation: arrays seen as (rows, channels)."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..activation.epilogue import ACTIVATIONS
from ..arguments import check_real, finite
from ..bfloat16 import wide_spec
from ..operation import Spec


@dataclass(frozen=True)
class Normalization:
    """A call on ``rows`` pixels of ``channels`` channels; ``passes`` counts how often arrays of that size are moved."""

    dtype: np.dtype
    rows: int
    channels: int
    eps: float
    activation: str | None
    negative_slope: float
    passes: int
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]
    stored: bool = False
    """Whether x is of bfloat16 (`kernels.bfloat16`), and everything else of float32."""

    @property
    def flops(self) -> float:
        """Three for each number moved: about what normalising costs."""
        return 3 * self.passes * self.rows * self.channels

    @property
    def bytes_moved(self) -> float:
        """Bytes of the large arrays, each once for each time that it must be walked."""
        passes = self.passes - 0.5 * self.stored * (self.passes // 2)  # x is read in every other one
        return passes * self.rows * self.channels * self.dtype.itemsize


def rejects(g: Normalization) -> str | None:
    """Why a variant that reads numbers as they are cannot take a call, or None."""
    return "takes no bfloat16" if g.stored else None


def _check(name: str, x: Spec, vectors: dict[str, Spec | None], activation: Any) -> None:
    """Check x and vectors of its channels; of those, only weight and bias may be left out."""
    check_real(name, "x", x)
    if len(x.shape) < 2:
        raise ValueError(f"{name}: x expects at least two axes (..., C) but got shape {x.shape}")
    for argument, given in vectors.items():
        if given is None and argument in ("weight", "bias"):
            continue
        spec = check_real(name, argument, given)
        if spec.dtype != x.dtype:
            raise TypeError(f"{name}: {argument} expects {x.dtype} as x has but got {spec.dtype}")
        if spec.shape != x.shape[-1:]:
            raise ValueError(f"{name}: {argument} expects ({x.shape[-1]},) but got {spec.shape} (x {x.shape})")
    if activation not in ACTIVATIONS:
        known = ", ".join(map(repr, ACTIVATIONS))
        raise ValueError(f"{name}: activation expects one of {known} but got {activation!r}")


def _check_beside(name: str, x: Spec, argument: str, given: Spec | None, shape: tuple[int, ...]) -> None:
    """Check an array of the dtype of x and of this shape."""
    spec = check_real(name, argument, given)
    if spec.dtype != x.dtype:
        raise TypeError(f"{name}: {argument} expects {x.dtype} as x has but got {spec.dtype}")
    if spec.shape != shape:
        raise ValueError(f"{name}: {argument} expects shape {shape} but got {spec.shape} (x {x.shape})")


def _epsilon(name: str, eps: Any) -> float:
    value = finite(name, "eps", eps)
    if value < 0:
        raise ValueError(f"{name}: eps expects at least 0 but got {eps!r}")
    return value


def batch_norm_geometry(
    x: Spec, mean: Spec, var: Spec, weight: Spec | None, bias: Spec | None, eps: Any, activation: Any, slope: Any
) -> Normalization:
    """Check a call of `batch_norm`."""
    name = "batch_norm"
    _check(name, x, {"mean": mean, "var": var, "weight": weight, "bias": bias}, activation)
    eps, slope = _epsilon(name, eps), finite(name, "negative_slope", slope)
    rows = math.prod(x.shape[:-1])
    return Normalization(x.dtype, rows, x.shape[-1], eps, activation, slope, 2, ((x.shape, x.dtype),))


def batch_norm_train_geometry(
    x: Spec, weight: Spec | None, bias: Spec | None, eps: Any, activation: Any, slope: Any
) -> Normalization:
    """Check a call of `batch_norm_train`."""
    name = "batch_norm_train"
    _check(name, x, {"weight": weight, "bias": bias}, activation)
    eps, slope = _epsilon(name, eps), finite(name, "negative_slope", slope)
    rows, vector = math.prod(x.shape[:-1]), (x.shape[-1:], x.dtype)
    if rows < 2:
        raise ValueError(f"{name}: expects more than one value per channel but got {rows} (x {x.shape})")
    outputs = ((x.shape, x.dtype), vector, vector, ((2, x.shape[-1]), x.dtype), vector)
    return Normalization(x.dtype, rows, x.shape[-1], eps, activation, slope, 3, outputs)


def batch_norm_apply_geometry(x: Spec, mean: Spec, affine: Spec, activation: Any, slope: Any) -> Normalization:
    """Check a call of `batch_norm_apply`."""
    name = "batch_norm_apply"
    x, stored = wide_spec(x)
    _check(name, x, {"mean": mean}, activation)
    _check_beside(name, x, "affine", affine, (2, x.shape[-1]))
    rows, slope = math.prod(x.shape[:-1]), finite(name, "negative_slope", slope)
    return Normalization(x.dtype, rows, x.shape[-1], 0.0, activation, slope, 2, ((x.shape, x.dtype),), stored)


def batch_norm_grad_geometry(
    gy: Spec, x: Spec, mean: Spec, inverse_std: Spec, weight: Spec | None, affine: Spec | None,
    activation: Any, slope: Any,
) -> Normalization:  # fmt: skip
    """Check a call of `batch_norm_grad`."""
    name = "batch_norm_grad"
    x, stored = wide_spec(x)
    _check(name, x, {"mean": mean, "inverse_std": inverse_std, "weight": weight}, activation)
    _check_beside(name, x, "gy", gy, x.shape)
    if affine is not None:
        _check_beside(name, x, "affine", affine, (2, x.shape[-1]))
    if (affine is None) != (activation is None):
        raise ValueError(f"{name}: expects affine and activation together (activation {activation!r})")
    slope = finite(name, "negative_slope", slope)
    if activation == "leaky_relu" and slope < 0:
        raise ValueError(f"{name}: negative_slope expects at least 0 but got {slope}")
    rows, vector = math.prod(x.shape[:-1]), (x.shape[-1:], x.dtype)
    outputs = ((x.shape, x.dtype), vector, vector)
    return Normalization(x.dtype, rows, x.shape[-1], 0.0, activation, slope, 5, outputs, stored)
