"""The benchmark of restoration: its damages, how it chooses parameters, and its verdict."""

import sys
from pathlib import Path

import numpy as np
import pytest
from tilegrad.benchmarks import restoration
from tilegrad.benchmarks.filter_kinds import OPENCV, SKIMAGE
from tilegrad.benchmarks.restoration import GAUSSIAN, METHODS, Found, Method, Pair
from tilegrad.filters.similarity import Quality

from tilegrad.images import write_image


def _gray(side: int = 200) -> np.ndarray:
    return np.full((side, side), 128, np.uint8)


@pytest.mark.parametrize("damage", restoration.DAMAGES.values())
def test_damages_are_the_same_every_time_and_others_for_other_pictures(damage) -> None:
    noisy = damage(_gray(), 1)
    assert noisy.dtype == np.uint8
    np.testing.assert_array_equal(noisy, damage(_gray(), 1))
    assert (noisy != damage(_gray(), 2)).any()


def test_noise_is_as_strong_as_it_is_said_to_be() -> None:
    noise = restoration.gaussian_noise(_gray(), 0).astype(int) - 128
    assert abs(noise.std() - 25) < 0.5
    assert abs(noise.mean()) < 0.5
    spoilt = restoration.salt_and_pepper(_gray(), 0)
    assert set(np.unique(spoilt)) == {0, 128, 255}
    assert abs((spoilt == 0).mean() - 0.1) < 0.01 > abs((spoilt == 255).mean() - 0.1)


def test_the_best_point_of_the_grid_is_that_of_the_highest_mean_over_pictures() -> None:
    def call(function, image: np.ndarray, add: int, times: int) -> np.ndarray:
        return (image + np.uint8(add * times)).astype(np.uint8)

    method = Method("addition", GAUSSIAN, SKIMAGE, "add", call, {"add": (1, 2, 4), "times": (1, 2)})
    pairs = [Pair(_gray(16), _gray(16) - np.uint8(less)) for less in (3, 5)]
    found = restoration.best(method, "ours", np, pairs)
    assert found.parameters == {"add": 2, "times": 2}
    assert len(found.scores) == 2
    np.testing.assert_allclose(found.mean()[0], 10 * np.log10(255**2), rtol=1e-9)


@pytest.mark.parametrize(
    ("ours", "ours_cv", "theirs", "said"),
    [
        (28.0, None, (27.9, 27.0), "yes"),
        (28.0, None, (28.004, 27.0), "yes"),
        (28.0, None, (28.1, 27.0), "NO"),
        (28.0, None, (27.0, 28.1), "NO"),
        (28.0, 28.2, (27.0, 28.2), "yes"),
    ],
)
def test_ours_in_its_better_form_must_reach_both(ours, ours_cv, theirs, said) -> None:
    sides = {"tilegrad": ours, "tilegrad.cv": ours_cv, SKIMAGE: theirs[0], OPENCV: theirs[1]}
    found = [Found(METHODS[0], side, {}, [Quality(psnr, 0.5)]) for side, psnr in sides.items() if psnr is not None]
    assert restoration.verdict(found).split()[-1] == said
    assert f"{max(ours, ours_cv or 0):.3f}" in restoration.verdict(found)


@pytest.mark.parity
def test_the_table_of_a_folder_is_printed_and_written(tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("cv2")
    pytest.importorskip("skimage")
    for number in range(2):
        gradient = np.add.outer(np.arange(40), 3 * np.arange(50)) + 10 * number
        write_image(tmp_path / f"{number}.png", gradient.astype(np.uint8))
    monkeypatch.setattr(restoration, "METHODS", [method for method in METHODS if method.name == "median"])
    assert restoration.main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    lines = (tmp_path / "out" / "restoration.txt").read_text().splitlines()
    assert capsys.readouterr().out.splitlines()[: len(lines)] == lines
    rows = {line.split()[0]: line.split()[1:] for line in lines if line and line[0] in "01m"}
    assert len(rows["0"]) == len(rows["1"]) == 8
    assert rows["0"][:2] == rows["0"][2:4] == rows["0"][4:6] == rows["0"][6:]
    assert lines[-1].split()[-1] == "yes"


def test_rivals_that_are_missing_are_named(tmp_path: Path, monkeypatch, capsys) -> None:
    write_image(tmp_path / "a.png", _gray(8))
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert restoration.main(["--data", str(tmp_path)]) == 2
    assert 'without cv2: python -m pip install "tilegrad[bench]"' in capsys.readouterr().err


def test_a_folder_without_pictures_is_refused(tmp_path: Path, capsys) -> None:
    assert restoration.main(["--data", str(tmp_path)]) == 2
    assert "is no folder with pictures" in capsys.readouterr().err
