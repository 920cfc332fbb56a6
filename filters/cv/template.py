"""Matching templates by OpenCV's names: six ways to compare a template with every window of an image."""

import math
from typing import Any

import numpy as np

from ... import kernels
from ...kernels.arrays import overlap
from ..images import check_beside, check_image, check_out, delivered, from_nhwc, in_order, leading_axes, native, to_nhwc

TM_SQDIFF = 0
TM_SQDIFF_NORMED = 1
TM_CCORR = 2
TM_CCORR_NORMED = 3
TM_CCOEFF = 4
TM_CCOEFF_NORMED = 5

_FLAT = 1e-13  # of the squares: what rounding leaves of equal numbers in sums of products in float64
_DEPTHS = {-1: None, 4: np.int32, 5: np.float32, 6: np.float64}
_METHODS = ("TM_SQDIFF", "TM_SQDIFF_NORMED", "TM_CCORR", "TM_CCORR_NORMED", "TM_CCOEFF", "TM_CCOEFF_NORMED")
_UNMASKED = (  # what is subtracted, and the measure
    ("none", "differences"), ("none", "normed_differences"), ("none", "products"), ("none", "score"),
    ("channel", "products"), ("channel", "score"),
)  # fmt: skip


def matchTemplate(  # noqa: N802
    image: np.ndarray,
    templ: np.ndarray,
    method: int,
    result: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Compare a template with every window of an image that it fits into.

    Parameters
    ----------
    image : (H, W) or (H, W, C) uint8 or float32
        Any strides; ``batch_axes`` more axes may stand in front.
    templ : (h, w) or (h, w, C) array of the image's type
        Not larger than the image.
    method : {TM_SQDIFF, TM_CCORR, TM_CCOEFF} or one of them with _NORMED
        With T the template and I a window, all sums over pixels and channels: sum (T - I)^2; sum T I; sum T' I' with
        T' = T - mean(T) and I' = I - mean(I), channel by channel. With _NORMED, divided by sqrt(sum T^2 sum I^2) (of T'
        and I' for TM_CCOEFF).
    result : (H - h + 1, W - w + 1) float32 array, optional
        Where to write.
    mask : (h, w) or (h, w, C) uint8 or float32, optional
        Weights of the template's pixels; of a uint8 mask every number but 0 counts as 1. T and I are multiplied by the
        mask (so products carry its square), and means are weighted by it.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    (H - h + 1, W - w + 1) float32 array, or ``result``

    Raises
    ------
    TypeError, ValueError
        Other types or methods; a template that is larger than the image (where OpenCV exchanges the two in silence), or
        that has other channels.

    Notes
    -----
    Equals ``cv2.matchTemplate`` on ordinary images to its own accuracy, some 2e-6 where normed. Sums of uint8 are exact
    here, and those of float32 are not disturbed by an offset: where a texture of 0.01 lies on a level of 1000, OpenCV
    finds a score of 0 and this function 1.

    As in OpenCV, TM_CCOEFF_NORMED is 1 everywhere for a constant template, and otherwise 0 in constant windows;
    TM_CCORR_NORMED is 0 and TM_SQDIFF_NORMED 1 where template or window are all zero; TM_SQDIFF_NORMED ends at 1 where
    there is no mask. The same holds with a mask, where OpenCV divides by zero. A window that holds a NaN or an infinity
    gives NaN, and no other does.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[0, 0, 9, 1], [0, 8, 3, 0], [5, 5, 5, 5]], np.uint8)
    >>> matchTemplate(image, image[:2, 1:3], TM_SQDIFF)
    array([[170.,   0., 179.],
           [ 14., 113., 103.]], dtype=float32)
    >>> minMaxLoc(matchTemplate(image, image[:2, 1:3], TM_CCOEFF_NORMED))[3]
    (1, 0)
    """
    name = "matchTemplate"
    x, template = _images(name, image, templ, batch_axes)
    if isinstance(method, bool) or not isinstance(method, int | np.integer):
        raise TypeError(f"{name}: method expects an integer but got {method!r}")
    if not 0 <= method < len(_METHODS):
        known = ", ".join(f"{label} = {value}" for value, label in enumerate(_METHODS))
        raise ValueError(f"{name}: method expects one of {known} but got {method}")
    weights = None if mask is None else _weights(name, mask, template)
    n, h, w, _ = x.shape
    shape = (n, h - template.shape[0] + 1, w - template.shape[1] + 1)
    if result is not None:
        final = (*image.shape[:batch_axes], *shape[1:])
        check_out(name, result, image, final, np.dtype(np.float32), "result")
    if n == 0:
        scores = np.zeros(shape, np.float32)
    elif weights is not None:
        scores = _masked(x, template, int(method), weights)
    else:
        out = None
        if result is not None and result.flags.c_contiguous and not np.may_share_memory(result, image):
            out = result.reshape(shape)
        scores = _unmasked(x, template, int(method), out)
    found = from_nhwc(scores[..., None], image, None, batch_axes)
    if result is None:
        return found.astype(np.float32, copy=False)
    if not np.may_share_memory(found, result):
        result[...] = found
    return result


def _images(name: str, image: Any, templ: Any, batch_axes: Any) -> tuple[np.ndarray, np.ndarray]:
    """The image as (N, H, W, C) and the template as (h, w, C)."""
    check_image(name, "image", image)
    check_image(name, "templ", templ)
    image, templ = native(image), native(templ)
    for argument, array in (("image", image), ("templ", templ)):
        if array.dtype not in (np.uint8, np.float32):
            raise TypeError(f"{name}: {argument} expects uint8 or float32 but got {array.dtype}")
    if image.dtype != templ.dtype:
        raise TypeError(f"{name}: image and templ expect one dtype but got {image.dtype} and {templ.dtype}")
    batch = leading_axes(name, batch_axes, image.ndim)
    axes = image.ndim - batch
    if axes not in (2, 3) or templ.ndim != axes:
        raise ValueError(
            f"{name}: image and templ expect (H, W) or (H, W, C) "
            f"but got {image.shape} and {templ.shape} (batch_axes = {batch})"
        )
    x = to_nhwc(name, image, -1 if axes == 3 else None, batch)
    template = templ if axes == 3 else templ[..., None]
    if template.shape[2] != x.shape[3] or template.shape[2] == 0:
        raise ValueError(f"{name}: templ expects the image's channels but got {image.shape} and {templ.shape}")
    if not all(1 <= t <= i for t, i in zip(template.shape[:2], x.shape[1:3], strict=True)):
        raise ValueError(
            f"{name}: templ expects to be at least 1 x 1 and not larger than the image but got {templ.shape} "
            f"(image {image.shape}); OpenCV would exchange a larger one for the image"
        )
    return x, template


def _weights(name: str, mask: Any, template: np.ndarray) -> np.ndarray:
    """The mask as float64 weights of the template's shape."""
    check_image(name, "mask", mask)
    check_beside(name, "mask", mask, template)
    if mask.dtype not in (np.uint8, np.float32):
        raise TypeError(f"{name}: mask expects uint8 or float32 but got {mask.dtype}")
    wide = mask[..., None] if mask.ndim == 2 else mask
    if wide.ndim != 3 or wide.shape[:2] != template.shape[:2] or wide.shape[2] not in (1, template.shape[2]):
        raise ValueError(f"{name}: mask expects the size of templ but got {mask.shape} (templ {template.shape})")
    weights = (wide != 0) if mask.dtype == np.uint8 else wide
    return np.broadcast_to(weights, template.shape).astype(np.float64)


