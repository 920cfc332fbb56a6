"""How outputs are cut into the tiles of F(4, 2) and F(3, 2), and the order in which tiles are numbered.

An axis is cut into 4s and then 3s, without a remainder where that can be (1, 2 and 5 are cut into 3s, the last of which
hangs over); a tile is one piece of each axis, so there are four kinds::

             4      4     3
          +------+------+----+        7 x 11 outputs
        4 |  44  |  44  | 43 |
          +------+------+----+        points (i, j) of a tile:  i < 5 where it is 4 high, i < 4 where it is 3 high;
        3 |  34  |  34  | 33 |                                  j likewise, by its width
          +------+------+----+

Tiles of all images are numbered kind by kind, in the order 43, 44, 34, 33. So the tiles that have a point are one range
of numbers, and the product at that point is one matrix product over that range, with nothing in between to skip::

    number   | 43 ...... | 44 ...... | 34 ...... | 33 ...... |
    i < 4, j < 4:  all        <------------------------------------------------->
    i = 4, j < 4:  4 high     <--------------------->
    i < 4, j = 4:  4 wide                 <--------------------->
    i = 4, j = 4:  44                     <--------->
"""

from typing import NamedTuple

from numba.extending import register_jitable

POINTS = 5
"""Points of an axis; pieces of 3 outputs have no last one."""

ALL_POINTS = POINTS * POINTS

KINDS = ((4, 3), (4, 4), (3, 4), (3, 3))


def cut(outputs: int) -> tuple[int, int]:
    """How many 4s and how many 3s an axis is cut into: as few points as can be.

    >>> cut(7), cut(8), cut(9), cut(14), cut(1), cut(5)
    ((1, 1), (2, 0), (0, 3), (2, 2), (0, 1), (0, 2))
    """
    threes = -outputs % 4
    if 3 * threes > outputs:  # 1, 2 and 5
        return 0, -(-outputs // 3)
    return (outputs - 3 * threes) // 4, threes


class Tiling(NamedTuple):
    """Outputs of ``images`` images, cut into tiles.

    >>> tiling = Tiling(images=2, rows=7, columns=11)
    >>> tiling.bounds
    (0, 2, 6, 10, 12)
    >>> tiling.kinds
    ((4, 3), (4, 4), (3, 4), (3, 3))
    """

    images: int
    rows: int
    columns: int

    @property
    def bounds(self) -> tuple[int, int, int, int, int]:
        """The first number of each kind of tile, and how many tiles there are."""
        down, across = (dict(zip((4, 3), cut(side), strict=True)) for side in (self.rows, self.columns))
        ends = [0]
        for high, wide in KINDS:
            ends.append(ends[-1] + self.images * down[high] * across[wide])
        return ends[0], ends[1], ends[2], ends[3], ends[4]

    @property
    def tiles(self) -> int:
        return self.bounds[4]

    @property
    def kinds(self) -> tuple[tuple[int, int], ...]:
        """The kinds of tiles that there are."""
        bounds = self.bounds
        return tuple(kind for kind, first, end in zip(KINDS, bounds, bounds[1:], strict=False) if end > first)

    @property
    def products(self) -> int:
        """Products for each pair of channels."""
        bounds = self.bounds
        return sum((end - first) * (high + 1) * (wide + 1)
                   for (high, wide), first, end in zip(KINDS, bounds, bounds[1:], strict=False))  # fmt: skip

    @property
    def words(self) -> list[int]:
        """What `place` and `active` read of an argument block, `TILING_WORDS` numbers."""
        return [*self.bounds, *cut(self.rows), *cut(self.columns), self.rows, self.columns]


TILING_WORDS = 11


@register_jitable
def sides(kind):
    """Height and width of a kind of tile."""
    return 4 if kind < 2 else 3, 4 if kind == 1 or kind == 2 else 3


@register_jitable
def place(number, block, at):
    """Kind, image, first row and first column of a tile; ``block[at:]`` are the words of the tiling."""
    kind = 0
    while number >= block[at + kind + 1]:
        kind += 1
    high, wide = sides(kind)
    down, across = block[at + 5 + 4 - high], block[at + 7 + 4 - wide]
    local = number - block[at + kind]
    image, local = local // (down * across), local % (down * across)
    row, column = local // across * high, local % across * wide
    if high == 3:  # these lie below the 4s
        row += 4 * block[at + 5]
    if wide == 3:
        column += 4 * block[at + 7]
    return kind, image, row, column


@register_jitable
def active(point, block, at):
    """The range of tiles that have point ``5 * i + j``."""
    i, j = point // POINTS, point % POINTS
    first = block[at + 1] if j == 4 else block[at]
    if i == 4:
        return first, block[at + 2]
    return first, block[at + 3] if j == 4 else block[at + 4]
