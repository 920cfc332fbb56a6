"""Connected components of images.

    reference.py   the definition: components flooded one by one
    cpu_runs.py    "runs": rows become runs of pixels, and runs that touch are joined

Components are numbered from 1 in the order of their first pixels, row by row.
"""

import numpy as np

from ..operation import Operation, Variant
from . import reference
from .geometry import label_geometry

__all__ = ["label_components"]

LABEL_COMPONENTS = Operation(
    "label_components",
    package=__name__,
    geometry=label_geometry,
    variants=(Variant("runs", "cpu_runs"),),
    reference=reference.label_components,
    reference_args=lambda g: (g.n, g.d, g.h, g.w, g.connectivity, g.background, g.equal),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1)], "below": {0: 2}, "integers": "int8"},
        {"shapes": [(37, 75)], "below": {0: 2}, "integers": "int8", "connectivity": 1},
        {"shapes": [(2, 19, 131)], "below": {0: 3}, "integers": "int8", "background": 2},
        {"shapes": [(5, 6, 70)], "below": {0: 2}, "integers": "int8", "axes": 3, "connectivity": 2},
        {"shapes": [(21, 66)], "below": {0: 2}, "integers": "int8", "equal": False},
    ),
)


def label_components(
    x: np.ndarray,
    *,
    connectivity: int = 2,
    background: int = 0,
    equal: bool = True,
    axes: int = 2,
    label_dtype: str = "int32",
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Number the connected components of each of a batch of images.

    Parameters
    ----------
    x : (..., [D, [H,]] W) array of integers or booleans
        An array that is not C-contiguous is copied first.
    connectivity : int
        Neighbours differ by 1 in at most that many indices: in a plane 1 gives the 4 pixels beside and above, 2 also
        the 4 diagonal ones. At most ``axes``.
    background : int
        Pixels of this value belong to no component. It need not be a value of the array's type.
    equal : bool
        Whether neighbours are connected only if they have the same value; otherwise all that are not background are.
    axes : int
        How many last axes are the image's: 1, 2 or 3.
    label_dtype : {"int32", "int64"}
    out : (labels, counts), optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    labels : array of the shape of ``x``
        0 for the background, else the number of the pixel's component: components count from 1 in the order of their
        first pixels.
    counts : int64 array of the shape of the leading axes
        How many components each image has.

    Raises
    ------
    ValueError, TypeError
        Where shapes, ranges or types do not fit, or an image has 2**31 pixels or more; nothing is computed.

    Notes
    -----
    Equals ``skimage.measure.label``, numbers included. Source of the method: L. He, Y. Chao, K. Suzuki, "A run-based
    two-scan labeling algorithm", 2008.

    Examples
    --------
    >>> import numpy as np
    >>> labels, count = label_components(np.array([[1, 0, 0, 2], [0, 1, 0, 2], [1, 0, 0, 1]]))
    >>> labels
    array([[1, 0, 0, 2],
           [0, 1, 0, 2],
           [1, 0, 0, 3]], dtype=int32)
    >>> int(count)
    3
    """
    return LABEL_COMPONENTS.run((x,), (connectivity, background, equal, axes, label_dtype), out, variant)
