"""Inpainting by what surrounds a hole: the smoothest surface through it, or a front that moves into it.

reference.py            biharmonic: the equations, written out and solved by Gauss; "naive" where compiled
equations.py            the same as rows of a sparse matrix
cpu_cholesky.py         "cholesky": each hole's equations factored on their own
cuda_naive.py           "naive" on CUDA: all equations of an image as a band, eliminated by Gauss
marching_reference.py   fast marching, Telea's and OpenCV's after Navier and Stokes; "naive" where compiled
marching_fill.py        the same with a binary heap (marching_front.py), all channels at once, for any device
cpu_heap.py             "heap": on the CPU, one thread, one image
cuda_march.py           "naive" on CUDA: the same
"""

import numpy as np

from ..operation import Operation, Variant
from . import marching_reference, reference
from .geometry import biharmonic_geometry, marching_geometry

__all__ = ["inpaint_biharmonic", "inpaint_marching"]

INPAINT_BIHARMONIC = Operation(
    "inpaint_biharmonic",
    package=__name__,
    geometry=biharmonic_geometry,
    variants=(Variant("cholesky", "cpu_cholesky"), Variant("naive", "cuda_naive", device="cuda")),
    reference=reference.inpaint_biharmonic,
    reference_args=lambda g: (g.n, g.d, g.h, g.w, g.c, g.tension),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 20, 1), (1, 20)], "below": {1: 2}, "integers": "uint8"},
        {"shapes": [(2, 7, 9, 2), (2, 7, 9)], "below": {1: 2}, "integers": "uint8"},
        {"shapes": [(1, 3, 4, 5, 1), (1, 3, 4, 5)], "below": {1: 2}, "integers": "uint8", "tension": 0.5},
    ),
)

INPAINT_MARCHING = Operation(
    "inpaint_marching",
    package=__name__,
    geometry=marching_geometry,
    variants=(Variant("heap", "cpu_heap"), Variant("naive", "cuda_march", device="cuda")),
    reference=marching_reference.inpaint_marching,
    reference_args=lambda g: (g.radius, g.telea, g.levels),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=tuple(
        {"shapes": [shape, shape[:3]], "below": {0: 256, 1: 2}, "integers": "uint8", "radius": radius, "method": method}
        for shape, radius, method in (
            ((1, 1, 9, 1), 3, "telea"),
            ((2, 9, 11, 2), 2, "telea"),
            ((2, 9, 11, 2), 3, "navier-stokes"),
        )
    ),
)


def inpaint_biharmonic(
    x: np.ndarray,
    mask: np.ndarray,
    *,
    tension: float = 0.0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Fill holes with the solution of the biharmonic equation: the surface of least bending through what is known.

    Parameters
    ----------
    x : (N, [D, [H,]] W, C) array, float32 or float64
    mask : (N, [D, [H,]] W) uint8 array
        What is not 0 is a hole; x is not read there.
    tension : float
        At least 0. With some, the surface is also drawn taut: features narrower than ``1 / sqrt(tension)`` pixels bend,
        wider ones stretch, and overshoot less.
    out : array of the shape and type of ``x``, optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape and type of ``x``
        Pixels outside the mask keep their bits.

    Raises
    ------
    ValueError
        An image without any known pixel; shapes that do not fit, a negative tension.
    TypeError
        Other types.

    Notes
    -----
    In a hole ``(L L + tension L) u = 0``, where L is the Laplacian of the grid; at the border the image reflects.
    Solved in float64. A NaN beside a hole makes NaN of that hole and of no other. On CUDA the host reads the mask
    back, and the equations of an image are solved as a band: holes that are wide in both directions take much memory.

    With ``tension=0`` equal to ``skimage.restoration.inpaint_biharmonic`` within rounding, but for the clipping there.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([0.0, 1, 4, 0, 16, 25, 36]).reshape(1, 7, 1)
    >>> inpaint_biharmonic(x, np.array([[0, 0, 0, 1, 0, 0, 0]], np.uint8)).ravel()
    array([ 0.,  1.,  4.,  9., 16., 25., 36.])
    """
    return INPAINT_BIHARMONIC.run((x, mask), (tension,), out, variant)


def inpaint_marching(
    x: np.ndarray,
    mask: np.ndarray,
    *,
    radius: int,
    method: str = "telea",
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """Fill holes from their rim inwards, each pixel from the known ones within a radius.

    Parameters
    ----------
    x : (N, H, W, C) array, uint8, uint16, float32 or float64
    mask : (N, H, W) uint8 array
        What is not 0 is a hole. Only where a hole touches the image's border do gradients take in, as OpenCV's do,
        values of x inside it; NaN there spreads.
    radius : int
        In [1, 100], in pixels.
    method : {"telea", "navier-stokes"}
    out : array of the shape and type of ``x``, optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape and type of ``x``
        Pixels outside the mask keep their bits, and so does an image without any known pixel.

    Raises
    ------
    ValueError, TypeError
        Shapes, types or arguments that do not fit.

    Notes
    -----
    Equals ``cv2.inpaint`` of OpenCV 5.0 bit for bit where that takes the image and it has two rows and columns or more;
    channels have the weights of places in common. float64 images are computed in float64. A NaN reaches what is filled
    from it. On CUDA one thread fills an image, and the bits are those of the CPU.

    Source: A. Telea, "An image inpainting technique based on the fast marching method", 2004; M. Bertalmio, A. L.
    Bertozzi and G. Sapiro, "Navier-Stokes, fluid dynamics, and image and video inpainting", 2001.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.full((1, 5, 5, 1), 80, np.uint8)
    >>> mask = np.zeros((1, 5, 5), np.uint8)
    >>> mask[0, 1:4, 1:4] = 1
    >>> np.unique(inpaint_marching(np.where(mask[..., None], 0, x).astype(np.uint8), mask, radius=2)).tolist()
    [80, 81, 82]
    """
    return INPAINT_MARCHING.run((x, mask), (radius, method), out, variant)
