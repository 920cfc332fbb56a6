"""A pyramid's pictures against their definition; what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.correlation.reference import MODES
from tolerances import SEPARABLE

from tilegrad import kernels

DTYPES = ("uint8", "uint16", "int16", "float32", "float64")
BORDERS = [mode for mode in MODES if "constant" not in mode]
SHAPES = st.tuples(st.integers(1, 2), st.integers(1, 9), st.integers(1, 70), st.sampled_from([1, 2, 3, 4]))


def image(shape, dtype):
    """All values that the type holds; real ones up to 1."""
    low, high = (-1, 1) if np.dtype(dtype).kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max + 1)
    return np.random.default_rng(shape[2]).uniform(low, high, shape).astype(dtype)


def check(function, x, **how):
    found, expected = function(x, **how), function(x, variant="naive", **how)
    if x.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=0, atol=SEPARABLE[x.dtype.name])
    else:
        np.testing.assert_array_equal(found, expected)


@given(
    shape=SHAPES,
    dtype=st.sampled_from(DTYPES),
    border=st.sampled_from(BORDERS),
)
def test_the_smaller_image_equals_its_definition(shape, dtype, border):
    check(kernels.pyramid_down, image(shape, dtype), border=border)


@given(shape=SHAPES, dtype=st.sampled_from(DTYPES))
def test_the_larger_image_equals_its_definition(shape, dtype):
    check(kernels.pyramid_up, image(shape, dtype))


@pytest.mark.parametrize("function", [kernels.pyramid_down, kernels.pyramid_up])
@pytest.mark.parametrize("dtype", DTYPES)
def test_extremes_do_not_overflow(function, dtype):
    """A plain image stays as it is, at either end of its type."""
    for value in (-1.0, 1.0) if np.dtype(dtype).kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max):
        found = function(np.full((1, 5, 40, 1), value, dtype))
        np.testing.assert_array_equal(found, np.full(found.shape, value, dtype))


@pytest.mark.parametrize("function", [kernels.pyramid_down, kernels.pyramid_up])
def test_what_does_not_fit_is_refused(function):
    with pytest.raises(ValueError, match=r"x expects shape \(N, H, W, C\) but got \(4, 4\)"):
        function(np.ones((4, 4)))
    with pytest.raises(TypeError, match=r"x expects one of uint8, .* but got int32"):
        function(np.ones((1, 4, 4, 1), np.int32))
    assert function(np.ones((0, 4, 4, 1))).size == function(np.ones((1, 4, 0, 1))).size == 0
    with pytest.raises(ValueError, match=r"border expects one of .*'mirror'.* but got 'constant'"):
        kernels.pyramid_down(np.ones((1, 4, 4, 1)), border="constant")
