"""`tilegrad compare` and `tilegrad degrade`, as a user runs them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import Ended

from tilegrad import filters
from tilegrad.images import from_float, read_image, to_float, write_image

pytest.importorskip("PIL", reason="needs pillow")
RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 256, (40, 52), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, (40, 52, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_image(tmp_path / "gray.png", GRAY)
    write_image(tmp_path / "other.png", np.clip(GRAY.astype(int) + 5, 0, 255).astype(np.uint8))
    write_image(tmp_path / "deep.png", GRAY.astype(np.uint16) * 257)
    write_image(tmp_path / "colour.png", COLOUR)
    write_image(tmp_path / "alpha.png", np.dstack([COLOUR, GRAY]))
    write_image(tmp_path / "small.png", GRAY[:20])
    write_image(tmp_path / "tiny.png", GRAY[:5, :5])
    return tmp_path


def test_compare_says_what_the_filters_say(here: Callable[..., Ended], folder: Path) -> None:
    done = here("compare", "gray.png", "other.png", "--difference", "d.png", "--gain", "10", "--json", "f.json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads((folder / "f.json").read_text())
    a, b = (to_float(read_image(folder / name)) for name in ("gray.png", "other.png"))
    assert found["psnr"] == pytest.approx(float(filters.peak_signal_noise_ratio(a, b, data_range=1.0)))
    assert found["ssim"] == pytest.approx(float(filters.structural_similarity(a, b, data_range=1.0)))
    assert found["largest_difference"] == pytest.approx(5, rel=1e-5)
    assert f"PSNR {found['psnr']:.2f} dB\nSSIM {found['ssim']:.4f}\n" in done.stdout
    drawn = read_image(folder / "d.png").astype(int)
    assert np.abs(drawn - 10 * np.minimum(5, 255 - GRAY.astype(int))).max() <= 1


@pytest.mark.parametrize(
    ("first", "second"), [("gray.png", "gray.png"), ("gray.png", "deep.png"), ("colour.png", "alpha.png")]
)
def test_equal_pictures(here: Callable[..., Ended], folder: Path, first: str, second: str) -> None:
    done = here("compare", first, second, "--difference", "d.png", "--json", "f.json")
    assert done.returncode == 0
    assert "the pictures are equal" in done.stdout
    assert json.loads((folder / "f.json").read_text())["psnr"] is None
    assert not read_image(folder / "d.png").any()


def test_pictures_that_differ_in_alpha_alone_are_not_called_equal(here: Callable[..., Ended], folder: Path) -> None:
    write_image(folder / "opaque.png", np.dstack([COLOUR, np.full_like(GRAY, 255)]))
    for other in ("opaque.png", "colour.png"):
        assert "equal but for their alpha\n" in here("compare", "alpha.png", other).stdout
    assert "the pictures are equal\n" in here("compare", "opaque.png", "colour.png").stdout
    assert "the pictures are equal\n" in here("compare", "alpha.png", "alpha.png").stdout


def test_steps_are_done_in_the_order_in_which_they_are_written(here: Callable[..., Ended], folder: Path) -> None:
    done = here("degrade", "colour.png", "out.png", "--jpeg", "20:4:2:2", "--noise", "gaussian:30", "--seed", "7")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    image = filters.jpeg(to_float(COLOUR), 20, subsampling="4:2:2", channel_axis=-1)
    image = filters.random_noise(image, "gaussian", 8, var=(30 / 255) ** 2)
    np.testing.assert_array_equal(read_image(folder / "out.png"), from_float(image, np.uint8))
    assert here("degrade", "colour.png", "b.png", "--noise", "gaussian:30", "--jpeg", "20").returncode == 0
    assert (read_image(folder / "b.png") != read_image(folder / "out.png")).any()


def test_the_mask_lies_beside_the_picture(here: Callable[..., Ended], folder: Path) -> None:
    done = here("degrade", "gray.png", "out.png", "--blocks", "8:0.2", "--scratches", "3:2", "--tears", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("out-mask.png: the mask, ")
    mask, out = read_image(folder / "out-mask.png"), read_image(folder / "out.png")
    assert set(np.unique(mask)) == {0, 255}
    np.testing.assert_array_equal(out, np.where(mask == 255, 0, GRAY))


def test_alpha_and_16_bits_stay(here: Callable[..., Ended], folder: Path) -> None:
    assert here("degrade", "alpha.png", "a.png", "--blur", "2").returncode == 0
    out = read_image(folder / "a.png")
    np.testing.assert_array_equal(out[..., 3], GRAY)
    assert (out[..., :3] != COLOUR).any()
    assert here("degrade", "deep.png", "d.png", "--noise", "s&p:0.1", "--noise", "speckle:5").returncode == 0
    assert read_image(folder / "d.png").dtype == np.uint16


def test_a_smaller_picture_has_a_smaller_mask_and_alpha(here: Callable[..., Ended], folder: Path) -> None:
    assert here("degrade", "alpha.png", "a.png", "--blocks", "8:0.2", "--downsample", "2").returncode == 0
    out, mask = read_image(folder / "a.png"), read_image(folder / "a-mask.png")
    assert out.shape == (20, 26, 4)
    np.testing.assert_array_equal(out[..., 3], filters.downsample(GRAY, 2))
    colours, lost = filters.drop_blocks(to_float(COLOUR), 8, 0.2, seed=0, channel_axis=-1)
    np.testing.assert_array_equal(mask == 255, lost.reshape(20, 2, 26, 2).any(axis=(1, 3)))
    small = filters.downsample(colours, 2, channel_axis=-1)
    np.testing.assert_array_equal(out[..., :3], from_float(small, np.uint8))


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("compare", "gray.png", "small.png"), 1, "gray.png is 52 x 40 pixels, gray, but small.png is 52 x 20"),
        (("compare", "gray.png", "colour.png"), 1, "gray.png is 52 x 40 pixels, gray, but colour.png is"),
        (("compare", "tiny.png", "tiny.png"), 1, "tiny.png: SSIM needs pictures of at least 7 x 7 pixels"),
        (("compare", "gray.png", "none.png"), 1, "none.png: no such file"),
        (("compare", "gray.png", "other.png", "--difference", "no/d.png"), 1, "no/d.png: the folder no does not exist"),
        (("degrade", "gray.png", "out.png"), 2, "nothing to do; name at least one of --noise, --jpeg"),
        (("degrade", "gray.png", "out.png", "--jpeg", "high"), 2, "--jpeg expects QUALITY[:SUBSAMPLING]"),
        (("degrade", "gray.png", "out.png", "--jpeg", "200"), 2, "degrade: step 1: jpeg: quality expects 1 to 100"),
        (("degrade", "gray.png", "out.png", "--blur", "1", "--motion", "0.5"), 2, "degrade: step 2: motion_blur: "),
        (("degrade", "gray.png", "out.png", "--noise", "pink:3"), 2, "--noise expects KIND:AMOUNT"),
        (("degrade", "gray.png", "out.png", "--noise", "gaussian:-25"), 2, "--noise expects KIND:AMOUNT"),
        (("degrade", "gray.png", "out.png", "--noise", "speckle:-25"), 2, "--noise expects KIND:AMOUNT"),
        (("degrade", "gray.png", "out.png", "--noise", "poisson:3"), 2, "--noise expects KIND:AMOUNT"),
        (("degrade", "gray.png", "out.png", "--blocks", "8"), 2, "--blocks expects SIDE:SHARE"),
        (("degrade", "gray.png", "out.png", "--tears", "1:2:3"), 2, "--tears expects COUNT[:WIDTH]"),
        (("degrade", "gray.png", "out.png", "--downsample", "2:2"), 2, "--downsample expects FACTOR"),
        (("degrade", "gray.png", "out.png", "--downsample", "0.5"), 2, "degrade: step 1: downsample: factor expects"),
        (("degrade", "gray.png", "no/out.png", "--jpeg", "5"), 1, "no/out.png: the folder no does not exist"),
    ],
)
def test_refuses(
    here: Callable[..., Ended], folder: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = here(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(f"tilegrad: {message}")
    assert not (folder / "out.png").exists()
