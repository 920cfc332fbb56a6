"""Optimisers: their arithmetic beside PyTorch's, their state, their errors."""

import numpy as np
import pytest
from tolerances import TRAINING_FLOAT64

from tilegrad import nn

SHAPES = [(3, 4), (5,), (2, 3, 3, 1)]

SETTINGS = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.05, "momentum": 0.9},
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    ],
    "Adam": [{"lr": 0.02}, {"lr": 0.02, "betas": (0.5, 0.9), "eps": 1e-4, "weight_decay": 0.1}],
    "AdamW": [{"lr": 0.02}, {"lr": 0.02, "weight_decay": 0.3}],
}


def problem(shapes=SHAPES, dtype=np.float64):
    """Parameters, and a loss with a slope that turns."""
    random = np.random.default_rng(0)
    starts = [random.standard_normal(shape).astype(dtype) for shape in shapes]
    targets = [random.standard_normal(shape).astype(dtype) for shape in shapes]
    return starts, targets


def ours(name, settings, steps=50, snapshot_at=None):
    starts, targets = problem()
    parameters = [nn.Parameter(start.copy()) for start in starts]
    optimizer = getattr(nn.optim, name)(parameters, **settings)
    for step in range(steps):
        if step == snapshot_at:
            state = optimizer.state_dict()
            parameters = [nn.Parameter(p.data.copy()) for p in parameters]
            optimizer = getattr(nn.optim, name)(parameters)
            optimizer.load_state_dict(state)
        optimizer.zero_grad()
        for parameter, target in zip(parameters, targets, strict=True):
            nn.functional.square(parameter * parameter - target).sum().backward()
        optimizer.step()
    return [parameter.data for parameter in parameters]


@pytest.mark.parity
@pytest.mark.parametrize(("name", "settings"), [(n, s) for n, all in SETTINGS.items() for s in all])
def test_fifty_steps_are_pytorchs(name, settings):
    torch = pytest.importorskip("torch")
    starts, targets = problem()
    parameters = [torch.from_numpy(start.copy()).requires_grad_() for start in starts]
    optimizer = getattr(torch.optim, name)(parameters, **settings)
    for _ in range(50):
        optimizer.zero_grad()
        for parameter, target in zip(parameters, targets, strict=True):
            (parameter * parameter - torch.from_numpy(target)).square().sum().backward()
        optimizer.step()
    for mine, theirs in zip(ours(name, settings), parameters, strict=True):
        np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=TRAINING_FLOAT64, atol=TRAINING_FLOAT64)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_resumed_optimizer_gives_the_same_bits(name):
    settings = SETTINGS[name][-1]
    for whole, resumed in zip(ours(name, settings, 20), ours(name, settings, 20, snapshot_at=7), strict=True):
        np.testing.assert_array_equal(whole, resumed)


def test_state_is_a_snapshot():
    parameter = nn.Parameter([1.0])
    optimizer = nn.optim.Adam([parameter])
    parameter.grad = nn.Tensor([1.0])
    optimizer.step()
    state = optimizer.state_dict()
    optimizer.step()
    assert state["state"][0]["step"] == 1
    assert state["state"][0]["exp_avg"] == np.float32(0.1)


def test_groups_have_settings_of_their_own():
    fast, slow = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = nn.optim.SGD([{"params": [fast], "lr": 0.5}, {"params": slow}], lr=0.1)
    fast.grad = slow.grad = nn.Tensor([1.0])
    optimizer.step()
    assert fast.item() == pytest.approx(0.5)
    assert slow.item() == pytest.approx(0.9)
    optimizer.param_groups[1]["lr"] = 0.2
    optimizer.step()
    assert slow.item() == pytest.approx(0.7)
    assert repr(optimizer).startswith("SGD(1 parameters: lr=0.5, momentum=0.0")


def test_parameters_without_a_gradient_stay_and_start_later():
    first, late = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = nn.optim.Adam([first, late], lr=0.1)
    first.grad = nn.Tensor([1.0])
    optimizer.step()
    assert late.item() == 1.0
    late.grad = nn.Tensor([1.0])
    optimizer.step()
    # Each parameter's bias correction counts its own steps.
    assert late.item() == pytest.approx(0.9)
    assert optimizer.state[first]["step"] == 2
    assert optimizer.state[late]["step"] == 1


def test_a_step_counts_as_a_write():
    parameter = nn.Parameter([1.0])
    parameter.grad = nn.Tensor([1.0])
    nn.optim.SGD([parameter], lr=0.1).step()
    assert parameter.version.count == 1


