"""Thresholds under OpenCV's names."""

import functools
import math
from typing import Any

import numpy as np

from ... import kernels
from ...kernels.arguments import integer
from ...kernels.arrays import overlap, to_device
from ...kernels.histogram.otsu import otsu_thresholds
from ...kernels.threshold.reference import RULES
from ..images import check_image, check_out, delivered, leading_axes, moved_beside, native
from .histogram import check_plane

THRESH_BINARY = 0
THRESH_BINARY_INV = 1
THRESH_TRUNC = 2
THRESH_TOZERO = 3
THRESH_TOZERO_INV = 4
THRESH_OTSU = 8
THRESH_TRIANGLE = 16


def threshold(
    src: np.ndarray, thresh: float, maxval: float, type: int, dst: np.ndarray | None = None, *, batch_axes: int = 0
) -> tuple[Any, np.ndarray]:
    """Replace the values above and below a threshold.

    Parameters
    ----------
    src : array of any shape, uint8, int16, uint16, float32 or float64
        Any strides.
    thresh : float
        For integers, its floor counts.
    maxval : float
        What pixels above the threshold become with ``THRESH_BINARY`` (below it with ``THRESH_BINARY_INV``); for
        integers it is rounded to the nearest one of the type.
    type : int
        ``THRESH_BINARY``, ``THRESH_BINARY_INV``, ``THRESH_TRUNC`` (values above become the threshold),
        ``THRESH_TOZERO`` (values below become 0) or ``THRESH_TOZERO_INV``; plus ``THRESH_OTSU`` or
        ``THRESH_TRIANGLE`` to have the threshold of uint8 images ``(H, W)`` found from their histogram.
    dst : array like ``src``, optional
        Where to write; it may be ``src`` itself.
    batch_axes : int
        How many leading axes count images, each with its own threshold where that is found.

    Returns
    -------
    retval : float, or float64 array of one for each image of the batch
        The threshold.
    dst : array of the shape and type of ``src``

    Raises
    ------
    TypeError, ValueError
        Another type, an unknown rule, both methods at once.

    Notes
    -----
    Equals ``cv2.threshold`` bit for bit. A NaN is on neither side of the threshold: the binary rules make it 0, and
    with the others it stays, as in OpenCV's float32; what OpenCV's float64 makes of it there depends on its place.

    Examples
    --------
    >>> import numpy as np
    >>> threshold(np.array([[1, 5], [90, 99]], np.uint8), 0, 255, THRESH_BINARY | THRESH_OTSU)
    (5.0, array([[  0,   0],
           [255, 255]], dtype=uint8))
    """
    name = "threshold"
    check_image(name, "src", src)
    least, most = _range_of(name, src.dtype)
    batch = leading_axes(name, batch_axes, src.ndim)
    method, rule = integer(name, "type", type, 0, 31) & ~7, type & 7
    if rule >= len(RULES) or method == THRESH_OTSU | THRESH_TRIANGLE:
        raise ValueError(f"{name}: type expects one rule of 0 to 4 and at most one method but got {type}")
    for argument, value in (("thresh", thresh), ("maxval", maxval)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
        if not math.isfinite(value):
            raise ValueError(f"{name}: {argument} expects a finite number but got {value!r}")
    if method:
        check_plane(name, src, ("uint8",), batch)
    if dst is not None:
        check_out(name, dst, src, src.shape, src.dtype, "dst")
    lead = src.shape[:batch]
    src, top = native(src), _top(src.dtype, maxval, least, most)
    if method and src.size:
        counts = to_device(kernels.count_values(src, bins=256, batch_axes=batch), "cpu").reshape(-1, 256)
        found = otsu_thresholds(counts) if method == THRESH_OTSU else _triangle(counts)
        thresholds, below_all = found.reshape(lead), bool((found < 0).any())
        levels = np.maximum(found, 0).astype(np.uint8).reshape(lead)
    else:
        level = float(thresh) if src.dtype.kind == "f" else float(math.floor(thresh))
        thresholds, below_all = np.full(lead, level), level < least
        levels = np.full(lead, max(min(level, most), least), src.dtype)
    if below_all:  # which no number of the type can say
        return _returned(thresholds), delivered(_looked_up(src, thresholds, top, rule, batch), dst)
    direct = dst is not None and dst.flags.c_contiguous and dst.dtype == src.dtype and not overlap(dst, src)
    result = kernels.threshold(
        src, moved_beside(src, levels), rule=RULES[rule], top=top, batch_axes=batch, out=dst if direct else None
    )
    return _returned(thresholds), result if direct else delivered(result, dst)


@functools.lru_cache(maxsize=16)
def _range_of(name: str, dtype: np.dtype) -> tuple[float, float]:
    """The least and the greatest integer of a type; floating-point numbers have no end."""
    if dtype.name not in ("uint8", "int16", "uint16", "float32", "float64"):
        raise TypeError(f"{name}: src expects uint8, int16, uint16, float32 or float64 but got {dtype}")
    return (-math.inf, math.inf) if dtype.kind == "f" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))


def _top(dtype: np.dtype, maxval: float, least: float, most: float) -> float:
    return float(dtype.type(maxval)) if dtype.kind == "f" else min(max(round(maxval), least), most)


def _returned(thresholds: np.ndarray) -> Any:
    return thresholds if thresholds.ndim else float(thresholds)


def _looked_up(src: np.ndarray, thresholds: np.ndarray, top: float, rule: int, batch: int) -> np.ndarray:
    """From tables of all numbers of the type. A level below them all is also what they are cut off to: the least."""
    kind = np.iinfo(src.dtype)
    values, level = np.arange(kind.min, kind.max + 1), thresholds[..., None]
    above = values > level
    results = (
        np.where(above, top, 0), np.where(above, 0, top), np.where(above, level, values), np.where(above, values, 0),
        np.where(above, 0, values),
    )  # fmt: skip
    tables = np.clip(results[rule], kind.min, kind.max).astype(src.dtype)
    return kernels.look_up(src, moved_beside(src, tables), low=int(kind.min), batch_axes=batch)


def _triangle(counts: np.ndarray) -> np.ndarray:
    """The bin farthest from the line between a histogram's peak and its farther end, of each histogram."""
    values = np.arange(256)
    filled = counts > 0
    left = np.maximum(filled.argmax(axis=-1) - 1, 0)
    right = np.minimum(256 - filled[:, ::-1].argmax(axis=-1), 255)
    peak = counts.argmax(axis=-1)
    flipped = peak - left < right - peak
    heights = np.where(flipped[:, None], counts[:, ::-1], counts)
    left, peak = np.where(flipped, 255 - right, left)[:, None], np.where(flipped, 255 - peak, peak)[:, None]
    top = np.take_along_axis(heights, peak, axis=-1)
    distances = top * values + (left - peak) * heights
    distances = np.where((values > left) & (values <= peak), distances, 0)
    place = np.where(distances.max(axis=-1) > 0, distances.argmax(axis=-1), left[:, 0]) - 1
    return np.where(flipped, 255 - place, place).astype(np.float64)
