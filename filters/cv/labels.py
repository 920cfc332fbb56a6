"""Connected components and distances under OpenCV's names."""

from typing import Any

import numpy as np

from ... import kernels
from ...kernels.arrays import to_device
from ..images import check_out, delivered, of_each
from .histogram import check_plane

CC_STAT_LEFT, CC_STAT_TOP, CC_STAT_WIDTH, CC_STAT_HEIGHT, CC_STAT_AREA = range(5)
DIST_L2 = 2
DIST_MASK_PRECISE = 0


def connectedComponents(  # noqa: N802
    image: np.ndarray, labels: np.ndarray | None = None, connectivity: int = 8, *, batch_axes: int = 0
) -> tuple[Any, np.ndarray]:
    """Number the connected components of what is not 0.

    Parameters
    ----------
    image : (H, W) array, uint8, int8 or bool
        Any strides.
    labels : int32 array of the image's shape, optional
        Where to write.
    connectivity : {8, 4}
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    num_labels : int, or int64 array of one number for each image of the batch
        How many labels there are, that of the background included.
    labels : int32 array of the image's shape
        0 for the background; components count from 1 in the order of their first pixels, row by row.

    Raises
    ------
    TypeError, ValueError
        Another type, number of axes or connectivity.

    Notes
    -----
    The components are those of ``cv2.connectedComponents``, which numbers them in the order in which its algorithm
    meets them: compare which pixels have one number, not which it is.

    Examples
    --------
    >>> import numpy as np
    >>> connectedComponents(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]], np.uint8))
    (3, array([[1, 0, 1],
           [0, 1, 0],
           [0, 0, 0],
           [2, 2, 0]], dtype=int32))
    """
    counts, result = _components("connectedComponents", image, labels, connectivity, batch_axes)
    return (counts if counts.ndim else int(counts)), result


def _components(
    name: str, image: Any, labels: Any, connectivity: Any, batch_axes: Any
) -> tuple[np.ndarray, np.ndarray]:
    check_plane(name, image, ("uint8", "int8", "bool"), batch_axes, "image")
    if isinstance(connectivity, bool) or connectivity not in (4, 8):
        raise ValueError(f"{name}: connectivity expects 4 or 8 but got {connectivity!r}")
    if labels is not None:
        check_out(name, labels, image, image.shape, np.dtype(np.int32), "labels")
    found, counts = kernels.label_components(image, connectivity=2 if connectivity == 8 else 1, equal=False)
    return counts + 1, delivered(found, labels)


def connectedComponentsWithStats(  # noqa: N802
    image: np.ndarray, labels: np.ndarray | None = None, connectivity: int = 8, *, batch_axes: int = 0
) -> tuple[Any, np.ndarray, Any, Any]:
    """Number the connected components of what is not 0, and measure them.

    Parameters
    ----------
    image, labels, connectivity, batch_axes
        As in `connectedComponents`.

    Returns
    -------
    num_labels, labels
        As in `connectedComponents`.
    stats : (num_labels, 5) int32 array
        Of each label the columns ``CC_STAT_LEFT``, ``CC_STAT_TOP``, ``CC_STAT_WIDTH``, ``CC_STAT_HEIGHT`` of the
        smallest rectangle around it, and ``CC_STAT_AREA``, how many pixels it has; zeros if it has none.
    centroids : (num_labels, 2) float64 array
        Mean of the columns and of the rows; NaN for a background of no pixels. Of a batch, whose images have different
        numbers of components, ``stats`` and ``centroids`` are lists of such arrays along each of its axes. Both lie in
        main memory.

    Notes
    -----
    Equals ``cv2.connectedComponentsWithStats`` up to the order of the components; OpenCV leaves the rectangle of an
    empty background undefined.

    Examples
    --------
    >>> import numpy as np
    >>> _, _, stats, centroids = connectedComponentsWithStats(np.array([[0, 1, 1], [0, 0, 1]], np.uint8))
    >>> stats
    array([[0, 0, 2, 2, 3],
           [1, 0, 2, 2, 3]], dtype=int32)
    >>> centroids.round(2)
    array([[0.33, 0.67],
           [1.67, 0.33]])
    """
    counts, result = _components("connectedComponentsWithStats", image, labels, connectivity, batch_axes)
    numbers = to_device(counts, "cpu")
    measures = kernels.measure_components(result, components=int(numbers.max(initial=1)))
    boxes, sums = (to_device(measure, "cpu") for measure in measures)
    top, left, bottom, right, area = np.moveaxis(boxes, -1, 0)
    stats = np.stack([left, top, right - left + 1, bottom - top + 1, area], axis=-1).astype(np.int32)
    stats[area == 0] = 0
    with np.errstate(invalid="ignore"):
        centroids = sums[..., ::-1] / area[..., None]
    kept = [of_each(lambda own, n: own[: int(n)], counts.ndim, array, numbers) for array in (stats, centroids)]
    return (counts if counts.ndim else int(counts)), result, *kept


def distanceTransform(  # noqa: N802
    src: np.ndarray,
    distanceType: int,
    maskSize: int,
    dst: np.ndarray | None = None,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Exact Euclidean distance of every pixel to the nearest one that is 0.

    Parameters
    ----------
    src : (H, W) array, uint8 or bool
        Any strides.
    distanceType : ``DIST_L2``
    maskSize : ``DIST_MASK_PRECISE``
    dst : float32 array of the image's shape, optional
        Where to write.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    float32 array of the shape of ``src``
        The exact distance, rounded once; infinite where an image has no zero.

    Raises
    ------
    TypeError, ValueError
        Another type, distance or mask.

    Notes
    -----
    ``cv2.distanceTransform`` comes within 1e-7 of the distance, relatively; where there is no zero it returns a large
    number. Its other distances and its masks of 3 and 5 pixels, which approximate, are refused.

    Examples
    --------
    >>> import numpy as np
    >>> distanceTransform(np.array([[0, 1, 1], [1, 1, 1]], np.uint8), DIST_L2, DIST_MASK_PRECISE).round(2)
    array([[0.  , 1.  , 2.  ],
           [1.  , 1.41, 2.24]], dtype=float32)
    """
    name = "distanceTransform"
    check_plane(name, src, ("uint8", "bool"), batch_axes)
    if isinstance(distanceType, bool) or distanceType != DIST_L2:
        raise ValueError(f"{name}: distanceType expects DIST_L2 = {DIST_L2} but got {distanceType!r}")
    if isinstance(maskSize, bool) or maskSize != DIST_MASK_PRECISE:
        raise ValueError(f"{name}: maskSize expects DIST_MASK_PRECISE = {DIST_MASK_PRECISE} but got {maskSize!r}")
    if dst is not None:
        check_out(name, dst, src, src.shape, np.dtype(np.float32), "dst")
    distances, _ = kernels.distance_transform(src, distance_dtype="float32")
    return delivered(distances, dst)
