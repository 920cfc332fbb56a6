"""Sobel's derivatives in a graph: the filters' numbers, and gradients of first and second order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.nn import functional
from tolerances import EPS

from tilegrad import filters, nn

# pad2d's modes by the filters' names
MODES = {
    "symmetric": "reflect",
    "reflect": "mirror",
    "replicate": "nearest",
    "circular": "wrap",
    "constant": "constant",
}


@st.composite
def images(draw):
    """NHWC numbers, at least as large as the padding needs."""
    shape = draw(st.tuples(st.integers(1, 2), st.integers(2, 6), st.integers(2, 7), st.integers(1, 3)))
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_normal(shape)


@given(images(), st.sampled_from(sorted(MODES)))
def test_equals_the_filters(x, mode):
    value = 0.5 if mode == "constant" else 0.0
    keywords = {"mode": MODES[mode], "cval": value, "channel_axis": 3, "batch_axes": 1}
    bound = 20 * EPS["float64"] * np.abs(x).max()
    for axis, derivative in zip((1, 2), functional.sobel(nn.Tensor(x), mode, value), strict=True):
        np.testing.assert_allclose(derivative.numpy(), filters.sobel(x, axis=axis, **keywords), rtol=0, atol=bound)
    length = functional.sobel_magnitude(nn.Tensor(x), mode, value, eps=0.0)
    np.testing.assert_allclose(length.numpy(), filters.sobel(x, **keywords), rtol=0, atol=bound)


@pytest.mark.parametrize("mode", sorted(MODES))
def test_gradients_of_first_and_second_order(mode):
    x = nn.Tensor(np.random.default_rng(1).standard_normal((1, 4, 5, 2)), requires_grad=True)

    def length(x):
        return functional.sobel_magnitude(x, mode, eps=0.1)

    assert nn.gradcheck(length, (x,))
    assert nn.gradgradcheck(length, (x,))


@given(images(), st.sampled_from(sorted(MODES)))
def test_derivatives_and_their_gradients_are_adjoint(x, mode):
    """<A x, y> = <x, A' y>"""
    rng = np.random.default_rng(2)
    for which in (0, 1):
        tensor, y = nn.Tensor(x, requires_grad=True), rng.standard_normal(x.shape)
        derivative = functional.sobel(tensor, mode)[which]
        (back,) = nn.grad((derivative * nn.Tensor(y)).sum(), [tensor])
        np.testing.assert_allclose((x * back.numpy()).sum(), (derivative.detach().numpy() * y).sum(), atol=1e-11)


@pytest.mark.parametrize("mode", ["wrap", None])
def test_refuses_the_filters_names_of_borders_by_its_own(mode):
    x = nn.Tensor(np.ones((1, 4, 4, 1), np.float32))
    with pytest.raises(ValueError, match="sobel: mode expects one of 'symmetric', 'reflect', 'replicate', 'circular'"):
        functional.sobel(x, mode)


def test_the_gradient_of_a_flat_image_is_finite():
    x = nn.Tensor(np.ones((1, 4, 4, 1), np.float32), requires_grad=True)
    functional.sobel_magnitude(x).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
