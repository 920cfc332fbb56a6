"""What tests on a GPU share: a mark by which they skip elsewhere, and the way there and back."""

import importlib
from typing import Any

import numpy as np
import pytest


def _has_gpu() -> bool:
    try:
        return bool(importlib.import_module("cupy").cuda.is_available())
    except ImportError:
        return False


def needs_gpu(test: Any) -> Any:
    """Mark a test that runs on a GPU: ``python -m pytest -m gpu``."""
    return pytest.mark.gpu(pytest.mark.skipif(not _has_gpu(), reason="needs CuPy and a CUDA GPU")(test))


def to_gpu(value: Any) -> Any:
    """An array on the GPU; lists of arrays keep their form, and what is no array stays as it is."""
    if isinstance(value, list | tuple):
        return type(value)(to_gpu(item) for item in value)
    return importlib.import_module("cupy").asarray(value) if isinstance(value, np.ndarray) else value


def from_gpu(value: Any) -> Any:
    """The same in main memory."""
    if isinstance(value, list | tuple):
        return type(value)(from_gpu(item) for item in value)
    return value.get() if hasattr(value, "get") else value
