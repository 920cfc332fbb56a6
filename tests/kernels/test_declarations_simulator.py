"""Every Numba CUDA variant computes the small sample cases of its operation, without a GPU."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tilegrad import kernels


@pytest.mark.simulator
def test_declared_variants_in_the_simulator() -> None:
    """A process that has imported Numba cannot turn the simulator on, so that it gets one of its own."""
    tests = Path(__file__).with_name("declarations_in_simulator.py")
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(tests)]
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class OnDevice:
    """As much of a cupy.ndarray as planning looks at."""

    __module__ = "cupy"

    def __init__(self, *shape: int) -> None:
        array = np.empty(shape, np.float32)
        self.shape, self.dtype, self.strides, self.flags = array.shape, array.dtype, array.strides, array.flags


@pytest.mark.parametrize(
    ("function", "arrays", "how", "taken"),
    [
        (kernels.add, (OnDevice(2, 3), OnDevice(3)), {}, "vector"),
        (kernels.matmul, (OnDevice(2, 3), OnDevice(3, 4)), {}, "register"),
        (kernels.conv2d, (OnDevice(1, 8, 8, 4), OnDevice(8, 3, 3, 4)), {}, "register"),
        (
            kernels.conv2d_input_grad,
            (OnDevice(1, 2, 2, 1), OnDevice(1, 2, 2, 1)),
            {"input_shape": (1, 3, 3, 1)},
            "register",
        ),
        (kernels.softmax_grad, (OnDevice(2, 3), OnDevice(2, 3)), {}, "teams"),
        (kernels.batch_norm_train, (OnDevice(2, 3),), {}, "fused"),
    ],
)
def test_arrays_on_a_gpu_take_the_cuda_variant(
    function: Any, arrays: tuple[Any, ...], how: dict[str, Any], taken: str
) -> None:
    ladder = kernels.explain(function, *arrays, **how).splitlines()
    assert [line.split()[0] for line in ladder if line.endswith(" taken")] == [f"cuda.{taken}"]


@pytest.mark.parametrize(
    ("precision", "channels", "taken"),
    [
        ("3xtf32", 4, "mma_3xtf32"),
        ("3xtf32", 3, "mma_gemm_3xtf32"),
        ("tf32", 4, "mma"),
        ("tf32", 3, "mma_gemm"),
        ("bfloat16", 4, "mma_bf16"),
        ("bfloat16", 3, "mma_gemm_bf16"),
    ],
)
def test_tensor_cores_are_taken_where_their_precision_is_allowed(precision: str, channels: int, taken: str) -> None:
    x, w = OnDevice(1, 8, 8, channels), OnDevice(8, 3, 3, channels)
    with kernels.precision(precision):
        ladder = kernels.explain(kernels.conv2d, x, w).splitlines()
    assert [line.split()[0] for line in ladder if line.endswith(" taken")] == [f"cuda.{taken}"]


def test_numpy_arrays_are_not_copied_to_a_gpu_in_silence() -> None:
    with pytest.raises(TypeError, match=r"expects cupy.ndarray arguments but got numpy.ndarray"):
        kernels.relu(np.ones(3), variant="cuda.naive")
