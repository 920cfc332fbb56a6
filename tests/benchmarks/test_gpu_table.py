"""``python -m benchmarks --gpu``: on a GPU, and without one on a stand-in."""

import sys
from pathlib import Path

import pytest
from gpu import needs_gpu, needs_stand_in, run_on_cuda
from tilegrad.benchmarks import cli

FILE = Path(__file__).with_name("table_on_cuda.py")


@needs_stand_in
def test_the_table_on_the_stand_in() -> None:
    run_on_cuda(FILE, stand_in=True)


@needs_gpu
def test_the_table_on_a_gpu() -> None:
    run_on_cuda(FILE, stand_in=False)


def test_without_a_gpu_it_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--gpu", "--list"]) == 0
    assert "dncnn-17/training" in capsys.readouterr().out
    assert cli.main(["--gpu", "--only", "no such row"]) == 2
    assert "no row matches no such row" in capsys.readouterr().err
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", None)
        assert cli.main(["--gpu"]) == 1
    assert "CuPy is not installed" in capsys.readouterr().err


@pytest.mark.parametrize("other", ["--filters", "--compile", "--ladder=conv2d", "--plot=a.png", "--save=."])
def test_options_of_other_tables_are_refused(other: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--gpu", other]) == 2
    assert "--gpu goes with --only, --list, --quick and --json alone" in capsys.readouterr().err
