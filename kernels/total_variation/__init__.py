"""Denoising by total variation: the image that is near the given one and whose gradient is short in sum.

    reference.py   the loops, interpreted in float64; compiled as they stand they are "naive"
    cpu_bands.py   "bands": a step of the iteration in one walk over the image
    cuda_naive.py  "naive" on CUDA: one thread, one pixel, and four launches a step

Source: L. Rudin, S. Osher and E. Fatemi, "Nonlinear total variation based noise removal algorithms", 1992;
A. Chambolle, "An algorithm for total variation minimization and applications", 2004.
"""

import numpy as np

from ..operation import Operation, Variant
from . import reference
from .geometry import variation_geometry

__all__ = ["total_variation"]

TOTAL_VARIATION = Operation(
    "total_variation",
    package=__name__,
    geometry=variation_geometry,
    variants=(Variant("bands", "cpu_bands"), Variant("naive", "cuda_naive", device="cuda")),
    reference=reference.total_variation,
    reference_args=lambda g: (g.planes, g.h, g.w, g.weight, g.eps, g.steps),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1)], "weight": 0.1},
        {"shapes": [(2, 19, 21)], "weight": 0.2, "eps": 1e-3},
        {"shapes": [(40, 3)], "weight": 0.5, "eps": 0.0, "steps": 7},
        {"shapes": [(1, 30)], "weight": 0.1, "steps": 1},
    ),
)


def total_variation(
    x: np.ndarray,
    *,
    weight: float,
    eps: float = 2e-4,
    steps: int = 200,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Denoise images by total variation.

    Parameters
    ----------
    x : (..., H, W), float32 or float64
        Each image is denoised on its own.
    weight : float, above 0
        How much the gradient's length counts against the distance from the image; in units of the image.
    eps : float, at least 0
        An image is done where a step changes its energy by less than ``eps`` times its first energy.
    steps : int
        How many steps there are at most, of which the first gives the image itself.
    out : (..., H, W) array, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (..., H, W) array of the type of ``x``

    Raises
    ------
    TypeError, ValueError
        Where an array or a number does not fit.

    Notes
    -----
    An image with a NaN or an infinity never stops early, and NaN spreads by a pixel with each step.

    Source: A. Chambolle, "An algorithm for total variation minimization and applications", 2004.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0, 0.1, 0.0, 1.0, 0.9, 1.0]])
    >>> total_variation(x, weight=0.1, eps=0.0, steps=1000).round(2)
    array([[0.07, 0.07, 0.07, 0.93, 0.93, 0.93]])
    """
    return TOTAL_VARIATION.run((x,), (weight, eps, steps), out, variant)
