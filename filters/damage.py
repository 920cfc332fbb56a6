"""What happens to pictures in transmission, storage and on paper: JPEG, lost blocks, scratches, tears, motion."""

import math
from typing import Any

import numpy as np

from .. import kernels
from .images import as_float, check_image, check_in_memory, check_out, from_nhwc, in_order, to_nhwc
from .windows import correlate

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
    if out is not None:
        check_out(name, out, image, image.shape, image.dtype)
    planes = to_nhwc(name, image, channel_axis, batch_axes)
    if image.dtype != np.uint8:
        planes = np.rint(np.nan_to_num(np.clip(planes, 0, 1)) * 255).astype(np.uint8)
    stored = from_nhwc(kernels.jpeg(planes, quality, subsampling=subsampling), image, channel_axis, batch_axes)
    result = stored if image.dtype == np.uint8 else stored.astype(image.dtype) / image.dtype.type(255)
    return in_order(result, out)


def drop_blocks(
    image: np.ndarray,
    block: int = 16,
    amount: float = 0.05,
    *,
    seed: int = 0,
    fill: float = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
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

    Returns
    -------
    damaged : array of the image's shape and type
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
    planes = _planes(name, image, channel_axis, batch_axes)
    _check_count(name, "block", block, 1)
    _check_share(name, "amount", amount)
    N, H, W, _ = planes.shape
    drawn = kernels.random_uniform((N, -(-H // block), -(-W // block)), seed=seed, dtype=np.float64) < amount
    mask = drawn.repeat(block, axis=1).repeat(block, axis=2)[:, :H, :W]
    return _lost(image, planes, mask, fill, channel_axis, batch_axes)


def scratches(
    image: np.ndarray,
    count: int = 10,
    width: float = 1.5,
    *,
    seed: int = 0,
    fill: float = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> Damaged:
    """Scratch images: straight lines that begin and end anywhere, half of the diagonal long on average.

    Parameters
    ----------
    image, seed, fill, channel_axis, batch_axes
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
    planes = _planes(name, image, channel_axis, batch_axes)
    _check_count(name, "count", count, 0)
    _check_width(name, width)
    N, H, W, _ = planes.shape
    ends = kernels.random_uniform((N, count, 2, 2), seed=seed, dtype=np.float64) * [H, W]
    mask = np.zeros((N, H, W), bool)
    for n, k in np.ndindex(N, count):
        _draw_line(mask[n], ends[n, k], width / 2)
    return _lost(image, planes, mask, fill, channel_axis, batch_axes)


def tears(
    image: np.ndarray,
    count: int = 1,
    width: float = 6.0,
    *,
    seed: int = 0,
    fill: float = 0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
) -> Damaged:
    """Tear images: ragged gaps from one edge towards the middle, widest at the edge.

    Parameters
    ----------
    image, seed, fill, channel_axis, batch_axes
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
    planes = _planes(name, image, channel_axis, batch_axes)
    _check_count(name, "count", count, 0)
    _check_width(name, width)
    N, H, W, _ = planes.shape
    steps = 24
    drawn = kernels.random_uniform((N, count, 4 + 2 * steps), seed=seed, dtype=np.float64)
    mask = np.zeros((N, H, W), bool)
    for n, k in np.ndindex(N, count):
        edge, place, depth, _, *rest = drawn[n, k]
        wander, ragged = np.cumsum(np.array(rest[:steps]) - 0.5), np.array(rest[steps:])
        # Down from the upper edge of a square; other edges are the same, turned.
        t = np.linspace(0, 0.3 + 0.4 * depth, steps)
        path = np.column_stack([t, 0.2 + 0.6 * place + 0.03 * wander])
        turned = [path, path[:, ::-1], 1 - path, 1 - path[:, ::-1]][int(4 * edge)] * [H - 1, W - 1]
        radii = width / 2 * (1 - np.linspace(0, 0.9, steps)) * (0.6 + 0.8 * ragged)
        for i in range(steps - 1):
            _draw_line(mask[n], turned[i : i + 2], radii[i])
    return _lost(image, planes, mask, fill, channel_axis, batch_axes)


def motion_blur(
    image: np.ndarray,
    length: float = 9.0,
    angle: float = 0.0,
    *,
    mode: str = "nearest",
    cval: float = 0.0,
    channel_axis: int | None = None,
    batch_axes: int = 0,
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

    Returns
    -------
    float32 or float64 array of the image's shape

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
    check_image("motion_blur", "image", image)
    return correlate(
        as_float(image, preserve_range=False), motion_kernel(length, angle), mode=mode, cval=cval,
        channel_axis=channel_axis, batch_axes=batch_axes,
    )  # fmt: skip


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


def _planes(name: str, image: Any, channel_axis: Any, batch_axes: Any) -> np.ndarray:
    check_in_memory(name, "image", image)
    return to_nhwc(name, image, channel_axis, batch_axes)


def _lost(
    image: np.ndarray, planes: np.ndarray, mask: np.ndarray, fill: float, channel_axis: int | None, batch_axes: int
) -> Damaged:
    """The image without the pixels of the mask, and the mask in the image's own axes."""
    damaged = np.where(mask[..., None], np.asarray(fill).astype(image.dtype), planes)
    shape = (*image.shape[:batch_axes], *mask.shape[1:])
    return np.ascontiguousarray(from_nhwc(damaged, image, channel_axis, batch_axes)), mask.reshape(shape)


def _draw_line(mask: np.ndarray, ends: np.ndarray, radius: float) -> None:
    """Mark the pixels whose centres lie within ``radius`` of the line between two points (row, column)."""
    H, W = mask.shape
    reach = radius + 1
    top, left = np.maximum(np.floor(ends.min(axis=0) - reach), 0).astype(int)
    bottom, right = np.minimum(np.ceil(ends.max(axis=0) + reach) + 1, [H, W]).astype(int)
    if top >= bottom or left >= right:
        return
    points = np.moveaxis(np.mgrid[top:bottom, left:right], 0, -1) - ends[0]
    way = ends[1] - ends[0]
    along = np.clip(points @ way / max(float(way @ way), 1e-12), 0, 1)
    distance = np.hypot(*np.moveaxis(points - along[..., None] * way, -1, 0))
    mask[top:bottom, left:right] |= distance <= radius


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


def _check_width(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise TypeError(f"{name}: width expects a number but got {value!r}")
    if not 0 < value < math.inf:
        raise ValueError(f"{name}: width expects a finite number above 0 but got {value!r}")
