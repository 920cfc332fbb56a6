"""Kinds of workload that are whole networks: training steps and inference."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from .kinds import Shape, Work


@dataclass(frozen=True, kw_only=True)
class Network(Work):
    """A whole network. What it needs of memory is measured too, where all threads work on it."""

    tolerance: ClassVar[float] = 1e-4
    threads: int | None = None
    """None: as many as the command was given."""
    training: bool = True


@dataclass(frozen=True)
class DnCNN(Network):
    """A whole training step (forward, squared error, backward, Adam), or inference, of a DnCNN.

    Not ``fused``, convolution, batch normalisation and relu are three operations on our side.
    """

    input: tuple[int, int, int, int]
    depth: int = 17
    channels: int = 64
    fused: bool = True

    @property
    def name(self) -> str:
        if self.training:
            return f"dncnn-{self.depth}/training{'' if self.fused else '-unfused'}"
        alone = "" if self.threads is None else f"-{self.threads}-thread"
        return f"dncnn-{self.depth}/inference-{self._size}{alone}"

    @property
    def _size(self) -> str:
        return f"{self.input[2]}x{self.input[1]}"

    @property
    def section(self) -> str:
        what = "training step" if self.training else "inference"
        threads = "" if self.threads is None else f", {self.threads} thread"
        return f"DnCNN with batch normalisation, depth {self.depth}, {self.channels} channels: {what}{threads}"

    @property
    def label(self) -> str:
        size = f"{self.input[0]}x{self._size}" if self.training else self._size
        return size if self.fused else f"{size}, unfused"

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {"x": self.input, "target": self.input} if self.training else {"x": self.input}

    def tiny(self) -> "DnCNN":
        return replace(self, input=(2, 9, 8, 1), depth=4, channels=5)


@dataclass(frozen=True)
class DCGAN(Network):
    """A training step of a DCGAN: one of the discriminator, then one of the generator, with Adam.

    On gray images of 28x28 pixels, or colour images of 64x64, as `nn.models.DCGANGenerator` makes them.
    """

    batch: int = 64
    channels: int = 64
    latent: int = 100
    size: int = 28

    @property
    def colours(self) -> int:
        """Channels of an image."""
        return 3 if self.size == 64 else 1

    @property
    def name(self) -> str:
        return f"dcgan-{self.size}/training"

    @property
    def section(self) -> str:
        image = f"{self.size}x{self.size}"
        return f"DCGAN {image}, {self.channels} channels: a training step of the discriminator, then of the generator"

    @property
    def label(self) -> str:
        return f"batch {self.batch}"

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {"x": (self.batch, self.size, self.size, self.colours), "z": (self.batch, self.latent)}

    def tiny(self) -> "DCGAN":
        return replace(self, batch=3, channels=4, latent=5)


@dataclass(frozen=True)
class CNN(Network):
    """A training step of a classifier of 28x28 images: cross-entropy, Adam."""

    batch: int = 128

    @property
    def name(self) -> str:
        return "cnn-28/training"

    @property
    def section(self) -> str:
        return "CNN 28x28: 3x3 convolutions to 32, 64, 64 channels, two poolings, dense 64 and 10: training step"

    @property
    def label(self) -> str:
        return f"batch {self.batch}"

    @property
    def labels(self) -> np.ndarray:
        """Classes, one for each image."""
        return np.arange(self.batch) % 10

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {"x": (self.batch, 28, 28, 1)}

    def tiny(self) -> "CNN":
        return replace(self, batch=3)
