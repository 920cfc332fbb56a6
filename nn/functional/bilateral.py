"""The bilateral filter, differentiable by the image: a kernel at first order, a composition beyond."""

from typing import Any

from ... import kernels
from ..primitive import Array, primitive
from ..tensor import Tensor
from .padding import pad2d

# The border's name in `pad2d`, and how many pixels less than there are it puts on a side; None: any number.
_PADDINGS: dict[str, tuple[str, int | None]] = {
    "constant": ("constant", None),
    "grid-constant": ("constant", None),
    "nearest": ("replicate", None),
    "reflect": ("symmetric", 0),
    "grid-mirror": ("symmetric", 0),
    "mirror": ("reflect", 1),
    "wrap": ("circular", 0),
    "grid-wrap": ("circular", 0),
}


@primitive()
def bilateral_filter(
    x: Array,
    radius: int,
    sigma_color: float,
    sigma_space: float,
    window: str = "disk",
    distance: str = "euclidean",
    mode: str = "mirror",
    cval: float = 0.0,
) -> Array:
    """Means of the pixels around each pixel of NHWC images, weighted by their distance in space and in colour.

    Parameters
    ----------
    x : (N, H, W, C)
    radius : int
        How far the window reaches; it may be farther than the image.
    sigma_color, sigma_space : float, above 0
        Standard deviations of the Gaussians of distances between colours, in units of x, and between pixels.
    window : {"disk", "square"}
    distance : {"euclidean", "city"}
        Of colours: the root of the sum of squared differences, or the sum of their sizes, which has no derivative
        where two colours agree in a channel; 0 is taken there.
    mode : {"mirror", "reflect", "nearest", "wrap", "constant"}
        What lies outside the images, in ``scipy.ndimage``'s names; ``cval`` is that of "constant".

    Returns
    -------
    (N, H, W, C) Tensor

    Notes
    -----
    The weights depend on the image, so the gradient passes through them too.

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.Tensor([0.0, 0.1, 0.0, 1.0, 0.9, 1.0]).reshape(1, 1, 6, 1)
    >>> nn.functional.bilateral_filter(x, 2, 0.2, 5.0).reshape(-1).numpy().round(2)
    array([0.04, 0.05, 0.03, 0.97, 0.95, 0.96], dtype=float32)
    """
    return kernels.bilateral(
        x,
        sigma_color=sigma_color,
        sigma_space=sigma_space,
        radius=radius,
        window=window,
        distance=distance,
        mode=mode,
        cval=cval,
    )


def _unfused(x: Tensor, radius: int, sigma_color: float, sigma_space: float, window: str, distance: str, mode: str,
             cval: float) -> Tensor:  # fmt: skip
    h, w = x.shape[1:3]
    padded = _continued(x, radius, mode, cval)
    total: Any = 0.0
    sums: Any = 0.0
    for i in range(-radius, radius + 1):
        for j in range(-radius, radius + 1):
            if window == "disk" and i * i + j * j > radius * radius:
                continue
            neighbour = padded[:, radius + i : radius + i + h, radius + j : radius + j + w]
            difference = neighbour - x
            if distance == "city":
                squared = difference.abs().sum(-1, keepdim=True).square()
            else:
                squared = difference.square().sum(-1, keepdim=True)
            exponent = squared * (-0.5 / sigma_color**2) + -0.5 * (i * i + j * j) / sigma_space**2
            weight = exponent.exp()
            total = weight + total
            sums = weight * neighbour + sums
    return sums / total


def _continued(x: Tensor, radius: int, mode: str, cval: float) -> Tensor:
    """The images with so many pixels on each side; where a border repeats, one period at a time."""
    for axis in (1, 2):
        there = 0
        while there < radius:
            name, left_out = _PADDINGS[mode]
            most = radius if left_out is None else x.shape[axis] - left_out
            if most == 0:  # a single pixel, whose mirror image is itself
                name, most = "replicate", radius
            step = min(radius - there, most)
            x = pad2d(x, ((step, step), (0, 0)) if axis == 1 else ((0, 0), (step, step)), name, cval)
            there += step
    return x


def _together(gy, x, settings):
    return {"x": Tensor.wrap(kernels.bilateral_grad(gy.data, x.data, **settings))}


bilateral_filter.gradients(x=None, together=_together, unfused=_unfused)
