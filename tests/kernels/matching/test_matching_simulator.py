"""Template matching in Numba CUDA without a GPU."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tilegrad.kernels.matching import match_products


@pytest.mark.simulator
def test_variants_in_the_simulator():
    """A process that has imported Numba cannot turn the simulator on, so that it gets one of its own."""
    tests = Path(__file__).with_name("matching_in_simulator.py")
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(tests)]
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("variant", ["cuda.naive", "cuda.tiled"])
def test_numpy_arrays_are_not_copied_to_a_gpu_in_silence(variant):
    with pytest.raises(TypeError, match=r"expects cupy.ndarray arguments but got numpy.ndarray"):
        match_products(np.ones((1, 4, 4, 1), np.float32), np.ones((2, 3, 1), np.float32), variant=variant)
