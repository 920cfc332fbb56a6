"""What training asks of losses: one pass for value and gradient, and gradients that can be used again."""

import numpy as np
import pytest
from tilegrad.nn import functional

from tilegrad import kernels, nn

X, LABELS = np.linspace(-2, 2, 12).reshape(4, 3), np.array([0, 2, 1, 1])
LOSSES = {
    "mse_loss": 1.0,
    "l1_loss": 1.0,
    "huber_loss": 1.0,
    "smooth_l1_loss": 1.0,
    "charbonnier_loss": 1.0,
    "binary_cross_entropy_with_logits": 1.0,
    "cross_entropy": LABELS,
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_gradient_are_one_pass(name):
    x = nn.Tensor(X, requires_grad=True)
    with kernels.trace() as events:
        getattr(functional, name)(x, LOSSES[name]).backward()
    assert [event.operation for event in events] == [
        {"binary_cross_entropy_with_logits": "bce_with_logits"}.get(name, name) + "_and_grad"
    ]
    with kernels.trace() as events, nn.no_grad():
        getattr(functional, name)(x, LOSSES[name])
    assert not events[0].operation.endswith("_and_grad")


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_may_be_asked_for_again(name):
    """What the graph keeps is not what ``grad`` is accumulated in."""
    x = nn.Tensor(X, requires_grad=True)
    loss = getattr(functional, name)(x, LOSSES[name])
    loss.backward(retain_graph=True)
    once = x.grad.numpy().copy()
    for times in (2, 3):
        loss.backward(retain_graph=True)
        np.testing.assert_allclose(x.grad, times * once)
    loss.backward(nn.Tensor(2.0, dtype=np.float64))
    np.testing.assert_allclose(x.grad, 5 * once)


def test_a_number_is_a_target():
    x = nn.Tensor(X, requires_grad=True)
    for name in ("mse_loss", "binary_cross_entropy_with_logits"):
        one = getattr(functional, name)(x, 1.0)
        np.testing.assert_array_equal(one.detach(), getattr(functional, name)(x, np.ones_like(X)).detach())


def test_softmax_over_any_axis():
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    for dim in (-3, -1, 0, 1, 2):
        np.testing.assert_allclose(functional.softmax(nn.Tensor(x), dim).numpy().sum(dim), 1)
        np.testing.assert_allclose(
            functional.log_softmax(nn.Tensor(x), dim).exp(), functional.softmax(nn.Tensor(x), dim)
        )
    for dim in (3, -4):
        with pytest.raises(ValueError, match=rf"log_softmax: dim expects an axis of \(2, 3, 4\) but got {dim}"):
            functional.log_softmax(nn.Tensor(x), dim)


def test_unknown_reductions_are_refused():
    for loss in (nn.MSELoss, nn.CrossEntropyLoss, nn.BCEWithLogitsLoss):
        with pytest.raises(ValueError, match=f'{loss.__name__}: reduction expects "mean", "sum" or "none"'):
            loss(reduction="median")
