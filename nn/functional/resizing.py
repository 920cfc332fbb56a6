"""Images of another size: interpolation, and channels that become pixels. All is linear, so gradients close."""

from typing import Any

from ... import kernels
from ..primitive import Array, primitive


@primitive()
def interpolate(
    x: Array,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    antialias: bool = False,
    border: str = "nearest",
) -> Array:
    """NHWC images of another size; otherwise PyTorch's ``interpolate``.

    Parameters
    ----------
    x : (N, H, W, C)
    size : int or (P, Q), optional
    scale_factor : number or (height, width), optional
        P = floor(H * scale_factor), where there is no size; with one, what positions in y are divided by.
    mode : str
        Besides PyTorch's "nearest", "nearest-exact", "bilinear", "bicubic" and "area" those of
        `tilegrad.kernels.interpolate`; its "area" knows fractions of pixels.
    align_corners : bool, optional
        The corner pixels of both images lie on each other, rather than the images' borders.
    antialias : bool
        Where the image becomes smaller, widen the filter to the pixels of the result.
    border : str
        What lies beyond the border, in `tilegrad.kernels.correlate1d`'s names.

    Returns
    -------
    (N, P, Q, C) Tensor

    Examples
    --------
    >>> from tilegrad import nn
    >>> nn.functional.interpolate(nn.randn((1, 8, 8, 3)), scale_factor=2, mode="bilinear").shape
    (1, 16, 16, 3)
    """
    return kernels.interpolate(
        x, size, scale_factor=scale_factor, mode=mode,
        align_corners=bool(align_corners), antialias=antialias, border=border,
    )  # fmt: skip


@primitive()
def interpolate_grad(
    gy: Array,
    input_shape: tuple[int, ...],
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    antialias: bool = False,
    border: str = "nearest",
) -> Array:
    """The gradient of `interpolate` by its input, of shape ``input_shape``."""
    return kernels.interpolate_grad(
        gy, input_shape, size, scale_factor=scale_factor, mode=mode,
        align_corners=bool(align_corners), antialias=antialias, border=border,
    )  # fmt: skip


@primitive()
def pixel_shuffle(x: Array, upscale_factor: int) -> Array:
    """(N, H, W, C * r * r) to (N, H * r, W * r, C), r = ``upscale_factor``, in PyTorch's order of channels.

    Channel ``c * r * r + i * r + j`` becomes pixel (i, j) of a block in channel c.

    >>> from tilegrad import nn
    >>> nn.functional.pixel_shuffle(nn.randn((1, 8, 8, 12)), 2).shape
    (1, 16, 16, 3)
    """
    return kernels.pixel_shuffle(x, upscale_factor)


@primitive()
def pixel_unshuffle(x: Array, downscale_factor: int) -> Array:
    """(N, H * r, W * r, C) to (N, H, W, C * r * r), r = ``downscale_factor``: the inverse of `pixel_shuffle`."""
    return kernels.pixel_unshuffle(x, downscale_factor)


interpolate.gradients(x=lambda gy, x_shape, settings: interpolate_grad(gy, x_shape, **settings))
interpolate_grad.gradients(
    gy=lambda g, settings: interpolate(g, **{name: value for name, value in settings.items() if name != "input_shape"})
)
pixel_shuffle.gradients(x=lambda gy, upscale_factor: pixel_unshuffle(gy, upscale_factor))
pixel_unshuffle.gradients(x=lambda gy, downscale_factor: pixel_shuffle(gy, downscale_factor))
