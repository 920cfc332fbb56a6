"""Outlines of components, their moments, and how like two shapes are, by OpenCV's names."""

import math
from typing import Any

import numpy as np

from ...kernels.arrays import to_device
from ...kernels.contours import follow_borders, tree_of
from ..images import check_image, leading_axes, of_each
from ..shape import hu_invariants, raw_moments

RETR_EXTERNAL = 0
RETR_LIST = 1
RETR_CCOMP = 2
RETR_TREE = 3
CHAIN_APPROX_NONE = 1
CHAIN_APPROX_SIMPLE = 2
CONTOURS_MATCH_I1 = 1
CONTOURS_MATCH_I2 = 2
CONTOURS_MATCH_I3 = 3

_LEAST_INVARIANT = 1e-5  # smaller ones do not count in matchShapes


def findContours(  # noqa: N802
    image: np.ndarray, mode: int, method: int, *, offset: tuple[int, int] = (0, 0), batch_axes: int = 0
) -> Any:
    """Outlines of the components of pixels that are not zero, and of their holes.

    Parameters
    ----------
    image : (H, W) uint8 or bool
        On a GPU it is copied to main memory, which waits for it: borders are followed on the CPU.
    mode : {RETR_EXTERNAL, RETR_LIST, RETR_CCOMP, RETR_TREE}
        Outer borders that lie in no component's hole; all borders; outer borders and below them those of their holes;
        all borders, each below the one that surrounds it.
    method : {CHAIN_APPROX_NONE, CHAIN_APPROX_SIMPLE}
        All points, or the ends of straight runs.
    offset : (x, y)
        Added to all points.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    contours : tuple of (points, 1, 2) int32 arrays of x and y
    hierarchy : (1, contours, 4) int32, or None where there are none
        For each contour the next and the previous one of the same level, its first child and its parent, or -1.
        All arrays lie in main memory. Of a batch, a list of such pairs along each of its axes.

    Raises
    ------
    TypeError, ValueError
        Not an image of two axes of uint8 or bool; unknown modes or methods.

    Notes
    -----
    Equals ``cv2.findContours``: points, order and hierarchy.

    Source: S. Suzuki and K. Abe, "Topological structural analysis of digitized binary images by border following",
    1985.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((4, 5), np.uint8)
    >>> image[1:3, 1:4] = 1
    >>> contours, _ = findContours(image, RETR_EXTERNAL, CHAIN_APPROX_SIMPLE)
    >>> contours[0][:, 0].tolist()
    [[1, 1], [1, 2], [3, 2], [3, 1]]
    """
    name = "findContours"
    check_image(name, "image", image)
    if image.dtype not in (np.uint8, np.bool_):
        raise TypeError(f"{name}: image expects uint8 or bool but got {image.dtype}")
    batch = leading_axes(name, batch_axes, image.ndim)
    if image.ndim - batch != 2:
        raise ValueError(
            f"{name}: image expects two axes beside those of the batch but got shape {image.shape}, "
            f"batch_axes = {batch}"
        )
    if mode not in (RETR_EXTERNAL, RETR_LIST, RETR_CCOMP, RETR_TREE):
        raise ValueError(f"{name}: mode expects RETR_EXTERNAL, RETR_LIST, RETR_CCOMP or RETR_TREE but got {mode!r}")
    if method not in (CHAIN_APPROX_NONE, CHAIN_APPROX_SIMPLE):
        raise ValueError(f"{name}: method expects CHAIN_APPROX_NONE or CHAIN_APPROX_SIMPLE but got {method!r}")

    def outlines(image: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray | None]:
        return _outlines(image, mode, method, np.array(offset, np.int32))

    return of_each(outlines, batch, to_device(image, "cpu"))