def _unmasked(x: np.ndarray, template: np.ndarray, method: int, out: np.ndarray | None) -> np.ndarray:
    """Scores or sums, in ``out`` where the kernel can write them there."""
    if method == TM_CCOEFF_NORMED and (template == template[:1, :1]).all():
        # Windows that are not finite say so, whatever the template.
        sums = kernels.window_sums(x, template.shape[:2])[1].sum(axis=-1)
        return np.where(np.isfinite(sums), 1.0, np.nan).astype(np.float32)
    centre, measure = _UNMASKED[method]
    return kernels.match_template(x, template, centre=centre, measure=measure, out=out)


def _masked(x: np.ndarray, template: np.ndarray, method: int, mask: np.ndarray) -> np.ndarray:
    """All methods from sums of products with the mask; each channel has its own weights and mean."""
    x, template = x.astype(np.float64), template.astype(np.float64)
    square = np.square(mask)

    def products(values: np.ndarray, pattern: np.ndarray) -> np.ndarray:
        """Of all channels together: (N, P, Q)."""
        return kernels.match_products(in_order(values), in_order(pattern))

    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        if method in (TM_CCOEFF, TM_CCOEFF_NORMED):
            total = np.maximum(mask.sum(axis=(0, 1)), np.finfo(np.float64).tiny)
            x = x - _level(x)
            own = mask * (template - (mask * template).sum(axis=(0, 1)) / total)
            means = _apart(x, mask) / total
            correlation = products(x, own * mask) - (means * (own * mask).sum(axis=(0, 1))).sum(axis=-1)
            if method == TM_CCOEFF:
                return correlation
            if np.square(own).sum() <= np.finfo(np.float64).eps * np.square(mask * template).sum():
                return np.where(np.isfinite(correlation), 1.0, np.nan)
            raw = products(np.square(x), square)
            spread = raw + (np.square(means) * square.sum(axis=(0, 1)) - 2 * means * _apart(x, square)).sum(axis=-1)
            spread[spread <= _FLAT * np.maximum(raw, raw.max(axis=(1, 2), keepdims=True, initial=0))] = 0
            return _quotient(correlation, np.sqrt(spread * np.square(own).sum()), 0.0)
        own = template * mask
        if method == TM_CCORR:
            return products(x, template * square)
        if method in (TM_SQDIFF, TM_SQDIFF_NORMED):
            level = _level(x)
            moved, less = x - level, template - level
            differences = products(np.square(moved), square) - 2 * products(moved, less * square)
            differences = np.maximum(differences + np.square(less * mask).sum(), 0)
            if method == TM_SQDIFF:
                return differences
        squares = np.maximum(products(np.square(x), square), 0)
        length = np.sqrt(squares * np.square(own).sum())
        if method == TM_SQDIFF_NORMED:
            # OpenCV lets it exceed 1 here.
            return np.where(length == 0, 1.0, differences / length)
        return _quotient(products(x, template * square), length, 0.0)


