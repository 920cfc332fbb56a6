"""Filters on arrays that are larger than memory: tile by tile, exact at the seams.

A filter's *halo* is how many pixels away from a pixel of the result it looks. With that frame around it, a tile of the
image gives the result that the whole image would; at the image's own border there is no frame, and the filter itself
says what lies outside. `HALOS` is the table of what each filter's arguments make of its halo; a filter without an entry
there, or with one that says why it has none, is not for tiles.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..kernels.tiles import tiles
from .images import leading_axes

Halo = Callable[[Mapping[str, Any]], int]
"""The halo that a call's arguments make, all of them by name; it raises a ValueError where there is none."""


def _gaussian(arguments: Mapping[str, Any]) -> int:
    """How far the window reaches. A wrapped border looks across the whole image."""
    if arguments["mode"] == "wrap":
        raise ValueError('mode "wrap" takes pixels from the other end of the image')
    sigma = np.max(np.atleast_1d(arguments["sigma"]), initial=0.0)
    return int(arguments["truncate"] * sigma + 0.5)


def _none(reason: str) -> Halo:
    """In place of a halo: why a filter has none."""

    def refuse(arguments: Mapping[str, Any]) -> int:
        raise ValueError(reason)

    return refuse


_OTHER_SIZE = "its result has another size than the image"
_MOVED = "a pixel of its result may come from anywhere in the image"
_WHOLE = "it compares whole images"

HALOS: dict[str, Halo] = {
    "crop": _none(_OTHER_SIZE),
    "downscale_local_mean": _none(_OTHER_SIZE),
    "gaussian": _gaussian,
    "mean_squared_error": _none(_WHOLE),
    "multiscale_structural_similarity": _none(_WHOLE),
    "normalized_root_mse": _none(_WHOLE),
    "pad": _none(_OTHER_SIZE),
    "peak_signal_noise_ratio": _none(_WHOLE),
    "psnr_and_ssim": _none(_WHOLE),
    "pyramid_expand": _none(_OTHER_SIZE),
    "pyramid_gaussian": _none(_OTHER_SIZE),
    "pyramid_laplacian": _none(_OTHER_SIZE),
    "pyramid_reduce": _none(_OTHER_SIZE),
    "rescale": _none(_OTHER_SIZE),
    "resize": _none(_OTHER_SIZE),
    "resize_local_mean": _none(_OTHER_SIZE),
    "rotate": _none(_MOVED),
    "structural_similarity": _none(_WHOLE),
    "warp": _none(_MOVED),
}
"""For each filter of this package, by its name, the halo that its arguments make."""


def halo(function: Callable[..., Any], **arguments: Any) -> int:
    """How many pixels away from a pixel of its result a filter looks.

    Parameters
    ----------
    function
        A filter of this package.
    **arguments
        Of its call, but for the image; defaults are filled in.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        Where the filter has no halo, with the reason.
    TypeError
        Where it has no such argument.

    Examples
    --------
    >>> from tilegrad import filters
    >>> halo(filters.gaussian, sigma=2)
    8
    """
    name = getattr(function, "__name__", repr(function))
    if name not in HALOS or not getattr(function, "__module__", "").startswith(__package__):
        raise ValueError(f"halo: {name} has no entry; name its halo")
    parameters = inspect.signature(function).parameters
    unknown = sorted(arguments.keys() - parameters.keys())
    if unknown:
        raise TypeError(f"halo: {name} has no argument {unknown[0]!r}")
    defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
    try:
        return HALOS[name]({**defaults, **arguments})
    except ValueError as reason:
        raise ValueError(f"halo: {name} cannot be tiled: {reason}") from None


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
    way wherever it lies, and its border is not that of the other end.

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
