"""nn on CUDA arrays: on a GPU, and without one on a stand-in for CuPy, the simulator and the emulator."""

import sys
from pathlib import Path

import pytest
from gpu import needs_gpu, needs_stand_in, run_on_cuda

import tilegrad

FILES = ["on_cuda.py", "gan_on_cuda.py"]


@needs_stand_in
@pytest.mark.parametrize("name", FILES)
def test_nn_on_the_stand_in(name: str) -> None:
    run_on_cuda(Path(__file__).with_name(name), stand_in=True)


@needs_gpu
@pytest.mark.parametrize("name", FILES)
def test_nn_on_a_gpu(name: str) -> None:
    run_on_cuda(Path(__file__).with_name(name), stand_in=False)


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
