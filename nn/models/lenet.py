"""LeNet-5: the classifier of handwritten digits that convolutional networks became known by."""

from collections.abc import Iterator
from typing import Any

from .. import functional
from ..modules import Conv2d, Linear
from ..tensor import Tensor
from .registry import Model, register_model


@register_model
class LeNet5(Model):
    """NHWC images of 32 x 32 pixels in, one logit for each class out (N, classes).

    Three 5x5 convolutions without padding, with a maximum over 2x2 pixels behind the first two, and two linear layers,
    all but the last with relu.

    Parameters
    ----------
    image_channels, classes : int

    Notes
    -----
    LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition, Proceedings of the IEEE,
    1998, whose layers these names are from; with maxima, relu and full connections as it is taught today. Weights start
    as in PyTorch.

    Examples
    --------
    >>> from tilegrad import nn
    >>> model = nn.models.LeNet5()
    >>> model(nn.randn((2, 32, 32, 1))).shape, model.features(nn.randn((2, 32, 32, 1))).shape
    ((2, 10), (2, 84))
    """

    image_size = 32

    def __init__(self, image_channels: int = 1, classes: int = 10) -> None:
        self._configuration = {"image_channels": image_channels, "classes": classes}
        self.c1 = Conv2d(image_channels, 6, 5, activation="relu")
        self.c3 = Conv2d(6, 16, 5, activation="relu")
        self.c5 = Conv2d(16, 120, 5, activation="relu")
        self.f6 = Linear(120, 84, activation="relu")
        self.f7 = Linear(84, classes)

    def features(self, x: Tensor) -> Tensor:
        """The 84 numbers before the last layer."""
        if x.shape[1:3] != (self.image_size, self.image_size):
            raise ValueError(f"LeNet5: x expects images of 32 x 32 pixels but got {x.shape}")
        x = functional.max_pool2d(self.c1(x), 2)
        x = self.c5(functional.max_pool2d(self.c3(x), 2))
        return self.f6(x.reshape(x.shape[0], -1))

    def forward(self, x: Tensor) -> Tensor:
        return self.f7(self.features(x))

    def configuration(self) -> dict[str, Any]:
        return dict(self._configuration)

    @classmethod
    def shapes(  # type: ignore[override]  # each model has its own configuration
        cls, image_channels: int = 1, classes: int = 10
    ) -> Iterator[tuple[str, tuple[int, ...]]]:
        weights = {
            "c1": (6, 5, 5, image_channels), "c3": (16, 5, 5, 6), "c5": (120, 5, 5, 16), "f6": (84, 120),
            "f7": (classes, 84),
        }  # fmt: skip
        for name, shape in weights.items():
            yield f"{name}.weight", shape
            yield f"{name}.bias", shape[:1]
