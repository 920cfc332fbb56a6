"""Images of half the size: against the definition and OpenCV, and calls that it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels

TYPES = ("uint8", "uint16", "int16")


@st.composite
def images(draw):
    """Of extreme numbers as often as of others; sides are even, and wider than a few vectors now and then."""
    shape = draw(st.integers(0, 2)), 2 * draw(st.integers(0, 4)), 2 * draw(st.integers(0, 70)), draw(st.integers(1, 5))
    limits = np.iinfo(draw(st.sampled_from(TYPES)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(limits.min, limits.max + 1, shape)
    return np.where(rng.random(shape) < 0.3, rng.choice([limits.min, limits.max], shape), x).astype(limits.dtype)


@given(images())
def test_equals_its_definition(x):
    y = np.full((x.shape[0], x.shape[1] // 2, x.shape[2] // 2, x.shape[3]), 77, x.dtype)
    assert kernels.halve(x, out=y) is y
    np.testing.assert_array_equal(y, kernels.halve(x, variant="naive"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(2, 4, 6, 1), (1, 10, 130, 1), (1, 6, 34, 3), (1, 2, 10, 5), (0, 2, 2, 1)])
def test_means_of_floats(shape, dtype):
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    x.reshape(-1)[:1] = np.nan
    wide = x.astype(np.longdouble).reshape(shape[0], shape[1] // 2, 2, shape[2] // 2, 2, shape[3])
    np.testing.assert_allclose(kernels.halve(x), wide.mean(axis=(2, 4)), rtol=0, atol=2 * np.finfo(dtype).eps * 4)


@pytest.mark.parity
@pytest.mark.parametrize("interpolation", ["INTER_AREA", "INTER_LINEAR"])
def test_floats_equal_opencv(interpolation):
    cv2 = pytest.importorskip("cv2")
    x = np.random.default_rng(0).normal(size=(1, 40, 62, 3)).astype(np.float32)
    expected = cv2.resize(x[0], (31, 20), interpolation=getattr(cv2, interpolation))
    np.testing.assert_allclose(kernels.halve(x)[0], expected, rtol=0, atol=1e-6)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_equals_opencv(dtype, channels):
    cv2 = pytest.importorskip("cv2")
    limits = np.iinfo(dtype)
    x = np.random.default_rng(0).integers(limits.min, limits.max + 1, (1, 40, 62, channels)).astype(dtype)
    expected = cv2.resize(x[0], (31, 20), interpolation=cv2.INTER_AREA).reshape(1, 20, 31, channels)
    np.testing.assert_array_equal(kernels.halve(x), expected)


def test_calls_that_it_refuses():
    with pytest.raises(ValueError, match=r"halve: x expects even sides but got 3 x 4"):
        kernels.halve(np.zeros((1, 3, 4, 1), np.uint8))
    with pytest.raises(ValueError, match=r"halve: x expects shape \(N, H, W, C\) but got \(4, 4\)"):
        kernels.halve(np.zeros((4, 4), np.uint8))
    with pytest.raises(TypeError, match="halve: x expects one of uint8, uint16, int16, float32, float64 but got int64"):
        kernels.halve(np.zeros((1, 4, 4, 1), np.int64))