def _outlines(
    image: np.ndarray, mode: int, method: int, offset: np.ndarray
) -> tuple[tuple[np.ndarray, ...], np.ndarray | None]:
    """Contours and hierarchy of one image."""
    points, cuts, hole, around = follow_borders(image, method == CHAIN_APPROX_SIMPLE)
    parents = np.full(hole.size, -1)
    if mode == RETR_TREE:
        parents = around
    elif mode == RETR_CCOMP:
        parents = np.where(hole, around, -1)
    kept = np.flatnonzero(around < 0) if mode == RETR_EXTERNAL else np.arange(hole.size)
    order, hierarchy = tree_of(kept, parents)
    shifted = (points + offset)[:, None]
    contours = tuple([shifted[a:b] for a, b in zip(cuts[order].tolist(), cuts[order + 1].tolist(), strict=True)])
    return contours, (hierarchy[None] if contours else None)


def _points(name: str, argument: str, contour: Any) -> np.ndarray:
    """A contour as (points, 2) float64, in main memory."""
    check_image(name, argument, contour)
    contour = to_device(contour, "cpu")
    points = contour[:, 0] if contour.ndim == 3 and contour.shape[1] == 1 else contour
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"{name}: {argument} expects (points, 1, 2) or (points, 2) but got shape {contour.shape}")
    return points.astype(np.float64)


def contourArea(contour: np.ndarray, oriented: bool = False) -> float:  # noqa: N802
    """The area inside a contour of points, by Green's formula.

    Parameters
    ----------
    contour : (points, 1, 2) or (points, 2)
    oriented : bool
        Let it be negative where points turn counterclockwise on the screen.

    Returns
    -------
    float

    Notes
    -----
    Equals ``cv2.contourArea``.

    Examples
    --------
    >>> import numpy as np
    >>> contourArea(np.array([[0, 0], [4, 0], [4, 3], [0, 3]]))
    12.0
    """
    points = _points("contourArea", "contour", contour)
    x, y = points.T
    area = 0.5 * float((np.roll(x, 1) * y - x * np.roll(y, 1)).sum())
    return area if oriented else abs(area)


def arcLength(curve: np.ndarray, closed: bool) -> float:  # noqa: N802
    """The length of a line of points.

    Parameters
    ----------
    curve : (points, 1, 2) or (points, 2)
    closed : bool
        Whether the last point is joined with the first.

    Returns
    -------
    float

    Notes
    -----
    Equals ``cv2.arcLength`` within its float32 rounding.

    Examples
    --------
    >>> import numpy as np
    >>> arcLength(np.array([[0, 0], [4, 0], [4, 3]]), True)
    12.0
    """
    points = _points("arcLength", "curve", curve)
    steps = points - np.roll(points, 1, axis=0)
    lengths = np.hypot(*steps.T)
    return float(lengths.sum() if closed else lengths[1:].sum())


def boundingRect(array: np.ndarray) -> tuple[int, int, int, int]:  # noqa: N802
    """The smallest upright rectangle around points with integer coordinates.

    Parameters
    ----------
    array : (points, 1, 2) or (points, 2) int32

    Returns
    -------
    x, y, width, height : int
        All 0 where there are no points.

    Notes
    -----
    Equals ``cv2.boundingRect`` of points.

    Examples
    --------
    >>> import numpy as np
    >>> boundingRect(np.array([[1, 5], [3, 2]]))
    (1, 2, 3, 4)
    """
    points = _points("boundingRect", "array", array)
    if len(points) == 0:
        return 0, 0, 0, 0
    (left, top), (right, bottom) = np.floor(points.min(axis=0)), np.floor(points.max(axis=0))
    return int(left), int(top), int(right - left) + 1, int(bottom - top) + 1


_POWERS = ("00", "10", "01", "20", "11", "02", "30", "21", "12", "03")


