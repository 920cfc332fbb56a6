"""`tilegrad import`: weights in PyTorch's layout become a model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import Ended

from tilegrad import nn


def pytorchs(model: nn.models.Model) -> dict[str, np.ndarray]:
    """Random weights as PyTorch has them: OIHW."""
    random = np.random.default_rng(0)
    shapes = {name: array.shape for name, array in model.state_dict().items()}
    return {
        name: random.standard_normal([shape[i] for i in (0, 3, 1, 2)] if len(shape) == 4 else shape).astype(np.float32)
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_weights_are_permuted_and_renamed(here: Callable[..., Ended], tmp_path: Path, suffix: str) -> None:
    state = pytorchs(nn.models.SRCNN((4, 2)))
    named = {f"net.{name}": array for name, array in state.items()}
    path = tmp_path / f"weights{suffix}"
    if suffix == ".npz":
        np.savez(path, **named)
    else:
        nn.save_file(named, path)
    done = here("import", path, "m.safetensors", "--model", "SRCNN", "--configuration", '{"channels": [4, 2]}',
                "--rename", "net.=")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "m.safetensors: SRCNN, 389 weights\n"
    model = nn.load(tmp_path / "m.safetensors")
    assert model.configuration()["channels"] == [4, 2]
    np.testing.assert_array_equal(model.state_dict()["conv1.weight"][3, 8, 2, 0], state["conv1.weight"][3, 0, 8, 2])


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("none.npz", "--model", "SRCNN"), 1, "none.npz: no such file"),
        (("bad.npz", "--model", "SRCNN"), 1, "bad.npz: cannot be read as .npz or .safetensors"),
        (("one.npy", "--model", "SRCNN"), 1, "one.npy: cannot be read as .npz or .safetensors (one array"),
        (("good.npz", "--model", "SRCNN"), 1, "good.npz: does not fit SRCNN (state_dict_from_pytorch: missing names"),
        (("good.npz", "--model", "Net"), 2, "--model expects one of CNNClassifier"),
        (("good.npz", "--model", "SRCNN", "--configuration", "{"), 2, "--configuration: does not make a SRCNN"),
        (("good.npz", "--model", "SRCNN", "--configuration", "[]"), 2, "--configuration: does not make a SRCNN"),
        (("good.npz", "--model", "SRCNN", "--rename", "a"), 2, "--rename expects OLD=NEW but is 'a'"),
    ],
)
def test_refuses(
    here: Callable[..., Ended], tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    np.savez(tmp_path / "good.npz", a=np.ones(3, np.float32))
    np.save(tmp_path / "one.npy", np.ones(3))
    (tmp_path / "bad.npz").write_bytes(b"no weights")
    done = here("import", arguments[0], "m.safetensors", *arguments[1:])
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(f"tilegrad: {message}")
    assert not (tmp_path / "m.safetensors").exists()


def test_the_layers_of_lenet5_are_those_of_the_paper() -> None:
    shapes = {name: array.shape for name, array in nn.models.LeNet5().state_dict().items()}
    assert shapes == dict(nn.models.LeNet5.shapes())
    with pytest.raises(ValueError, match="LeNet5: x expects images of 32 x 32 pixels"):
        nn.models.LeNet5()(nn.randn((1, 28, 28, 1)))
