"""`tilegrad train gan`: a DCGAN learns to make images like those that it is shown.

Two networks train against each other: the discriminator tells real images from made ones, the generator makes such as
the discriminator takes for real (the non-saturating loss). What is kept is the generator with its weights averaged over
many steps, which makes better images than the weights of any one step.

Sources: Goodfellow and others, Generative Adversarial Nets, 2014; Radford, Metz and Chintala, Unsupervised
Representation Learning with Deep Convolutional Generative Adversarial Networks, 2016; for the average: Yazici and
others, The Unusual Effectiveness of Averaging in GAN Training, 2019.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .. import kernels, nn
from .._version import __version__
from ..batches import Ahead, Shuffled
from ..datasets import Patches, photographs
from ..errors import TilegradError
from ..extras import require, require_device
from ..files import check_writable, make_folder
from ..fitting import CHECKPOINT, Fit, compile_kernels
from ..grids import grid, to_bytes
from ..image_sets import image_set
from ..images import write_image
from ..pictures import save_losses
from ..training import CtrlC, RunLog, say
from .settings import GANSettings

# Philox counters at which each use of random numbers begins; none runs into the next. Initial weights begin at 0.
_IMAGES, _VECTORS, _SAMPLES, _CALIBRATION = 1 << 59, 1 << 60, 1 << 61, 1 << 62
_BETAS = (0.5, 0.999)
_SHOWN = 64
_CALIBRATING = 16  # batches from which the averaged generator's running statistics are taken
_TEXTURES = ("brick", "grass", "gravel")
_TEXTURE_STEPS = 200
_COLLAPSED = 0.25  # of the spread that the real images have
_WRITTEN = ("generator.safetensors", "samples.png", "losses.png", "log.jsonl")

bce = nn.functional.binary_cross_entropy_with_logits


class Source(Protocol):
    """Where numbered batches of real images come from, uint8 or float32 in [0, 1]."""

    shape: tuple[int, int, int]
    name: str
    digest: str
    per_epoch: int

    def take(self, number: int) -> np.ndarray:
        """Batch ``number``: (N, H, W, C) float32 in [-1, 1]."""


class Textures:
    """Patches of the textures that scikit-image carries: what there is to learn from without a data set."""

    def __init__(self, settings: GANSettings) -> None:
        pictures = [picture for name, picture in photographs().training.items() if name in _TEXTURES]
        self.patches = Patches(pictures, patch=settings.size, seed=settings.seed, counter=_IMAGES)
        self.batch = settings.batch
        self.shape, self.name, self.per_epoch = (
            (settings.size, settings.size, 1),
            "scikit-image's textures",
            _TEXTURE_STEPS,
        )
        self.digest = "textures"

    def take(self, number: int) -> np.ndarray:
        return self.patches.take(number * self.batch, self.batch) * np.float32(2) - np.float32(1)


class Images:
    """A set of images in an order of its own for each epoch."""

    def __init__(self, settings: GANSettings) -> None:
        assert settings.data is not None
        images = image_set(settings.data, size=settings.size, channels=3 if settings.colour else 1)
        assert images is not None
        if len(images) < settings.batch:
            raise TilegradError(f"{settings.data}: holds {len(images)} images, fewer than a batch of {settings.batch}")
        self.images = images
        self.order = Shuffled(len(images), settings.batch, seed=settings.seed, counter=_IMAGES)
        self.shape, self.per_epoch = images.shape, self.order.per_epoch
        self.name, self.digest = f"{len(images):,} images from {settings.data}", images.digest()

    def take(self, number: int) -> np.ndarray:
        return self.images.take(self.order.indices(number)).astype(np.float32) / np.float32(127.5) - np.float32(1)


class Zeros:
    """Stands in for images while kernels are compiled."""

    def __init__(self, batch: int, shape: tuple[int, int, int]) -> None:
        self.batch, self.shape, self.name, self.digest, self.per_epoch = batch, shape, "zeros", "", 1

    def take(self, number: int) -> np.ndarray:
        return np.zeros((self.batch, *self.shape), np.float32)


class Training:
    """Two networks, their optimisers, and the generator's average."""

    def __init__(self, settings: GANSettings, source: Source, batches: Source | Ahead[np.ndarray]) -> None:
        self.settings, self.batches = settings, batches
        size, channels = source.shape[0], source.shape[2]
        nn.manual_seed(settings.seed)
        hidden = settings.hidden if size < 64 else 0
        self.generator = nn.models.DCGANGenerator(size, settings.channels, channels, settings.latent, hidden)
        self.discriminator = nn.models.DCGANDiscriminator(size, settings.channels, channels, hidden)
        self.generator.to(settings.device)
        self.discriminator.to(settings.device)
        self.optimisers = {
            "generator": nn.optim.Adam(self.generator.parameters(), lr=settings.lr, betas=_BETAS),
            "discriminator": nn.optim.Adam(self.discriminator.parameters(), lr=settings.lr, betas=_BETAS),
        }
        self.average = nn.EMA(self.generator, settings.ema, warm_up=True)
        self._learn = nn.capture(self._learn_from)
        self.real_spread = spread(
            np.concatenate([source.take(number) for number in range(max(1, 256 // settings.batch))])
        )

    def vectors(self, count: int, counter: int) -> nn.Tensor:
        """Random vectors (count, latent) from a place in the stream."""
        vectors = kernels.random_normal((count, self.settings.latent), seed=self.settings.seed, counter=counter)
        return nn.Tensor(vectors).to(self.settings.device)

    def step(self, number: int) -> dict[str, nn.Tensor]:
        """A step of the discriminator on batch ``number`` and on as many made images, then one of the generator."""
        settings = self.settings
        place = _VECTORS + number * kernels.random_blocks(settings.batch * settings.latent, "normal")
        self.generator.train()
        real = nn.Tensor(self.batches.take(number)).to(settings.device)
        with kernels.precision(settings.precision):
            return self._learn(real, self.vectors(settings.batch, place))

    def _learn_from(self, real: nn.Tensor, vectors: nn.Tensor) -> dict[str, nn.Tensor]:
        made = self.generator(vectors)
        optimiser = self.optimisers["discriminator"]
        optimiser.zero_grad()
        loss = bce(self.discriminator(real), 1.0) + bce(self.discriminator(made.detach()), 0.0)
        loss.backward()
        optimiser.step()
        optimiser = self.optimisers["generator"]
        optimiser.zero_grad()
        with frozen(self.discriminator):
            deceived = bce(self.discriminator(made), 1.0)
            deceived.backward()
        optimiser.step()
        self.average.update()
        return {"discriminator": loss.detach(), "generator": deceived.detach()}

    def epoch_ended(self, record: dict[str, Any]) -> dict[str, Any]:
        """Make samples, save the generator, and say where the training goes wrong."""
        folder = Path(self.settings.out)
        with self.averaged():
            samples = self.make(self.vectors(_SHOWN, _SAMPLES))
            nn.save(self.generator, folder / "generator.safetensors")
        if not np.isfinite(samples).all():
            raise TilegradError("the generator's weights are no longer finite; a smaller --lr may help")
        picture = grid(to_bytes(samples))
        make_folder(folder / "samples")
        for path in (folder / "samples.png", folder / "samples" / f"epoch-{record['epoch']:04}.png"):
            write_image(path, picture)
        return {"spread": spread(samples) / self.real_spread}

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside the block the generator is the averaged one, with running statistics of its own, and in evaluation."""
        norms = [module for module in self.generator.modules() if isinstance(module, nn.BatchNorm2d)]
        kept = self.generator.state_dict()
        momenta = [norm.momentum for norm in norms]
        try:
            with self.average.applied(), nn.no_grad():
                self.generator.train()
                blocks = kernels.random_blocks(self.settings.batch * self.settings.latent, "normal")
                for number in range(_CALIBRATING):
                    for norm in norms:
                        norm.momentum = 1 / (number + 1)  # the mean over these batches
                    self.generator(self.vectors(self.settings.batch, _CALIBRATION + number * blocks))
                self.generator.eval()
                yield
        finally:
            for norm, momentum in zip(norms, momenta, strict=True):
                norm.momentum = momentum
            self.generator.load_state_dict(kept)

    def make(self, vectors: nn.Tensor) -> np.ndarray:
        """Images in [-1, 1] of these vectors."""
        with nn.no_grad():
            return self.generator(vectors).to("cpu").numpy()

    def line(self, record: Mapping[str, Any]) -> str:
        epochs = self.settings.epochs
        line = (
            f"epoch {record['epoch']:{len(str(epochs))}}/{epochs}  "
            f"loss of discriminator {record['discriminator']:.3f}, generator {record['generator']:.3f}  "
            f"spread {record['spread']:.2f}  "
            f"{record['images_per_second']:6.0f} images/s  ({record['seconds']:.1f} s)"
        )
        if record["spread"] < _COLLAPSED:
            line += (
                "\n  the samples hardly differ from each other: the generator has collapsed; a smaller --lr may help"
            )
        if record["discriminator"] < 0.01:
            line += "\n  the discriminator is never deceived and teaches nothing: a smaller --lr may help"
        return line

    def state_dict(self) -> dict[str, Any]:
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "average": self.average.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        self.average.load_state_dict(state["average"])


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Inside the block gradients go through the model, and none are computed for its parameters."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in model.parameters():
            parameter.requires_grad_()


def spread(images: np.ndarray) -> float:
    """How much images differ from each other: the standard deviation of a pixel over them, averaged over the pixels.

    >>> spread(np.ones((3, 2, 2, 1))), spread(np.array([0.0, 2.0]).reshape(2, 1, 1, 1))
    (0.0, 1.0)
    """
    return float(images.std(axis=0, dtype=np.float64).mean())


def rehearse(settings: GANSettings, shape: tuple[int, int, int] = (28, 28, 1)) -> None:
    """Everything that a run computes, once, on images of that shape: what kernels are compiled for."""
    zeros = Zeros(settings.batch, shape)
    Patches([np.zeros((64, 64), np.float32)], patch=32, seed=0).take(0, settings.batch)
    Shuffled(60000, settings.batch, seed=0).indices(0)
    training = Training(settings, zeros, zeros)
    training.step(0)
    with training.averaged():
        training.make(training.vectors(_SHOWN, 0))


def run(settings: GANSettings, *, resume: bool = False) -> None:
    """Train, and leave generator.safetensors, samples.png, losses.png, log.jsonl and a folder of samples.

    Parameters
    ----------
    settings : GANSettings
    resume : bool
        Go on with the run in ``settings.out`` that was stopped; the result has the same bits.

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
    source: Source = Textures(settings) if settings.data is None else Images(settings)
    if source.shape[0] != source.shape[1] or source.shape[0] not in (28, 32, 64):
        raise TilegradError(f"{source.name}: images of 28, 32 or 64 pixels squared are expected, not {source.shape}")
    settings = replace(settings, steps=settings.steps or source.per_epoch)
    chosen = {name: value for name, value in asdict(settings).items() if name not in ("out", "data")}
    facts = {"recipe": "gan", **chosen, "images": source.digest}
    say(f"learning from {source.name}, {' x '.join(map(str, source.shape))}")
    compile_kernels(lambda: rehearse(replace(settings, device="cpu"), source.shape))
    with Ahead(source.take) as batches, CtrlC() as ctrl_c:
        training = Training(settings, source, batches)
        fit = Fit(training, folder, facts, settings)
        if resume:
            fit.resume()
        with RunLog(folder / "log.jsonl") as log:
            log.write({"kind": "run", "tilegrad": __version__, **facts})
            try:
                fit.run(log, ctrl_c)
            finally:
                if fit.records:
                    save_losses(folder / "losses.png", fit.records, ("discriminator", "generator"), title="gan")
    (folder / CHECKPOINT).unlink()
    say(f"\nwritten to {folder}: {', '.join(_WRITTEN)} and a picture of each epoch's samples")
