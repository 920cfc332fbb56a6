"""The bilateral filter: a mean of the pixels around each pixel, weighted by their distance in space and in colour.

    reference.py   the loops, interpreted in float64; compiled as they stand they are "naive"
    cpu_tiles.py   "tiles": each pair of pixels weighed once, with a polynomial
    cpu_gather.py  "gather": the gradient by the image
    cuda_naive.py  "naive" on CUDA: both, one thread, one output

Source: C. Tomasi and R. Manduchi, "Bilateral filtering for gray and color images", 1998.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import beside
from ..correlation.reference import MODES
from ..operation import Operation, Variant
from . import reference
from .geometry import BilateralGeometry, bilateral_geometry, bilateral_grad_geometry

__all__ = ["bilateral", "bilateral_grad"]


def _constants(g: BilateralGeometry) -> tuple[Any, ...]:
    return g.shape, g.radius, g.disk, g.city, g.sigma_space, MODES[g.mode], g.cval


_CASES: tuple[dict[str, Any], ...] = (
    {"shapes": [(1, 1, 1, 1)], "sigma_color": 0.3, "sigma_space": 1.0, "radius": 2},
    {"shapes": [(2, 7, 9, 1)], "sigma_color": 0.5, "sigma_space": 2.0, "radius": 2, "mode": "mirror"},
    {"shapes": [(1, 5, 3, 3)], "sigma_color": 0.5, "sigma_space": 2.0, "radius": 4, "window": "square", "mode": "wrap"},
    {"shapes": [(1, 4, 6, 3)], "sigma_color": 0.7, "sigma_space": 1.5, "radius": 2, "distance": "city", "cval": 0.9},
)

BILATERAL = Operation(
    "bilateral",
    package=__name__,
    geometry=bilateral_geometry,
    variants=(Variant("tiles", "cpu_tiles"), Variant("naive", "cuda_naive", device="cuda")),
    reference=reference.bilateral,
    reference_args=lambda g: (*_constants(g), g.dtype.kind == "u"),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(*_CASES, {"shapes": [(1, 40, 600, 1)], "sigma_color": 0.5, "sigma_space": 2.0, "radius": 1}),
)

BILATERAL_GRAD = Operation(
    "bilateral_grad",
    package=__name__,
    geometry=bilateral_grad_geometry,
    variants=(Variant("gather", "cpu_gather"), Variant("naive", "cuda_naive", device="cuda", build="build_grad")),
    reference=reference.bilateral_grad,
    reference_args=_constants,
    flops=lambda g: 4 * g.flops,
    bytes_moved=lambda g: 3.0 / 2 * g.bytes_moved,
    cases=tuple({**case, "shapes": case["shapes"] * 2} for case in _CASES),
)


def bilateral(
    x: np.ndarray,
    *,
    sigma_color: ArrayLike,
    sigma_space: float,
    radius: int,
    window: str = "disk",
    distance: str = "euclidean",
    mode: str = "constant",
    cval: float = 0.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Filter images by distance in space and in colour.

    Parameters
    ----------
    x : (N, H, W, C), float32, float64 or uint8
    sigma_color : float or (N,) array-like, above 0
        Standard deviation, in units of the images, of the Gaussian of distances between colours; one for all images or
        for each its own.
    sigma_space : float, above 0
        Standard deviation, in pixels, of the Gaussian of distances between positions.
    radius : int, from 0 to 1023
        How far the window reaches; it may be farther than the image.
    window : {"disk", "square"}
        Pixels at a distance of at most ``radius``, or a square of ``2 * radius + 1`` pixels.
    distance : {"euclidean", "city"}
        Of colours: the root of the sum of the channels' squared differences, or the sum of their sizes.
    mode, cval
        What lies outside the images, as in `correlate1d`; it takes part like all other pixels.
    out : (N, H, W, C) array, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H, W, C) array of the type of ``x``; bytes are rounded

    Raises
    ------
    TypeError, ValueError
        Where an array or a number does not fit.

    Notes
    -----
    Computed in float32, of float64 images in float64. A pixel whose window holds a NaN is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([10, 12, 11, 200, 202, 201], np.uint8).reshape(1, 1, 6, 1)
    >>> bilateral(x, sigma_color=10, sigma_space=2, radius=2, mode="nearest").reshape(-1)
    array([ 11,  11,  11, 201, 201, 201], dtype=uint8)
    """
    arrays = (x, _sigmas("bilateral", sigma_color, x))
    return BILATERAL.run(arrays, (radius, window, distance, sigma_space, mode, cval), out, variant)


def bilateral_grad(
    gy: np.ndarray,
    x: np.ndarray,
    *,
    sigma_color: ArrayLike,
    sigma_space: float,
    radius: int,
    window: str = "disk",
    distance: str = "euclidean",
    mode: str = "constant",
    cval: float = 0.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Gradient of `bilateral` by its images.

    Parameters
    ----------
    gy : (N, H, W, C), float32 or float64
        Gradient by the output.
    x : (N, H, W, C) array of the type of ``gy``
        The images that were filtered.
    sigma_color, sigma_space, radius, window, distance, mode, cval, variant
        As in `bilateral`.
    out : (N, H, W, C) array, optional
        Where to write, C-contiguous; shares no memory with ``gy`` and ``x``.

    Returns
    -------
    (N, H, W, C) array

    Notes
    -----
    Where two colours agree in a channel, the "city" distance has no derivative by it; 0 is taken.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.ones((1, 1, 3, 1))
    >>> bilateral_grad(np.ones((1, 1, 3, 1)), x, sigma_color=1, sigma_space=1e9, radius=1, mode="wrap").reshape(-1)
    array([1., 1., 1.])
    """
    arrays = (gy, x, _sigmas("bilateral_grad", sigma_color, x))
    return BILATERAL_GRAD.run(arrays, (radius, window, distance, sigma_space, mode, cval), out, variant)


def _sigmas(name: str, sigma_color: ArrayLike, x: Any) -> Any:
    """One colour sigma for each image, beside them."""
    sigmas = np.asarray(sigma_color)
    if sigmas.dtype.kind not in "fiu":
        raise TypeError(f"{name}: sigma_color expects real numbers but got {sigma_color!r}")
    if not np.all(sigmas > 0):
        raise ValueError(f"{name}: sigma_color expects numbers above 0 but got {sigma_color!r}")
    sigmas = sigmas.astype(np.float64, copy=False)
    return beside(x, np.full(getattr(x, "shape", ())[:1], sigmas) if sigmas.ndim == 0 else sigmas)
