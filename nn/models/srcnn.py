"""SRCNN: super-resolution by three convolutions."""

from collections.abc import Iterator, Sequence
from typing import Any

from ..modules import Conv2d
from ..tensor import Tensor
from .registry import Model, register_model


@register_model
class SRCNN(Model):
    """NHWC images in and out: sharpens an image that was enlarged by bicubic interpolation.

    Parameters
    ----------
    channels : pair of int
        Features after the first and the second convolution.
    kernel_sizes : triple of int
        Odd sizes; the paper has 9-1-5 and 9-5-5.
    image_channels : int
        1 for luminance alone, as in the paper.
    padding_mode : {"replicate", "reflect", "zeros"}

    Notes
    -----
    Dong, Loy, He, Tang: Image Super-Resolution Using Deep Convolutional Networks, IEEE Transactions on Pattern Analysis
    and Machine Intelligence, 2016.

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.models.SRCNN()(nn.randn((1, 24, 24, 1))).shape
    (1, 24, 24, 1)
    """

    def __init__(
        self,
        channels: Sequence[int] = (64, 32),
        kernel_sizes: Sequence[int] = (9, 1, 5),
        image_channels: int = 1,
        padding_mode: str = "replicate",
    ) -> None:
        if len(channels) != 2 or len(kernel_sizes) != 3 or any(size % 2 == 0 for size in kernel_sizes):
            seen = f"{tuple(channels)} and {tuple(kernel_sizes)}"
            raise ValueError(f"SRCNN: expects two channel counts and three odd kernel sizes but got {seen}")
        self._configuration = {
            "channels": list(channels), "kernel_sizes": list(kernel_sizes), "image_channels": image_channels,
            "padding_mode": padding_mode,
        }  # fmt: skip
        widths = (image_channels, *channels, image_channels)
        layers = [
            Conv2d(widths[i], widths[i + 1], size, padding=size // 2, padding_mode=padding_mode)
            for i, size in enumerate(kernel_sizes)
        ]
        self.conv1, self.conv2, self.conv3 = layers
        self.conv1.activation = self.conv2.activation = "relu"

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(self.conv2(self.conv1(x)))

    def configuration(self) -> dict[str, Any]:
        return dict(self._configuration)

    @classmethod
    def shapes(  # type: ignore[override]  # each model has its own configuration
        cls,
        channels: Sequence[int] = (64, 32),
        kernel_sizes: Sequence[int] = (9, 1, 5),
        image_channels: int = 1,
        padding_mode: str = "replicate",
    ) -> Iterator[tuple[str, tuple[int, ...]]]:
        widths = (image_channels, *channels, image_channels)
        for i, size in enumerate(kernel_sizes):
            yield f"conv{i + 1}.weight", (widths[i + 1], size, size, widths[i])
            yield f"conv{i + 1}.bias", (widths[i + 1],)
