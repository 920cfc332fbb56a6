"""Filters on arrays that are larger than memory: tile by tile, exact at the seams.

A filter's *halo* is how many pixels away from a pixel of the result it looks (halos.py). With that frame around it, a
tile of the image gives the result that the whole image would; at the image's own border there is no frame, and the
filter itself says what lies outside.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.tiles import tiles
from .images import leading_axes


def map_tiles(
    function: Callable[..., Any],
    source: Any,
    target: Any,
    *,
    tile: int = 1024,
    halo: int,
    multiple: int = 1,
    batch_axes: int = 0,
) -> None:
    """Apply a filter to an array tile by tile, and write the results where they belong.

    Parameters
    ----------
    function
        ``function(array) -> array`` of the same height and width; a filter with its arguments, say, by
        `functools.partial`.
    source : array of (..., H, W) or (..., H, W, C)
        Anything that is sliced and has a ``shape``: ``numpy.memmap``, or an array of Zarr or HDF5. The spatial axes
        are the two behind those of the batch; behind them at most the channels.
    target : array of H and W of the source
        Where the results go. It shares no memory with the source, of which each tile is read with its frame.
    tile : int
        Side of what is filtered at a time, with its frame; rounded down to a multiple.
    halo : int
        How many pixels away from a pixel of its result the function looks; `halo` knows that of this package's filters.
    multiple : int
        Tiles begin and end at multiples of this, for functions that work on blocks of pixels.
    batch_axes : int
        How many leading axes count images; each is filtered on its own, with the axes that are left.

    Raises
    ------
    ValueError, TypeError
        A tile without room for a result, a target of another height or width, a function whose result has another size.

    Notes
    -----
    The result is that of the whole image as long as the halo is right, the function computes each pixel in the same
    way wherever it lies, and its border is not that of the other end. `match_template` takes a mean off the tile and
    transforms blocks that begin with it, and the sums of `uniform`, of means in `threshold_local` and of OpenCV's boxes
    are made of parts that are counted from its edges: of floating-point numbers, the result is the whole image's within
    rounding there. `jpeg` codes blocks of pixels: give ``multiple=16``.

    Examples
    --------
    >>> import functools
    >>> import numpy as np
    >>> from tilegrad import filters
    >>> blur = functools.partial(filters.gaussian, sigma=2)
    >>> image = np.random.default_rng(0).random((100, 80))
    >>> result = np.empty_like(image)
    >>> filters.map_tiles(blur, image, result, tile=40, halo=filters.halo(filters.gaussian, sigma=2))
    >>> bool(np.all(result == blur(image)))
    True
    """
    name = "map_tiles"
    for argument, value, least in (("tile", tile, 1), ("halo", halo, 0), ("multiple", multiple, 1)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise TypeError(f"{name}: {argument} expects an integer but got {value!r}")
        if value < least:
            raise ValueError(f"{name}: {argument} expects at least {least} but got {value}")
    axes = len(source.shape)
    batch = leading_axes(name, batch_axes, axes)
    if axes - batch not in (2, 3):
        raise ValueError(f"{name}: source expects (H, W) or (H, W, C) behind {batch} batch axes but got {source.shape}")
    if tuple(target.shape[: batch + 2]) != tuple(source.shape[: batch + 2]):
        raise ValueError(f"{name}: target expects the height and width of {source.shape} but got shape {target.shape}")
    if isinstance(source, np.ndarray) and isinstance(target, np.ndarray) and np.may_share_memory(source, target):
        raise ValueError(f"{name}: target shares memory with source")
    height, width = source.shape[batch : batch + 2]
    for image in np.ndindex(*source.shape[:batch]):
        for part in tiles(height, width, int(tile), halo=int(halo), multiple=int(multiple)):
            found = function(np.asarray(source[(*image, *part.source)]))
            extents = tuple(axis.stop - axis.start for axis in part.source)
            if found.shape[:2] != extents:
                raise ValueError(f"{name}: function expects to return {extents} pixels but got shape {found.shape}")
            target[(*image, *part.target)] = found[part.inner]
