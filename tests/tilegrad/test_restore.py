"""`tilegrad restore`: the model applied to a file, and nothing written where something is wrong."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import Ended, Tilegrad, Trained

from tilegrad import nn, restore
from tilegrad.images import from_float, read_image, to_float, write_image
from tilegrad.restore import restore_array


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


def test_the_denoiser_that_comes_along_takes_noise_out(here: Callable[..., Ended], tmp_path: Path) -> None:
    y, x = np.mgrid[:64, :72]
    clean = 127 + 80 * np.sin(x / 9) * np.cos(y / 11)
    noisy = clean + 25 * np.random.default_rng(0).standard_normal(clean.shape)
    write_image(tmp_path / "a.png", np.rint(np.clip(noisy, 0, 255)).astype(np.uint8))
    assert restore.DENOISER.stat().st_size < 400_000
    assert here("restore", "a.png", "b.png").returncode == 0
    before, after = (np.abs(read_image(tmp_path / name) - clean).mean() for name in ("a.png", "b.png"))
    assert after < before / 3


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
        ("alpha.png", "out.jpg", "good.model", "out.jpg: .jpg has no alpha channel here"),
        ("folder.png", "out", "good.model", "folder.png: no pictures"),
        ("none*.png", "out", "good.model", "none*.png: no pictures"),
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


def network(channels: int = 1, width: int = 20, kind: str = "DnCNN") -> nn.models.Model:
    """Small, with weights large enough that every layer matters."""
    nn.manual_seed(5)
    if kind == "SRCNN":
        return nn.models.SRCNN(channels=(width, 17), kernel_sizes=(9, 3, 5), image_channels=channels).eval()
    return nn.models.DnCNN(depth=4, channels=width, image_channels=channels, batch_norm=False).eval()


def picture(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(2).integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)


@pytest.mark.parametrize("kind", ["DnCNN", "SRCNN"])
@pytest.mark.parametrize("width", [3, 20, 64])
@pytest.mark.parametrize("shape", [(101, 150), (97, 67, 3), (3, 333)])
def test_tiles_give_the_bits_of_the_whole(kind: str, width: int, shape: tuple[int, ...]) -> None:
    model = network(width=width, kind=kind)
    image = picture(*shape).astype(np.float32) / np.float32(255)
    with nn.no_grad():
        planes = image[None, :, :, None] if image.ndim == 2 else np.moveaxis(image, 2, 0)[..., None]
        whole = np.asarray(model(nn.Tensor(np.ascontiguousarray(planes))))
    expected = whole[0, :, :, 0] if image.ndim == 2 else np.moveaxis(whole[..., 0], 0, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(restore, "_bytes_per_pixel", lambda model: 2**20 // 64**2)
        tiled = restore_array(model, image, memory=1)  # crops of some 64 x 64 pixels
    np.testing.assert_array_equal(tiled, np.clip(expected, 0, 1))
    np.testing.assert_array_equal(restore_array(model, image), np.clip(expected, 0, 1))


def test_gray_and_colour_models_take_gray_and_colour_pictures() -> None:
    gray, colour = network(), network(channels=3)
    image = picture(21, 23, 3)
    for c in range(3):
        np.testing.assert_array_equal(restore_array(gray, image)[..., c], restore_array(gray, image[..., c]))
    with nn.no_grad():
        whole = np.asarray(colour(nn.Tensor(to_float(image)[None])))[0]
    np.testing.assert_array_equal(restore_array(colour, image), from_float(whole, np.uint8))
    assert restore_array(colour, image[..., 0]).shape == (21, 23)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_colour_alpha_and_depth_are_kept(
    here: Callable[..., Ended], tmp_path: Path, dtype: type, channels: int, suffix: str
) -> None:
    image = picture(19, 26, channels, dtype=dtype)
    nn.save(network(), tmp_path / "model.safetensors")
    write_image(tmp_path / f"in{suffix}", image)
    done = here("restore", f"in{suffix}", f"out{suffix}", "--model", "model.safetensors")
    assert (done.returncode, done.stderr) == (0, "")
    result = read_image(tmp_path / f"out{suffix}")
    colours = image[..., :3] if channels > 2 else image[..., 0]
    expected = restore_array(network(), colours)
    np.testing.assert_array_equal(result[..., :3] if channels > 2 else result[..., 0], expected)
    assert result.dtype == dtype
    if channels != 3:
        np.testing.assert_array_equal(result[..., -1], image[..., -1])


def test_folders_and_patterns(here: Callable[..., Ended], tmp_path: Path) -> None:
    nn.save(network(), tmp_path / "model.safetensors")
    (tmp_path / "scans" / "more").mkdir(parents=True)
    for name in ("scans/a.png", "scans/b.tif", "scans/more/c.png"):
        write_image(tmp_path / name, picture(12, 13))
    (tmp_path / "scans" / "notes.txt").write_text("not a picture")
    for sources, expected in (
        (["scans"], ["a.png", "b.tif"]),
        (["scans/**/*.png"], ["a.png", "c.png"]),
        (["scans/a.png", "scans/more"], ["a.png", "c.png"]),
    ):
        out = f"out{len(expected)}{sources[0].count('*')}{len(sources)}"
        done = here("restore", *sources, out, "--model", "model.safetensors")
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(p.name for p in (tmp_path / out).iterdir()) == expected
        np.testing.assert_array_equal(read_image(tmp_path / out / "a.png"), restore_array(network(), picture(12, 13)))


def test_one_bad_picture_among_many_is_named_and_the_others_are_restored(
    here: Callable[..., Ended], tmp_path: Path
) -> None:
    nn.save(network(), tmp_path / "model.safetensors")
    (tmp_path / "scans").mkdir()
    write_image(tmp_path / "scans" / "a.png", picture(12, 13))
    (tmp_path / "scans" / "b.png").write_bytes(b"no picture")
    done = here("restore", "scans", "out", "--model", "model.safetensors")
    assert done.returncode == 1
    assert done.stdout.startswith(f"left out: {Path('scans') / 'b.png'}: cannot be read as a picture")
    assert done.stderr == "tilegrad: 1 of 2 pictures could not be restored; the others are in out\n"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a.png"]
    (tmp_path / "other").mkdir()
    write_image(tmp_path / "other" / "a.png", picture(12, 13))
    done = here("restore", "scans", "other", "out", "--model", "model.safetensors")
    assert done.stderr == "tilegrad: a.png: two of the pictures have this name, and one folder cannot hold both\n"


def test_a_model_that_is_no_restorer_is_refused(here: Callable[..., Ended], tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.full((16, 16), 100, np.uint8))
    nn.save(nn.models.DCGANGenerator(channels=2), tmp_path / "generator.safetensors")
    done = here("restore", "a.png", "b.png", "--model", "generator.safetensors")
    assert done.returncode == 1
    assert done.stderr.startswith("tilegrad: generator.safetensors: cannot restore a.png (")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "b.png").exists()
