"""Outlines: the compiled loops against the same loops interpreted, and shapes whose outlines are known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.contours import borders, follow_borders, level_lines, squares, tree_of


@given(st.integers(0, 2**32 - 1))
def test_compiled_loops_equal_interpreted_ones(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 9, 2))
    image, used = rng.integers(0, 4, shape).astype(float), rng.random((shape[0] - 1, shape[1] - 1)) < 0.9
    for joined in (False, True):
        points, cuts = squares._chains(image, 1.5, joined, used, squares._SEGMENTS)
        lines = level_lines(image, 1.5, joined, used)
        np.testing.assert_array_equal(np.concatenate([np.empty((0, 2)), *lines]), points)
        np.testing.assert_array_equal(np.cumsum([0, *map(len, lines)]), cuts)
    for corners in (False, True):
        marks = np.zeros((shape[0] + 2, shape[1] + 2), np.int32)
        marks[1:-1, 1:-1] = image > 1
        found = follow_borders(image > 1, corners)
        for ours, expected in zip(found, borders._borders(marks, corners), strict=True):
            np.testing.assert_array_equal(ours, expected)
        around = found[3]
        for kept, parents in ((np.arange(around.size), around), (np.flatnonzero(around < 0), np.full_like(around, -1))):
            for ours, expected in zip(tree_of(kept, parents), borders._tree(kept, parents), strict=True):
                np.testing.assert_array_equal(ours, expected)


def test_a_level_line_goes_round_what_is_above_it_and_closes():
    image = np.zeros((5, 5))
    image[2, 2] = 1
    (line,) = level_lines(image, 0.25, False, np.ones((4, 4), bool))
    np.testing.assert_array_equal(line[0], line[-1])
    np.testing.assert_allclose(np.abs(line - 2).sum(axis=1), 0.75)


def test_rings_lie_in_one_another():
    image = np.zeros((11, 11), np.uint8)
    image[1:10, 1:10] = 1
    image[2:9, 2:9] = 0
    image[4:7, 4:7] = 1
    image[5, 5] = 0
    points, cuts, hole, around = follow_borders(image, True)
    np.testing.assert_array_equal(hole, [False, True, False, True])
    np.testing.assert_array_equal(around, [-1, 0, 1, 2])
    assert points[: cuts[1]].tolist() == [[1, 1], [1, 9], [9, 9], [9, 1]]


def test_the_tree_of_borders_begins_with_the_sibling_found_last():
    """Borders 0 and 3 outside, 1, 2 and 4 in 0, and 5 in 2."""
    order, links = tree_of(np.arange(6), np.array([-1, 0, 0, -1, 0, 2]))
    assert order.tolist() == [3, 0, 4, 2, 5, 1]
    # Next sibling, the one before, first child, parent: places in that order.
    assert links.tolist() == [
        [1, -1, -1, -1], [-1, 0, 2, -1], [3, -1, -1, 1], [5, 2, 4, 1], [-1, -1, -1, 3], [-1, 3, -1, 1],
    ]  # fmt: skip
    assert [len(found) for found in tree_of(np.arange(0), np.arange(0))] == [0, 0]


def test_long_outlines_grow_their_arrays():
    image = np.zeros((120, 120), np.uint8)
    image[::2, ::2] = 1
    points, cuts, hole, around = follow_borders(image, False)
    assert len(points) == 3600
    assert cuts.tolist() == list(range(3601))
    assert (around == -1).all()
    assert not hole.any()
    assert len(level_lines(image.astype(float), 0.5, False, np.ones((119, 119), bool))) == 3600
