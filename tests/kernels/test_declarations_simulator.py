"""Every Numba CUDA variant computes the small sample cases of its operation, without a GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.simulator
def test_declared_variants_in_the_simulator() -> None:
    """A process that has imported Numba cannot turn the simulator on, so that it gets one of its own."""
    tests = Path(__file__).with_name("declarations_in_simulator.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
