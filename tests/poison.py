"""Results and scratch that are no zeros by chance before a kernel runs."""

from types import SimpleNamespace

import numpy as np
from tilegrad.kernels import arrays as arrays_module
from tilegrad.kernels import operation as operation_module


def poisoned(shape, dtype=np.float64):
    """An array of NaN, of a large integer or of True: what a kernel leaves unwritten shows."""
    dtype = np.dtype(dtype)
    number = {"f": np.nan, "b": True}.get(dtype.kind)
    return np.full(shape, np.iinfo(dtype).max // 3 if number is None else number, dtype)


def poison(monkeypatch):
    """Results and scratch begin as `poisoned` arrays."""
    monkeypatch.setattr(operation_module, "empty", poisoned)
    monkeypatch.setattr(arrays_module, "np", SimpleNamespace(**{**vars(np), "empty": poisoned}))  # their scratch
