"""The Numba CUDA variants in Numba's simulator; test_cuda_simulator.py runs this file in a process of its own."""

import numpy as np
import pytest
from cuda_cases import Case, cases, check, run
from hypothesis import example, given, settings
from tilegrad.kernels.convolution import conv2d
from tolerances import EPS


@given(
    cases(
        sizes=(1, 2, 3, 5),
        channels=(1, 2, 3),
        out_channels=(1, 2, 3),
        kernels=(1, 2, 3),
        strides=(1, 2, 3),
        dilations=(1, 2),
        groups=(1, 2, 3),
        dtypes=("float32", "float64"),
    )
)
@settings(max_examples=40, deadline=None)
def test_naive(case: Case) -> None:
    check(case, "cuda.naive", EPS[case.dtype])


@given(cases(sizes=(1, 3, 5), out_channels=(1, 3, 17), batches=(0, 1), strides=(1, 2), dtypes=("float32", "float64")))
@example(  # a tile that is full, and its neighbours that are not; two chunks of channels
    Case((1, 5, 6, 9), (17, 3, 3, 9), True, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, "relu", "float32", 0)
)
@example(Case((1, 9, 7, 2), (2, 5, 5, 2), True, (2, 2), ((2, 2), (2, 2)), (1, 1), 1, None, "float64", 1))
@settings(max_examples=12, deadline=None)
def test_tiled(case: Case) -> None:
    check(case, "cuda.tiled", EPS[case.dtype])


@pytest.mark.parametrize("variant", ["cuda.naive", "cuda.tiled"])
def test_nan_and_infinity_reach_the_pixels_that_read_them_and_no_other(variant: str) -> None:
    x = np.ones((1, 4, 5, 2), np.float32)
    x[0, 0, 0, 1], x[0, 3, 4, 0] = np.nan, np.inf
    w = np.ones((2, 2, 2, 2), np.float32)
    args = (1, ((0, 1), (1, 0)), 1, 1, "relu", 0.0)
    np.testing.assert_array_equal(run([x, w, None], args, variant), run([x, w, None], args, "reference"))


def test_tiled_says_why_it_does_not_take_a_call() -> None:
    x, w = np.ones((1, 6, 6, 2), np.float32), np.ones((2, 3, 3, 1), np.float32)
    with pytest.raises(ValueError, match=r'conv2d: variant "cuda.tiled" takes groups 1 .* but got groups 2'):
        conv2d(x, w, groups=2, variant="cuda.tiled")
    with pytest.raises(ValueError, match=r"takes strides up to 2 but got \(3, 3\)"):
        conv2d(x[..., :1], w, stride=3, variant="cuda.tiled")
    with pytest.raises(ValueError, match="takes kernels up to 5 x 5 but got 6 x 1"):
        conv2d(x, np.ones((1, 6, 1, 2), np.float32), variant="cuda.tiled")
