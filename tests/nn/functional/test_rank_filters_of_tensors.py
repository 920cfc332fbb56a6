"""Minimum, maximum and median of tensors: values, borders, and where their gradients go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels, nn

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
RANKS = {"min_filter": lambda n: 0, "max_filter": lambda n: -1, "median_filter": lambda n: n // 2}


def tensor(shape, seed, requires_grad=True):
    """Numbers that lie apart, so that none is found twice."""
    numbers = np.random.default_rng(seed).permutation(np.linspace(-1.0, 1.0, int(np.prod(shape))))
    return nn.Tensor(numbers.reshape(shape), requires_grad)


@pytest.mark.parametrize("name", RANKS)
@given(st.integers(0, 99), st.sampled_from(MODES), st.tuples(st.integers(1, 4), st.integers(1, 4)))
def test_equals_the_kernel_at_every_border(name, seed, mode, size):
    x = tensor((2, 5, 6, 2), seed)
    y = getattr(nn.functional, name)(x, size, mode, cval=0.25)
    rank = RANKS[name](size[0] * size[1])
    expected = kernels.rank_filter2d(x.data, size, rank, mode=mode, cval=0.25, variant="naive")
    np.testing.assert_array_equal(y.data, expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", RANKS)
def test_gradients_of_first_and_second_order(name, mode):
    function = getattr(nn.functional, name)
    x = tensor((1, 4, 5, 2), 3)
    assert nn.gradcheck(lambda x: function(x, 3, mode, cval=0.013), [x])
    assert nn.gradgradcheck(lambda x: function(x, (2, 3), mode, cval=0.013).square(), [x], rtol=1e-5)


@pytest.mark.parametrize("name", RANKS)
def test_of_equal_numbers_the_first_in_the_window_gets_the_gradient(name):
    x = nn.Tensor(np.ones((1, 3, 4, 1)), True)
    getattr(nn.functional, name)(x, 3, "constant", cval=1.0).sum().backward()
    # A window's first pixel is up and to the left; where that lies outside, so does the gradient.
    np.testing.assert_array_equal(x.grad.data[0, ..., 0], [[1, 1, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(7, 9), (5, 7), (8, 3), (1, 10), (16, 21)])
@pytest.mark.parametrize("shape", [(2, 3, 4, 2), (1, 1, 4, 1), (1, 3, 1, 1)])
def test_windows_larger_than_the_images(shape, size, mode):
    """Borders repeat; numbers stand several times under a window, and the first of them has the gradient."""
    x = tensor(shape, 0)
    for name, rank in RANKS.items():
        function, taken = getattr(nn.functional, name), rank(size[0] * size[1])
        expected = kernels.rank_filter2d(x.data, size, taken, mode=mode, cval=0.013, variant="naive")
        np.testing.assert_array_equal(function(x, size, mode, 0.013).data, expected)
        assert nn.gradcheck(lambda x, f=function: f(x, size, mode, 0.013), [x])
        assert nn.gradgradcheck(lambda x, f=function: f(x, size, mode, 0.013).square(), [x], rtol=1e-5)


def test_an_image_without_pixels_stays_one():
    for mode in MODES:
        assert nn.functional.median_filter(tensor((2, 0, 4, 1), 0), 9, mode).shape == (2, 0, 4, 1)


@pytest.mark.parametrize(
    ("error", "size", "mode", "message"),
    [
        (TypeError, 1.5, "reflect", "median_filter: size expects an integer or"),
        (ValueError, 0, "reflect", "median_filter: size expects values of at least 1"),
        (ValueError, 3, "symmetric", "median_filter: mode expects one of 'reflect'"),
    ],
)
def test_median_filter_refuses(error, size, mode, message):
    with pytest.raises(error, match=message):
        nn.functional.median_filter(tensor((1, 3, 4, 1), 0), size, mode)
