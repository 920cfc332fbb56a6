"""`tilegrad evaluate MODEL --data ...`: what a trained model is worth, by the protocols of published results.

A restorer is measured on a folder of pictures, each damaged and restored: mean PSNR and SSIM. A classifier is measured
on the test images of a labelled set: the share that it tells right. A generator is measured by the Frechet distance of
the images that it makes from the test images of a set, in the features of a classifier.
"""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import filters, kernels, nn
from .comparison import Scores, mean, table
from .errors import TilegradError, UsageError
from .files import check_writable, replacing
from .frechet import frechet_distance
from .generate import generate
from .image_sets import ImageSet, image_set
from .images import READ_SUFFIXES, read_image, split_alpha, to_float, to_gray
from .protocols import Degraded, at_lower_resolution, through_jpeg, with_noise
from .restore import MEMORY, load_model, restore_array
from .training import progress, say

_BATCH = 512  # small images at once


@dataclass(frozen=True)
class Question:
    """What is asked of a model; what does not concern its kind stays at its default."""

    data: str
    sigma: float | None = None
    scale: int | None = None
    jpeg: int | None = None
    features: str | None = None
    count: int = 10_000
    seed: int = 0
    memory: int = MEMORY
    json: str | None = None


def evaluate(model_file: str | os.PathLike[str], question: Question) -> dict[str, Any]:
    """Measure a model, print the figures, and write them to ``question.json`` where that is given.

    Returns
    -------
    dict
        The figures, as they are written.

    Raises
    ------
    TilegradError
        If a file cannot be read or written, or the model is none of the kinds that can be measured.
    UsageError
        If what is asked does not go with the kind of model.
    """
    if question.json is not None:
        check_writable(question.json)
    model = load_model(model_file)
    if isinstance(model, nn.models.DCGANGenerator):
        _refuse(question, "a generator", "sigma", "scale", "jpeg")
        found = _generator(model, question)
    elif hasattr(model, "features"):
        _refuse(question, "a classifier", "sigma", "scale", "jpeg", "features")
        found = {"accuracy": accuracy(model, _test_images(question.data))}
        say(f"{100 * found['accuracy']:.2f} % of the test images told right")
    elif isinstance(model, nn.models.DCGANDiscriminator):
        raise TilegradError(f"{model_file}: is a DCGANDiscriminator; there is no measure for those")
    else:
        _refuse(question, "a restorer", "features")
        found = _restorer(model, question)
    if question.json is not None:
        facts = {"model": str(model_file), **{name: v for name, v in asdict(question).items() if name != "json"}}
        with replacing(question.json) as temporary:
            temporary.write_text(json.dumps({**facts, **found}, indent=1) + "\n")
    return found


def _refuse(question: Question, kind: str, *options: str) -> None:
    for option in options:
        if getattr(question, option) is not None:
            raise UsageError(f"--{option} does not go with {kind}")


# --- restorers ---


def _restorer(model: Any, question: Question) -> dict[str, Any]:
    damage, named = _damage(question)
    rows: dict[str, dict[str, Scores]] = {named: {}, "network": {}}
    paths = _pictures(question.data)
    for number in progress(range(len(paths)), total=len(paths), label="pictures"):
        degraded = damage(read_image(paths[number]))
        try:
            restored = restore_array(model, degraded.damaged, memory=question.memory)
        except (ValueError, FloatingPointError) as error:
            raise TilegradError(f"{paths[number]}: {error}") from error
        clean = degraded.counted(degraded.clean)
        for label, image in ((named, degraded.damaged), ("network", restored)):
            rows[label][paths[number].name] = _scores(clean, degraded.counted(image))
    for name in rows["network"]:
        cells = "  ".join(f"{label} {row[name].psnr:6.2f} dB {row[name].ssim:.4f}" for label, row in rows.items())
        say(f"{name}  {cells}")
    say("\n" + table({label: {"mean": mean(row.values())} for label, row in rows.items()}))
    return {
        "damage": named,
        **{label: asdict(mean(row.values())) for label, row in rows.items()},
        "pictures": {label: {name: asdict(s) for name, s in row.items()} for label, row in rows.items()},
    }


def _scores(clean: np.ndarray, image: np.ndarray) -> Scores:
    found = filters.psnr_and_ssim(clean, image, data_range=1.0, channel_axis=None if clean.ndim == 2 else -1)
    return Scores(psnr=float(found.psnr), ssim=float(found.ssim))


