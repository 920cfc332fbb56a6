"""`tilegrad train gan`, `tilegrad train classify` and `tilegrad generate`, on small sets and small networks."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Ended, Tilegrad

from tilegrad import nn
from tilegrad.cli import main
from tilegrad.errors import TilegradError
from tilegrad.generate import generate
from tilegrad.grids import between, grid
from tilegrad.images import read_image
from tilegrad.recipes import classify, gan
from tilegrad.recipes.settings import ClassifySettings, GANSettings

pytest.importorskip("matplotlib", reason="needs matplotlib")
pytest.importorskip("PIL", reason="needs pillow")
GAN = ("--batch", "8", "--channels", "2", "--hidden", "6", "--latent", "5", "--epochs", "2")
CLASSIFY = ("--batch", "8", "--channels", "4", "--epochs", "8", "--lr", "0.01")


def records(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: v for key, v in line.items() if key not in ("seconds", "images_per_second")} for line in lines]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images 28 x 28 of two classes: a bright bar upright, and one that lies."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 72)
    images = random.integers(0, 60, (72, 28, 28))
    for image, label in zip(images, labels, strict=True):
        place = random.integers(8, 16)
        (image if label else image.T)[place : place + 4, 6:22] = 230
    path = tmp_path_factory.mktemp("digits") / "bars.npz"
    np.savez(path, images=images.astype(np.uint8), labels=labels)
    return path


@pytest.fixture(scope="module")
def made(tilegrad: Tilegrad, digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gan")
    done = tilegrad("train", "gan", "--data", digits, "--out", "run", *GAN, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "learning from 72 images" in done.stdout
    return folder / "run"


def test_a_gan_leaves_a_generator_samples_and_a_log(made: Path) -> None:
    names = {"generator.safetensors", "samples.png", "losses.png", "log.jsonl", "samples"}
    assert {p.name for p in made.iterdir()} == names
    assert sorted(p.name for p in (made / "samples").iterdir()) == ["epoch-0001.png", "epoch-0002.png"]
    first, *epochs = records(made)
    assert (first["recipe"], first["steps"]) == ("gan", 9)
    for epoch in epochs:
        assert {"discriminator", "generator", "spread"} <= epoch.keys()
    assert read_image(made / "samples.png").shape == (8 * 30 + 2, 8 * 30 + 2)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_gan_that_was_stopped_goes_on_to_the_same_bits(
    tilegrad: Tilegrad, digits: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    step = gan.Training.step

    def press(self: gan.Training, number: int) -> dict[str, float]:
        if number == 11:
            signal.raise_signal(signal.SIGINT)
        return step(self, number)

    monkeypatch.setattr(gan.Training, "step", press)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "gan", "--data", str(digits), "--out", "run", *GAN]) == 130
    done = tilegrad("train", "gan", "--out", "run", "--resume", cwd=tmp_path, NUMBA_NUM_THREADS=threads)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("generator.safetensors", "samples.png", "losses.png", "samples/epoch-0002.png"):
        assert (tmp_path / "run" / name).read_bytes() == (made / name).read_bytes()
    assert records(tmp_path / "run") == records(made)


def test_samples_are_those_that_generate_makes(here: Callable[..., Ended], made: Path, tmp_path: Path) -> None:
    model = made / "generator.safetensors"
    assert here("generate", "--model", model, "--count", "5", "--out", "five.png").returncode == 0
    assert here("generate", "--model", model, "--count", "3", "--out", "three.png").returncode == 0
    five, three = read_image(tmp_path / "five.png"), read_image(tmp_path / "three.png")
    assert five.shape == (2 * 30 + 2, 3 * 30 + 2)
    np.testing.assert_array_equal(five[:30, :60], three[:30, :60])
    assert here("generate", "--model", model, "--seed", "1", "--count", "3", "--out", "other.png").returncode == 0
    assert (read_image(tmp_path / "other.png") != three).any()

    assert here("generate", "--model", model, "--count", "8", "--interpolate", "4", "--out", "rows.png").returncode == 0
    rows = read_image(tmp_path / "rows.png")
    assert rows.shape == (2 * 30 + 2, 4 * 30 + 2)


def test_an_image_depends_on_its_own_vector_alone(made: Path) -> None:
    model = nn.load(made / "generator.safetensors").eval()
    vectors = np.random.default_rng(0).standard_normal((300, 5), np.float32)
    np.testing.assert_array_equal(generate(model, vectors)[280:], generate(model, vectors[280:]))


def test_the_generator_that_is_saved_is_the_averaged_one(digits: Path, tmp_path: Path) -> None:
    settings = GANSettings(data=str(digits), batch=8, channels=2, latent=5, steps=9, out=str(tmp_path))
    source = gan.Images(settings)
    training = gan.Training(settings, source, source)  # type: ignore[arg-type]  # a source takes batches too
    for number in range(3):
        training.step(number)
    before = training.generator.state_dict()
    with training.averaged():
        inside = training.generator.state_dict()
    after = training.generator.state_dict()
    for name, array in before.items():
        np.testing.assert_array_equal(array, after[name])
    np.testing.assert_array_equal(inside["network.0.weight"], training.average.averages["network.0.weight"])
    assert (inside["network.0.weight"] != before["network.0.weight"]).any()
    assert (inside["network.1.running_mean"] != before["network.1.running_mean"]).any()
    assert all(norm.momentum == 0.1 for norm in training.generator.modules() if isinstance(norm, nn.BatchNorm2d))


def test_collapse_and_a_discriminator_that_has_won_are_said() -> None:
    training = gan.Training.__new__(gan.Training)
    training.settings = GANSettings()
    record = {"epoch": 1, "discriminator": 1.2, "generator": 0.9, "spread": 0.9, "images_per_second": 1, "seconds": 1}
    assert "\n" not in training.line(record)
    assert "the generator has collapsed" in training.line({**record, "spread": 0.1})
    assert "is never deceived" in training.line({**record, "discriminator": 0.001})


def test_textures_are_what_a_gan_learns_from_without_data(here: Callable[..., Ended], tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="needs scikit-image")
    done = here("train", "gan", *GAN, "--steps", "2", "--size", "28")
    assert (done.returncode, done.stderr) == (0, "")
    assert "learning from scikit-image's textures, 28 x 28 x 1" in done.stdout
    assert (tmp_path / "runs" / "gan" / "generator.safetensors").exists()


def test_a_classifier_learns_and_goes_on(
    tilegrad: Tilegrad, digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["train", "classify", "--data", str(digits), *CLASSIFY]
    assert main([*arguments, "--out", "whole"]) == 0
    whole = tmp_path / "whole"
    assert {p.name for p in whole.iterdir()} == {"model.safetensors", "curves.png", "mistakes.png", "log.jsonl"}
    assert records(whole)[-1]["accuracy"] == 1.0
    assert nn.load_file(whole / "model.safetensors")[1]["classes"] == "0\n1"

    step = classify.Training.step

    def press(self: classify.Training, number: int) -> dict[str, float]:
        if number == 9:
            signal.raise_signal(signal.SIGINT)
        return step(self, number)

    monkeypatch.setattr(classify.Training, "step", press)
    assert main([*arguments, "--out", "run"]) == 130
    done = tilegrad("train", "classify", "--out", "run", "--resume", cwd=tmp_path, NUMBA_NUM_THREADS="1")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("model.safetensors", "curves.png", "mistakes.png"):
        assert (tmp_path / "run" / name).read_bytes() == (whole / name).read_bytes()


def test_what_is_held_out_is_not_learnt_from(digits: Path) -> None:
    train, test = classify.split(ClassifySettings(data=str(digits), batch=8))
    assert (len(train), len(test)) == (63, 9)
    everything = np.concatenate([train.take(range(63)), test.take(range(9))])
    assert len({image.tobytes() for image in everything}) == 72


def test_sets_that_will_not_do_are_refused(
    here: Callable[..., Ended], digits: Path, made: Path, tmp_path: Path
) -> None:
    np.savez(tmp_path / "plain.npz", images=np.zeros((100, 28, 28), np.uint8))
    np.savez(tmp_path / "odd.npz", images=np.zeros((100, 20, 22), np.uint8), labels=np.arange(100) % 2)
    nn.save(nn.models.DnCNN(depth=2, channels=1), tmp_path / "dncnn.safetensors")
    for arguments, message in (
        (["train", "classify", "--data", "plain.npz"], "plain.npz: has no labels to learn"),
        (
            ["train", "classify", "--data", "odd.npz", "--batch", "8"],
            "square images of at least 18 pixels are expected",
        ),
        (["train", "classify", "--data", digits], "fewer than a batch of 128"),
        (["train", "gan", "--data", "odd.npz"], "images of 28, 32 or 64 pixels squared are expected, not (20, 22, 1)"),
        (["train", "gan", "--data", digits, "--batch", "73"], "holds 72 images, fewer than a batch of 73"),
        (["train", "gan", "--data", "none"], "none: no such file or folder"),
        (["generate", "--model", "dncnn.safetensors"], "dncnn.safetensors: is a DnCNN, not a generator"),
        (["generate", "--model", "none.safetensors"], "none.safetensors: no such file"),
    ):
        done = here(*arguments)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert message in done.stderr


def test_a_gan_that_diverges_stops(here: Callable[..., Ended], digits: Path) -> None:
    done = here("train", "gan", "--data", digits, *GAN, "--lr", "1e30")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "a smaller --lr may help" in done.stderr


def test_the_way_between_vectors_keeps_their_length() -> None:
    first, last = np.random.default_rng(0).standard_normal((2, 50))
    last *= np.linalg.norm(first) / np.linalg.norm(last)
    way = between(first, last, 7)
    np.testing.assert_allclose(way[[0, -1]], [first, last], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), np.linalg.norm(first))
    np.testing.assert_allclose(between(first, first, 3), [first] * 3)


def test_a_grid_of_colour_images() -> None:
    images = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 3), np.uint8)
    picture = grid(images, 2, margin=1)
    assert picture.shape == (7, 9, 3)
    assert (picture[1, 1, 0], picture[1, 5, 0]) == (0, 1)
    assert (picture[4:6, 1:4] == 2).all()
    assert (picture[4:, 5:] == 255).all()


def test_a_set_smaller_than_a_batch_is_no_source(digits: Path) -> None:
    with pytest.raises(TilegradError, match="fewer than a batch"):
        gan.Images(GANSettings(data=str(digits), batch=100))


def bars(names: str, shade: dict[str, int], folder: Path) -> None:
    from tilegrad.images import write_image

    for name in names:
        (folder / name).mkdir(parents=True)
        for number in range(6):
            write_image(folder / name / f"{number}.png", np.full((18, 18), shade[name] + number, np.uint8))


def test_test_images_are_numbered_by_the_names_of_their_classes(here: Callable[..., Ended], tmp_path: Path) -> None:
    shade = {"a": 0, "b": 120, "c": 240}
    bars("abc", shade, tmp_path / "set" / "train")
    bars("bc", shade, tmp_path / "set" / "test")
    _, test = classify.split(ClassifySettings(data=str(tmp_path / "set"), batch=4, size=18))
    assert (test.classes, test.labels.tolist()) == (("a", "b", "c"), [1] * 6 + [2] * 6)
    done = here("train", "classify", "--data", "set", "--size", "18", *CLASSIFY)
    assert (done.returncode, done.stderr) == (0, "")
    saved = nn.load_file(tmp_path / "runs" / "classify" / "model.safetensors")[1]
    assert saved["classes"] == "a\nb\nc"
    bars("d", {"d": 9}, tmp_path / "set" / "test")
    done = here("train", "classify", "--data", "set", "--size", "18", *CLASSIFY)
    assert done.stderr == "tilegrad: set: has test images of d, but no training images of that class\n"


@pytest.mark.parametrize("labels", [np.arange(64) - 1, np.full(64, 2**64 - 1, np.uint64), np.full(64, 10**7)])
def test_labels_that_number_no_class_are_refused(
    here: Callable[..., Ended], tmp_path: Path, labels: np.ndarray
) -> None:
    np.savez(tmp_path / "set.npz", images=np.zeros((64, 28, 28), np.uint8), labels=labels)
    done = here("train", "classify", "--data", "set.npz", *CLASSIFY)
    assert done.returncode == 1
    assert "labels expects numbers from 0 to 9999" in done.stderr


def test_another_recipes_run_is_not_resumed(
    here: Callable[..., Ended], digits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = classify.Training.step

    def press(self: classify.Training, number: int) -> dict[str, float]:
        if number == 1:
            signal.raise_signal(signal.SIGINT)
        return step(self, number)

    monkeypatch.setattr(classify.Training, "step", press)
    assert here("train", "classify", "--data", digits, "--out", "run", *CLASSIFY).returncode == 130
    done = here("train", "denoise", "--out", "run", "--resume")
    assert done.returncode == 1
    assert done.stderr == f"tilegrad: {Path('run') / 'checkpoint.safetensors'}: is of tilegrad train classify\n"
