"""Similarity as a loss: the filters' numbers, gradients in any precision, and what is refused."""

import numpy as np
import pytest
from tilegrad.nn import functional

from tilegrad import filters, nn


def images(shape, dtype="float64"):
    rng = np.random.default_rng(0)
    x = rng.random(shape)
    return x.astype(dtype), (x + rng.uniform(-0.2, 0.2, shape)).astype(dtype)


@pytest.mark.parametrize("sigma", [1.5, None])
def test_equals_the_filter(sigma):
    x, y = images((2, 14, 17, 3))
    ours = functional.structural_similarity(nn.Tensor(x), nn.Tensor(y), sigma=sigma, reduction="none")
    how = {"gaussian_weights": sigma is not None, "win_size": 11, "use_sample_covariance": False, "data_range": 1}
    for n, c in np.ndindex(2, 3):
        assert ours.data[n, c] == pytest.approx(filters.structural_similarity(x[n, ..., c], y[n, ..., c], **how))
    mean = functional.structural_similarity(nn.Tensor(x), y, sigma=sigma)
    assert mean.item() == pytest.approx(ours.data.mean())


def test_multiscale_equals_the_filter():
    x, y = images((1, 45, 50, 2))
    weights = (0.2, 0.3, 0.5)
    ours = functional.multiscale_structural_similarity(nn.Tensor(x), y, weights=weights)
    expected = filters.multiscale_structural_similarity(
        x, y, data_range=1, weights=weights, channel_axis=-1, batch_axes=1
    )
    assert ours.item() == pytest.approx(expected.item(), abs=1e-9)


@pytest.mark.parametrize("name", ["structural_similarity", "multiscale_structural_similarity"])
def test_gradients(name):
    function = getattr(functional, name)
    keywords = {} if name == "structural_similarity" else {"weights": (0.4, 0.6)}
    x, y = (nn.Tensor(array, True) for array in images((1, 22, 23, 2)))
    assert nn.gradcheck(lambda x, y: function(x, y, **keywords), [x, y])
    assert nn.gradgradcheck(lambda x, y: function(x, y, **keywords), [x, y], rtol=1e-5)


def test_float32_follows_float64():
    gradients = []
    for dtype in ("float32", "float64"):
        x, y = images((2, 20, 20, 1), dtype)
        x = nn.Tensor(x, True)
        functional.structural_similarity(x, y).backward()
        assert x.grad.dtype == dtype
        gradients.append(x.grad.numpy())
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=0, atol=1e-5 * np.abs(gradients[1]).max())


def test_descent_makes_images_alike():
    target, _ = images((1, 24, 24, 1), "float32")
    x = nn.Tensor(np.full_like(target, 0.5), True)
    before = functional.structural_similarity(x, target).item()
    optimizer = nn.optim.Adam([x], lr=0.05)
    for _ in range(30):
        optimizer.zero_grad()
        (1 - functional.structural_similarity(x, target)).backward()
        optimizer.step()
    assert functional.structural_similarity(x, target).item() > before + 0.5


X = nn.Tensor(np.ones((1, 12, 12, 1)))


@pytest.mark.parametrize(
    ("keywords", "target", "message"),
    [
        ({"win_size": 4}, X, "win_size expects a positive odd integer but got 4"),
        ({"win_size": 13}, X, "x expects at least 13 pixels"),
        ({"reduction": "sum"}, X, "reduction expects 'mean' or 'none'"),
        ({}, X[:, :11], "x and target expect one shape"),
    ],
)
def test_refuses(keywords, target, message):
    with pytest.raises(ValueError, match=f"structural_similarity: {message}"):
        functional.structural_similarity(X, target, **keywords)
