"""Exemplar inpainting in Numba CUDA without a GPU."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tilegrad import kernels


@pytest.mark.simulator
def test_variant_in_the_simulator():
    """A process that has imported Numba cannot turn the simulator on, so that it gets one of its own."""
    tests = Path(__file__).with_name("exemplar_in_simulator.py")
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(tests)]
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_numpy_arrays_are_not_copied_to_a_gpu_in_silence():
    x, mask = np.ones((1, 4, 4, 1), np.uint8), np.eye(4, 4, 3, np.uint8)[None]
    with pytest.raises(TypeError, match=r"expects cupy.ndarray arguments but got numpy.ndarray"):
        kernels.inpaint_exemplar(x, mask, patch_size=3, variant="cuda.naive")
