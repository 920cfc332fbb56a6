"""What happens to pictures in transmission, storage and on paper: JPEG, lost blocks, scratches, tears, motion."""

import functools
import math
from typing import Any

import numpy as np

from .. import kernels
from ..kernels.arguments import integer
from ..kernels.arrays import is_on_cuda, new_like
from .comparing import over_images
from .images import as_float, check_image, check_out, moved_beside, to_nhwc
from .windows import correlated

Damaged = tuple[np.ndarray, np.ndarray]


def jpeg(
    image: np.ndarray,
    quality: int = 75,
    *,
    subsampling: str = "4:2:0",
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Images as they come back from a JPEG file.

    Parameters
    ----------
    image : array, uint8, or float32 or float64 with values in [0, 1]
        Gray, or RGB with ``channel_axis``. Floating-point values are clipped and rounded to 8 bits first; NaN becomes
        0, as no file can hold it.
    quality : int
        1 to 100.
    subsampling : {"4:2:0", "4:2:2", "4:4:4"}
        The resolution of colour.
    channel_axis, batch_axes : int
        The axis of the three channels; how many leading axes count images.
    out : array of the image's shape and type, optional

    Returns
    -------
    array of the image's shape and type

    Raises
    ------
    TypeError, ValueError
        Another type, another number of channels than 1 or 3, arguments out of their range.

    Notes
    -----
    Bit for bit what Pillow's JPEG writer and reader make of a uint8 image; see `tilegrad.kernels.jpeg`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.arange(64, dtype=np.uint8).reshape(8, 8) * 3
    >>> int(np.abs(jpeg(image, 50).astype(int) - image).max())
    4
    """
    name = "jpeg"
    check_image(name, "image", image)
    if image.dtype not in (np.uint8, np.float32, np.float64):
        raise TypeError(f"{name}: image expects uint8, float32 or float64 but got {image.dtype}")
    to_nhwc(name, image, channel_axis, batch_axes)  # refuses images that are not of two axes
    kernel = functools.partial(kernels.jpeg, quality=quality, subsampling=subsampling)
    return over_images(name, image, kernel, channel_axis=channel_axis, batch_axes=batch_axes, out=out)


def drop_blocks(
    image: np.ndarray,
    block: int = 16,
    amount: float = 0.05,
    *,
    seed: int = 0,
    fill: float = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> Damaged:
    """Lose square blocks of images, as a broken transmission does.

    Parameters
    ----------
    image : array of real numbers
        Of two axes beside those of the channels and of the batch.
    block : int
        Side in pixels; blocks lie side by side from the upper left corner on.
    amount : float
        The share of blocks that are lost, each by chance of its own.
    seed : int
        Which ones.
    fill : float
        The value of lost pixels.
    channel_axis, batch_axes : int
        The axis of channels, which are lost together; how many leading axes count images.
    out : array of the image's shape and type, optional
        Where to write what is damaged; it may be the image itself.

    Returns
    -------
    damaged : array of the image's shape and type, or ``out``
    mask : array of bool, of the image's shape without its channels
        True where pixels were lost: what the inpainting filters take.

    Examples
    --------
    >>> import numpy as np
    >>> damaged, mask = drop_blocks(np.ones((4, 8)), 2, 0.3, seed=2)
    >>> damaged.astype(int)
    array([[1, 1, 1, 1, 0, 0, 1, 1],
           [1, 1, 1, 1, 0, 0, 1, 1],
           [1, 1, 1, 1, 0, 0, 0, 0],
           [1, 1, 1, 1, 0, 0, 0, 0]])
    >>> bool(((damaged == 0) == mask).all())
    True
    """
    name = "drop_blocks"
    N, H, W = _sizes(name, image, channel_axis, batch_axes, out)
    _check_count(name, "block", block, 1)
    _check_share(name, "amount", amount)
    _check_fill(name, fill, image.dtype)
    integer(name, "seed", seed, 0, 2**64 - 1)
    drawn = kernels.random_uniform((N, -(-H // block), -(-W // block)), seed=seed, dtype=np.float64) < amount
    mask = drawn.take(np.arange(W) // block, axis=2).take(np.arange(H) // block, axis=1)
    return _lost(image, mask, fill, channel_axis, batch_axes, out)


def scratches(
    image: np.ndarray,
    count: int = 10,
    width: float = 1.5,
    *,
    seed: int = 0,
    fill: float = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> Damaged:
    """Scratch images: straight lines that begin and end anywhere, half of the diagonal long on average.

    Parameters
    ----------
    image, seed, fill, channel_axis, batch_axes, out
        As in `drop_blocks`.
    count : int
        Scratches on each image.
    width : float
        In pixels.

    Returns
    -------
    damaged, mask
        As in `drop_blocks`.

    Examples
    --------
    >>> import numpy as np
    >>> damaged, mask = scratches(np.ones((32, 32, 3)), 3, seed=1, channel_axis=-1)
    >>> damaged.shape, mask.shape, bool(0 < mask.mean() < 0.5)
    ((32, 32, 3), (32, 32), True)
    """
    name = "scratches"
    N, H, W = _sizes(name, image, channel_axis, batch_axes, out)
    _check_count(name, "count", count, 0)
    _check_width(name, width)
    _check_fill(name, fill, image.dtype)
    integer(name, "seed", seed, 0, 2**64 - 1)
    ends = kernels.random_uniform((N, count, 2, 2), seed=seed, dtype=np.float64) * [H, W]
    mask = _drawn((N, H, W), ends, np.full((N, count), width / 2))
    return _lost(image, mask, fill, channel_axis, batch_axes, out)


def tears(
    image: np.ndarray,
    count: int = 1,
    width: float = 6.0,
    *,
    seed: int = 0,
    fill: float = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> Damaged:
    """Tear images: ragged gaps from one edge towards the middle, widest at the edge.

    Parameters
    ----------
    image, seed, fill, channel_axis, batch_axes, out
        As in `drop_blocks`.
    count : int
        Tears in each image.
    width : float
        At the edge, in pixels.

    Returns
    -------
    damaged, mask
        As in `drop_blocks`.

    Examples
    --------
    >>> import numpy as np
    >>> damaged, mask = tears(np.ones((40, 60)), seed=3)
    >>> bool(mask[[0, -1]].any() or mask[:, [0, -1]].any()), bool(mask[20, 30])
    (True, False)
    """
    name = "tears"
    N, H, W = _sizes(name, image, channel_axis, batch_axes, out)
    _check_count(name, "count", count, 0)
    _check_width(name, width)
    _check_fill(name, fill, image.dtype)
    integer(name, "seed", seed, 0, 2**64 - 1)
    steps = 24
    drawn = kernels.random_uniform((N, count, 4 + 2 * steps), seed=seed, dtype=np.float64)
    edge, place, depth = np.moveaxis(drawn[..., :3, None], 2, 0)
    wander, ragged = np.cumsum(drawn[..., 4 : 4 + steps] - 0.5, axis=2), drawn[..., 4 + steps :]
    # Down from the upper edge of a square; other edges are the same, turned.
    t = np.linspace(0, 0.3 + 0.4 * depth[..., 0], steps, axis=2)
    path = np.stack([t, 0.2 + 0.6 * place + 0.03 * wander], axis=3)
    turns = (4 * edge[..., None]).astype(int)
    path = np.where(turns % 2 == 1, path[..., ::-1], path)
    path = np.where(turns >= 2, 1 - path, path) * [H - 1, W - 1]
    radii = width / 2 * (1 - np.linspace(0, 0.9, steps)) * (0.6 + 0.8 * ragged)
    lines = np.stack([path[:, :, :-1], path[:, :, 1:]], axis=3).reshape(N, count * (steps - 1), 2, 2)
    mask = _drawn((N, H, W), lines, radii[:, :, :-1].reshape(N, count * (steps - 1)))
    return _lost(image, mask, fill, channel_axis, batch_axes, out)


def motion_blur(
    image: np.ndarray,
    length: float = 9.0,
    angle: float = 0.0,
    *,
    mode: str = "nearest",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Blur images as a camera does that moves straight on while it takes them.

    Parameters
    ----------
    image : array of real numbers
        Of two axes beside those of the channels and of the batch; integers are scaled as by `gaussian`.
    length : float
        Of the way in pixels, at least 1.
    angle : float
        Of the way in degrees: 0 is along the rows, 90 upwards.
    mode, cval
        What lies outside: see `gaussian`.
    channel_axis, batch_axes : int
        As in `drop_blocks`.
    out : floating-point array of the image's shape, optional
        Where to write.

    Returns
    -------
    float32 or float64 array of the image's shape, or ``out``

    Notes
    -----
    Each pixel of the window counts by how much of the way lies nearest to it; see `motion_kernel`.

    Examples
    --------
    >>> import numpy as np
    >>> motion_blur(np.eye(1, 7, 3), 3)
    array([[0.        , 0.        , 0.33333333, 0.33333333, 0.33333333,
            0.        , 0.        ]])
    """
    name = "motion_blur"
    check_image(name, "image", image)
    source, weights = as_float(image, preserve_range=False), motion_kernel(length, angle)
    return correlated(name, source, weights, False, mode, cval, 0, out, channel_axis, batch_axes)


def motion_kernel(length: float, angle: float) -> np.ndarray:
    """The weights of `motion_blur`, of odd height and width; they add up to 1.

    >>> motion_kernel(3, 90)
    array([[0.33333333],
           [0.33333333],
           [0.33333333]])
    """
    name = "motion_blur"
    for argument, value in (("length", length), ("angle", angle)):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    if not (1 <= length < 10_000 and math.isfinite(angle)):
        raise ValueError(f"{name}: expects length from 1 to 9999 and a finite angle but got {length!r} and {angle!r}")
    direction = math.radians(angle)
    steps = 64 * math.ceil(length)
    way = (np.arange(steps) + 0.5) / steps * length - length / 2
    rows, columns = np.rint(-way * math.sin(direction)).astype(int), np.rint(way * math.cos(direction)).astype(int)
    r, s = int(np.abs(rows).max()), int(np.abs(columns).max())
    weights = np.zeros((2 * r + 1, 2 * s + 1))
    np.add.at(weights, (rows + r, columns + s), 1 / steps)
    return weights


def _sizes(name: str, image: Any, channel_axis: Any, batch_axes: Any, out: Any) -> tuple[int, int, int]:
    """How many images, their height and their width."""
    check_image(name, "image", image)
    if out is not None:
        check_out(name, out, image, image.shape, image.dtype)
    return to_nhwc(name, image, channel_axis, batch_axes).shape[:3]


def _lost(
    image: np.ndarray, mask: np.ndarray, fill: float, channel_axis: int | None, batch_axes: int, out: np.ndarray | None
) -> Damaged:
    """The image without the pixels of the mask, and the mask in the image's own axes; masks are drawn on the CPU."""
    mask = moved_beside(image, mask.reshape(*image.shape[:batch_axes], *mask.shape[1:]))
    damaged = new_like(image, image.shape, image.dtype.newbyteorder("=")) if out is None else out
    if damaged is not image:
        damaged[...] = image
    pixels = damaged if channel_axis is None else np.moveaxis(damaged, channel_axis, -1)
    if channel_axis is not None and pixels.flags.c_contiguous and not is_on_cuda(image):
        # NumPy writes whole pixels at places in a row several times as fast as where a mask is True.
        pixels.reshape(mask.size, pixels.shape[-1])[np.flatnonzero(mask)] = fill
    else:
        pixels[mask] = fill
    return damaged, mask


def _drawn(shape: tuple[int, int, int], lines: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Masks (N, H, W) of the pixels whose centres lie within its radius of a line, of K on each image.

    Lines (N, K, 2, 2) join two points (row, column). Rows cut what lies near a line in one run of pixels: it is counted
    up where that begins and down behind its end, and the counts are added up in place.
    """
    N, H, W = shape
    K = lines.shape[1]
    counts = np.zeros((N, H, W + 1), np.int32)
    first, last = _runs(H, W, lines.reshape(N * K, 2, 1, 2), radii.reshape(N * K, 1))
    line, row = np.nonzero(first <= last)
    begins = (line // max(K, 1) * H + row) * (W + 1)
    np.add.at(counts.reshape(-1), begins + first[line, row], np.int32(1))
    np.subtract.at(counts.reshape(-1), begins + last[line, row] + 1, np.int32(1))
    return np.add.accumulate(counts, axis=2, out=counts)[..., :W] > 0


def _runs(H: int, W: int, line: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last column, (L, H), of each row within the radius, (L, 1), of each of the lines (L, 2, 1, 2)."""
    (top, left), (down, along) = np.moveaxis(line[:, 0], 2, 0), np.moveaxis(line[:, 1] - line[:, 0], 2, 0)
    rows, squared, reach = np.arange(H) - top, down * down + along * along, radius + 1e-9

    def is_near(column: np.ndarray) -> np.ndarray:
        part = np.clip((rows * down + (column - left) * along) / np.maximum(squared, 1e-12), 0, 1)
        return np.hypot(rows - part * down, column - left - part * along) <= radius

    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # A row cuts the discs around both points and the strip between them, or misses them: not a number.
        discs = [(at, np.sqrt(reach**2 - (rows - below) ** 2)) for at, below in ((0.0, 0.0), (along, down))]
        sides = [(rows * along + side * reach * np.sqrt(squared)) / down for side in (-1, 1)]
        tips = [(part * squared - rows * down) / along for part in (0, 1)]
        low, high = np.fmax(np.fmin(*sides), np.fmin(*tips)), np.fmin(np.fmax(*sides), np.fmax(*tips))
        low, high = np.where(low <= high, (low, high), np.nan)
    begin = np.fmin.reduce([low, *(at - half for at, half in discs)]) + left
    end = np.fmax.reduce([high, *(at + half for at, half in discs)]) + left
    first = np.where(begin <= end, np.clip(np.ceil(begin), 0, W), W).astype(int)
    last = np.where(begin <= end, np.clip(np.floor(end), -1, W - 1), -1).astype(int)
    return first + ~is_near(first), last - ~is_near(last)  # what rounding has added goes again


def _check_count(name: str, argument: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
    if value < least:
        raise ValueError(f"{name}: {argument} expects at least {least} but got {value}")


def _check_share(name: str, argument: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name}: {argument} expects a number but got {value!r}")
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: {argument} expects a share from 0 to 1 but got {value!r}")


def _check_fill(name: str, value: Any, dtype: np.dtype) -> None:
    if not isinstance(value, int | float | np.integer | np.floating | np.bool):
        raise TypeError(f"{name}: fill expects a number but got {value!r}")
    if dtype.kind in "iu" and not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
        raise ValueError(f"{name}: fill expects a value that {dtype} holds but got {value!r}")


def _check_width(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name}: width expects a number but got {value!r}")
    if not 0 < value < math.inf:
        raise ValueError(f"{name}: width expects a finite number above 0 but got {value!r}")
