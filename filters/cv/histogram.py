"""Histograms, tables and equalisation under OpenCV's names."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import kernels
from ...kernels.arguments import integer
from ...kernels.arrays import to_device
from ..images import check_image, check_in_memory, check_out, delivered, in_order, leading_axes, moved_beside, native


def check_plane(name: str, src: Any, types: tuple[str, ...], batch_axes: Any, argument: str = "src") -> int:
    """An image of one channel and of one of these types, ``(H, W)`` behind the axes of a batch: how many those are."""
    check_image(name, argument, src)
    batch = leading_axes(name, batch_axes, src.ndim)
    if src.ndim - batch != 2:
        raise ValueError(
            f"{name}: {argument} expects two axes beside those of the batch "
            f"but got shape {src.shape}, batch_axes = {batch}"
        )
    if not (src.dtype == np.uint8 and "uint8" in types) and src.dtype.name not in types:
        raise TypeError(f"{name}: {argument} expects {' or '.join(types)} but got {src.dtype}")
    return batch


def equalizeHist(src: np.ndarray, dst: np.ndarray | None = None, *, batch_axes: int = 0) -> np.ndarray:  # noqa: N802
    """Equalise the histogram of an image.

    Parameters
    ----------
    src : (H, W) uint8 array
        Any strides. An image of a single value, or an empty one, stays as it is.
    dst : array like ``src``, optional
        Where to write; it may be ``src`` itself.
    batch_axes : int
        How many leading axes count images.

    Returns
    -------
    uint8 array of the shape of ``src``

    Raises
    ------
    TypeError, ValueError
        Another type or number of axes.

    Notes
    -----
    Equals ``cv2.equalizeHist`` bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> equalizeHist(np.array([[10, 10, 20], [20, 30, 40]], np.uint8))
    array([[  0,   0, 128],
           [128, 191, 255]], dtype=uint8)
    """
    name = "equalizeHist"
    batch = check_plane(name, src, ("uint8",), batch_axes)
    if dst is not None:
        check_out(name, dst, src, src.shape, src.dtype, "dst")
    if src.size == 0:
        return delivered(src.copy(), dst)
    counts = to_device(kernels.count_values(src, bins=256, batch_axes=batch), "cpu")
    table = moved_beside(src, _equalising(counts, math.prod(src.shape[batch:])))
    return delivered(kernels.look_up(src, table, batch_axes=batch), dst)


def _equalising(counts: np.ndarray, pixels: int) -> np.ndarray:
    """Tables (..., 256) that equalise histograms of so many pixels each; below the lowest value they are 0."""
    values = np.arange(256)
    lowest = (counts > 0).argmax(axis=-1)[..., None]
    fewest = np.take_along_axis(counts, lowest, axis=-1)
    table = (counts.cumsum(axis=-1) - fewest).astype(np.float32)
    table *= np.float32(255) / np.maximum(pixels - fewest, 1).astype(np.float32)
    table[values < lowest] = 0
    return np.where(fewest == pixels, values, np.rint(table, out=table)).astype(np.uint8)


class CLAHE:
    """Contrast-limited adaptive histogram equalisation; made by `createCLAHE`."""

    def __init__(self, clip_limit: float, tile_grid_size: tuple[int, int]) -> None:
        self.setClipLimit(clip_limit)
        self.setTilesGridSize(tile_grid_size)

    def setClipLimit(self, clipLimit: float) -> None:  # noqa: N802
        """Set how many times more pixels than on average a bin may hold; 0 or less for no limit."""
        if isinstance(clipLimit, bool) or not isinstance(clipLimit, int | float | np.number):
            raise TypeError(f"CLAHE: clipLimit expects a number but got {clipLimit!r}")
        if not math.isfinite(clipLimit):
            raise ValueError(f"CLAHE: clipLimit expects a finite number but got {clipLimit!r}")
        self._clip_limit = float(clipLimit)

    def getClipLimit(self) -> float:  # noqa: N802
        return self._clip_limit

    def setTilesGridSize(self, tileGridSize: Sequence[int]) -> None:  # noqa: N802
        """Set how many tiles there are along and down an image."""
        if not isinstance(tileGridSize, tuple | list) or len(tileGridSize) != 2:
            raise ValueError(f"CLAHE: tileGridSize expects two integers but got {tileGridSize!r}")
        columns, rows = (integer("CLAHE", "tileGridSize", n, 1, 2**15) for n in tileGridSize)
        self._grid = columns, rows

    def getTilesGridSize(self) -> tuple[int, int]:  # noqa: N802
        return self._grid

    def apply(self, src: np.ndarray, dst: np.ndarray | None = None, *, batch_axes: int = 0) -> np.ndarray:
        """Equalise an image by the histograms of its tiles.

        Parameters
        ----------
        src : (H, W) array, uint8 or uint16
            Any strides.
        dst : array like ``src``, optional
            Where to write; it may be ``src`` itself.
        batch_axes : int
            How many leading axes count images.

        Returns
        -------
        array of the shape and type of ``src``

        Notes
        -----
        Equals OpenCV's bit for bit. A tile may be a single pixel, and tiles may lie beyond an image that is smaller
        than their grid. An empty image stays empty.
        """
        name = "CLAHE.apply"
        batch = check_plane(name, src, ("uint8", "uint16"), batch_axes)
        if dst is not None:
            check_out(name, dst, src, src.shape, src.dtype, "dst")
        if src.size == 0:
            return delivered(src.copy(), dst)
        h, w = src.shape[batch:]
        columns, rows = self._grid
        # Where one side is no multiple of its tiles, OpenCV extends both, the other by a whole pixel for each tile.
        even = h % rows == 0 and w % columns == 0
        tile = (h // rows, w // columns) if even else (h // rows + 1, w // columns + 1)
        bins = 256**src.dtype.itemsize
        limit = max(int(self._clip_limit * (tile[0] * tile[1]) / bins), 1) if self._clip_limit > 0 else 0
        source = native(src)
        maps = kernels.tile_maps(
            source, tile=tile, grid=(rows, columns), bins=bins, limit=limit, top=bins - 1, map_dtype=src.dtype.name
        )
        return delivered(kernels.blend_tile_maps(source, maps, tile=tile), dst)


def createCLAHE(clipLimit: float = 40.0, tileGridSize: tuple[int, int] = (8, 8)) -> CLAHE:  # noqa: N802
    """Make a contrast-limited adaptive histogram equalisation, whose method ``apply(src, dst=None)`` does it.

    Parameters
    ----------
    clipLimit : float
        How many times more pixels than on average a bin of a tile's histogram may hold; 0 or less for no limit.
    tileGridSize : (int, int)
        How many tiles there are along an image (columns) and down it (rows).

    Returns
    -------
    CLAHE

    Raises
    ------
    TypeError, ValueError
        Arguments out of range.

    Notes
    -----
    Equals ``cv2.createCLAHE``.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(16, dtype=np.uint8).reshape(4, 4)
    >>> createCLAHE(clipLimit=0, tileGridSize=(1, 1)).apply(image)[0]
    array([16, 32, 48, 64], dtype=uint8)
    """
    return CLAHE(clipLimit, tileGridSize)


def LUT(src: np.ndarray, lut: np.ndarray, dst: np.ndarray | None = None) -> np.ndarray:  # noqa: N802
    """Replace every value by an entry of a table.

    Parameters
    ----------
    src : uint8 array of any shape
        Any strides.
    lut : array of 256 entries, of integers, float32 or float64
        ``(256,)``, ``(1, 256)`` or ``(256, 1)``; for images ``(..., C)`` also ``(1, 256, C)``, one for each channel.
    dst : array of the result's shape and type, optional
        Where to write.

    Returns
    -------
    array of the shape of ``src`` and the type of ``lut``

    Raises
    ------
    TypeError, ValueError
        Another type or shape.

    Notes
    -----
    Equals ``cv2.LUT``. Any number of leading axes may count images.

    Examples
    --------
    >>> import numpy as np
    >>> LUT(np.array([[0, 1, 255]], np.uint8), 255 - np.arange(256, dtype=np.uint8))
    array([[255, 254,   0]], dtype=uint8)
    """
    name = "LUT"
    check_image(name, "src", src)
    check_image(name, "lut", lut)
    if src.dtype != np.uint8:
        raise TypeError(f"{name}: src expects uint8 but got {src.dtype}")
    channels = lut.shape[2] if lut.ndim == 3 else 1
    if lut.size != 256 * channels or lut.shape[:2] not in ((256,), (1, 256), (256, 1)):
        raise ValueError(f"{name}: lut expects 256 entries, or shape (1, 256, C), but got shape {lut.shape}")
    if channels > 1 and src.shape[-1:] != (channels,):
        raise ValueError(f"{name}: lut expects one table or one for each channel but got {channels} (src {src.shape})")
    if dst is not None:
        check_out(name, dst, src, src.shape, lut.dtype, "dst")
    if channels == 1:
        return delivered(kernels.look_up(src, lut.reshape(256)), dst)
    tables = np.moveaxis(lut.reshape(256, channels), -1, 0)
    result = kernels.look_up(np.moveaxis(src, -1, 0), tables, batch_axes=1)
    result = np.moveaxis(result, 0, -1)
    return in_order(result, dst)


def calcHist(  # noqa: N802
    images: Sequence[np.ndarray],
    channels: Sequence[int],
    mask: np.ndarray | None,
    histSize: Sequence[int],
    ranges: Sequence[float],
    *,
    batch_axes: int = 0,
) -> np.ndarray:
    """Count the values of one channel of an image in bins of equal width.

    Parameters
    ----------
    images : list of one array, (H, W) or (H, W, C), uint8, uint16 or float32
    channels : list of one int
    mask : array of the image's shape without its channels, optional
        Pixels are counted where it is not 0.
    histSize : list of one int
        How many bins there are.
    ranges : [low, high]
        Values of ``[low, high)``, which are rounded to float32 as in OpenCV, are counted; NaN is not.
    batch_axes : int
        How many leading axes of the array and of the mask count images.

    Returns
    -------
    (bins,) float32 array, behind the axes of the batch

    Raises
    ------
    TypeError, ValueError
        More than one image or channel, another type, arguments out of range.

    Notes
    -----
    Equals ``cv2.calcHist`` of OpenCV 5 for one image and one channel (before, it had a second axis of 1); histograms of
    several are refused.

    Examples
    --------
    >>> import numpy as np
    >>> calcHist([np.array([[0, 1, 2, 3]], np.uint8)], [0], None, [2], [0, 4])
    array([2., 2.], dtype=float32)
    """
    name = "calcHist"
    for argument, value in (("images", images), ("channels", channels), ("histSize", histSize)):
        if not isinstance(value, list | tuple) or len(value) != 1:
            raise ValueError(f"{name}: {argument} expects a list of one item")
    check_in_memory(name, "images", images[0])
    image = native(images[0])
    batch = leading_axes(name, batch_axes, image.ndim)
    if image.dtype.name not in ("uint8", "uint16", "float32") or image.ndim - batch not in (2, 3):
        raise TypeError(
            f"{name}: images expects uint8, uint16 or float32 of 2 or 3 axes behind {batch} batch axes "
            f"but got {image.dtype} {image.shape}"
        )
    planes = image[..., None] if image.ndim - batch == 2 else image
    plane = planes[..., integer(name, "channels", channels[0], 0, planes.shape[-1] - 1)]
    bins = integer(name, "histSize", histSize[0], 1, 2**24)
    if len(ranges) != 2 or not -math.inf < np.float32(ranges[0]) < np.float32(ranges[1]) < math.inf:
        raise ValueError(f"{name}: ranges expects [low, high] with low < high but got {ranges!r}")
    if mask is not None:
        check_image(name, "mask", mask)
        if mask.shape != plane.shape:
            raise ValueError(f"{name}: mask expects shape {plane.shape} but got {mask.shape}")
    low, high = (float(np.float32(end)) for end in ranges)
    factor = bins / (high - low)

    def places(values: np.ndarray) -> np.ndarray:
        """The bin of each value, -1 outside."""
        values = values.astype(np.float64)
        inside = (values >= low) & (values < high)
        place = np.floor(np.where(inside, values, low) * factor - factor * low)
        return np.where(inside, np.clip(place, 0, bins - 1), -1).astype(np.int64)

    if plane.dtype.kind == "f" or mask is not None:
        of_values = None if plane.dtype.kind == "f" else places(np.arange(256**plane.dtype.itemsize))
        found = places(plane) if of_values is None else of_values[plane]
        found = found if mask is None else np.where(mask != 0, found, -1)
        return kernels.count_values(found, bins=bins, batch_axes=batch).astype(np.float32)
    values = 256**plane.dtype.itemsize
    of_values, place = kernels.count_values(plane, bins=values, batch_axes=batch), places(np.arange(values))
    counts = np.zeros((bins + 1, *of_values.shape[:-1]))
    np.add.at(counts, place + 1, np.moveaxis(of_values, -1, 0))
    return np.moveaxis(counts[1:], 0, -1).astype(np.float32, order="C")
