"""Filters that take one of the numbers under a window: medians, other ranks, minima and maxima.

    reference.py       the numbers under a window, sorted; interpreted, and compiled as it stands ("naive")
    cpu_selection.py   "selection": any rank of any window and type, bit by bit
    tiles.py           tiles of an image with what lies around them

Borders have ``scipy.ndimage``'s names; `tilegrad.kernels.correlation` draws them.

Where a window holds a NaN, the result is NaN, as NumPy's ``min``, ``max`` and ``median`` have it.
"""

from typing import Any

import numpy as np

from ..operation import Operation, Spec, Variant
from . import reference
from .geometry import RankGeometry, check_footprint, filtered

__all__ = ["rank_filter2d"]


def _ranked(x: Spec, footprint: Any, *arguments: Any) -> RankGeometry:
    return filtered("rank_filter2d", x, footprint, *arguments)


RANK_FILTER2D = Operation(
    "rank_filter2d",
    package=__name__,
    geometry=_ranked,
    variants=(
        Variant("network", "cpu_network"),
        Variant("selection", "cpu_selection"),
    ),
    reference=reference.rank_filter,
    reference_args=lambda g: g.constants(),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1, 1, 1)], "footprint": (1, 1), "rank": 0},
    ),
)


def rank_filter2d(
    x: np.ndarray,
    footprint: Any,
    rank: int,
    *,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int | tuple[int, int] = 0,
    out: np.ndarray | None = None,
    variant: str | None = None,
) -> np.ndarray:
    """The number of a given rank among those under a window, for each pixel and channel.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([9, 1, 1, 1, 7, 2], np.uint8).reshape(1, 1, 6, 1)
    >>> rank_filter2d(x, (1, 3), 1).ravel()
    array([9, 1, 1, 1, 2, 2], dtype=uint8)
    """
    args = (check_footprint("rank_filter2d", footprint), rank, mode, cval, origin)
    return RANK_FILTER2D.run((x,), args, out, variant)
