"""Checks of single arguments, whose errors name the operation and the argument."""

import math
from typing import Any

import numpy as np

from .operation import Spec

REAL = (np.dtype(np.float32), np.dtype(np.float64))


def check_real(name: str, argument: str, spec: Spec | None) -> Spec:
    """``spec``, which must be of a float32 or float64 array in the machine's byte order."""
    if spec is None:
        raise TypeError(f"{name}: {argument} expects an array but got None")
    if spec.dtype not in REAL:
        raise TypeError(f"{name}: {argument} expects float32 or float64 but got {spec.dtype}")
    return spec


def integer(name: str, argument: str, value: Any, low: int, high: int) -> int:
    """An integer in ``[low, high]``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name}: {argument} expects a value in [{low}, {high}] but got {value}")
    return int(value)


def finite(name: str, argument: str, value: Any) -> float:
    """A Python number that is neither NaN nor infinite, as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name}: {argument} expects a finite number but got {value!r}")
    return float(value)
