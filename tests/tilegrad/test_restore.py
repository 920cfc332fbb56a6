"""`tilegrad restore`: the model applied to a file, and nothing written where something is wrong."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import Ended, Tilegrad, Trained

from tilegrad import nn
from tilegrad.images import from_float, read_image, to_float, write_image


@pytest.mark.parametrize(("name", "dtype"), [("a.png", np.uint8), ("a.tif", np.uint16)])
def test_the_file_holds_the_model_applied_in_python(
    tilegrad: Tilegrad, trained: Trained, tmp_path: Path, name: str, dtype: type
) -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, np.iinfo(dtype).max + 1, (37, 53)).astype(dtype)
    write_image(tmp_path / name, image)
    done = tilegrad("restore", name, f"out{Path(name).suffix}", "--model", trained.model, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    model = nn.load(trained.model).eval()
    with nn.no_grad():
        expected = np.asarray(model(nn.Tensor(to_float(image)[None, :, :, None])))[0, :, :, 0]
    restored = read_image(tmp_path / f"out{Path(name).suffix}")
    assert restored.dtype == dtype
    np.testing.assert_array_equal(restored, from_float(expected, dtype))
    assert (restored != image).any()


def test_the_result_may_take_the_place_of_the_picture(
    here: Callable[..., Ended], trained: Trained, tmp_path: Path
) -> None:
    write_image(tmp_path / "a.png", np.full((20, 20), 100, np.uint8))
    apart = here("restore", "a.png", "b.png", "--model", trained.model)
    done = here("restore", "a.png", "a.png", "--model", trained.model)
    assert (apart.returncode, done.returncode) == (0, 0)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def prepare(folder: Path, model: Path) -> None:
    """One of each thing that can be wrong, and what is right beside it."""
    write_image(folder / "good.png", np.full((16, 16), 100, np.uint8))
    write_image(folder / "deep.png", np.full((16, 16), 100, np.uint16))
    write_image(folder / "colour.png", np.zeros((16, 16, 3), np.uint8))
    write_image(folder / "alpha.png", np.zeros((16, 16, 2), np.uint8))
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:40])
    (folder / "good.model").write_bytes(model.read_bytes())
    (folder / "cut.model").write_bytes(model.read_bytes()[:-5])
    (folder / "bad.model").write_bytes(b"no model")
    (folder / "folder.png").mkdir()


@pytest.mark.parametrize(
    ("source", "target", "model", "message"),
    [
        ("absent.png", "out.png", "good.model", "absent.png: no such file"),
        ("bad.png", "out.png", "good.model", "bad.png: cannot be read as a picture"),
        ("cut.png", "out.png", "good.model", "cut.png: cannot be read as a picture"),
        (
            "colour.png",
            "out.png",
            "good.model",
            "colour.png: is in colour; gray pictures of 8 or 16 bits can be restored",
        ),
        ("alpha.png", "out.png", "good.model", "alpha.png: is gray with alpha"),
        ("folder.png", "out.png", "good.model", "folder.png: is a folder"),
        ("good.png", "out.png", "absent.model", "absent.model: no such file"),
        ("good.png", "out.png", "bad.model", "bad.model: cannot be read as a model"),
        ("good.png", "out.png", "cut.model", "cut.model: cannot be read as a model"),
        ("good.png", "out.png", "folder.png", "name the model's file"),
        ("good.png", "none/out.png", "good.model", "none/out.png: the folder none does not exist"),
        ("good.png", "good.model/out.png", "good.model", "is not a folder"),
        ("good.png", "folder.png", "good.model", "folder.png: is a folder"),
        ("good.png", "out.xyz", "good.model", "cannot write a .xyz file"),
        ("deep.png", "out.jpg", "good.model", "out.jpg: .jpg holds 8 bits"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(
    here: Callable[..., Ended], trained: Trained, tmp_path: Path, source: str, target: str, model: str, message: str
) -> None:
    prepare(tmp_path, trained.model)
    before = {p: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}
    done = here("restore", source, target, "--model", model)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("tilegrad: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert {p: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()} == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_pipes_are_refused_and_not_waited_for(here: Callable[..., Ended], trained: Trained, tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.full((16, 16), 100, np.uint8))
    os.mkfifo(tmp_path / "pipe.png")
    for source, model in (("pipe.png", trained.model), ("a.png", "pipe.png")):
        done = here("restore", source, "b.png", "--model", model)
        assert (done.returncode, done.stderr) == (1, "tilegrad: pipe.png: is not an ordinary file\n")


def test_a_model_that_gives_nan_is_named(here: Callable[..., Ended], tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.full((16, 16), 100, np.uint8))
    model = nn.models.DnCNN(depth=2, channels=1)
    for parameter in model.parameters():
        parameter.copy_(np.full(parameter.shape, np.nan, np.float32))
    nn.save(model, tmp_path / "nan.safetensors")
    done = here("restore", "a.png", "b.png", "--model", "nan.safetensors")
    assert done.returncode == 1
    assert done.stderr.startswith("tilegrad: nan.safetensors: gives numbers that are not finite")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "b.png").exists()


def test_a_model_of_colour_pictures_is_refused(here: Callable[..., Ended], tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.full((16, 16), 100, np.uint8))
    nn.save(nn.models.DnCNN(depth=3, channels=4, image_channels=3), tmp_path / "colour.safetensors")
    done = here("restore", "a.png", "b.png", "--model", "colour.safetensors")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "colour.safetensors" in done.stderr
    assert not (tmp_path / "b.png").exists()
