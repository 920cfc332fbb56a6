"""Recipes and the restorer with ``--device cuda``, on a GPU or the stand-in; test_recipes_on_cuda.py runs this file."""

import json

import cupy
import numpy as np
import pytest
from gpu import is_stand_in, launching_on
from PIL import Image

from tilegrad import nn
from tilegrad.cli import INTERRUPTED, main

STAND_IN = is_stand_in(cupy)
SMALL = ["--epochs", "2", "--steps", "2", "--batch", "1", "--patch", "8", "--depth", "3", "--channels", "2"]


@pytest.fixture(autouse=True)
def _emulated():
    with launching_on(cupy):
        yield


@pytest.fixture
def pictures(tmp_path):
    draw = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    for number in range(9):
        pixels = draw.integers(0, 256, (16, 16), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{number}.png")
    return tmp_path / "pictures"


def run(command):
    assert main(command) == 0


def losses(folder, name="loss"):
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [line[name] for line in lines if name in line]


def images(folder, count, size):
    draw = np.random.default_rng(0)
    for number in range(count):
        name = folder / f"class-{number % 2}" / f"{number}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw.integers(0, 256, (size, size), np.uint8)).save(name)
    return folder


def test_a_denoiser_trains_on_the_device_as_on_the_cpu_and_restores_there(pictures, tmp_path):
    for device in ("cpu", "cuda"):
        out = tmp_path / device
        main(
            ["train", "denoise", "--data", str(pictures), "--out", str(out), "--device", device, "--batch-norm", *SMALL]
        )
    np.testing.assert_allclose(losses(tmp_path / "cuda"), losses(tmp_path / "cpu"), rtol=1e-4)
    model = str(tmp_path / "cuda" / "model.safetensors")
    for device in ("cpu", "cuda"):
        main(
            ["restore", str(pictures / "0.png"), str(tmp_path / f"{device}.png"), "--model", model, "--device", device]
        )
    here, there = (np.asarray(Image.open(tmp_path / f"{device}.png"), int) for device in ("cpu", "cuda"))
    assert abs(here - there).max() <= 1  # rounding


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(pictures, tmp_path, monkeypatch):
    train = ["train", "denoise", "--data", str(pictures), "--device", "cuda", *SMALL]
    run([*train, "--out", str(tmp_path / "whole")])
    write, written = nn.save_checkpoint, []

    def write_and_stop(*arguments):
        write(*arguments)
        written.append(1)
        if len(written) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(nn, "save_checkpoint", write_and_stop)
    assert main([*train, "--out", str(tmp_path / "stopped")]) == INTERRUPTED
    assert (tmp_path / "stopped" / "checkpoint.safetensors").exists()
    run(["train", "denoise", "--resume", "--out", str(tmp_path / "stopped")])
    assert losses(tmp_path / "stopped") == losses(tmp_path / "whole")
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "stopped")]
    assert models[0] == models[1]


def test_a_gan_trains_on_the_device_as_on_the_cpu(tmp_path):
    small = ["--epochs", "1", "--steps", "3", "--batch", "2", "--channels", "2", "--latent", "4", "--hidden", "4"]
    data = str(images(tmp_path / "images", 6, 28))
    for device in ("cpu", "cuda"):
        where = ["--data", data, "--size", "28", "--out", str(tmp_path / device), "--device", device]
        run(["train", "gan", *where, *small])
    for name in ("discriminator", "generator"):
        np.testing.assert_allclose(losses(tmp_path / "cuda", name), losses(tmp_path / "cpu", name), rtol=1e-4)


def test_a_classifier_trains_on_the_device_as_on_the_cpu(tmp_path):
    data = str(images(tmp_path / "images", 18, 20))
    for device in ("cpu", "cuda"):
        where = ["--data", data, "--size", "20", "--out", str(tmp_path / device), "--device", device]
        run(["train", "classify", *where, "--epochs", "1", "--steps", "3", "--batch", "2", "--channels", "2"])
    np.testing.assert_allclose(losses(tmp_path / "cuda"), losses(tmp_path / "cpu"), rtol=1e-4)
