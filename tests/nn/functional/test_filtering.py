"""Filters to train through: Gaussians and boxes are those of the filters, and gradients go through them."""

import numpy as np
import pytest
from filter_cases import MODES
from tilegrad.nn import functional

from tilegrad import filters, nn


@pytest.mark.parametrize("mode", MODES)
def test_blurs_equal_the_filters(mode):
    x = np.random.default_rng(0).random((2, 6, 9, 3))
    keywords = {"mode": mode, "cval": 0.5, "channel_axis": -1, "batch_axes": 1}
    ours = functional.gaussian_blur(nn.Tensor(x), (1.0, 0.5), mode, 0.5).data
    np.testing.assert_allclose(ours, filters.gaussian(x, (1.0, 0.5), **keywords), rtol=0, atol=1e-14)
    ours = functional.box_blur(nn.Tensor(x), (5, 1), mode, 0.5).data
    np.testing.assert_allclose(ours, filters.uniform(x, (5, 1), **keywords), rtol=0, atol=1e-14)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "blur", [lambda x, m: functional.gaussian_blur(x, 1.2, m), lambda x, m: functional.box_blur(x, 3, m)]
)
def test_blurs_are_linear_and_their_gradients_the_adjoints(mode, blur):
    rng = np.random.default_rng(1)
    x, y = (nn.Tensor(rng.standard_normal((1, 5, 4, 2)), True) for _ in range(2))
    (back,) = nn.grad((blur(x, mode) * y.detach()).sum(), [x])
    with nn.no_grad():
        assert abs((blur(x, mode) * y).sum().item() - (back * x).sum().item()) < 1e-12
    assert nn.gradgradcheck(lambda x: blur(x, mode).square(), [x])


def test_a_filter_is_learned():
    """Gradient descent finds the weights that made the images."""
    rng = np.random.default_rng(2)
    x, wanted = nn.Tensor(rng.standard_normal((4, 8, 8, 1))), rng.standard_normal((3, 3))
    y = functional.correlate2d(x, nn.Tensor(wanted), "mirror")
    weight = nn.Tensor(np.zeros((3, 3)), True)
    for _ in range(60):
        (slope,) = nn.grad((functional.correlate2d(x, weight, "mirror") - y).square().mean(), [weight])
        weight = nn.Tensor(weight.data - 0.3 * slope.data, True)
    np.testing.assert_allclose(weight.data, wanted, atol=1e-3)


def test_refuses():
    x = nn.Tensor(np.ones((1, 3, 3, 1)))
    with pytest.raises(ValueError, match="gaussian_blur: sigma expects one or two finite numbers"):
        functional.gaussian_blur(x, -1.0)
    with pytest.raises(ValueError, match="gaussian_blur: sigma expects one or two finite numbers"):
        functional.gaussian_blur(x, (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="gaussian_blur: truncate expects"):
        functional.gaussian_blur(x, 1.0, truncate=-1.0)
    with pytest.raises(ValueError, match="box_blur: size expects values of at least 1"):
        functional.box_blur(x, 0)
