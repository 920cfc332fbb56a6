"""`tilegrad evaluate`, on models small enough to be measured by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import Ended

from tilegrad import filters, nn
from tilegrad.evaluate import Made, accuracy, features, resized
from tilegrad.frechet import frechet_distance
from tilegrad.image_sets import ArraySet
from tilegrad.images import write_image
from tilegrad.protocols import with_noise

pytest.importorskip("PIL", reason="needs pillow")
RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(60, 200, (24, 31)).astype(np.uint8)
COLOUR = RANDOM.integers(60, 200, (20, 22, 3)).astype(np.uint8)


def through(scale: float) -> nn.models.Model:
    """A denoiser that subtracts ``scale`` times its input."""
    model = nn.models.DnCNN(depth=2, channels=2, batch_norm=False)
    for parameter in model.parameters():
        parameter.data[...] = 0
    model.network[0].weight.data[0, 1, 1, 0] = 1.0
    model.network[0].weight.data[1, 1, 1, 0] = -1.0  # relu(x) and relu(-x)
    model.network[1].weight.data[0, 1, 1, :] = [scale, -scale]
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    write_image(tmp_path / "set" / "a.png", GRAY)
    write_image(tmp_path / "set" / "b.png", COLOUR)
    nn.save(through(0.0), tmp_path / "nothing.safetensors")
    nn.save(through(0.5), tmp_path / "half.safetensors")
    return tmp_path


def test_a_restorer_is_measured_picture_by_picture(here: Callable[..., Ended], folder: Path) -> None:
    done = here("evaluate", "half.safetensors", "--data", "set", "--sigma", "15", "--json", "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads((folder / "out.json").read_text())
    assert found["damage"] == "noise, sigma 15"
    expected = []
    for name, picture in {"a.png": GRAY, "b.png": COLOUR}.items():
        clean = picture.astype(np.float32) / np.float32(255)
        noisy = with_noise(clean, 15).damaged
        restored = np.rint(np.clip(noisy - 0.5 * noisy, 0, 1) * 255) / 255
        psnr = float(filters.peak_signal_noise_ratio(clean, restored.astype(np.float32), data_range=1.0))
        assert found["pictures"]["network"][name]["psnr"] == pytest.approx(psnr, abs=2e-3)
        expected.append(found["pictures"]["network"][name]["psnr"])
    assert found["network"]["psnr"] == pytest.approx(np.mean(expected))
    assert f"{np.mean(expected):.2f}" in done.stdout


def test_a_restorer_that_does_nothing_leaves_the_noise(here: Callable[..., Ended], folder: Path) -> None:
    """The noisy picture is measured as it is; the restored one is a picture, and so clipped: that can only help."""
    done = here("evaluate", "nothing.safetensors", "--data", "set", "--json", "out.json")
    assert done.returncode == 0
    found = json.loads((folder / "out.json").read_text())
    assert found["damage"] == "noise, sigma 25"
    assert found["noise, sigma 25"]["psnr"] == pytest.approx(20.17, abs=0.3)
    assert found["network"]["psnr"] == pytest.approx(found["noise, sigma 25"]["psnr"], abs=0.05)


@pytest.mark.parametrize(
    ("option", "named"), [(("--scale", "2"), "bicubic, 1 / 2"), (("--jpeg", "20"), "JPEG, quality 20")]
)
def test_other_damage(here: Callable[..., Ended], folder: Path, option: tuple[str, str], named: str) -> None:
    done = here("evaluate", "nothing.safetensors", "--data", "set", *option, "--json", "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads((folder / "out.json").read_text())
    assert found["damage"] == named
    assert found["network"] == found[named]


def labelled(count: int) -> ArraySet:
    return ArraySet(RANDOM.integers(0, 256, (count, 20, 20), dtype=np.uint8), np.arange(count) % 3)


@pytest.fixture(scope="module")
def classifier() -> nn.models.Model:
    nn.manual_seed(3)
    return nn.models.CNNClassifier(image_size=20, classes=3, channels=4, hidden=5).eval()


def test_a_classifiers_accuracy(here: Callable[..., Ended], classifier: nn.models.Model, tmp_path: Path) -> None:
    images = labelled(600)  # more than one batch
    with nn.no_grad():
        logits = np.asarray(classifier(nn.Tensor(images.images.astype(np.float32) / np.float32(255))))
    expected = float((logits.argmax(axis=1) == images.labels).mean())
    assert accuracy(classifier, images) == expected
    np.savez(tmp_path / "set.npz", images=images.images, labels=images.labels)
    nn.save(classifier, tmp_path / "c.safetensors")
    done = here("evaluate", "c.safetensors", "--data", "set.npz")
    assert (done.returncode, done.stdout) == (0, f"{100 * expected:.2f} % of the test images told right\n")


def test_features_come_before_the_last_layer(classifier: nn.models.Model) -> None:
    images = labelled(7)
    found = features(classifier, images)
    assert found.shape == (7, 5)
    with nn.no_grad():
        logits = np.asarray(classifier(nn.Tensor(images.images.astype(np.float32) / np.float32(255))))
        np.testing.assert_allclose(np.asarray(classifier.network[-1](nn.Tensor(found))), logits, rtol=1e-5, atol=1e-6)


def test_images_of_another_size_are_resized() -> None:
    image = np.zeros((1, 2, 2, 1), np.float32)
    image[0, :, 1] = 1
    np.testing.assert_allclose(resized(image, 4)[0, 0, :, 0] * 255, [0, 64, 191, 255])
    assert resized(image, 2) is image


def test_a_generator_is_measured_in_a_classifiers_features(here: Callable[..., Ended], tmp_path: Path) -> None:
    nn.manual_seed(1)
    generator, lenet = nn.models.DCGANGenerator(28, 2, 1, 5).eval(), nn.models.LeNet5().eval()
    nn.save(generator, tmp_path / "g.safetensors")
    nn.save(lenet, tmp_path / "lenet.safetensors")
    real = ArraySet(RANDOM.integers(0, 256, (90, 28, 28), dtype=np.uint8))
    np.savez(tmp_path / "set.npz", images=real.images)
    ask = ("evaluate", "g.safetensors", "--data", "set.npz", "--count", "120", "--json", "out.json")
    done = here(*ask, "--features", "lenet.safetensors")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads((tmp_path / "out.json").read_text())
    expected = frechet_distance(features(lenet, Made(generator, 120, 0)), features(lenet, real))
    assert found["frechet_distance"] == pytest.approx(expected)
    assert (found["made"], found["real"]) == (120, 90)
    assert here(*ask).stderr.startswith("tilegrad: a generator is measured in the features of a classifier")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("half.safetensors", "--data", "none"), 1, "none: no such folder"),
        (("half.safetensors", "--data", "."), 1, ".: holds no pictures"),
        (("none.safetensors", "--data", "set"), 1, "none.safetensors: no such file"),
        (("half.safetensors", "--data", "set", "--features", "c"), 2, "--features does not go with a restorer"),
        (("half.safetensors", "--data", "set", "--json", "no/out.json"), 1, "no"),
    ],
)
def test_refuses(
    here: Callable[..., Ended], folder: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = here("evaluate", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(f"tilegrad: {message}")
    assert done.stderr.count("\n") == 1
