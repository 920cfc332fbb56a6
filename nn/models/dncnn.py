"""DnCNN: a deep residual denoiser."""

from collections.abc import Iterator
from typing import Any

from .. import init
from ..modules import Conv2d, Conv2dBatchNorm, Sequential
from ..tensor import Tensor
from .registry import Model, register_model


@register_model
class DnCNN(Model):
    """NHWC images in and out: a network of 3x3 convolutions predicts the noise, which is subtracted from the input.

    Parameters
    ----------
    depth : int
        Convolutions: the paper's 17 for one noise level, 20 for blind denoising.
    channels : int
        Features between them.
    image_channels : int
        1 for gray images, 3 for colour.
    batch_norm : bool
        Normalise between the first and the last convolution.

    Notes
    -----
    Zhang, Zuo, Chen, Meng, Zhang: Beyond a Gaussian Denoiser, IEEE Transactions on Image Processing, 2017.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.models.DnCNN(depth=4, channels=8)(nn.randn((1, 16, 16, 1))).shape
    (1, 16, 16, 1)
    """

    def __init__(self, depth: int = 17, channels: int = 64, image_channels: int = 1, batch_norm: bool = True) -> None:
        _check_depth(depth)
        self._configuration = {
            "depth": depth, "channels": channels, "image_channels": image_channels, "batch_norm": batch_norm,
        }  # fmt: skip
        block = Conv2dBatchNorm if batch_norm else Conv2d
        self.network = Sequential(
            Conv2d(image_channels, channels, 3, padding=1, activation="relu"),
            *(block(channels, channels, 3, padding=1, activation="relu") for _ in range(depth - 2)),
            Conv2d(channels, image_channels, 3, padding=1),
        )
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x - self.network(x)

    def configuration(self) -> dict[str, Any]:
        return dict(self._configuration)

    @classmethod
    def shapes(  # type: ignore[override]  # each model has its own configuration
        cls, depth: int = 17, channels: int = 64, image_channels: int = 1, batch_norm: bool = True
    ) -> Iterator[tuple[str, tuple[int, ...]]]:
        _check_depth(depth)
        for layer in range(depth):
            inputs = image_channels if layer == 0 else channels
            outputs = image_channels if layer == depth - 1 else channels
            if batch_norm and 0 < layer < depth - 1:
                yield f"network.{layer}.conv.weight", (outputs, 3, 3, inputs)
                for name in ("weight", "bias", "running_mean", "running_var"):
                    yield f"network.{layer}.norm.{name}", (outputs,)
            else:
                yield f"network.{layer}.weight", (outputs, 3, 3, inputs)
                yield f"network.{layer}.bias", (outputs,)


def _check_depth(depth: int) -> None:
    if depth < 2:
        raise ValueError(f"DnCNN: depth expects at least 2 but got {depth}")
