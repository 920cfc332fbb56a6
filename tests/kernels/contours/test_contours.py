"""Outlines: the compiled loops against the same loops interpreted, and shapes whose outlines are known."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.contours import borders, follow_borders, level_lines, squares


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
        points, cuts, hole, around = borders._borders(marks, corners)
        found = follow_borders(image > 1, corners)
        np.testing.assert_array_equal(np.concatenate([np.empty((0, 2), np.int32), *found[0]]), points)
        np.testing.assert_array_equal(found[1], hole)
        np.testing.assert_array_equal(found[2], around)


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
    found, hole, around = follow_borders(image, True)
    np.testing.assert_array_equal(hole, [False, True, False, True])
    np.testing.assert_array_equal(around, [-1, 0, 1, 2])
    assert found[0].tolist() == [[1, 1], [1, 9], [9, 9], [9, 1]]


def test_long_outlines_grow_their_arrays():
    image = np.zeros((120, 120), np.uint8)
    image[::2, ::2] = 1
    found, hole, around = follow_borders(image, False)
    assert len(found) == 3600
    assert (around == -1).all()
    assert not hole.any()
    assert len(level_lines(image.astype(float), 0.5, False, np.ones((119, 119), bool))) == 3600
