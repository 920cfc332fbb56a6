"""Connected components of images.

    reference.py       the definitions: components flooded one by one, and measured pixel by pixel
    cpu_runs.py        "runs": rows become runs of pixels, and runs that touch are joined
    cpu_measures.py    "runs" of the measures
    cuda_blocks.py     "blocks" on CUDA, with cuda_blocks.cu: tiles of pixels joined by union-find, roots numbered
    cuda_naive.py      "naive" on CUDA: indices that fall to the first pixel's; measures by atomic operations

Components are numbered from 1 in the order of their first pixels, row by row.
"""

import numpy as np

from ..operation import Operation, Variant
from . import reference
from .geometry import label_geometry, measure_geometry

__all__ = ["label_components", "measure_components"]

LABEL_COMPONENTS = Operation(
    "label_components",
    package=__name__,
    geometry=label_geometry,
    variants=(
        Variant("runs", "cpu_runs"),
        Variant("blocks", "cuda_blocks", device="cuda"),
        Variant("naive", "cuda_naive", device="cuda"),
    ),
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
MEASURE_COMPONENTS = Operation(
    "measure_components",
    package=__name__,
    geometry=measure_geometry,
    variants=(Variant("runs", "cpu_measures"), Variant("naive", "cuda_naive", device="cuda", build="build_measures")),
    reference=reference.measure_components,
    reference_args=lambda g: (g.n, g.h, g.w, g.components),
    flops=lambda g: g.flops,
    bytes_moved=lambda g: g.bytes_moved,
    cases=(
        {"shapes": [(1, 1)], "below": {0: 1}, "integers": "int32", "components": 2},
        {"shapes": [(2, 19, 31)], "below": {0: 5}, "integers": "int32", "components": 4},
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
    two-scan labeling algorithm", 2008; on CUDA D. Playne, K. Hawick, "A new algorithm for parallel connected-component
    labelling on GPUs", 2018, for one or two axes. Of volumes on CUDA a flag is read back, until nothing changes.

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


def measure_components(
    labels: np.ndarray,
    *,
    components: int,
    out: tuple[np.ndarray, np.ndarray] | None = None,
    variant: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Area, bounding box and sums of the indices of each label, in each of a batch of images.

    Parameters
    ----------
    labels : (..., H, W) array of integers with a sign
        Labels outside ``[0, components)`` are left out.
    components : int
    out : (boxes, sums), optional
        Where to write, C-contiguous.
    variant : str, optional
        The implementation to run; see `tilegrad.kernels.explain`.

    Returns
    -------
    boxes : (..., components, 5) int64 array
        First row, first column, last row, last column, and area. A label that does not occur has area 0 and a box
        from (H, W) to (-1, -1).
    sums : (..., components, 2) int64 array
        Sums of rows and of columns: divided by the area, the centroid.

    Examples
    --------
    >>> import numpy as np
    >>> boxes, sums = measure_components(np.array([[0, 1, 1], [0, 0, 1]]), components=2)
    >>> boxes
    array([[0, 0, 1, 1, 3],
           [0, 1, 1, 2, 3]])
    >>> sums[1] / boxes[1, 4]
    array([0.33333333, 1.66666667])
    """
    return MEASURE_COMPONENTS.run((labels,), (components,), out, variant)
