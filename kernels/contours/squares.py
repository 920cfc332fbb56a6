"""Marching squares: lines of equal level through an image, between its pixels.

Every square of four pixels has one of sixteen patterns of corners above the level. The line crosses the edges between a
corner above and one that is not, at the place that linear interpolation gives, with the higher side to the left of its
direction::

    ul --t-- ur         pattern = ul + 2 ur + 4 ll + 8 lr
    |        |
    l        r          two opposite corners (6 and 9) are joined or kept apart, as the caller wants
    |        |
    ll --b-- lr

A segment begins where another ends, so they are joined to chains as they come, row after row: at each crossing it is
noted which chain begins or ends there. A crossing is known by its edge, or, where the level is a pixel's own value, by
that pixel: that is where several edges meet.

Source: W. Lorensen and H. Cline, "Marching cubes", 1987.
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numba.extending import register_jitable

from ..machine.compile import compile_loops

# For each pattern: edges of up to two segments, from and to; edges are 0 top, 1 left, 2 bottom, 3 right.
_TOP, _LEFT, _BOTTOM, _RIGHT = 0, 1, 2, 3
_SEGMENTS = np.full((18, 4), -1, np.int64)
for _pattern, _edges in {
    1: (_TOP, _LEFT),
    2: (_RIGHT, _TOP),
    3: (_RIGHT, _LEFT),
    4: (_LEFT, _BOTTOM),
    5: (_TOP, _BOTTOM),
    6: (_RIGHT, _TOP, _LEFT, _BOTTOM),
    7: (_RIGHT, _BOTTOM),
    8: (_BOTTOM, _RIGHT),
    9: (_TOP, _LEFT, _BOTTOM, _RIGHT),
    10: (_BOTTOM, _TOP),
    11: (_BOTTOM, _LEFT),
    12: (_LEFT, _RIGHT),
    13: (_TOP, _RIGHT),
    14: (_LEFT, _TOP),
    16: (_LEFT, _TOP, _RIGHT, _BOTTOM),  # 6 with the high corners joined
    17: (_TOP, _RIGHT, _BOTTOM, _LEFT),  # 9 with the high corners joined
}.items():
    _SEGMENTS[_pattern, : len(_edges)] = _edges


@register_jitable(forceinline=True)
def _crossing(level, a, b):
    """How far from a to b the level lies; beside the finite one where the other is infinite."""
    if a == b:
        return 0.0
    if np.isinf(a):
        return 0.5 if np.isinf(b) else 1.0
    if np.isinf(b):
        return 0.0
    if np.isinf(b - a):  # halves differ by a finite number
        level, a, b = 0.5 * level, 0.5 * a, 0.5 * b
    return (level - a) / (b - a)


def _chains(image, level, joined, used, table):
    """All chains in the order in which they were begun: points, and where each chain's points begin and end.

    ``used[r, c]`` says whether the square with pixel (r, c) at its upper left counts.
    """
    H, W = image.shape
    # Three crossings belong to each pixel: itself, the edge to its right and the edge below it.
    begins, ends = np.full(3 * H * W, -1, np.int64), np.full(3 * H * W, -1, np.int64)
    capacity, points, chains = 1024, 0, 0
    place = np.empty((capacity, 2))
    key, following = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    first, last = np.empty(capacity, np.int64), np.empty(capacity, np.int64)  # of each chain; -1 when it was joined on
    corner_r, corner_c, corner_key = np.empty(2), np.empty(2), np.empty(2, np.int64)

    for r in range(H - 1):
        for c in range(W - 1):
            if not used[r, c]:
                continue
            ul, ur, ll, lr = image[r, c], image[r, c + 1], image[r + 1, c], image[r + 1, c + 1]
            if np.isnan(ul) or np.isnan(ur) or np.isnan(ll) or np.isnan(lr):
                continue
            pattern = 0
            if ul > level:
                pattern += 1
            if ur > level:
                pattern += 2
            if ll > level:
                pattern += 4
            if lr > level:
                pattern += 8
            if pattern == 0 or pattern == 15:
                continue
            if joined and pattern == 6:
                pattern = 16
            if joined and pattern == 9:
                pattern = 17
            for segment in range(0, 4, 2):
                if table[pattern, segment] < 0:
                    continue
                for end in range(2):
                    edge = table[pattern, segment + end]
                    a = ul if edge < 2 else (ll if edge == 2 else ur)
                    b = ur if edge == 0 else (ll if edge == 1 else lr)
                    part = _crossing(level, a, b)
                    y, x = float(r), float(c)
                    if edge == 0 or edge == 2:
                        y, x = (float(r) if edge == 0 else float(r + 1)), c + part
                        kind = 1
                    else:
                        y, x = r + part, (float(c) if edge == 1 else float(c + 1))
                        kind = 2
                    row, column = int(np.floor(y)), int(np.floor(x))
                    if y == row and x == column:
                        kind = 0
                    corner_r[end], corner_c[end] = y, x
                    corner_key[end] = 3 * (row * W + column) + kind
                start, stop = corner_key[0], corner_key[1]
                if start == stop:
                    continue
                if points + 2 > capacity:
                    capacity *= 2
                    more_place, more_key = np.empty((capacity, 2)), np.empty(capacity, np.int64)
                    more_following = np.empty(capacity, np.int64)
                    more_place[:points], more_key[:points] = place[:points], key[:points]
                    more_following[:points] = following[:points]
                    place, key, following = more_place, more_key, more_following
                    more_first, more_last = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
                    more_first[:chains], more_last[:chains] = first[:chains], last[:chains]
                    first, last = more_first, more_last
                tail, head = begins[stop], ends[start]
                begins[stop], ends[start] = -1, -1
                if tail >= 0 and head >= 0 and tail != head:
                    # The chain that was begun later becomes part of the other one.
                    following[last[head]] = first[tail]
                    kept, gone = (head, tail) if tail > head else (tail, head)
                    if gone == head and begins[key[first[head]]] == head:
                        begins[key[first[head]]] = -1
                    first[kept], last[kept] = first[head], last[tail]
                    first[gone] = -1
                    begins[key[first[kept]]] = kept
                    ends[key[last[kept]]] = kept
                elif tail >= 0 and head < 0:
                    place[points, 0], place[points, 1], key[points] = corner_r[0], corner_c[0], start
                    following[points] = first[tail]
                    first[tail] = points
                    begins[start] = tail
                    points += 1
                elif head >= 0:
                    # The end of another segment, or the chain's own first point again, which closes it.
                    place[points, 0], place[points, 1], key[points] = corner_r[1], corner_c[1], stop
                    following[points], following[last[head]] = -1, points
                    last[head] = points
                    if tail < 0:
                        ends[stop] = head
                    points += 1
                else:
                    for end in range(2):
                        place[points, 0], place[points, 1] = corner_r[end], corner_c[end]
                        key[points], following[points] = corner_key[end], points + 1 if end == 0 else -1
                        points += 1
                    first[chains], last[chains] = points - 2, points - 1
                    begins[start], ends[stop] = chains, chains
                    chains += 1

    result, cuts = np.empty((points, 2)), np.zeros(chains + 1, np.int64)
    count, kept = 0, 0
    for chain in range(chains):
        if first[chain] < 0:
            continue
        point = first[chain]
        while point >= 0:
            result[count] = place[point]
            count += 1
            point = following[point]
        kept += 1
        cuts[kept] = count
    return result[:count], cuts[: kept + 1]


_compiled: Any = compile_loops(_chains)


def level_lines(image: np.ndarray, level: float, joined: bool, used: np.ndarray) -> list[np.ndarray]:
    """The lines of one level of an image, as (points, 2) arrays of rows and columns.

    Parameters
    ----------
    image : (H, W) float64
        Squares with a NaN are passed over.
    level : float
        Lines separate numbers above it from all others.
    joined : bool
        Whether two corners above the level that lie opposite each other in a square are joined.
    used : (H - 1, W - 1) bool
        The squares that count.

    Returns
    -------
    list of (points, 2) float64 arrays
        In the order of their first segments, row by row; closed lines end with their first point.
    """
    points, cuts = _compiled(np.ascontiguousarray(image), level, joined, np.ascontiguousarray(used), _SEGMENTS)
    return [points[a:b].copy() for a, b in pairwise(cuts)]
