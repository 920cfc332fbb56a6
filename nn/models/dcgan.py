"""DCGAN: a generator of images from random vectors, and the discriminator that it is trained against."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from .. import init
from ..modules import (
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Conv2dBatchNorm,
    ConvTranspose2d,
    ConvTranspose2dBatchNorm,
    Flatten,
    Linear,
    Module,
    Sequential,
    Unflatten,
)
from ..tensor import Tensor
from .registry import Model, register_model

Shapes = Iterator[tuple[str, tuple[int, ...]]]
_SLOPE = 0.2  # of the discriminator's leaky activations


@register_model
class DCGANGenerator(Model):
    """Random vectors (N, latent) in, NHWC images with values in (-1, 1) out.

    Small images grow from a linear layer by two transposed convolutions, those of 64x64 by five.

    Parameters
    ----------
    image_size : {28, 32, 64}
    channels : int
        Features before the last layer; twice as many with every halving of the image.
    image_channels : int
    latent : int
        Length of the random vectors.
    hidden : int
        Features of one more linear layer before all others, for small images; 0 leaves it out. Two convolutions see a
        third of an image at once, so it is this layer that makes the parts fit each other (as in Chen and others:
        InfoGAN, 2016).

    Notes
    -----
    Weights are normal with standard deviation 0.02, as in the paper: Radford, Metz, Chintala: Unsupervised
    Representation Learning with Deep Convolutional Generative Adversarial Networks, ICLR 2016.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.models.DCGANGenerator(channels=8)(nn.randn((2, 100))).shape
    (2, 28, 28, 1)
    """

    def __init__(
        self, image_size: int = 28, channels: int = 64, image_channels: int = 1, latent: int = 100, hidden: int = 0
    ) -> None:
        _check_size("DCGANGenerator", image_size, hidden)
        self._configuration = {
            "image_size": image_size, "channels": channels, "image_channels": image_channels, "latent": latent,
            "hidden": hidden,
        }  # fmt: skip
        if image_size == 64:
            widths = [8 * channels, 4 * channels, 2 * channels, channels]
            layers: list[Module] = [
                Unflatten((1, 1, latent)),
                ConvTranspose2dBatchNorm(latent, widths[0], 4, activation="relu"),
            ]
            last_bias = False
        else:
            side, widths = image_size // 4, [2 * channels, channels]
            features = side * side * widths[0]
            layers = []
            for inputs, outputs in pairwise([latent, *([hidden] if hidden else []), features]):
                layers += [Linear(inputs, outputs, bias=False), BatchNorm1d(outputs, activation="relu")]
            layers.append(Unflatten((side, side, widths[0])))
            last_bias = True
        for i in range(len(widths) - 1):
            layers.append(ConvTranspose2dBatchNorm(widths[i], widths[i + 1], 4, stride=2, padding=1, activation="relu"))
        layers.append(
            ConvTranspose2d(widths[-1], image_channels, 4, stride=2, padding=1, bias=last_bias, activation="tanh")
        )
        self.network = Sequential(*layers)
        _initialise(self)

    def forward(self, z: Tensor) -> Tensor:
        return self.network(z)

    def configuration(self) -> dict[str, Any]:
        return dict(self._configuration)

    @classmethod
    def shapes(  # type: ignore[override]  # each model has its own configuration
        cls, image_size: int = 28, channels: int = 64, image_channels: int = 1, latent: int = 100, hidden: int = 0
    ) -> Shapes:
        _check_size("DCGANGenerator", image_size, hidden)
        if image_size == 64:
            widths, place = [8 * channels, 4 * channels, 2 * channels, channels], 2
            yield from _block("network.1", (latent, 4, 4, widths[0]), widths[0])
        else:
            widths, place = [2 * channels, channels], 5 if hidden else 3
            features = (image_size // 4) ** 2 * widths[0]
            for i, (inputs, outputs) in enumerate(pairwise([latent, *([hidden] if hidden else []), features])):
                yield f"network.{2 * i}.weight", (outputs, inputs)
                yield from _norm(f"network.{2 * i + 1}", outputs)
        for i in range(len(widths) - 1):
            yield from _block(f"network.{place + i}", (widths[i], 4, 4, widths[i + 1]), widths[i + 1])
        last = f"network.{place + len(widths) - 1}"
        yield f"{last}.weight", (channels, 4, 4, image_channels)
        if image_size != 64:
            yield f"{last}.bias", (image_channels,)


@register_model
class DCGANDiscriminator(Model):
    """NHWC images in, one logit (N, 1) each out: large for what it takes to be real.

    Parameters
    ----------
    image_size : {28, 32, 64}
    channels : int
        Features after the first layer; twice as many with every halving of the image.
    image_channels : int
    hidden : int
        Features of a linear layer before the last, for small images; 0 leaves it out. See `DCGANGenerator`.

    Notes
    -----
    As `DCGANGenerator`.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.models.DCGANDiscriminator(channels=8)(nn.randn((2, 28, 28, 1))).shape
    (2, 1)
    """

    def __init__(self, image_size: int = 28, channels: int = 64, image_channels: int = 1, hidden: int = 0) -> None:
        _check_size("DCGANDiscriminator", image_size, hidden)
        self._configuration = {
            "image_size": image_size, "channels": channels, "image_channels": image_channels, "hidden": hidden,
        }  # fmt: skip
        leaky: dict[str, Any] = {"activation": "leaky_relu", "negative_slope": _SLOPE}
        halvings = 4 if image_size == 64 else 2
        layers: list[Module] = [
            Conv2d(image_channels, channels, 4, stride=2, padding=1, bias=image_size != 64, **leaky),
        ]
        layers += [
            Conv2dBatchNorm(channels << i, channels << i + 1, 4, stride=2, padding=1, **leaky)
            for i in range(halvings - 1)
        ]
        width, side = channels << halvings - 1, image_size >> halvings
        if image_size == 64:
            layers += [Conv2d(width, 1, 4, bias=False), Flatten((1, 1, 1))]
        else:
            layers.append(Flatten((side, side, width)))
            if hidden:
                layers += [Linear(side * side * width, hidden, bias=False), BatchNorm1d(hidden, **leaky)]
            layers.append(Linear(hidden or side * side * width, 1))
        self.network = Sequential(*layers)
        _initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)

    def configuration(self) -> dict[str, Any]:
        return dict(self._configuration)

    @classmethod
    def shapes(  # type: ignore[override]  # each model has its own configuration
        cls, image_size: int = 28, channels: int = 64, image_channels: int = 1, hidden: int = 0
    ) -> Shapes:
        _check_size("DCGANDiscriminator", image_size, hidden)
        yield "network.0.weight", (channels, 4, 4, image_channels)
        if image_size != 64:
            yield "network.0.bias", (channels,)
        halvings = 4 if image_size == 64 else 2
        for i in range(halvings - 1):
            yield from _block(f"network.{i + 1}", (channels << i + 1, 4, 4, channels << i), channels << i + 1)
        width, side = channels << halvings - 1, image_size >> halvings
        if image_size == 64:
            yield f"network.{halvings}.weight", (1, 4, 4, width)
        else:
            last, features = halvings + 1, side * side * width
            if hidden:
                yield f"network.{last}.weight", (hidden, features)
                yield from _norm(f"network.{last + 1}", hidden)
                last, features = last + 2, hidden
            yield f"network.{last}.weight", (1, features)
            yield f"network.{last}.bias", (1,)


def _check_size(name: str, image_size: int, hidden: int) -> None:
    if image_size not in (28, 32, 64):
        raise ValueError(f"{name}: image_size expects 28, 32 or 64 but got {image_size}")
    if hidden < 0 or (hidden and image_size == 64):
        raise ValueError(f"{name}: hidden expects 0, or a positive number for images of 28 or 32, but got {hidden}")


def _norm(name: str, channels: int) -> Shapes:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (channels,)


def _block(name: str, weight: tuple[int, ...], channels: int) -> Shapes:
    yield f"{name}.conv.weight", weight
    yield from _norm(f"{name}.norm", channels)


def _initialise(model: Module) -> None:
    """The paper's weights: normal ones around 0, normalisation's around 1."""
    for module in model.modules():
        if isinstance(module, Conv2d | ConvTranspose2d | Linear):
            init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, BatchNorm2d) and module.weight is not None:
            init.normal_(module.weight, 1.0, 0.02)