def _damage(question: Question) -> tuple[Callable[[np.ndarray], Degraded], str]:
    """What is done to a picture as it is read, and the name of the result."""
    asked = [name for name in ("sigma", "scale", "jpeg") if getattr(question, name) is not None]
    if len(asked) > 1:
        raise UsageError(f"--{asked[0]} and --{asked[1]} exclude each other")
    if question.scale is not None:
        scale = question.scale
        return lambda picture: at_lower_resolution(_colours(picture), scale), f"bicubic, 1 / {scale}"
    if question.jpeg is not None:
        quality = question.jpeg
        return lambda picture: through_jpeg(to_gray(picture), quality), f"JPEG, quality {quality}"
    sigma = 25.0 if question.sigma is None else question.sigma
    return lambda picture: with_noise(_colours(picture), sigma), f"noise, sigma {sigma:g}"


def _colours(picture: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3), float32 in [0, 1]; alpha is left out."""
    return to_float(split_alpha(picture)[0])


def _pictures(folder: str) -> list[Path]:
    path = Path(folder)
    if not path.is_dir():
        raise TilegradError(f"{path}: {'is not a folder' if path.exists() else 'no such folder'}")
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in READ_SUFFIXES and p.is_file())
    if not found:
        raise TilegradError(f"{path}: holds no pictures")
    return found


# --- classifiers and generators ---


def _test_images(source: str) -> ImageSet:
    """The test images of a set, or all where it does not tell them apart."""
    images = image_set(source, "test") or image_set(source)
    assert images is not None
    return images


def batches(images: ImageSet, size: int) -> Iterator[np.ndarray]:
    """The images in [0, 1], in order, enlarged or reduced to ``size`` x ``size``: (n, size, size, C) float32."""
    for first in range(0, len(images), _BATCH):
        taken = images.take(range(first, min(first + _BATCH, len(images))))
        yield resized(taken.astype(np.float32) / np.float32(255), size)


def resized(images: np.ndarray, size: int) -> np.ndarray:
    """(N, H, W, C) float32 in [0, 1] at another size, by bilinear interpolation; in steps of 8 bits, like pictures."""
    if images.shape[1:3] == (size, size):
        return images
    found = kernels.interpolate(images, (size, size), mode="bilinear")
    return np.asarray(np.rint(found * np.float32(255)) / np.float32(255))


def accuracy(classifier: Any, images: ImageSet) -> float:
    """The share of the images whose class a classifier tells right."""
    if images.labels is None:
        raise TilegradError("the images have no labels to be told")
    with nn.no_grad():
        found = [np.asarray(classifier(nn.Tensor(b))).argmax(axis=1) for b in batches(images, classifier.image_size)]
    return float((np.concatenate(found) == images.labels).mean())


def features(classifier: Any, images: ImageSet) -> np.ndarray:
    """What a classifier computes of the images before its last layer: (N, D)."""
    with nn.no_grad():
        found = [np.asarray(classifier.features(nn.Tensor(b))) for b in batches(images, classifier.image_size)]
    return np.concatenate(found)


class Made:
    """The images that a generator makes of random vectors, as an image set."""

    def __init__(self, generator: Any, count: int, seed: int) -> None:
        latent = int(generator.configuration()["latent"])
        self.images = generate(generator, kernels.random_normal((count, latent), seed=seed))
        self.shape: tuple[int, int, int] = self.images.shape[1:]
        self.labels: np.ndarray | None = None
        self.classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: Any) -> np.ndarray:
        return self.images[np.asarray(indices)]

    def digest(self) -> str:
        return ""


def _generator(generator: Any, question: Question) -> dict[str, Any]:
    if question.features is None:
        raise UsageError("a generator is measured in the features of a classifier: name its file with --features")
    classifier = load_model(question.features)
    if not hasattr(classifier, "features"):
        raise TilegradError(f"{question.features}: is a {type(classifier).__name__}, not a classifier")
    real = _test_images(question.data)
    made = Made(generator, question.count, question.seed)
    if made.shape[2] != real.shape[2]:
        raise TilegradError(f"{question.data}: has images {real.shape}, but the generator makes {made.shape}")
    distance = frechet_distance(features(classifier, made), features(classifier, real))
    say(f"Frechet distance {distance:.2f}, {len(made):,} images made against {len(real):,} real ones")
    return {"frechet_distance": distance, "made": len(made), "real": len(real)}
