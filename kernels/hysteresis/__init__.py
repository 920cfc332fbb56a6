"""Hysteresis: weak pixels are kept where a path of weak pixels joins them to a strong one.

    reference.py    the definition: sweeps until nothing changes; compiled as it stands it is "naive"
    flooding.py     maps with a border, flooded by bands of lines; Canny ends with it too
    cpu_flood.py    "flood": copies the classes into such a map and floods it
    cuda_blocks.py  "blocks" on CUDA, with cuda_blocks.cu: tiles of pixels joined by union-find, strong roots first
    cuda_naive.py   "naive" on CUDA: one thread, one pixel, until nothing changes

The result is a matter of which pixels are joined, and so the same for any order and any number of threads.
"""

import numpy as np

from ..operation import Operation, Variant
from . import reference
from .geometry import HysteresisGeometry, hysteresis_geometry
from .reference import NOTHING, STRONG, WEAK

__all__ = ["NOTHING", "STRONG", "WEAK", "hysteresis"]


def _constants(g: HysteresisGeometry) -> tuple[int, ...]:
    return (g.n, *(1, 1, *g.shape)[-3:], g.connectivity)


HYSTERESIS = Operation(
    "hysteresis",
    package=__name__,
    geometry=hysteresis_geometry,
    variants=(
        Variant("flood", "cpu_flood"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
    reference=reference.hysteresis,
    reference_args=_constants,
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(2, 40)], "below": {0: 3}, "integers": "uint8", "axes": 1, "connectivity": 1},
        {"shapes": [(150, 13)], "below": {0: 3}, "integers": "uint8", "connectivity": 1},
        {"shapes": [(2, 9, 130)], "below": {0: 3}, "integers": "uint8"},
        {"shapes": [(70, 4, 5)], "below": {0: 3}, "integers": "uint8", "axes": 3, "connectivity": 3},
    ),
)


def hysteresis(
    x: np.ndarray, *, axes: int = 2, connectivity: int = 2, out: np.ndarray | None = None, variant: str | None = None
) -> np.ndarray:
    """Keep strong pixels, and the weak ones that a path of weak pixels joins to a strong one.

    Parameters
    ----------
    x : (..., [D, [H,]] W) uint8 array
        Classes: 0 nothing, 1 weak, 2 strong.
    axes : {1, 2, 3}
        How many last axes are the image's; those in front count images.
    connectivity : int
        Neighbours differ by one step along at most so many axes: 1 for 4 neighbours in an image, 2 for 8.
    out : bool array of the shape of ``x``, optional
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    bool array of the shape of ``x``

    Raises
    ------
    TypeError, ValueError
        Not uint8, too few axes, a connectivity that does not exist.

    Notes
    -----
    Of volumes on CUDA a flag is read back, until nothing changes.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1, 0, 1, 0], [0, 2, 0, 1], [1, 0, 0, 0]], np.uint8)
    >>> hysteresis(x).astype(int)
    array([[1, 0, 1, 0],
           [0, 1, 0, 1],
           [1, 0, 0, 0]])
    >>> hysteresis(x, connectivity=1).astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 0, 0],
           [0, 0, 0, 0]])
    """
    return HYSTERESIS.run((x,), (axes, connectivity), out, variant)
