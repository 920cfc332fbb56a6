"""What tests on CUDA arrays share: a mark for those that need a GPU, the way there and back, and the stand-in for one.

Files ``*on_cuda.py`` without ``test_`` are run in processes of their own (`run_on_cuda`): on a GPU, or with Numba's
simulator and the stand-in for CuPy (tests/stand_in).
"""

import contextlib
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from tilegrad.kernels.machine import cuda, cuda_numba


def _has_gpu() -> bool:
    try:
        return bool(importlib.import_module("cupy").cuda.is_available())
    except ImportError:
        return False


def needs_gpu(test: Any) -> Any:
    """Mark a test that runs on a GPU: ``python -m pytest -m gpu``."""
    return pytest.mark.gpu(pytest.mark.skipif(not _has_gpu(), reason="needs CuPy and a CUDA GPU")(test))


def needs_tensor_cores(test: Any) -> Any:
    """Leave a test out on a GPU that has none of tf32 and bfloat16."""
    lacking = _has_gpu() and cuda.gpu().architecture < cuda.TENSOR_CORES
    return pytest.mark.skipif(lacking, reason="needs tensor cores of tf32 and bfloat16 (sm_80)")(test)


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


def needs_stand_in(test: Any) -> Any:
    """Mark a test that runs a file on the stand-in: one of the emulator's suite, which needs a compiler."""
    missing = pytest.mark.skipif(emulator.compiler() is None, reason="the emulator needs a C++ compiler (g++)")
    return pytest.mark.emulator(missing(test))


def run_on_cuda(file: Path, *, stand_in: bool) -> None:
    """Run the tests of a file in a process of its own: one that has imported Numba cannot turn the simulator on."""
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(file)]
    environment = dict(os.environ)
    if stand_in:
        environment |= {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(Path(__file__).with_name("stand_in"))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def is_stand_in(cupy: Any) -> bool:
    """Whether CuPy is the stand-in, and then its launches are made those of Numba's kernels."""
    if not hasattr(cupy, "launch_numba"):
        return False
    cuda_numba.launch = cupy.launch_numba  # before a variant imports it
    return True


@contextlib.contextmanager
def launching_on(cupy: Any) -> Iterator[None]:
    """Inside the block CUDA C++ kernels are launched on the GPU, or in the emulator for the stand-in."""
    with cuda.launching(cupy.launch) if hasattr(cupy, "launch") else contextlib.nullcontext():
        yield