def moments(array: np.ndarray, binaryImage: bool = False, *, batch_axes: int = 0) -> dict[str, Any]:
    """Moments of an image, or of the polygon of a contour, to the third order.

    Parameters
    ----------
    array : (H, W) image, or (points, 1, 2) contour of int32 or float32
        As in OpenCV, two columns of int32 are a contour too.
    binaryImage : bool
        Count every pixel that is not 0 as 1.
    batch_axes : int
        How many leading axes count images; contours are given one by one.

    Returns
    -------
    dict of float, or of arrays of one float64 for each image of the batch
        m00 to m03 (powers of x, then of y), central mu20 to mu03, and normalised nu20 to nu03. In main memory: of an
        image on a GPU the sums are copied, which waits for it.

    Notes
    -----
    Equals ``cv2.moments`` within rounding; everything is in float64.

    Examples
    --------
    >>> import numpy as np
    >>> m = moments(np.array([[0, 0], [4, 0], [4, 3], [0, 3]], np.int32)[:, None])
    >>> m["m00"], m["m10"] / m["m00"], m["m01"] / m["m00"]
    (12.0, 2.0, 1.5)
    """
    name = "moments"
    check_image(name, "array", array)
    batch = leading_axes(name, batch_axes, array.ndim)
    if batch:
        if array.ndim - batch != 2:
            raise ValueError(f"{name}: array expects (H, W) behind {batch} batch axes but got shape {array.shape}")
        return _with_central(_of_image((array != 0) if binaryImage else array))
    contour = array.ndim == 3 and array.shape[1:] == (1, 2)
    if contour or (array.ndim == 2 and array.shape[1] == 2 and array.dtype == np.int32):
        raw = _of_polygon(_points(name, "array", array))
    elif array.ndim == 2:
        raw = _of_image((array != 0) if binaryImage else array)
    else:
        raise ValueError(f"{name}: array expects (H, W) or (points, 1, 2) but got shape {array.shape}")
    return {power: float(value) for power, value in _with_central(raw).items()}


def _of_image(image: np.ndarray) -> dict[str, Any]:
    """Raw moments of images (..., H, W)."""
    *batch, rows, columns = image.shape
    images = image.astype(np.float64).reshape(math.prod(batch), rows, columns)
    table = raw_moments(images, np.zeros((len(images), 2)), 3, [1.0, 1.0]).reshape(*batch, 4, 4)
    return {f"m{power}": table[..., int(power[1]), int(power[0])] for power in _POWERS}


def _of_polygon(points: np.ndarray) -> dict[str, float]:
    """By Green's formula: integrals over the area as sums over the edges."""
    if len(points) == 0:
        return {f"m{power}": 0.0 for power in _POWERS}
    x, y = points.T
    a, b = np.roll(x, 1), np.roll(y, 1)
    cross = a * y - x * b
    terms = {
        "00": (cross, 2),
        "10": (cross * (a + x), 6),
        "01": (cross * (b + y), 6),
        "20": (cross * (a * (a + x) + x * x), 12),
        "11": (cross * (a * (2 * b + y) + x * (b + 2 * y)), 24),
        "02": (cross * (b * (b + y) + y * y), 12),
        "30": (cross * (a + x) * (a * a + x * x), 20),
        "21": (cross * (a * a * (3 * b + y) + 2 * x * a * (b + y) + x * x * (b + 3 * y)), 60),
        "12": (cross * (b * b * (3 * a + x) + 2 * y * b * (a + x) + y * y * (a + 3 * x)), 60),
        "03": (cross * (b + y) * (b * b + y * y), 20),
    }
    sign = -1.0 if cross.sum() < 0 else 1.0
    return {f"m{power}": sign * float(values.sum()) / divisor for power, (values, divisor) in terms.items()}


