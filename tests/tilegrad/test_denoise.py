"""`tilegrad train denoise`, on four tiny pictures and a tiny network."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import TINY, Ended, Tilegrad, Trained

from tilegrad import nn
from tilegrad.images import read_image


def records(folder: Path, *, timings: bool = True) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    times = () if timings else ("seconds", "images_per_second")
    return [{key: value for key, value in line.items() if key not in times} for line in lines]


def test_a_run_leaves_its_four_files(trained: Trained) -> None:
    names = ["before-after.png", "curves.png", "log.jsonl", "model.safetensors"]
    assert sorted(p.name for p in trained.folder.iterdir()) == names
    assert read_image(trained.folder / "curves.png").ndim == 3
    assert read_image(trained.folder / "before-after.png").ndim == 3


def test_the_log_tells_the_run(trained: Trained) -> None:
    first, *epochs, result = records(trained.folder)
    assert (first["kind"], first["recipe"], first["sigma"], first["seed"]) == ("run", "denoise", 25.0, 0)
    assert len(first["training"]) == 3
    assert len(first["held_out"]) == 1
    assert [epoch["epoch"] for epoch in epochs] == [1, 2]
    for epoch in epochs:
        assert {"loss", "lr", "images_per_second", "seconds", "psnr", "ssim"} <= epoch.keys()
    assert result["kind"] == "result"
    assert result["best Gaussian filter"]["psnr"] > result["noisy"]["psnr"]
    assert result["network"] == {key: epochs[-1][key] for key in ("psnr", "ssim")}


def test_the_output_tells_the_run(trained: Trained) -> None:
    held_out = records(trained.folder)[0]["held_out"][0]
    for words in ("training on 3 pictures", f"held out for measuring: {held_out}", "epoch 1/2", "epoch 2/2", "images/s",
                  "noisy", "best Gaussian filter", "network", "PSNR dB", "SSIM", "model.safetensors"):  # fmt: skip
        assert words in trained.output


def test_noise_has_the_sigma_that_was_asked_for(trained: Trained) -> None:
    noisy = records(trained.folder)[-1]["noisy"]["psnr"]
    assert abs(noisy - 20 * np.log10(255 / 25)) < 0.5  # clipping to [0, 1] takes a little of it away


def test_the_same_seed_gives_the_same_bits_and_another_does_not(
    tilegrad: Tilegrad, trained: Trained, pictures: Path, tmp_path: Path
) -> None:
    again = tilegrad(
        "train", "denoise", "--data", pictures, "--out", "again", *TINY, cwd=tmp_path, NUMBA_NUM_THREADS="1"
    )
    other = tilegrad("train", "denoise", "--data", pictures, "--out", "other", "--seed", "1", *TINY, cwd=tmp_path)
    assert (again.returncode, other.returncode) == (0, 0)
    assert records(tmp_path / "again", timings=False) == records(trained.folder, timings=False)
    for name in ("model.safetensors", "before-after.png", "curves.png"):
        assert (tmp_path / "again" / name).read_bytes() == (trained.folder / name).read_bytes()
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != trained.model.read_bytes()


def test_the_model_file_is_the_network_that_was_measured(trained: Trained, pictures: Path) -> None:
    model = nn.load(trained.model)
    assert model.configuration()["depth"] == 3
    assert model.configuration()["channels"] == 4


@pytest.mark.skipif(os.name != "posix", reason="SIGINT")
def test_ctrl_c_keeps_the_model_and_says_so(pictures: Path, tmp_path: Path) -> None:
    arguments = ["--data", str(pictures), "--out", "run", *TINY, "--epochs", "1000000"]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tilegrad", "train", "denoise", *arguments],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch"):
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.count("\n") == 1
    assert errors.startswith("tilegrad: interrupted after ")
    assert str(Path("run") / "checkpoint.safetensors") in errors
    assert nn.load(tmp_path / "run" / "model.safetensors").configuration()["depth"] == 3
    assert "epoch" in records(tmp_path / "run")[-1]
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "checkpoint.safetensors", "curves.png", "log.jsonl", "model.safetensors"
    ]  # fmt: skip


def test_failures_are_one_line(here: Callable[..., Ended], pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        (["--data", "none"], "none: no such folder"),
        (["--data", "empty"], "empty: holds 0 pictures"),
        (["--data", str(pictures), "--patch", "1000"], "holds 0 pictures of at least 1000 x 1000 pixels"),
        (["--data", str(pictures), "--out", "file/run"], "file/run: cannot make this folder"),
    ):
        done = here("train", "denoise", *TINY, *arguments)
        assert done.returncode == 1
        assert message in done.stderr
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs" / "denoise" / "model.safetensors").exists()


def test_a_training_that_diverges_stops(here: Callable[..., Ended], pictures: Path, tmp_path: Path) -> None:
    done = here("train", "denoise", "--data", pictures, *TINY, "--epochs", "50", "--lr", "1e30")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "a smaller --lr may help" in done.stderr
    for line in (tmp_path / "runs" / "denoise" / "log.jsonl").read_text().splitlines():
        assert "NaN" not in line


def test_weights_that_diverge_in_the_last_step_stop_the_run(
    here: Callable[..., Ended], pictures: Path, tmp_path: Path
) -> None:
    least = ("--epochs", "1", "--steps", "1", "--batch", "1", "--patch", "8", "--depth", "2", "--channels", "1")
    done = here("train", "denoise", "--data", pictures, *least, "--lr", "1e300")
    assert done.returncode == 1
    assert done.stderr == "tilegrad: the network's weights are no longer finite; a smaller --lr may help\n"
    assert not (tmp_path / "runs" / "denoise" / "model.safetensors").exists()


def test_noise_too_small_for_float32_gives_an_infinite_psnr(
    here: Callable[..., Ended], pictures: Path, tmp_path: Path
) -> None:
    done = here("train", "denoise", "--data", pictures, *TINY, "--sigma", "1e-7")
    assert (done.returncode, done.stderr) == (0, "")
    assert "inf  1.0000" in done.stdout
    assert records(tmp_path / "runs" / "denoise")[-1]["noisy"]["psnr"] is None


@pytest.mark.parametrize("name", ["model.safetensors", "log.jsonl", "curves.png", "before-after.png"])
def test_results_that_cannot_be_written_are_found_before_the_training(
    here: Callable[..., Ended], pictures: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "run" / name).mkdir(parents=True)
    done = here("train", "denoise", "--data", pictures, "--out", "run", *TINY)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"tilegrad: {Path('run') / name}: is a folder; name a file\n"


@pytest.mark.slow
def test_a_few_epochs_on_the_photographs_beat_the_best_gaussian_filter(tilegrad: Tilegrad, tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="needs scikit-image")
    done = tilegrad("train", "denoise", "--epochs", "3", cwd=tmp_path, timeout=1200)
    assert done.returncode == 0, done.stderr
    result = records(tmp_path / "runs" / "denoise")[-1]
    # Every default at work but the epochs: all eighteen gain 1.9 dB.
    assert result["network"]["psnr"] > result["best Gaussian filter"]["psnr"] + 1.0
    assert result["network"]["ssim"] > result["best Gaussian filter"]["ssim"] + 0.05
