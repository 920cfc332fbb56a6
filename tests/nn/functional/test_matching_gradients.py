"""Normalised cross-correlation: gradients by the image and the template, and the kernel's own scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tilegrad import kernels, nn


@st.composite
def calls(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, c, r, s = draw(st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(2, 3), st.integers(1, 4)))
    p, q = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    x, template = rng.standard_normal((n, r + p - 1, s + q - 1, c)), rng.standard_normal((r, s, c))
    return nn.Tensor(x, requires_grad=True), nn.Tensor(template, requires_grad=True)


@given(calls())
@settings(max_examples=10, deadline=None)
def test_first_and_second_order(tensors):
    assert nn.gradcheck(nn.functional.match_template, list(tensors))
    assert nn.gradgradcheck(nn.functional.match_template, list(tensors))


@given(calls())
def test_scores_are_those_of_the_kernel(tensors):
    x, template = tensors
    scores = nn.functional.match_template(x, template, eps=1e-14).data[..., 0]
    np.testing.assert_allclose(scores, kernels.match_template(x.data, template.data), rtol=0, atol=1e-6)


def test_a_template_is_found_again_by_its_gradient():
    """Ascent along the score turns noise into the pattern that is looked for."""
    rng = np.random.default_rng(0)
    pattern = nn.Tensor(rng.standard_normal((5, 5, 1)))
    x = nn.Tensor(0.1 * rng.standard_normal((1, 5, 5, 1)), requires_grad=True)
    before = nn.functional.match_template(x, pattern).item()
    for _ in range(50):
        (gx,) = nn.grad(nn.functional.match_template(x, pattern).sum(), [x])
        x = nn.Tensor(x.data + 0.1 * gx.data, requires_grad=True)
    assert nn.functional.match_template(x, pattern).item() > max(0.9, before)


def test_no_contrast_scores_nothing_and_has_a_finite_gradient():
    x = nn.Tensor(np.full((1, 6, 6, 1), 3.0), requires_grad=True)
    template = nn.Tensor(np.ones((2, 2, 1)), requires_grad=True)
    scores = nn.functional.match_template(x, template)
    assert (scores.data == 0).all()
    scores.sum().backward()
    assert np.isfinite(x.grad.data).all()
    assert np.isfinite(template.grad.data).all()


def test_refuses():
    x, template = nn.Tensor(np.ones((1, 4, 4, 2))), nn.Tensor(np.ones((2, 2, 1)))
    with pytest.raises(ValueError, match="match_template: x expects"):
        nn.functional.match_template(x, template)
    with pytest.raises(ValueError, match="match_template: eps expects a positive number"):
        nn.functional.match_template(x, nn.Tensor(np.ones((2, 2, 2))), eps=0)
