"""Arrays of bfloat16, the upper half of a float32: neither NumPy nor CuPy has the type, so they are of uint16.

They hold what lies between operations that round their factors to bfloat16 anyway: half the bytes to write and read.
Numbers are rounded to the nearest, halves to even; a NaN stays one.
"""

from typing import Any

import numpy as np

STORED = np.dtype(np.uint16)
"""The type of arrays that hold bfloat16."""


def to_bfloat16(x: Any) -> Any:
    """Numbers of float32, or of float64 by way of it, rounded to bfloat16.

    >>> to_bfloat16(np.array([1.0, 1.0039063, 1.0117188], np.float32)) - to_bfloat16(np.ones(1, np.float32))
    array([0, 0, 2], dtype=uint16)
    """
    bits = x.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(x), (bits >> 16) | 0x40, rounded).astype(STORED)


def from_bfloat16(x: Any) -> Any:
    """The same numbers as float32.

    >>> from_bfloat16(to_bfloat16(np.array([1.0, -3.140625], np.float32)))
    array([ 1.      , -3.140625], dtype=float32)
    """
    return (x.astype(np.uint32) << 16).view(np.float32)


def widened(x: Any) -> Any:
    """An array in a type that is computed in: itself, or float32 of bfloat16."""
    return from_bfloat16(x) if x.dtype == STORED else x


def wide_spec(spec: Any) -> tuple[Any, bool]:
    """What an operation computes on where it is given an array of bfloat16: one of float32; and whether it was."""
    stored = spec is not None and spec.dtype == STORED
    return (spec._replace(dtype=np.dtype(np.float32)) if stored else spec), stored
