"""``python -m benchmarks --gpu``: on a GPU, and without one on a stand-in."""

import sys
from pathlib import Path

import numpy as np
import pytest
from gpu import needs_gpu, needs_stand_in, run_on_cuda
from tilegrad.benchmarks import cli, gpu
from tilegrad.benchmarks.kinds import Convolution
from tilegrad.benchmarks.network_kinds import DnCNN

from tilegrad import kernels

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


@pytest.mark.parity
def test_steps_of_pytorch_in_mixed_precision_go_on_from_the_weights_of_the_step_before() -> None:
    torch = pytest.importorskip("torch")
    from tilegrad.benchmarks.rivals.torch_networks import STEPS

    work = DnCNN((2, 8, 8, 1), depth=3, channels=8)
    arrays = {name: np.random.default_rng(0).random(shape, np.float32) for name, shape in work.shapes.items()}
    step = STEPS[DnCNN](work, arrays, torch.channels_last, lambda model: model, np.float32, "cpu")
    exact = STEPS[DnCNN](work, arrays, torch.channels_last, lambda model: model, np.float32, "cpu")
    mixed = gpu.mixed(step, torch, "cpu")
    found, expected = [mixed() for _ in range(3)], [exact() for _ in range(3)]
    np.testing.assert_allclose(found, expected, rtol=gpu.TOLERANCE["bfloat16"])
    assert abs(found[2] - found[0]) > 0.1 * abs(expected[2] - expected[0]) > 0


@pytest.mark.parity
@pytest.mark.parametrize("stride", [1, 2])
def test_convolutions_of_pytorch_are_ours(stride: int) -> None:
    torch = pytest.importorskip("torch")
    from tilegrad.benchmarks.rivals.torch_arrays import to_array

    work = Convolution("small", "", (2, 8, 8, 4), 6, 4, stride=stride, padding=1)
    rng, place = np.random.default_rng(0), {"stride": stride, "padding": 1}
    x, w = (rng.uniform(0.1, 1, work.shapes[name]).astype(np.float32) for name in ("x", "w"))
    y = kernels.conv2d(x, w, **place)
    gy = rng.uniform(0.1, 1, y.shape).astype(np.float32)
    expected = {
        "conv2d": y,
        "conv2d_input_grad": kernels.conv2d_input_grad(gy, w, input_shape=x.shape, **place),
        "conv2d_weight_grad": kernels.conv2d_weight_grad(gy, x, weight_shape=w.shape, **place),
    }
    seen = set()
    for precision, layout, name, call in gpu.torch_layers(work, {"x": x, "w": w, "gy": gy}, torch, "cpu"):
        found = to_array(call().float())
        np.testing.assert_allclose(found, expected[name], rtol=gpu.TOLERANCE[precision])
        seen.add((precision, layout, name))
    assert len(seen) == 18


@pytest.mark.parametrize("other", ["--filters", "--compile", "--ladder=conv2d", "--plot=a.png", "--save=."])
def test_options_of_other_tables_are_refused(other: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--gpu", other]) == 2
    assert "--gpu goes with --only, --list, --quick and --json alone" in capsys.readouterr().err
