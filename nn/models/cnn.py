"""A small convolutional classifier."""

from collections.abc import Iterator
from typing import Any

from ..modules import Conv2d, Flatten, Linear, MaxPool2d, Sequential
from ..tensor import Tensor
from .registry import Model, register_model


@register_model
class CNNClassifier(Model):
    """NHWC images in, one logit for each class out (N, classes).

    Three 3x3 convolutions without padding, with a maximum over 2x2 pixels behind the first two, and two linear layers.

    Parameters
    ----------
    image_size : int
        Of square images; at least 18.
    image_channels, classes : int
    channels : int
        Features of the first convolution; the others have twice as many.
    hidden : int
        Features between the linear layers.

    Notes
    -----
    Weights start as in PyTorch.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.models.CNNClassifier()(nn.randn((2, 28, 28, 1))).shape
    (2, 10)
    """

    def __init__(
        self, image_size: int = 28, image_channels: int = 1, classes: int = 10, channels: int = 32, hidden: int = 64
    ) -> None:
        side, wide = _last_side(image_size), 2 * channels
        self._configuration = {
            "image_size": image_size, "image_channels": image_channels, "classes": classes, "channels": channels,
            "hidden": hidden,
        }  # fmt: skip
        self.network = Sequential(
            Conv2d(image_channels, channels, 3, activation="relu"),
            MaxPool2d(2),
            Conv2d(channels, wide, 3, activation="relu"),
            MaxPool2d(2),
            Conv2d(wide, wide, 3, activation="relu"),
            Flatten((side, side, wide)),
            Linear(side * side * wide, hidden, activation="relu"),
            Linear(hidden, classes),
        )

    @property
    def image_size(self) -> int:
        return int(self._configuration["image_size"])

    def features(self, x: Tensor) -> Tensor:
        """The numbers before the last layer: (N, hidden)."""
        for layer in list(self.network)[:-1]:
            x = layer(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.network[-1](self.features(x))

    def configuration(self) -> dict[str, Any]:
        return dict(self._configuration)

    @classmethod
    def shapes(  # type: ignore[override]  # each model has its own configuration
        cls, image_size: int = 28, image_channels: int = 1, classes: int = 10, channels: int = 32, hidden: int = 64
    ) -> Iterator[tuple[str, tuple[int, ...]]]:
        side, wide = _last_side(image_size), 2 * channels
        weights = {
            0: (channels, 3, 3, image_channels), 2: (wide, 3, 3, channels), 4: (wide, 3, 3, wide),
            6: (hidden, side * side * wide), 7: (classes, hidden),
        }  # fmt: skip
        for place, shape in weights.items():
            yield f"network.{place}.weight", shape
            yield f"network.{place}.bias", shape[:1]


def _last_side(image_size: int) -> int:
    """Height and width behind the last convolution."""
    if image_size < 18:
        raise ValueError(f"CNNClassifier: image_size expects at least 18 but got {image_size}")
    return ((image_size - 2) // 2 - 2) // 2 - 2
