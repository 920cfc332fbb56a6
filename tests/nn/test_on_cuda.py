"""nn on CUDA arrays: on a GPU, and without one on a stand-in for CuPy, the simulator and the emulator."""

import os
import subprocess
import sys
from pathlib import Path

import emulator
import pytest
from gpu import needs_gpu

import tilegrad

TESTS = Path(__file__).parents[1]


def run_on_cuda(**environment: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(TESTS / "nn/on_cuda.py")]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.simulator
@pytest.mark.skipif(emulator.compiler() is None, reason="the emulator needs a C++ compiler (g++)")
def test_nn_on_the_stand_in() -> None:
    """A process that has imported Numba cannot turn the simulator on, so that it gets one of its own."""
    run_on_cuda(NUMBA_ENABLE_CUDASIM="1", PYTHONPATH=str(TESTS / "stand_in"))


@needs_gpu
def test_nn_on_a_gpu() -> None:
    run_on_cuda()


def test_capture_on_the_cpu_is_the_step_itself() -> None:
    calls = []
    step = tilegrad.nn.capture(lambda x, flag: calls.append(flag) or x * 2.0)
    x = tilegrad.nn.Tensor([1.0, 2.0])
    for flag in ([1], [2], [3]):  # which could not key a graph
        assert step(x, flag).numpy().tolist() == [2.0, 4.0]
    assert calls == [[1], [2], [3]]


def test_a_device_that_is_not_there_is_an_error_that_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    for move in (tilegrad.nn.Tensor([1.0]).to, tilegrad.nn.Linear(1, 1).to):
        with pytest.raises(RuntimeError, match=r"CuPy is not installed: python -m pip install .tilegrad\[cuda13\]"):
            move("cuda")
