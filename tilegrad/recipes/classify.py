"""`tilegrad train classify`: a small convolutional network learns to tell classes of images apart."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import kernels, nn
from .._version import __version__
from ..batches import Ahead, Shuffled
from ..errors import TilegradError
from ..extras import require, require_device
from ..files import check_writable, make_folder
from ..fitting import CHECKPOINT, Fit, compile_kernels
from ..image_sets import ArraySet, ImageSet, Part, image_set
from ..pictures import save_losses, save_mistakes
from ..training import CtrlC, RunLog, cosine, say
from .settings import ClassifySettings

_IMAGES = 1 << 60  # the Philox counter at which the epochs' orders begin; initial weights begin at 0
_HELD_OUT = 1 << 62
_HELD_OUT_SHARE = 8
_MEASURED = 512  # images at once
_SHOWN = 40
_WRITTEN = ("model.safetensors", "curves.png", "mistakes.png", "log.jsonl")

Batch = tuple[np.ndarray, np.ndarray]


class Training:
    """A classifier, its optimiser, and the images that it learns from and is measured on."""

    def __init__(self, settings: ClassifySettings, train: ImageSet, test: ImageSet, batches: Ahead[Batch]) -> None:
        self.settings, self.test, self.batches = settings, test, batches
        self.total = settings.epochs * settings.steps
        nn.manual_seed(settings.seed)
        self.model = nn.models.CNNClassifier(train.shape[0], train.shape[2], len(train.classes), settings.channels)
        self.model.to(settings.device)
        self.optimiser = nn.optim.Adam(self.model.parameters(), lr=settings.lr)
        self._learn = nn.capture(self._learn_from)

    def step(self, number: int) -> dict[str, nn.Tensor]:
        images, labels = (nn.Tensor(array).to(self.settings.device) for array in self.batches.take(number))
        self.model.train()
        self.optimiser.param_groups[0]["lr"] = self._rate(number)
        with kernels.precision(self.settings.precision):
            return self._learn(images, labels)

    def _learn_from(self, images: nn.Tensor, labels: nn.Tensor) -> dict[str, nn.Tensor]:
        self.optimiser.zero_grad()
        loss = nn.functional.cross_entropy(self.model(images), labels)
        loss.backward()
        self.optimiser.step()
        return {"loss": loss.detach()}

    def _rate(self, number: int) -> float:
        return cosine(number, self.total, highest=self.settings.lr, warm_up=self.total // 50)

    def predictions(self, images: ImageSet) -> np.ndarray:
        """The class that each image is taken for."""
        self.model.eval()
        found = []
        with nn.no_grad():
            for first in range(0, len(images), _MEASURED):
                numbers = range(first, min(first + _MEASURED, len(images)))
                batch = nn.Tensor(scaled(images.take(numbers))).to(self.settings.device)
                found.append(self.model(batch).to("cpu").numpy().argmax(axis=1))
        return np.concatenate(found)

    def epoch_ended(self, record: dict[str, Any]) -> dict[str, Any]:
        accuracy = float((self.predictions(self.test) == self.test.labels).mean())
        metadata = {"classes": "\n".join(self.test.classes)}
        nn.save(self.model, Path(self.settings.out) / "model.safetensors", metadata)
        return {"accuracy": accuracy, "lr": self._rate(record["epoch"] * self.settings.steps - 1)}

    def line(self, record: Mapping[str, Any]) -> str:
        epochs = self.settings.epochs
        return (
            f"epoch {record['epoch']:{len(str(epochs))}}/{epochs}  loss {record['loss']:.4f}  "
            f"accuracy {100 * record['accuracy']:.2f} %  {record['images_per_second']:6.0f} images/s  "
            f"({record['seconds']:.1f} s)"
        )

    def state_dict(self) -> dict[str, Any]:
        return {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])


def scaled(images: np.ndarray) -> np.ndarray:
    """uint8 as float32 in [0, 1]."""
    return images.astype(np.float32) / np.float32(255)


def split(settings: ClassifySettings) -> tuple[ImageSet, ImageSet]:
    """Images to learn from and to measure on, both with labels."""
    kind: dict[str, Any] = {"size": settings.size, "channels": 3 if settings.colour else 1}
    train = image_set(settings.data, **kind)
    test = image_set(settings.data, "test", **kind)
    if train is None or train.labels is None or (test is not None and test.labels is None):
        raise TilegradError(f"{settings.data}: has no labels to learn")
    if test is None:
        order = kernels.random_permutation(len(train), seed=settings.seed, counter=_HELD_OUT)
        held_out = max(1, len(train) // _HELD_OUT_SHARE)
        train, test = Part(train, np.sort(order[held_out:])), Part(train, np.sort(order[:held_out]))
    elif test.shape != train.shape:
        raise TilegradError(f"{settings.data}: its test images are {test.shape}, but its training images {train.shape}")
    else:
        name_alike(test, train.classes, settings.data)
    if len(train) < settings.batch:
        raise TilegradError(
            f"{settings.data}: holds {len(train)} images to learn from, fewer than a batch of {settings.batch}"
        )
    if train.shape[0] != train.shape[1] or train.shape[0] < 18:
        raise TilegradError(f"{settings.data}: square images of at least 18 pixels are expected, not {train.shape}")
    return train, test


def rehearse(settings: ClassifySettings, shape: tuple[int, int, int] = (28, 28, 1), classes: int = 10) -> None:
    """Everything that a run computes, once, on images of that shape: what kernels are compiled for."""
    images = ArraySet(np.zeros((_MEASURED, *shape), np.uint8), np.arange(_MEASURED) % classes)
    Shuffled(60000, settings.batch, seed=0).indices(0)
    batch = np.zeros((settings.batch, *shape), np.float32), np.zeros(settings.batch, np.int64)
    with Ahead(lambda number: batch) as batches:
        training = Training(replace(settings, steps=1), images, images, batches)
        training.step(0)
    training.predictions(images)


def name_alike(test: ImageSet, classes: tuple[str, ...], data: str) -> None:
    """Number the classes of the test images as those of the training images of the same names are."""
    unknown = [name for name in test.classes if name not in classes]
    if unknown:
        raise TilegradError(f"{data}: has test images of {unknown[0]}, but no training images of that class")
    numbers = np.array([classes.index(name) for name in test.classes], np.int64)
    test.labels, test.classes = numbers[test.labels], classes


def run(settings: ClassifySettings, *, resume: bool = False) -> float:
    """Train, measure, and leave model.safetensors, curves.png, mistakes.png and log.jsonl in ``settings.out``.

    Parameters
    ----------
    settings : ClassifySettings
    resume : bool
        Go on with the run in ``settings.out`` that was stopped; the result has the same bits.

    Returns
    -------
    float
        The share of the test images that are told right.

    Raises
    ------
    TilegradError
        If images cannot be read, files cannot be written, a package is missing, the training diverges, or there is
        nothing to resume.
    TrainingInterruptedError
        After Ctrl-C; the message names the checkpoint.
    """
    require("matplotlib.figure", "tilegrad train")
    require_device(settings.device)
    folder = make_folder(settings.out)
    for name in (*_WRITTEN, CHECKPOINT):
        check_writable(folder / name)
    train, test = split(settings)
    labels = train.labels
    assert labels is not None
    order = Shuffled(len(train), settings.batch, seed=settings.seed, counter=_IMAGES)
    settings = replace(settings, steps=settings.steps or order.per_epoch)
    chosen = {name: value for name, value in asdict(settings).items() if name not in ("out", "data")}
    facts = {"recipe": "classify", **chosen, "images": train.digest(), "test images": test.digest()}
    say(f"{len(train.classes)} classes; learning from {len(train):,} images, measuring on {len(test):,}")

    compile_kernels(lambda: rehearse(replace(settings, device="cpu"), train.shape, len(train.classes)))

    def batch(number: int) -> Batch:
        numbers = order.indices(number)
        return scaled(train.take(numbers)), labels[numbers]

    with Ahead(batch) as batches, CtrlC() as ctrl_c:
        training = Training(settings, train, test, batches)
        fit = Fit(training, folder, facts, settings)
        if resume:
            fit.resume()
        with RunLog(folder / "log.jsonl") as log:
            log.write({"kind": "run", "tilegrad": __version__, **facts})
            try:
                records = fit.run(log, ctrl_c)
            finally:
                if fit.records:
                    save_losses(folder / "curves.png", fit.records, ("loss", "accuracy"), title="classify")
    found = training.predictions(test)
    wrong = np.flatnonzero(found != test.labels)[:_SHOWN]
    save_mistakes(folder / "mistakes.png", test, wrong, found[wrong])
    (folder / CHECKPOINT).unlink()
    say(f"\nwritten to {folder}: {', '.join(_WRITTEN)}")
    return float(records[-1]["accuracy"])
