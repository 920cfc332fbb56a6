"""The box filter: sums and means of windows, at a cost that hardly depends on their size.

reference.py   the definition
cpu_sums.py    "sums": sums of sums, one row of the result at a time
cuda_naive.py  "naive" on CUDA: one thread, one output
"""

import numpy as np
from numpy.typing import DTypeLike

from ..correlation.window_geometry import type_name
from ..operation import Operation, Variant
from . import reference
from .geometry import box_geometry

__all__ = ["box2d"]

BOX2D = Operation(
    "box2d",
    package=__name__,
    geometry=box_geometry,
    variants=(Variant("sums", "cpu_sums"), Variant("naive", "cuda_naive", device="cuda")),
    reference=reference.box2d,
    reference_args=lambda g: g.constants,
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1)], "size": 1},
        {"shapes": [(2, 13, 17, 3)], "axis": 1, "size": (3, 4), "mode": "mirror", "origin": (1, -1)},
        {"shapes": [(9, 70)], "size": (2, 21), "mode": "wrap", "mean": False},
        {"shapes": [(31, 40)], "size": 11, "mode": "constant", "cval": 2.0},
        {"shapes": [(3, 4)], "size": (7, 18), "mode": "nearest"},
        {"shapes": [(19, 40)], "size": 5, "below": {0: 256}, "integers": "int16"},
    ),
)


def box2d(
    x: np.ndarray,
    size: int | tuple[int, int],
    *,
    axis: int = -2,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    mean: bool = True,
    dtype: DTypeLike | None = None,
    offset: int | None = None,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """The mean, or the sum, of a window around each pixel.

    Parameters
    ----------
    x : array of two axes or more, float32, float64, uint8, uint16 or int16
        Images ``(..., H, W)``, or ``(..., H, W, C)`` with ``axis=-3``.
    size : int or (int, int)
        Height and width of the window; it may exceed the image.
    axis : int
        The axis of H; that of W follows it.
    mode, cval
        What lies outside the image: see `correlate1d`. ``cval`` is one of the image's own values where they are
        integers.
    origin : int or (int, int)
        Pixel ``(R // 2 + origin[0], S // 2 + origin[1])`` of the window is the one that is computed.
    mean : bool
        False gives sums.
    dtype : optional
        The type of the result, that of ``x`` by default. Of floating-point images float32 or float64; of integers any
        of the above or int32, rounded to the nearest, halves to even, and saturated.
    offset : int, optional
        For means of uint8 in uint8, of 2 to 256 pixels: they are ``(sum + offset) // area`` instead, at most 255.
    out : array of the shape of ``x`` and of that type, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    array of the shape of ``x`` and of the type ``dtype``

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges or types do not fit, or sums of integers would not fit 32 bits; nothing is computed.

    Notes
    -----
    Equals ``scipy.ndimage.uniform_filter`` within ``(R + S) * eps`` times the mean of the window's magnitudes: there
    is no subtraction, so a NaN, an infinity or a large number changes exactly the results whose window holds it, and
    others keep their digits. Sums of integers are exact.

    Examples
    --------
    >>> import numpy as np
    >>> box2d(np.array([[0.0, 3, 6, 3]]), (1, 3))
    array([[1., 3., 4., 4.]])
    """
    return BOX2D.run((x,), (size, axis, mode, cval, origin, mean, type_name(dtype), offset), out, variant)
