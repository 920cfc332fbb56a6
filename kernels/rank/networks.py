"""Medians by comparisons that do not depend on the data, so that every lane of a vector does the same.

A step replaces two numbers by the lesser and the greater of them. What is known of the order of all numbers grows with
each step; `forgotten` uses it to find a median with few steps. The same text counts steps with integers and emits
vector code with LLVM values: it knows numbers only as things to be compared.
"""

from collections.abc import Callable, Sequence
from typing import Any

Compare = Callable[[Any, Any], Any]

# Sorting networks of few numbers with the fewest steps (Knuth, The Art of Computer Programming 3, 5.3.4).
SORTS: dict[int, tuple[tuple[int, int], ...]] = {
    2: ((0, 1),),
    3: ((0, 2), (0, 1), (1, 2)),
    4: ((0, 1), (2, 3), (0, 2), (1, 3), (1, 2)),
    5: ((0, 3), (1, 4), (0, 2), (1, 3), (0, 1), (2, 4), (1, 2), (3, 4), (2, 3)),
    6: (
        (0, 5), (1, 3), (2, 4), (1, 2), (3, 4), (0, 3), (2, 5), (0, 1), (2, 3), (4, 5), (1, 2), (3, 4),
    ),
    7: (
        (0, 6), (2, 3), (4, 5), (0, 2), (1, 4), (3, 6), (0, 1), (2, 5), (3, 4), (1, 2), (4, 6), (2, 3), (4, 5), (1, 2),
        (3, 4), (5, 6),
    ),
}  # fmt: skip


def sort(numbers: Sequence[Any], lesser: Compare, greater: Compare) -> list[Any]:
    """2 to 7 numbers in order.

    >>> sort([3, 1, 2, 5, 4], min, max)
    [1, 2, 3, 4, 5]
    """
    found = list(numbers)
    for i, j in SORTS[len(found)]:
        found[i], found[j] = lesser(found[i], found[j]), greater(found[i], found[j])
    return found


def insert(number: Any, ordered: Sequence[Any], rank: int, lesser: Compare, greater: Compare) -> Any:
    """The number of that rank after one more has come to some that are in order.

    >>> [insert(4, [2, 3, 7], rank, min, max) for rank in range(4)]
    [2, 3, 4, 7]
    """
    found = number if rank == len(ordered) else lesser(number, ordered[rank])
    return found if rank == 0 else greater(ordered[rank - 1], found)


def candidates(side: int) -> list[tuple[int, int]]:
    """Which (row, column) of a square, sorted along its rows and then along its columns, may hold its median.

    (r + 1) * (c + 1) numbers are surely not greater than the one at (r, c), and (side - r) * (side - c) not less; it
    cannot be the median if one of these is more than half.

    >>> candidates(3)
    [(0, 2), (1, 1), (2, 0)]
    """
    half, places = side * side // 2 + 1, range(side)
    return [(r, c) for r in places for c in places if (r + 1) * (c + 1) <= half and (side - r) * (side - c) <= half]


def forgotten(numbers: dict[tuple[int, int], Any], lesser: Compare, greater: Compare) -> Any:
    """The median of an odd number of `candidates`, by forgetting extremes.

    Of more than half of the numbers, neither the least nor the greatest can be the median of all: both are forgotten
    and the next one comes in, until one is left. The least is among those of which none is known to be less; a step
    between two of them leaves fewer, and what it says of all others is kept.

    >>> forgotten({(0, 2): 5, (1, 1): 9, (2, 0): 7}, min, max)
    7
    """
    values = dict(enumerate(numbers.values()))
    places = list(numbers)
    below = {
        (a, b)
        for a, (r, c) in enumerate(places)
        for b, (row, column) in enumerate(places)
        if a != b and r <= row and c <= column
    }
    names = list(values)
    kept, coming = names[: len(names) // 2 + 2], names[len(names) // 2 + 2 :]

    def step(a: int, b: int) -> None:
        """a becomes the lesser of both and b the greater."""
        values[a], values[b] = lesser(values[a], values[b]), greater(values[a], values[b])
        for x in [name for name in values if name not in (a, b)]:
            under, over = {(x, a), (x, b)} & below, {(a, x), (b, x)} & below
            below.difference_update(under | over)
            below.update([(x, b)] if under else [], [(x, a)] if len(under) == 2 else [])
            below.update([(a, x)] if over else [], [(b, x)] if len(over) == 2 else [])
        below.add((a, b))

    def forget(least: bool) -> None:
        while True:
            ends = [n for n in kept if not any(((o, n) if least else (n, o)) in below for o in kept)]
            if len(ends) == 1:
                break
            step(ends[0], ends[1])
        kept.remove(ends[0])
        del values[ends[0]]

    while len(kept) > 1:
        forget(least=True)
        if len(kept) > 1:
            forget(least=False)
        if coming:
            kept.append(coming.pop(0))
    return values[kept[0]]


def steps(side: int) -> list[tuple[int, int]]:
    """What `forgotten` does with the `candidates` of a square, as places: the lesser to the first, the greater behind.

    >>> steps(3)
    [(0, 1), (0, 2), (1, 2)]
    """
    found: list[tuple[int, int]] = []

    def lesser(a: int, b: int) -> int:
        found.append((a, b))
        return a

    forgotten({place: i for i, place in enumerate(candidates(side))}, lesser, lambda a, b: b)
    return found