def _apart(x: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Sums of products of each channel on its own, (N, P, Q, C): as images of one channel, each with its template."""
    n, h, w, c = x.shape
    planes = np.moveaxis(x, 3, 1).reshape(n * c, h, w, 1)
    sums = kernels.match_products(in_order(planes), in_order(np.moveaxis(pattern, 2, 0)[..., None]))
    return np.moveaxis(sums.reshape(n, c, *sums.shape[1:]), 1, 3)


def _level(x: np.ndarray) -> np.ndarray:
    """About the mean of the finite numbers of each channel, over all images; every one of them loses no digit by it."""
    finite = np.isfinite(x)
    return np.where(finite, x, 0).sum(axis=(0, 1, 2)) / np.maximum(finite.sum(axis=(0, 1, 2)), 1)


def _quotient(numerator: np.ndarray, length: np.ndarray, otherwise: float) -> np.ndarray:
    """OpenCV's rule: the quotient, 1 in size where rounding made it a little more, ``otherwise`` beyond that."""
    quotient = np.divide(numerator, length, out=np.full(numerator.shape, np.inf), where=length > 0)
    size = np.abs(quotient)
    clipped = np.where(size < 1.125, np.clip(quotient, -1, 1), otherwise)
    return np.where(np.isnan(numerator) | np.isnan(length), np.nan, clipped)


def minMaxLoc(  # noqa: N802
    src: np.ndarray, mask: np.ndarray | None = None, *, batch_axes: int = 0
) -> tuple[Any, Any, Any, Any]:
    """The least and the largest number of an image and where they are.

    Parameters
    ----------
    src : (H, W) array of real numbers
    mask : uint8 array of the shape of ``src``, optional
        Only pixels where it is not 0 count.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    minVal, maxVal : float, or array of one float64 for each image of the batch
    minLoc, maxLoc : (x, y), or array of two int64 for each
        The first of equal ones, row by row; column before row, as OpenCV has it.

    Notes
    -----
    Equals ``cv2.minMaxLoc``. NaN is passed over; where no number is left, values are 0 and places (-1, -1).

    Examples
    --------
    >>> import numpy as np
    >>> minMaxLoc(np.array([[3, 1, 4], [1, 5, 9]]))
    (1.0, 9.0, (1, 0), (2, 1))
    """
    name = "minMaxLoc"
    check_image(name, "src", src)
    batch = leading_axes(name, batch_axes, src.ndim)
    if src.ndim - batch != 2:
        raise ValueError(f"{name}: src expects two axes behind {batch} batch axes but got shape {src.shape}")
    if batch == 0 and mask is None and src.size:
        (y, x), (v, u) = (divmod(int(place), src.shape[1]) for place in (src.argmin(), src.argmax()))
        low, high = float(src[y, x]), float(src[v, u])
        if low == low and high == high:  # to NumPy a NaN is both the least and the largest number
            return low, high, (x, y), (u, v)
    counts = np.ones(src.shape, bool) if src.dtype.kind != "f" else ~np.isnan(src)
    if mask is not None:
        check_image(name, "mask", mask)
        check_beside(name, "mask", mask, src)
        if mask.shape != src.shape or mask.dtype != np.uint8:
            raise ValueError(f"{name}: mask expects uint8 {src.shape} but got {mask.dtype} {mask.shape}")
        counts &= mask != 0
    images = math.prod(src.shape[:batch])
    flat, used = (array.reshape(images, math.prod(src.shape[batch:])) for array in (native(src), counts))
    (lows, first), (highs, last) = (_extremes(flat, used, least) for least in (True, False))
    points = [_point(place, src.shape[-1]) for place in (first, last)]
    if batch == 0:
        (x, y), (u, v) = (map(int, point[0]) for point in points)
        return float(lows[0]), float(highs[0]), (x, y), (u, v)
    shape = src.shape[:batch]
    first, last = (point.reshape(*shape, 2) for point in points)
    return lows.reshape(shape), highs.reshape(shape), first, last


def _point(places: np.ndarray, width: int) -> np.ndarray:
    """Column and row of places in a row-major image; -1 stays -1."""
    columns = places - places // max(1, width) * width
    return np.stack([np.where(places < 0, -1, columns), places // max(1, width)], axis=-1)


def _extremes(values: np.ndarray, used: np.ndarray, least: bool) -> tuple[np.ndarray, np.ndarray]:
    """The least or the largest used number of each row, and the place of the first such one; 0 and -1 of none."""
    if values.size == 0:
        return np.zeros(len(values)), np.full(len(values), -1)
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    far: float = np.inf if least else -np.inf
    if values.dtype.kind != "f":
        far = np.iinfo(values.dtype).max if least else np.iinfo(values.dtype).min
    known = np.where(used, values, values.dtype.type(far))
    found = (known.min(axis=1) if least else known.max(axis=1))[:, None]
    at = used & (values == found)
    some = at.any(axis=1)
    return np.where(some, found[:, 0], 0).astype(np.float64), np.where(some, at.argmax(axis=1), -1)


def integral(src: np.ndarray, sum: np.ndarray | None = None, sdepth: int = -1, *, batch_axes: int = 0) -> np.ndarray:
    """Sums over all rectangles that begin at the upper left corner; the first row and column are zero.

    Parameters
    ----------
    src : (H, W) or (H, W, C) uint8, float32 or float64
    sum : (H + 1, W + 1) or (H + 1, W + 1, C), optional
        Where to write.
    sdepth : {-1, 4, 5, 6}
        The type of the sums: int32, float32 or float64; by default int32 for uint8, which alone has it (it overflows
        beyond 8 million pixels of 255, as in OpenCV), and float64 otherwise.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    array of the type of ``sdepth``, or ``sum``

    Notes
    -----
    Equals ``cv2.integral``; ``filters.integral_image`` has no row and column of zeros.

    Examples
    --------
    >>> import numpy as np
    >>> integral(np.array([[1, 2], [3, 4]], np.uint8))
    array([[ 0,  0,  0],
           [ 0,  1,  3],
           [ 0,  4, 10]], dtype=int32)
    """
    name = "integral"
    check_image(name, "src", src)
    src = native(src)
    if src.dtype not in (np.uint8, np.float32, np.float64):
        raise TypeError(f"{name}: src expects uint8, float32 or float64 but got {src.dtype}")
    if sdepth not in _DEPTHS:
        raise ValueError(f"{name}: sdepth expects one of {', '.join(map(str, _DEPTHS))} but got {sdepth!r}")
    if sdepth == 4 and src.dtype.kind == "f":
        raise ValueError(f"{name}: sdepth expects -1, 5 or 6 for {src.dtype} but got 4")
    batch = leading_axes(name, batch_axes, src.ndim)
    if src.ndim - batch not in (2, 3):
        raise ValueError(f"{name}: src expects (H, W) or (H, W, C) but got {src.shape} (batch_axes = {batch})")
    dtype = np.dtype(_DEPTHS[sdepth] or (np.int32 if src.dtype == np.uint8 else np.float64))
    shape = tuple(n + (batch <= axis < batch + 2) for axis, n in enumerate(src.shape))
    if sum is not None:
        check_out(name, sum, src, shape, dtype, "sum")
    x = to_nhwc(name, src, -1 if src.ndim - batch == 3 else None, batch)
    if sum is None or not sum.flags.c_contiguous or overlap(sum, src):
        return delivered(kernels.integral(x, dtype=dtype.name).reshape(shape), sum)
    kernels.integral(x, dtype=dtype.name, out=sum.reshape(len(x), x.shape[1] + 1, x.shape[2] + 1, x.shape[3]))
    return sum
