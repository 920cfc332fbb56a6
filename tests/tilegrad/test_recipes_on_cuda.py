"""Recipes on CUDA: on a GPU, and without one on a stand-in for CuPy, the simulator and the emulator."""

import sys
from pathlib import Path

import pytest
from gpu import needs_gpu, needs_stand_in, run_on_cuda

from tilegrad.cli import main

FILE = Path(__file__).with_name("recipes_on_cuda.py")


@needs_stand_in
def test_recipes_on_the_stand_in() -> None:
    run_on_cuda(FILE, stand_in=True)


@needs_gpu
def test_recipes_on_a_gpu() -> None:
    run_on_cuda(FILE, stand_in=False)


@pytest.mark.parametrize("recipe", ["denoise", "gan", "classify"])
def test_a_device_that_is_not_there_is_said_before_anything_is_written(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert main(["train", recipe, "--device", "cuda", "--out", str(tmp_path / "out")]) != 0
    assert (
        'cuda: CuPy is not installed: python -m pip install "tilegrad[cuda13]" (or cuda12)' in capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()
