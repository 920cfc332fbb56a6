"""Images of half the size: each pixel of the result is the mean of a square of 2x2.

reference.py    the definition
cpu_pairs.py    "pairs": neighbouring numbers read as one of twice their width
cuda_vector.py  "vector" on CUDA, with cuda_vector.cu: one thread, 16 bytes of two rows
cuda_naive.py   "naive" on CUDA: one thread, one output

Why not `interpolate`: that computes in floating point, of which a 4K picture of bytes would first have to be made,
with four times its bytes, and filters along one axis after the other. Here every number is read once.
"""

import math
from typing import NamedTuple

import numpy as np

from ..operation import Operation, Spec, Variant
from . import reference

__all__ = ["halve"]

DTYPES = ("uint8", "uint16", "int16", "float32", "float64")


class Halving(NamedTuple):
    """Images (N, 2 P, 2 Q, C)."""

    n: int
    p: int
    q: int
    c: int
    dtype: np.dtype
    outputs: tuple[tuple[tuple[int, ...], np.dtype], ...]

    @property
    def numbers(self) -> int:
        """Of the result."""
        return math.prod(self.outputs[0][0])

    @property
    def whole(self) -> bool:
        """Whether means are rounded."""
        return self.dtype.kind != "f"

    @property
    def bytes_moved(self) -> float:
        """Bytes of both images, each once."""
        return 5.0 * self.dtype.itemsize * self.numbers


def _geometry(x: Spec) -> Halving:
    if len(x.shape) != 4:
        raise ValueError(f"halve: x expects shape (N, H, W, C) but got {x.shape}")
    if x.dtype.name not in DTYPES:
        raise TypeError(f"halve: x expects one of {', '.join(DTYPES)} but got {x.dtype}")
    n, h, w, c = x.shape
    if h % 2 or w % 2:
        raise ValueError(f"halve: x expects even sides but got {h} x {w} (x {x.shape})")
    return Halving(n, h // 2, w // 2, c, x.dtype, (((n, h // 2, w // 2, c), x.dtype),))


HALVE = Operation(
    "halve",
    package=__name__,
    geometry=_geometry,
    variants=(
        Variant("pairs", "cpu_pairs"),
        Variant("vector", "cuda_vector", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    reference=reference.halve,
    reference_args=lambda g: (g.whole,),
    flops=lambda g: 4.0 * g.numbers,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 2, 2, 1)], "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(2, 6, 150, 1)], "below": {0: 65536}, "integers": "uint16"},
        {"shapes": [(1, 4, 14, 3)], "below": {0: 32768}, "integers": "int16"},
        {"shapes": [(2, 4, 70, 1)]},
        {"shapes": [(1, 6, 14, 3)]},
    ),
)


def halve(x: np.ndarray, *, out: np.ndarray | None = None, variant: str | None = None) -> np.ndarray:
    """Images of half the size: means of 2x2 pixels, of integers rounded to the nearest, halves up.

    Parameters
    ----------
    x : (N, H, W, C) array, uint8, uint16, int16, float32 or float64
        H and W are even.
    out : (N, H // 2, W // 2, C) array of the type of ``x``, optional
        Where to write, C-contiguous; shares no memory with ``x``.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    (N, H // 2, W // 2, C) array

    Raises
    ------
    ValueError, TypeError
        Another type or number of axes, an odd side.

    Notes
    -----
    Equals ``cv2.resize`` to half of both sides of 1, 3 or 4 channels with ``INTER_AREA`` and, of uint8, with
    ``INTER_LINEAR``, bit for bit; floating-point images with either of both, within rounding.

    Examples
    --------
    >>> import numpy as np
    >>> halve(np.array([[1, 2, 10, 10], [2, 1, 10, 11]], np.uint8).reshape(1, 2, 4, 1)).reshape(-1)
    array([ 2, 10], dtype=uint8)
    """
    return HALVE.run((x,), (), out, variant)
