"""The pictures of a run are PNG files that can be opened, of the same bytes for the same numbers."""

from pathlib import Path

import numpy as np
import pytest

from tilegrad.errors import TilegradError
from tilegrad.images import read_image
from tilegrad.pictures import save_before_after, save_curves

pytest.importorskip("matplotlib", reason="needs matplotlib")

EPOCHS = [{"epoch": e, "loss": 0.1 / e, "psnr": 25.0 + e, "ssim": 0.7 + 0.01 * e} for e in range(1, 6)]
LEVELS = {"best Gaussian filter": {"psnr": 26.0, "ssim": 0.7}}


def test_curves_are_a_picture_that_changes_with_the_numbers(tmp_path: Path) -> None:
    save_curves(tmp_path / "a.png", EPOCHS, LEVELS, title="one")
    save_curves(tmp_path / "b.png", EPOCHS, LEVELS, title="one")
    save_curves(tmp_path / "c.png", EPOCHS[:3], LEVELS, title="one")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    first, other = read_image(tmp_path / "a.png"), read_image(tmp_path / "c.png")
    assert first.shape == other.shape
    assert (first != other).any()


def test_curves_of_a_single_epoch(tmp_path: Path) -> None:
    save_curves(tmp_path / "a.png", EPOCHS[:1], LEVELS, title="one")
    assert read_image(tmp_path / "a.png").ndim == 3


def test_curves_with_an_infinite_psnr(tmp_path: Path) -> None:
    infinite = {"psnr": float("inf"), "ssim": 1.0}
    save_curves(tmp_path / "a.png", [EPOCHS[0] | infinite], {"best Gaussian filter": infinite}, title="one")
    assert read_image(tmp_path / "a.png").ndim == 3


@pytest.mark.parametrize("shape", [(120, 160), (160, 120), (20, 24)])
def test_before_after_shows_every_column(tmp_path: Path, shape: tuple[int, int]) -> None:
    ramp = np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape)
    rows = [[("clean", ramp), ("noisy: 20.00 dB", 1 - ramp), ("network: 30.00 dB", ramp**2)]]
    save_before_after(tmp_path / "a.png", rows)
    drawn = read_image(tmp_path / "a.png")[..., :3].astype(float).mean(axis=2)
    thirds = np.array_split(drawn, 3, axis=1)
    assert all(third.std() > 20 for third in thirds)  # a ramp in each, and not a white sheet


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(TilegradError, match="does not exist"):
        save_curves(tmp_path / "none" / "a.png", EPOCHS, LEVELS, title="one")
