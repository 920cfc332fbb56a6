"""The Frechet distance: where it is known, beside SciPy's matrix root, and what it refuses."""

import numpy as np
import pytest

from tilegrad.frechet import frechet_distance

RANDOM = np.random.default_rng(0)


def test_between_normal_distributions_it_is_known():
    """Of diagonal covariances: |m1 - m2|^2 + sum (s1 - s2)^2, here of samples whose statistics are exact."""
    x = RANDOM.standard_normal((500, 4))
    x = (x - x.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T
    y = x * [1.0, 2.0, 0.5, 3.0] + [0.0, 1.0, 0.0, -2.0]
    assert frechet_distance(x, y) == pytest.approx(1 + 4 + 0 + 1 + 0.25 + 4, rel=1e-9)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


@pytest.mark.parity
def test_it_equals_the_formula_with_scipys_matrix_root():
    linalg = pytest.importorskip("scipy.linalg")
    x, y = RANDOM.standard_normal((300, 6)) @ RANDOM.standard_normal((6, 6)), RANDOM.standard_normal((200, 6)) + 0.5
    cx, cy = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = linalg.sqrtm(cx @ cy)
    expected = ((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum() + np.trace(cx + cy - 2 * root.real)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(y, x) == pytest.approx(expected, rel=1e-9)


def test_constant_and_dependent_features_are_no_trouble():
    x = RANDOM.standard_normal((50, 3))
    flat = np.column_stack([x, x[:, 0], np.ones(50)])
    assert frechet_distance(flat, flat + 1) == pytest.approx(5, rel=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.ones((4, 2)), np.ones((4, 3)), r"got \(4, 2\), \(4, 3\)"),
        (np.ones(4), np.ones(4), r"got \(4,\)"),
        (np.ones((1, 2)), np.ones((4, 2)), "two rows or more"),
        (np.full((3, 2), np.nan), np.ones((3, 2)), "not finite"),
    ],
)
def test_refuses(first, second, message):
    with pytest.raises(ValueError, match=f"frechet_distance: .*{message}"):
        frechet_distance(first, second)
