"""The comparison that goes before every timing."""

import numpy as np
import pytest
from tilegrad.benchmarks.equality import difference

ONE = np.linspace(-1, 2, 12, dtype=np.float32).reshape(3, 4)


def test_equal_results_do_not_differ() -> None:
    assert difference([ONE, ONE], [ONE.copy(), ONE.copy()]) == 0.0
    assert difference([ONE[:0]], [ONE[:0]]) == 0.0
    assert difference([ONE * 0], [ONE * 0]) == 0.0


def test_the_error_is_relative_to_the_largest_value_and_the_worst_pair_counts() -> None:
    other = ONE.copy()
    other[0, 0] += 0.5
    assert difference([ONE, ONE], [ONE, other]) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([ONE], [ONE, ONE]),
        ([ONE], [ONE.T]),
        ([ONE], [ONE[:, :1]]),  # would broadcast
        ([ONE * np.nan], [ONE]),
        ([ONE], [ONE * np.nan]),
        ([ONE * np.nan], [ONE * np.nan]),
        ([ONE + np.inf], [ONE]),
    ],
)
def test_what_cannot_be_compared_is_infinitely_wrong(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    assert difference(ours, theirs) == np.inf
