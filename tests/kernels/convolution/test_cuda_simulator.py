"""Convolution in Numba CUDA without a GPU."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tilegrad.kernels.convolution import conv2d, conv2d_input_grad


@pytest.mark.simulator
def test_variants_in_the_simulator() -> None:
    """A process that has imported Numba cannot turn the simulator on, so that it gets one of its own."""
    tests = Path(__file__).with_name("in_simulator.py")
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(tests)]
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("variant", ["cuda.naive", "cuda.tiled", "cuda.mma"])
def test_numpy_arrays_are_not_copied_to_a_gpu_in_silence(variant: str) -> None:
    with pytest.raises(TypeError, match=r"expects cupy.ndarray arguments but got numpy.ndarray"):
        conv2d(np.ones((1, 4, 4, 4), np.float32), np.ones((2, 3, 3, 4), np.float32), variant=variant)


def test_numpy_arrays_are_not_copied_for_a_gradient_either() -> None:
    with pytest.raises(TypeError, match=r"expects cupy.ndarray arguments but got numpy.ndarray"):
        conv2d_input_grad(
            np.ones((1, 2, 2, 4), np.float32), np.ones((4, 3, 3, 4), np.float32), (1, 4, 4, 4), variant="cuda.mma"
        )
