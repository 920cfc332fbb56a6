"""The pictures of a Gaussian pyramid: half the size, or twice it, by the binomial weights 1, 4, 6, 4, 1.

reference.py    the definition
cpu_rows.py     "rows": down the columns in vectors, then along two or five numbers of a row
cuda_naive.py   "naive" on CUDA: one thread, one output

Why not a correlation of which every second pixel is kept: three of four of its results would be thrown away, or, to
enlarge, three of four numbers that it adds would be zeros.
"""

import math
from typing import NamedTuple

import numpy as np

from ..correlation.reference import CONSTANT, MIRROR
from ..correlation.reference import MODES as BORDERS
from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["pyramid_down", "pyramid_up"]

SUMS = {"uint8": "uint16", "uint16": "int32", "int16": "int32", "float32": "float32", "float64": "float64"}
"""The types of images, and those in which their sums are made: they hold 255 or 65535 times 256 where they must."""


class Pyramid(NamedTuple):
    """Images (N, H, W, C) and the border around them."""

    n: int
    h: int
    w: int
    c: int
    border: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def whole(self) -> bool:
        """Whether results are rounded."""
        return self.dtype.kind != "f"

    @property
    def bytes_moved(self) -> float:
        """Bytes of both images, each once."""
        return float(self.dtype.itemsize * (self.n * self.h * self.w * self.c + math.prod(self.outputs[0][0])))

    @property
    def flops(self) -> float:
        """Five multiplications and additions down and as many along for each number of the smaller image."""
        return 20.0 * min(self.n * self.h * self.w * self.c, math.prod(self.outputs[0][0]))


def _checked(name: str, x: Spec, border: int, height: int, width: int) -> Pyramid:
    if len(x.shape) != 4:
        raise ValueError(f"{name}: x expects shape (N, H, W, C) but got {x.shape}")
    if x.dtype.name not in SUMS:
        raise TypeError(f"{name}: x expects one of {', '.join(SUMS)} but got {x.dtype}")
    n, h, w, c = x.shape
    return Pyramid(n, h, w, c, border, x.dtype, (((n, height, width, c), x.dtype),))


def _down(x: Spec, border: str) -> Pyramid:
    name = "pyramid_down"
    if not isinstance(border, str) or border not in BORDERS or BORDERS[border] == CONSTANT:
        known = [mode for mode, number in BORDERS.items() if number != CONSTANT]
        raise ValueError(f"{name}: border expects one of {', '.join(map(repr, known))} but got {border!r}")
    h, w = (*x.shape, 0, 0, 0)[1:3]
    return _checked(name, x, BORDERS[border], (h + 1) // 2, (w + 1) // 2)


def _up(x: Spec) -> Pyramid:
    h, w = (*x.shape, 0, 0, 0)[1:3]
    return _checked("pyramid_up", x, MIRROR, 2 * h, 2 * w)


_DOWN = Operation(
    "pyramid_down",
    package=__name__,
    geometry=_down,
    variants=(Variant("rows", "cpu_rows"), Variant("naive", "cuda_naive", device="cuda")),
    reference=reference.pyramid_down,
    reference_args=lambda g: (g.border, g.whole),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1)]},
        {"shapes": [(2, 7, 70, 1)], "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(1, 6, 9, 3)], "border": "reflect"},
        {"shapes": [(1, 3, 12, 2)], "below": {0: 999}, "integers": "int16", "border": "wrap"},
    ),
)
_UP = Operation(
    "pyramid_up",
    package=__name__,
    geometry=_up,
    variants=(
        Variant("rows", "cpu_rows", build="build_up"), Variant("naive", "cuda_naive", device="cuda", build="build_up"),
    ),
    reference=reference.pyramid_up,
    reference_args=lambda g: (g.whole,),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1)]},
        {"shapes": [(2, 4, 40, 1)], "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(1, 3, 5, 3)]},
        {"shapes": [(1, 2, 7, 2)], "below": {0: 999}, "integers": "int16"},
    ),
)  # fmt: skip


def pyramid_down(
    x: np.ndarray, *, border: str = "mirror", out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Images blurred by 1, 4, 6, 4, 1 over 16 along each axis, of which every second pixel is kept.

    Parameters
    ----------
    x : (N, H, W, C) array, uint8, uint16, int16, float32 or float64
    border : str
        What lies outside the image, in `correlate1d`'s names; not "constant".
    out : (N, (H + 1) // 2, (W + 1) // 2, C) array of the image's type, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, (H + 1) // 2, (W + 1) // 2, C) array
        Integers are computed exactly, and halves rounded up.

    Raises
    ------
    ValueError, TypeError
        Another type, number of axes or border.

    Notes
    -----
    Equals ``cv2.pyrDown``, to the bit for integers. Source: P. Burt and E. Adelson, "The Laplacian pyramid as a
    compact image code", 1983.

    Examples
    --------
    >>> import numpy as np
    >>> pyramid_down(np.array([0, 16, 0, 0], np.uint8).reshape(1, 1, 4, 1)).reshape(-1)
    array([8, 4], dtype=uint8)
    """
    return _DOWN.run((x,), (border,), out, variant)


def pyramid_up(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """Images with zeros between their pixels, blurred by 1, 4, 6, 4, 1 over 8 along each axis.

    Parameters
    ----------
    x : (N, H, W, C) array, uint8, uint16, int16, float32 or float64
    out : (N, 2 H, 2 W, C) array of the image's type, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, 2 H, 2 W, C) array
        Integers are computed exactly, and halves rounded up. The image with its zeros is mirrored at its borders.

    Raises
    ------
    ValueError, TypeError
        Another type or number of axes.

    Notes
    -----
    Equals ``cv2.pyrUp``, to the bit for integers.

    Examples
    --------
    >>> import numpy as np
    >>> pyramid_up(np.array([0, 8], np.uint8).reshape(1, 1, 2, 1))[0, 0, :, 0]
    array([2, 4, 7, 8], dtype=uint8)
    """
    return _UP.run((x,), (), out, variant)
