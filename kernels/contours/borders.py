"""Border following: the outlines of components of pixels and of their holes, and which lies in which.

The image is walked row by row. A pixel that is not zero and follows a zero begins an outer border; one that precedes a
zero, a hole's border, unless that border has been followed before. Following goes round the component, at each pixel to
the next one that is not zero, counted counterclockwise from where it came::

    3 2 1        the directions' numbers; a border ends when it comes back to its first pixel
    4 . 0        on its way to its second
    5 6 7

Pixels are marked with the border's number, negative where the pixel to the right was seen to be zero. The mark that was
met last, on the way along the row, tells which border surrounds a new one: that border itself or the one around it.

Source: S. Suzuki and K. Abe, "Topological structural analysis of digitized binary images by border following", 1985.
"""

from typing import Any

import numpy as np

from ..machine.compile import compile_loops


def _borders(marks, corners):
    """Follow all borders of ``marks``, 0 or 1 with a frame of zeros, which are overwritten.

    Returns the points (x, y) of all borders, where each border's begin, whether it is a hole's, and the number of the
    one that surrounds it, or -1. With ``corners``, points in the middle of a straight run are left out.
    """
    H, W = marks.shape
    across = np.array([1, 1, 0, -1, -1, -1, 0, 1])
    down = np.array([0, -1, -1, -1, 0, 1, 1, 1])
    room, count = 1024, 0
    points = np.empty((room, 2), np.int32)
    most, borders = 256, 0
    cuts, hole, around = np.zeros(most + 1, np.int64), np.empty(most, np.bool_), np.empty(most, np.int64)
    for i in range(1, H - 1):
        met = 1  # the mark met last; border k has mark k + 2, and 1 is the frame
        for j in range(1, W - 1):
            mark = marks[i, j]
            if mark == 0:
                continue
            outer = mark == 1 and marks[i, j - 1] == 0
            if not outer and not (mark >= 1 and marks[i, j + 1] == 0):
                if mark != 1:
                    met = abs(mark)
                continue
            if not outer and mark > 1:
                met = mark
            if borders == most:
                most *= 2
                more_cuts = np.zeros(most + 1, np.int64)
                more_hole, more_around = np.empty(most, np.bool_), np.empty(most, np.int64)
                more_cuts[: borders + 1] = cuts[: borders + 1]
                more_hole[:borders], more_around[:borders] = hole[:borders], around[:borders]
                cuts, hole, around = more_cuts, more_hole, more_around
            hole[borders] = not outer
            if met == 1:
                around[borders] = -1
            elif hole[met - 2] == (not outer):
                around[borders] = around[met - 2]
            else:
                around[borders] = met - 2
            number = borders + 2

            # Clockwise from the zero pixel to the first that is not zero.
            begin = 4 if outer else 0
            direction = (begin - 1) % 8
            while direction != begin and marks[i + down[direction], j + across[direction]] == 0:
                direction = (direction - 1) % 8
            if direction == begin:  # a single pixel
                marks[i, j] = -number
                if count == room:
                    room *= 2
                    more = np.empty((room, 2), np.int32)
                    more[:count] = points[:count]
                    points = more
                points[count, 0], points[count, 1] = j - 1, i - 1
                count += 1
            else:
                second_y, second_x = i + down[direction], j + across[direction]
                y, x = i, j
                before = direction ^ 4
                while True:
                    direction = (direction + 1) % 8
                    right_is_zero = False
                    while marks[y + down[direction], x + across[direction]] == 0:
                        if direction == 0:
                            right_is_zero = True
                        direction = (direction + 1) % 8
                    if right_is_zero:
                        marks[y, x] = -number
                    elif marks[y, x] == 1:
                        marks[y, x] = number
                    if not corners or direction != before:
                        if count == room:
                            room *= 2
                            more = np.empty((room, 2), np.int32)
                            more[:count] = points[:count]
                            points = more
                        points[count, 0], points[count, 1] = x - 1, y - 1
                        count += 1
                    before = direction
                    next_y, next_x = y + down[direction], x + across[direction]
                    if next_y == i and next_x == j and y == second_y and x == second_x:
                        break
                    y, x = next_y, next_x
                    direction = (direction + 4) % 8
            borders += 1
            cuts[borders] = count
            if marks[i, j] != 1:
                met = abs(marks[i, j])
    return points[:count], cuts[: borders + 1], hole[:borders], around[:borders]


def _tree(kept, parents):
    """See `tree_of`."""
    borders = parents.size
    # Of each border, and in the last place of those that have no parent: the child found last, and the sibling before.
    youngest, older = np.full(borders + 1, -1), np.full(borders, -1)
    for k in kept:
        older[k], youngest[parents[k]] = youngest[parents[k]], k
    order, links, place = np.empty(kept.size, np.int64), np.full((kept.size, 4), -1, np.int32), np.full(borders + 1, -1)
    count, k = 0, youngest[borders]
    while k >= 0:
        parent, order[count], place[k] = parents[k], k, count
        links[count, 3] = place[parent]
        if youngest[parent] == k and place[parent] >= 0:
            links[place[parent], 2] = count
        count += 1
        if youngest[k] >= 0:
            k = youngest[k]
            continue
        while k >= 0 and older[k] < 0:  # up to the next that has a sibling
            k = parents[k]
        if k >= 0:
            links[place[k], 0], links[count, 1] = count, place[k]
            k = older[k]
    return order, links


_compiled: Any = compile_loops(_borders)
_compiled_tree: Any = compile_loops(_tree)


def tree_of(kept: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """OpenCV's order of borders, and its table of links.

    Parameters
    ----------
    kept : (K,) int64
        The borders that are wanted, ascending, with their parents.
    parents : (borders,) int64
        The parent of each border, or -1.

    Returns
    -------
    order : (K,) int64
        Of siblings the one found last first, and each followed by its children.
    links : (K, 4) int32
        The places in that order of the next sibling, the one before, the first child and the parent, or -1.
    """
    return _compiled_tree(kept, parents)


def follow_borders(image: np.ndarray, corners: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The borders of all components of an image in the order in which they begin, row by row.

    Parameters
    ----------
    image : (H, W) array
        Pixels that are not 0 belong to components, eight neighbours to a pixel.
    corners : bool
        Leave out points in the middle of straight runs.

    Returns
    -------
    points : (points, 2) int32
        x and y, of all borders one behind the other.
    cuts : (borders + 1,) int64
        Where the points of each begin, and end.
    hole : (borders,) bool
        Whether each is the border of a hole.
    around : (borders,) int64
        The border that directly surrounds each, or -1.
    """
    marks = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.int32)
    marks[1:-1, 1:-1] = image != 0
    return _compiled(marks, corners)
