"""Canny's edge detector on integers: thin, connected outlines, the same bits everywhere.

    reference.py    the definition in loops; compiled as it stands it is "naive"
    cpu_rows.py     "rows": derivatives, norms, suppression and flood in one walk over the image
    passes.py       its loops, as vector code
    cuda_blocks.py  "blocks" on CUDA, with cuda_blocks.cu: derivatives to classes in one launch, then hysteresis
    cuda_naive.py   one thread, one pixel, each step through memory
    cuda_tiled.py   derivatives and norms in shared memory, and an edge followed through a tile in one launch

The pixels that are edges are `cv2.Canny`'s, bit for bit.
"""

import numpy as np

from ..arrays import beside
from ..operation import Operation, Variant
from . import reference
from .apertures import SLOPE, SMOOTH
from .geometry import CannyGeometry, canny_geometry, check_norm, gradient_geometry, integer_thresholds, is_divided

__all__ = ["canny", "canny_of_gradient"]


def _weights(g: CannyGeometry) -> tuple[np.ndarray, np.ndarray]:
    return np.array(SMOOTH[g.aperture]), np.array(SLOPE[g.aperture])


CANNY = Operation(
    "canny",
    package=__name__,
    geometry=canny_geometry,
    variants=(
        Variant("rows", "cpu_rows"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("tiled", "cuda_tiled", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda", teaching=True),
    ),
    reference=reference.canny,
    reference_args=lambda g: (g.n, g.h, g.w, g.c, *_weights(g), is_divided(g.aperture), g.squared),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1)], "below": {0: 256}, "integers": "uint8", "low": 0, "high": 0},
        {"shapes": [(2, 13, 37, 1)], "below": {0: 256}, "integers": "uint8", "low": 300, "high": 500},
        {"shapes": [(1, 70, 9, 3)], "below": {0: 256}, "integers": "uint8", "low": 250.5, "high": 400, "norm": "l2"},
        {"shapes": [(1, 9, 40, 1)], "below": {0: 256}, "integers": "uint8", "low": 3e3, "high": 5e3, "aperture": 5},
        {"shapes": [(1, 9, 40, 1)], "below": {0: 256}, "integers": "uint8", "low": 5e4, "high": 6e4, "aperture": 7},
    ),
)

CANNY_OF_GRADIENT = Operation(
    "canny_of_gradient",
    package=__name__,
    geometry=gradient_geometry,
    variants=(
        Variant("rows", "cpu_rows"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda", build="build_of_gradient"),
    ),
    reference=reference.canny_of_gradient,
    reference_args=lambda g: (g.n, g.h, g.w, g.squared),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 9, 40), (2, 9, 40)], "below": {0: 300, 1: 300}, "integers": "int16", "low": 200, "high": 400},
        {
            "shapes": [(1, 70, 5), (1, 70, 5)], "below": {0: 30000, 1: 30000}, "integers": "int16",
            "low": 1e4, "high": 3e4, "norm": "l2",
        },
    ),
)  # fmt: skip


def canny(
    x: np.ndarray,
    low: float,
    high: float,
    *,
    aperture: int = 3,
    norm: str = "l1",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Find edges: thin lines along which the gradient is largest.

    Parameters
    ----------
    x : (N, H, W, C) uint8 array
        Of several channels, each pixel's gradient is that of the channel where it is longest.
    low, high : float
        An edge has a pixel whose gradient is longer than ``high``, and its others are longer than ``low``, in units of
        the derivative's weights (a step of 1 has a Sobel gradient of 4 in aperture 3).
    aperture : {3, 5, 7}
        The size of Sobel's derivatives.
    norm : {"l1", "l2"}
        The gradient's length: ``abs(dx) + abs(dy)`` or ``sqrt(dx**2 + dy**2)``.
    out : (N, H, W) uint8 array, optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H, W) uint8 array
        255 on edges, 0 elsewhere.

    Raises
    ------
    TypeError, ValueError
        Not uint8 images, an aperture or norm that does not exist, thresholds that are NaN or in the wrong order.

    Notes
    -----
    Equals ``cv2.Canny`` bit for bit (of an OpenCV that computes apertures 5 and 7 without its vector code, where that
    decides directions in floating point, and thresholds below 2**31, above which its integers overflow). The image is
    continued by its edge and is not smoothed before.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.zeros((1, 4, 6, 1), np.uint8)
    >>> x[:, :, 3:] = 100
    >>> canny(x, 100, 200)[0]
    array([[  0,   0, 255,   0,   0,   0],
           [  0,   0, 255,   0,   0,   0],
           [  0,   0, 255,   0,   0,   0],
           [  0,   0, 255,   0,   0,   0]], dtype=uint8)
    """
    thresholds = integer_thresholds("canny", low, high, check_norm("canny", norm), is_divided(aperture))
    return CANNY.run((x, beside(x, thresholds)), (aperture, norm), out, variant)


def canny_of_gradient(
    dx: np.ndarray,
    dy: np.ndarray,
    low: float,
    high: float,
    *,
    norm: str = "l1",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Find edges, from derivatives along rows and columns: `canny` without its first step.

    Parameters
    ----------
    dx, dy : (N, H, W) int16 arrays
    low, high, norm, out, variant
        As in `canny`; thresholds are in units of the derivatives.

    Returns
    -------
    (N, H, W) uint8 array
        255 on edges, 0 elsewhere.

    Notes
    -----
    Equals ``cv2.Canny`` of ``(dx, dy)`` where its 32-bit integers do not overflow; here nothing does.

    Examples
    --------
    >>> import numpy as np
    >>> dx = np.array([[[0, 3, 9, 4, 0]]], np.int16)
    >>> canny_of_gradient(dx, np.zeros_like(dx), 2, 8)
    array([[[  0,   0, 255,   0,   0]]], dtype=uint8)
    """
    name = "canny_of_gradient"
    thresholds = integer_thresholds(name, low, high, check_norm(name, norm), False)
    return CANNY_OF_GRADIENT.run((dx, dy, beside(dx, thresholds)), (norm,), out, variant)