def test_zero_grad():
    parameter = nn.Parameter([1.0])
    optimizer = nn.optim.SGD([parameter])
    parameter.grad = nn.Tensor([1.0])
    optimizer.zero_grad(set_to_none=False)
    assert parameter.grad.item() == 0.0
    optimizer.zero_grad()
    assert parameter.grad is None


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: nn.optim.SGD([]), ValueError, "SGD: expects parameters but got none"),
        (lambda p: nn.optim.SGD([p, p]), ValueError, r"SGD: a parameter of shape \(1,\) is in more than one place"),
        (lambda p: nn.optim.SGD([p * 2.0]), ValueError, r"SGD: a parameter of shape \(1,\) is the result of an operat"),
        (lambda p: nn.optim.SGD([1.0]), TypeError, "SGD: parameters expect tensors but got float"),
        (lambda p: nn.optim.SGD([p], lr=-1.0), ValueError, "SGD: lr expects a number of at least 0 but got -1.0"),
        (lambda p: nn.optim.SGD([p], nesterov=True), ValueError, "SGD: nesterov expects a momentum and no dampening"),
        (lambda p: nn.optim.Adam([p], betas=(0.9, 1.0)), ValueError, r"Adam: betas expect numbers in \[0, 1\)"),
        (lambda p: nn.optim.AdamW([p], eps=float("nan")), ValueError, "AdamW: eps expects a number of at least 0"),
        (lambda p: nn.optim.Adam([{"params": [p], "speed": 1}]), ValueError, r"Adam: a group takes .* got \['speed'\]"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make(nn.Parameter([1.0]))


def test_loading_checks_before_it_writes():
    parameter = nn.Parameter([1.0])
    optimizer = nn.optim.Adam([parameter], lr=0.5)
    with pytest.raises(ValueError, match=r"Adam.load_state_dict: expects groups of \[1\] parameters but got \[2\]"):
        optimizer.load_state_dict({"state": {}, "param_groups": [{"params": [0, 1], "lr": 1.0}]})
    wrong = {0: {"step": 1, "exp_avg": np.zeros(2), "exp_avg_sq": np.zeros(1)}}
    with pytest.raises(ValueError, match=r"state of parameter 0 expects exp_avg.* of float32 and shape \(1,\)"):
        optimizer.load_state_dict(
            {"state": wrong, "param_groups": [{**optimizer.state_dict()["param_groups"][0], "lr": 1.0}]}
        )
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert not optimizer.state


def test_groups_are_checked_like_defaults():
    with pytest.raises(ValueError, match="SGD: lr expects a number of at least 0"):
        nn.optim.SGD([{"params": [nn.Parameter([1.0])], "lr": -1.0}])


def test_a_step_that_fails_is_not_counted():
    p = nn.Parameter([1.0, 2.0])
    optimizer = nn.optim.Adam([p])
    p.grad = nn.Tensor([1.0, 2.0, 3.0])
    with pytest.raises((TypeError, ValueError)):
        optimizer.step()
    assert optimizer.state[p]["step"] == 0
    assert p.version.count == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["param_groups"][0].update(lr=-1.0),
        lambda s: s["param_groups"][0].update(momentum=0.9),
        lambda s: s["param_groups"][0].pop("eps"),
        lambda s: s["state"].update({1: s["state"][0]}),
        lambda s: s["state"].update({-1: s["state"][0]}),
        lambda s: s["state"][0].pop("exp_avg"),
        lambda s: s["state"][0].pop("step"),
        lambda s: s["state"][0].update(step=-1),
        lambda s: s["state"][0].update(other=np.zeros(2)),
        lambda s: s["state"][0].update(exp_avg=0.0),
        lambda s: s["state"][0].update(exp_avg=np.zeros(3, np.float32)),
    ],
)
def test_loading_checks_everything_before_it_changes_anything(change):
    p = nn.Parameter([1.0, 2.0])
    optimizer = nn.optim.Adam([p])
    p.grad = nn.Tensor([1.0, 2.0])
    optimizer.step()
    state, groups = optimizer.state, [dict(group) for group in optimizer.param_groups]
    changed = optimizer.state_dict()
    change(changed)
    with pytest.raises(ValueError, match="Adam"):
        optimizer.load_state_dict(changed)
    assert optimizer.state is state
    assert optimizer.param_groups == groups
