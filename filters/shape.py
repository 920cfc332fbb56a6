"""Outlines and moments of shapes in scikit-image's call forms."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..kernels.arrays import device_of, to_device
from ..kernels.contours import level_lines
from .images import check_beside, check_image, float_type, leading_axes, native, of_each

_CHOICES = ("low", "high")


def find_contours(
    image: np.ndarray,
    level: float | None = None,
    fully_connected: str = "low",
    positive_orientation: str = "low",
    *,
    mask: np.ndarray | None = None,
    batch_axes: int = 0,
) -> list[Any]:
    """Lines of one level through an image, by marching squares.

    Parameters
    ----------
    image : (H, W) array of real numbers
        On a GPU it is copied to main memory, which waits for it: lines are followed on the CPU.
    level : float, optional
        Lines separate numbers above it from all others; by default the middle between an image's least and largest.
    fully_connected : {"low", "high"}
        Which of two pixels that touch at a corner are joined there: those up to the level, or those above it.
    positive_orientation : {"low", "high"}
        Around which of the two closed lines turn counterclockwise.
    mask : bool array of the image's shape, optional
        Squares with a pixel where it is False are left out.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    list of (points, 2) float64 arrays
        Rows and columns of the points of each line; closed lines end with their first point. They are in the order in
        which they are met, row by row. In main memory. Of a batch, a list of such lists along each of its axes.

    Raises
    ------
    TypeError, ValueError
        Not an image of two axes, smaller than 2 x 2; unknown choices; a mask that does not fit.

    Notes
    -----
    Equals ``skimage.measure.find_contours`` 0.26. Squares with a NaN are left out; beside an infinite pixel a line
    touches the finite one.

    Source: W. Lorensen and H. Cline, "Marching cubes", 1987.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((3, 3))
    >>> image[0, 0] = 1
    >>> find_contours(image, 0.5)
    [array([[0. , 0.5],
           [0.5, 0. ]])]
    """
    name = "find_contours"
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    if image.ndim - batch != 2 or min(image.shape[batch:]) < 2:
        raise ValueError(
            f"{name}: image expects two axes of at least 2 pixels beside those of the batch but got shape "
            f"{image.shape}, batch_axes = {batch}"
        )
    for argument, value in (("fully_connected", fully_connected), ("positive_orientation", positive_orientation)):
        if value not in _CHOICES:
            raise ValueError(f"{name}: {argument} expects 'low' or 'high' but got {value!r}")
    if level is not None and not isinstance(level, int | float | np.number):
        raise TypeError(f"{name}: level expects a number but got {level!r}")
    arrays = [to_device(image, "cpu")]
    if mask is not None:
        check_beside(name, "mask", mask, image)
        if mask.dtype != bool:
            raise TypeError(f"{name}: mask expects a binary array (bool) but got {mask.dtype}")
        if mask.shape != image.shape:
            raise ValueError(f"{name}: mask expects the image's shape {image.shape} but got {mask.shape}")
        arrays.append(to_device(mask, "cpu"))

    def lines_of(image: np.ndarray, mask: np.ndarray | None = None) -> list[np.ndarray]:
        used = np.ones((image.shape[0] - 1, image.shape[1] - 1), bool)
        if mask is not None:
            used = mask[:-1, :-1] & mask[:-1, 1:] & mask[1:, :-1] & mask[1:, 1:]
        wide, middle = image.astype(np.float64), level
        if middle is None:
            finite = wide[~np.isnan(wide)]
            middle = (finite.min() + finite.max()) / 2.0 if finite.size else 0.0
        lines = level_lines(wide, float(middle), fully_connected == "high", used)
        return [line[::-1] for line in lines] if positive_orientation == "high" else lines

    return of_each(lines_of, batch, *arrays)


def moments(
    image: np.ndarray, order: int = 3, *, spacing: float | Sequence[float] | None = None, batch_axes: int = 0
) -> np.ndarray:
    """Raw moments of an image: ``M[i, j] = sum of image[r, c] * r**i * c**j``.

    Parameters
    ----------
    image : array of real numbers and of any number of axes
    order : int
        The largest power.
    spacing : float or one for each axis, optional
        The distance between pixels.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    (order + 1, ..., order + 1) array, one axis for each of the image; float32 for float32 and float16 images, else
    float64. Axes of a batch stand in front.

    Notes
    -----
    Equals ``skimage.measure.moments`` 0.26; sums are in float64.

    Examples
    --------
    >>> import numpy as np
    >>> moments(np.ones((2, 3)), order=1)
    array([[6., 6.],
           [3., 3.]])
    """
    return _moments_about("moments", image, (0.0,) * getattr(image, "ndim", 0), order, spacing, batch_axes)


def moments_central(
    image: np.ndarray,
    center: Sequence[float] | None = None,
    order: int = 3,
    *,
    spacing: float | Sequence[float] | None = None,
    batch_axes: int = 0,
) -> np.ndarray:
    """Moments about a centre, by default the image's centroid: they do not change with its place.

    Parameters
    ----------
    image, order, spacing, batch_axes
        As in `moments`.
    center : one number for each axis of the image, optional
        In pixels times spacing, the same for all images of a batch.

    Returns
    -------
    array as of `moments`; about the centroid, those whose powers add up to 1 or to more than ``order`` are 0, and the
    others but the first are NaN where the pixels add up to 0, as those of an empty image do: it has no centroid

    Notes
    -----
    Equals ``skimage.measure.moments_central`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> moments_central(np.ones((1, 3)), order=2)[0]
    array([3., 0., 2.])
    """
    return _moments_about("moments_central", image, center, order, spacing, batch_axes)


def _moments_about(name: str, image: np.ndarray, center: Any, order: Any, spacing: Any, batch_axes: Any) -> np.ndarray:
    """Moments of each image about one centre for all, or about its centroid where that is None."""
    check_image(name, "image", image)
    batch = leading_axes(name, batch_axes, image.ndim)
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 0:
        raise ValueError(f"{name}: order expects an integer of at least 0 but got {order!r}")
    shape, order = image.shape[batch:], int(order)
    steps = _steps(name, spacing, len(shape))
    flat = image.astype(np.float64).reshape(math.prod(image.shape[:batch]), *shape)
    if center is None:
        about = _centroids(flat, steps)
    else:
        numbers = [float(c) for c in center][-len(shape) :] if len(shape) else []
        if len(numbers) != len(shape):
            raise ValueError(f"{name}: center expects {len(shape)} numbers but got {center!r}")
        about = np.tile(numbers, (len(flat), 1))
    results = raw_moments(flat, about, order, steps)
    if center is None:
        lost = _power(results, [0] * len(shape)) == 0
        powers = np.indices(results.shape[1:]).sum(axis=0)
        results[:, (powers == 1) | (powers > order)] = 0
        results[np.multiply.outer(lost, (powers > 1) & (powers <= order))] = np.nan
    results = results.reshape(*image.shape[:batch], *results.shape[1:]).astype(float_type(image.dtype))
    return to_device(results, device_of(name, [flat]))


def _steps(name: str, spacing: Any, axes: int) -> list[float]:
    if spacing is None:
        return [1.0] * axes
    steps = [float(s) for s in (spacing if np.ndim(spacing) else [spacing] * axes)]
    if len(steps) != axes:
        raise ValueError(f"{name}: spacing expects a number or {axes} of them but got {spacing!r}")
    return steps


def _power(moments: np.ndarray, powers: Sequence[int]) -> np.ndarray:
    """Of each image (N, ...) the moment of these powers."""
    index: Any = (slice(None), *powers)
    return moments[index]


def _centroids(images: np.ndarray, steps: list[float]) -> np.ndarray:
    """(N, axes), NaN where an image adds up to 0."""
    axes = len(steps)
    first = raw_moments(images, np.zeros((len(images), axes)), 1, steps)
    area = _power(first, [0] * axes)
    along = [_power(first, unit) for unit in np.eye(axes, dtype=int).tolist()]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array([sums / area for sums in along]).reshape(axes, len(images)).T


def raw_moments(images: np.ndarray, centers: np.ndarray, order: int, steps: list[float]) -> np.ndarray:
    """Products of images (N, ...) with powers of the coordinates, one axis after the other; in main memory.

    The last axis is taken off and one of its powers is put in front, until all are powers.
    """
    total, device = images, device_of("moments", [images])
    count = len(images)
    for middles, step, size in zip(centers.T[::-1], steps[::-1], images.shape[:0:-1], strict=True):
        distances = np.arange(size) * step - middles[:, None]
        powers = to_device(distances[..., None] ** np.arange(order + 1), device)  # (N, size, order + 1)
        rest = total.shape[1:-1]
        lines = total.reshape(count, math.prod(rest), size)
        if device == "cpu":
            products = np.matmul(lines, powers)
        else:  # CuPy's matrix products need cuBLAS, which need not be there
            products = (lines[:, :, None] * np.moveaxis(powers, 1, 2)[:, None]).sum(axis=-1)
        total = np.moveaxis(products.reshape(count, *rest, order + 1), -1, 1)
    return to_device(total, "cpu")


def moments_normalized(
    mu: np.ndarray, order: int = 3, spacing: float | Sequence[float] | None = None, *, batch_axes: int = 0
) -> np.ndarray:
    """Central moments divided by a power of the area: they do not change with the scale either.

    Parameters
    ----------
    mu : (n, ..., n) array, n > order
        From `moments_central`.
    order : int
        The largest power.
    spacing : float or one for each axis, optional
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    (order + 1, ..., order + 1) array; NaN where powers add up to less than 2. Axes of a batch stand in front.

    Notes
    -----
    Equals ``skimage.measure.moments_normalized`` 0.26.

    Examples
    --------
    >>> import numpy as np
    >>> moments_normalized(moments_central(np.ones((4, 4))), order=2)
    array([[     nan,      nan, 0.078125],
           [     nan, 0.      , 0.      ],
           [0.078125, 0.      , 0.      ]])
    """
    name = "moments_normalized"
    check_image(name, "mu", mu)
    mu = native(mu)
    device, mu = device_of(name, [mu]), to_device(mu, "cpu")  # so few numbers that launches would take longest
    batch = leading_axes(name, batch_axes, mu.ndim)
    axes = mu.ndim - batch
    if axes == 0 or any(n <= order for n in mu.shape[batch:]):
        raise ValueError(
            f"{name}: mu expects more than order = {order} numbers along each axis behind batch_axes = {batch} but got "
            f"shape {mu.shape}"
        )
    scale = min(_steps(name, spacing, axes))
    shape = *mu.shape[:batch], *[order + 1] * axes
    result = np.full(shape, np.nan, mu.dtype if mu.dtype.kind == "f" else np.float64)
    mu, found = mu.reshape(-1, *mu.shape[batch:]), result.reshape(math.prod(shape[:batch]), *shape[batch:])
    area = _power(mu, [0] * axes)
    for powers in np.ndindex(*shape[batch:]):
        total = sum(powers)
        if total >= 2:
            _power(found, powers)[...] = (_power(mu, powers) / scale**total) / area ** (total / axes + 1)
    return to_device(result, device)


def moments_hu(nu: np.ndarray) -> np.ndarray:
    """Hu's seven combinations of normalised moments: they do not change with place, scale and rotation.

    Parameters
    ----------
    nu : (..., n, n) array, n >= 4
        From `moments_normalized`.

    Returns
    -------
    (..., 7) array

    Notes
    -----
    Equals ``skimage.measure.moments_hu`` and ``cv2.HuMoments``.

    Source: M. K. Hu, "Visual pattern recognition by moment invariants", 1962.

    Examples
    --------
    >>> import numpy as np
    >>> square = np.ones((4, 4))
    >>> float(moments_hu(moments_normalized(moments_central(square)))[0])
    0.15625
    """
    name = "moments_hu"
    check_image(name, "nu", nu)
    if nu.ndim < 2 or min(nu.shape[-2:]) < 4:
        raise ValueError(f"{name}: nu expects at least 4 x 4 moments but got shape {nu.shape}")
    nu = native(nu)
    dtype = nu.dtype if nu.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    return np.stack(hu_invariants(nu.astype(np.float64)), axis=-1).astype(dtype)


def hu_invariants(nu: np.ndarray) -> list[np.ndarray]:
    """The seven of moments ``nu[..., i, j]``."""
    n20, n02, n11 = nu[..., 2, 0], nu[..., 0, 2], nu[..., 1, 1]
    n30, n03, n21, n12 = nu[..., 3, 0], nu[..., 0, 3], nu[..., 2, 1], nu[..., 1, 2]
    a, b = n30 + n12, n21 + n03
    p, q = n30 - 3 * n12, 3 * n21 - n03
    return [
        n20 + n02,
        (n20 - n02) ** 2 + 4 * n11**2,
        p**2 + q**2,
        a**2 + b**2,
        p * a * (a**2 - 3 * b**2) + q * b * (3 * a**2 - b**2),
        (n20 - n02) * (a**2 - b**2) + 4 * n11 * a * b,
        q * a * (a**2 - 3 * b**2) - p * b * (3 * a**2 - b**2),
    ]