def _with_central(m: dict[str, Any]) -> dict[str, Any]:
    area = np.asarray(m["m00"])
    large = np.abs(area) > np.finfo(np.float64).eps
    inverse = np.where(large, 1.0 / np.where(large, area, 1.0), 0.0)
    x, y = m["m10"] * inverse, m["m01"] * inverse
    mu = {"20": m["m20"] - m["m10"] * x, "11": m["m11"] - m["m10"] * y, "02": m["m02"] - m["m01"] * y}
    mu["30"] = m["m30"] - x * (3 * mu["20"] + x * m["m10"])
    mu["21"] = m["m21"] - x * (2 * mu["11"] + x * m["m01"]) - y * mu["20"]
    mu["12"] = m["m12"] - y * (2 * mu["11"] + y * m["m10"]) - x * mu["02"]
    mu["03"] = m["m03"] - y * (3 * mu["02"] + y * m["m01"])
    second, third = inverse * inverse, inverse * inverse * np.sqrt(np.abs(inverse))
    nu = {f"nu{p}": value * (second if p in ("20", "11", "02") else third) for p, value in mu.items()}
    return {**m, **{f"mu{p}": value for p, value in mu.items()}, **nu}


def HuMoments(m: dict[str, Any]) -> np.ndarray:  # noqa: N802
    """Hu's seven invariants of moments: they do not change with place, scale and rotation.

    Parameters
    ----------
    m : dict
        From `moments`.

    Returns
    -------
    (7, 1) float64 array, behind the axes of a batch

    Notes
    -----
    Equals ``cv2.HuMoments``.

    Examples
    --------
    >>> import numpy as np
    >>> HuMoments(moments(np.ones((4, 4), np.uint8)))[0]
    array([0.15625])
    """
    if not isinstance(m, dict) or not all(f"nu{power}" in m for power in _POWERS[3:]):
        raise TypeError(f"HuMoments: m expects the dict that moments returns but got {type(m).__name__}")
    nu = np.zeros((*np.shape(m["nu20"]), 4, 4))
    for power in _POWERS[3:]:
        nu[..., int(power[0]), int(power[1])] = m[f"nu{power}"]
    return np.stack(hu_invariants(nu), axis=-1)[..., None]


def matchShapes(contour1: np.ndarray, contour2: np.ndarray, method: int, parameter: float = 0.0) -> float:  # noqa: N802
    """How unlike two shapes are, by the logarithms of their Hu invariants: 0 where they are equal.

    Parameters
    ----------
    contour1, contour2 : (points, 1, 2) contours or (H, W) images
    method : {CONTOURS_MATCH_I1, CONTOURS_MATCH_I2, CONTOURS_MATCH_I3}
        With a and b the signed logarithms: sum of abs(1/a - 1/b); sum of abs(a - b); the largest abs((a - b) / a).
    parameter : float
        Of no use, as in OpenCV.

    Returns
    -------
    float
        Invariants up to 1e-5 do not count; where one shape has no moments at all and the other has, the largest
        float64.

    Notes
    -----
    Equals ``cv2.matchShapes``.

    Examples
    --------
    >>> import numpy as np
    >>> square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], np.int32)[:, None]
    >>> matchShapes(square, 3 * square, CONTOURS_MATCH_I1)
    0.0
    """
    name = "matchShapes"
    if method not in (CONTOURS_MATCH_I1, CONTOURS_MATCH_I2, CONTOURS_MATCH_I3):
        raise ValueError(f"{name}: method expects CONTOURS_MATCH_I1, _I2 or _I3 (1, 2, 3) but got {method!r}")
    first, second = (HuMoments(moments(contour))[:, 0] for contour in (contour1, contour2))
    if np.any(first != 0) != np.any(second != 0):
        return float(np.finfo(np.float64).max)
    counts = (np.abs(first) > _LEAST_INVARIANT) & (np.abs(second) > _LEAST_INVARIANT)
    a, b = (np.sign(h[counts]) * np.log10(np.abs(h[counts])) for h in (first, second))
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == CONTOURS_MATCH_I1:
            return float(np.abs(1 / a - 1 / b).sum())
        if method == CONTOURS_MATCH_I2:
            return float(np.abs(a - b).sum())
        return float(np.abs((a - b) / a).max(initial=0.0))
