"""The Laplacian of 8-bit images: the sum of two derivatives, whatever border, axis and number of threads."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tilegrad import kernels

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
SECOND, SMOOTH, ALONE = (1, -2, 1), (1, 2, 1), (0, 1, 0)


@given(
    x=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=70)),
    mode=st.sampled_from(MODES),
    corners=st.booleans(),
    data=st.data(),
)
def test_it_is_the_sum_of_both_second_derivatives(x, mode, corners, data):
    axis = data.draw(st.integers(0, x.ndim - 2))
    across, how = SMOOTH if corners else ALONE, {"axis": axis, "mode": mode, "cval": 7 if mode == "constant" else 0}
    expected = kernels.derivative2d(x, SECOND, across, **how) + kernels.derivative2d(x, across, SECOND, **how)
    out = np.full(x.shape, 99, np.int16)
    assert kernels.laplacian2d(x, corners=corners, out=out, **how) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("corners", [False, True])
def test_threads_and_strides_change_nothing(corners):
    x = np.random.default_rng(0).integers(0, 256, (301, 2, 517)).astype(np.uint8)
    before, results = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append(kernels.laplacian2d(x, corners=corners, axis=0))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)
    turned = kernels.laplacian2d(x[:, 0].T[::-1], corners=corners)
    np.testing.assert_array_equal(turned, kernels.laplacian2d(x[:, 0].copy(), corners=corners).T[::-1])
    assert kernels.laplacian2d(x[:0]).shape == (0, 2, 517)


def test_bad_input_is_refused():
    x = np.ones((3, 4), np.uint8)
    with pytest.raises(TypeError, match="laplacian2d: x expects uint8 but got float64"):
        kernels.laplacian2d(np.ones((3, 4)))
    with pytest.raises(ValueError, match="laplacian2d: x expects at least 2 axes"):
        kernels.laplacian2d(x[0])
    with pytest.raises(TypeError, match="laplacian2d: corners expects True or False but got 1"):
        kernels.laplacian2d(x, corners=1)
    with pytest.raises(ValueError, match=r"laplacian2d: cval expects a value in \[0, 255\] but got 256"):
        kernels.laplacian2d(x, mode="constant", cval=256)
