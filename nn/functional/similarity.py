"""How similar two images look, to be trained for: structural similarity, at one scale and at several.

The kernel that compares the images computes, along with each pixel's similarity, the three numbers that its gradient is
made of; backward is then one blur and a few products. The same similarity composed of primitives (``unfused``) has
gradients of any order.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import kernels
from ...kernels.arrays import beside
from ..primitive import Array, primitive
from ..tensor import Tensor
from .arithmetic import maximum, pow, square
from .convolution import conv2d
from .padding import pad2d
from .pooling import avg_pool2d
from .shape import mean, permute, reshape

_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_NO_LUMINANCE = 1e30  # as c1, it makes the quotient of the means 1 in float32 too


@primitive()
def similarity_of_planes(
    x: Array, y: Array, weights: Array, c1: float, c2: float, margin: int, *, recorded: bool = False
) -> Array:
    """Mean similarity (M,) of images (M, H, W), over the pixels that lie ``margin`` from the border."""
    # The second image is the one whose gradient the kernel's terms make.
    means, maps, _ = kernels.structural_similarity(
        y, x, weights, c1=c1, c2=c2, margin=margin, maps=4 if recorded else 0
    )
    return means.astype(x.dtype), {"terms": maps[1:] if recorded else None}


def _gradient(gy: Array, x: Array, y: Array, terms: Array, weights: Array, margin: int) -> Array:
    """Gradient by x of ``gy`` times the mean: the terms of the pixels that count, blurred, times y, x and 1."""
    _, h, w = x.shape
    inside = np.zeros((h, w))
    inside[margin : h - margin, margin : w - margin] = 2.0 / ((h - 2 * margin) * (w - 2 * margin))
    blurred = kernels.correlate_separable2d(terms * beside(x, inside), weights, weights, mode="reflect")
    gradient = blurred[0] * y + blurred[1] * x + blurred[2]
    return (gy[:, None, None] * gradient).astype(x.dtype)


def _together(gy, x, y, weights, terms, c1, c2, margin, wants):
    found = {}
    if "x" in wants:
        found["x"] = Tensor.wrap(_gradient(gy.data, x.data, y.data, terms, weights, margin))
    if "y" in wants:
        other = kernels.structural_similarity(x.data, y.data, weights, c1=c1, c2=c2, margin=margin, maps=4)[1][1:]
        found["y"] = Tensor.wrap(_gradient(gy.data, y.data, x.data, other, weights, margin))
    return found


def _composed(x: Tensor, y: Tensor, weights: Any, c1: float, c2: float, margin: int) -> Tensor:
    """`similarity_of_planes`, composed of primitives."""
    taps = np.asarray(weights)
    window = beside(x.data, np.multiply.outer(taps, taps).astype(x.dtype).reshape(1, taps.size, taps.size, 1))

    def blurred(planes: Tensor) -> Tensor:
        images = reshape(planes, (*planes.shape, 1))
        return conv2d(pad2d(images, taps.size // 2, "symmetric"), Tensor.wrap(window))

    mx, my = blurred(x), blurred(y)
    vx, vy = blurred(square(x)) - square(mx), blurred(square(y)) - square(my)
    vxy = blurred(x * y) - mx * my
    s = (2 * mx * my + c1) * (2 * vxy + c2) / ((square(mx) + square(my) + c1) * (vx + vy + c2))
    _, h, w, _ = s.shape
    return mean(s[:, margin : h - margin, margin : w - margin], (1, 2, 3))


similarity_of_planes.gradients(x=None, y=None, together=_together, unfused=_composed)


def structural_similarity(
    x: Any,
    target: Any,
    data_range: float = 1.0,
    win_size: int = 11,
    sigma: float | None = 1.5,
    K1: float = 0.01,
    K2: float = 0.03,
    reduction: str = "mean",
) -> Tensor:
    """Mean structural similarity of NHWC images: 1 where they are equal. (A loss is 1 minus that.)

    Parameters
    ----------
    x, target : (N, H, W, C)
        Of one shape; the gradient is that by either.
    data_range : float
        The distance between the least and the largest value that images may have.
    win_size : int
        Side of the window, odd, and at most that of the images.
    sigma : float, optional
        Standard deviation of the Gaussian window; None makes it uniform.
    K1, K2 : float
        Parameters of the method.
    reduction : {"mean", "none"}
        The mean over images and channels, or each: (N, C).

    Returns
    -------
    Tensor

    Notes
    -----
    The mean is taken over the windows that lie inside the image: ``filters.structural_similarity`` with
    ``use_sample_covariance=False``. Inside, numbers are float64.

    Source: Z. Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004;
    A. N. Avanaki, "Exact global histogram specification optimized for structural similarity", 2009.

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.rand((2, 16, 16, 3))
    >>> round(nn.functional.structural_similarity(x, x).item(), 6)
    1.0
    """
    name = "structural_similarity"
    weights = _window(name, win_size, sigma)
    planes = _planes(name, x, target, win_size, reduction)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    return _reduced(similarity_of_planes(*planes, weights, c1, c2, weights.size // 2), x.shape, reduction)


def multiscale_structural_similarity(
    x: Any,
    target: Any,
    data_range: float = 1.0,
    weights: Sequence[float] = _SCALES,
    sigma: float = 1.5,
    K1: float = 0.01,
    K2: float = 0.03,
    reduction: str = "mean",
) -> Tensor:
    """Structural similarity of NHWC images at several scales, which are halved from one to the next.

    Parameters
    ----------
    x, target, data_range, K1, K2, reduction
        As in `structural_similarity`.
    weights : sequence of floats
        The exponent of each scale.
    sigma : float
        Of a window of 11 pixels.

    Returns
    -------
    Tensor

    Notes
    -----
    ``filters.multiscale_structural_similarity``, whose notes hold. Where a mean is 0 or less, its gradient is 0.

    Source: Z. Wang, E. Simoncelli and A. Bovik, "Multi-scale structural similarity for image quality assessment", 2003.

    Examples
    --------
    >>> from tilegrad import nn
    >>> x = nn.rand((1, 32, 32, 1))
    >>> round(nn.functional.multiscale_structural_similarity(x, x, weights=(0.5, 0.5)).item(), 6)
    1.0
    """
    name = "multiscale_structural_similarity"
    window = _window(name, 11, sigma)
    a, b = _planes(name, x, target, (window.size - 1) * 2 ** (len(weights) - 1) + 1, reduction)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    result: Any = 1.0
    for scale, power in enumerate(weights):
        last = scale == len(weights) - 1
        means = similarity_of_planes(a, b, window, c1 if last else _NO_LUMINANCE, c2, window.size // 2)
        result = result * pow(maximum(means, 1e-30), power)
        if not last:
            a, b = _halved(a), _halved(b)
    return _reduced(result, x.shape, reduction)


def _window(name: str, win_size: Any, sigma: float | None) -> np.ndarray:
    """The weights along an axis."""
    if isinstance(win_size, bool) or not isinstance(win_size, int | np.integer) or win_size < 1 or win_size % 2 == 0:
        raise ValueError(f"{name}: win_size expects a positive odd integer but got {win_size!r}")
    offsets = np.arange(-(win_size // 2), win_size // 2 + 1)
    weights = np.ones(win_size) if sigma is None else np.exp(-0.5 * (offsets / sigma) ** 2)
    return weights / weights.sum()


def _planes(name: str, x: Any, target: Any, least: int, reduction: Any) -> tuple[Any, Any]:
    """Both images as (N * C, H, W)."""
    if reduction not in ("mean", "none"):
        raise ValueError(f"{name}: reduction expects 'mean' or 'none' but got {reduction!r}")
    if x.shape != target.shape or len(x.shape) != 4:
        raise ValueError(f"{name}: x and target expect one shape (N, H, W, C) but got {x.shape} and {target.shape}")
    n, h, w, c = x.shape
    if min(h, w) < least:
        raise ValueError(f"{name}: x expects at least {least} pixels on each side but got shape {x.shape}")
    x, target = (reshape(permute(image, (0, 3, 1, 2)), (n * c, h, w)) for image in (x, target))
    return x, target


def _halved(planes: Any) -> Any:
    m, h, w = planes.shape
    images = reshape(planes, (m, h, w, 1))
    if h % 2 or w % 2:
        images = pad2d(images, ((0, h % 2), (0, w % 2)), "replicate")
    return reshape(avg_pool2d(images, 2), (m, (h + 1) // 2, (w + 1) // 2))


def _reduced(similarity: Tensor, shape: tuple[int, ...], reduction: str) -> Tensor:
    return mean(similarity) if reduction == "mean" else reshape(similarity, (shape[0], shape[3]))
