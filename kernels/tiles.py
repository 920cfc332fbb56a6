"""Large images cut into tiles that overlap: each result pixel is computed from all that it depends on.

A filter that looks ``halo`` pixels far gives the right values inside of a crop, but not in a frame of ``halo`` pixels
where the crop ends and the image goes on. So each tile is computed from a crop with that frame, which is left out::

    +-------------------+  source: what is read, `halo` more on each side that has more
    |    +---------+    |
    |    | target  |    |  target: where the result belongs;   inner: where it lies in what was computed from source
    |    +---------+    |
    +-------------------+

Crops begin and end at multiples of ``multiple`` pixels (or where the image ends), so that kernels which work on blocks
of pixels cut the crop as they would cut the whole image, and give the same bits.
"""

from collections.abc import Iterator
from typing import NamedTuple

Slices = tuple[slice, slice]


class Tile(NamedTuple):
    """``result[target] = function(image[source])[inner]``."""

    source: Slices
    target: Slices
    inner: Slices


def tiles(height: int, width: int, side: int, *, halo: int = 0, multiple: int = 1) -> Iterator[Tile]:
    """Cut an image into tiles, row after row.

    Parameters
    ----------
    height, width : int
        Of the image.
    side : int
        Of a tile's crop at most, with its halo; rounded down to a multiple.
    halo : int
        How far a result pixel looks.
    multiple : int
        Crops begin and end at multiples of this.

    Raises
    ------
    ValueError
        Where a crop of that side has no room for a result.

    Examples
    --------
    >>> for tile in tiles(4, 10, 8, halo=2):
    ...     print(*[(columns.start, columns.stop) for _, columns in tile])
    (0, 8) (0, 6) (0, 6)
    (4, 10) (6, 10) (2, 6)
    """
    rows = list(_cuts(height, side, halo, multiple))
    for row in rows:
        for column in _cuts(width, side, halo, multiple):
            yield Tile(*zip(row, column, strict=True))


def _cuts(length: int, side: int, halo: int, multiple: int) -> Iterator[tuple[slice, slice, slice]]:
    """Source, target and inner of the tiles along one axis."""
    frame = -(-halo // multiple) * multiple
    most = side // multiple * multiple
    if most < length and most <= 2 * frame:
        least = 2 * frame + multiple
        raise ValueError(f"tiles: side expects at least {least} (halo {halo}, multiple {multiple}) but got {side}")
    begin = 0
    while begin < length:
        first = max(0, begin - frame)
        last = min(length, first + most)
        end = last if last == length else last - frame
        yield slice(first, last), slice(begin, end), slice(begin - first, end - first)
        begin = end
