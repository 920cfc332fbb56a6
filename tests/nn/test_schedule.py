"""Learning-rate schedules: beside PyTorch's, warm-ups, and resumed ones."""

import numpy as np
import pytest

from tilegrad import nn


def optimizer(lrs=(0.1, 0.02)):
    return nn.optim.SGD([{"params": nn.Parameter([1.0]), "lr": lr} for lr in lrs])


MAKERS = {
    "StepLR": lambda o, **more: nn.optim.StepLR(o, 3, 0.5, **more),
    "CosineAnnealingLR": lambda o, **more: nn.optim.CosineAnnealingLR(o, 12, 0.001, **more),
    "WarmUpLR": lambda o, **more: nn.optim.WarmUpLR(o, **more),
}


def rates(schedule, steps):
    found = []
    for _ in range(steps):
        found.append(schedule.get_last_lr())
        schedule.step()
    return np.array(found)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["StepLR", "CosineAnnealingLR"])
def test_rates_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    theirs = torch.optim.SGD([{"params": [torch.nn.Parameter(torch.ones(1))], "lr": lr} for lr in (0.1, 0.02)])
    args = {"StepLR": (3, 0.5), "CosineAnnealingLR": (12, 0.001)}[name]
    schedule, expected = getattr(torch.optim.lr_scheduler, name)(theirs, *args), []
    for _ in range(13):
        expected.append(schedule.get_last_lr())
        theirs.step(), schedule.step()
    np.testing.assert_allclose(rates(MAKERS[name](optimizer()), 13), expected, rtol=1e-12)


@pytest.mark.parametrize("name", MAKERS)
def test_a_warm_up_comes_before_the_schedule(name):
    found = rates(MAKERS[name](optimizer(), warm_up=4), 20)
    np.testing.assert_allclose(found[:4], np.outer([0.2, 0.4, 0.6, 0.8], [0.1, 0.02]))
    np.testing.assert_array_equal(found[4:], rates(MAKERS[name](optimizer()), 16))


def test_a_cosine_ends_where_it_should():
    np.testing.assert_allclose(rates(nn.optim.CosineAnnealingLR(optimizer(), 3, 0.01), 9)[3:], 0.01)


@pytest.mark.parametrize("name", MAKERS)
def test_a_resumed_schedule_gives_the_same_bits(name):
    whole = rates(MAKERS[name](optimizer(), warm_up=3), 15)
    first = MAKERS[name](optimizer(), warm_up=3)
    rates(first, 7)
    fresh = optimizer((1.0, 1.0))
    second = MAKERS[name](fresh, warm_up=3)
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(rates(second, 8), whole[7:])


def test_bad_input_is_refused():
    for call, kind, message in (
        (lambda o: nn.optim.StepLR(o, 0), ValueError, "StepLR: step_size expects at least 1 but got 0"),
        (lambda o: nn.optim.StepLR(o, 1.5), TypeError, r"StepLR: step_size expects an integer but got 1\.5"),
        (lambda o: nn.optim.StepLR(o, 2, -1), ValueError, "StepLR: gamma expects a number of at least 0 but got -1"),
        (lambda o: nn.optim.CosineAnnealingLR(o, 0), ValueError, "CosineAnnealingLR: T_max expects at least 1"),
        (lambda o: nn.optim.CosineAnnealingLR(o, 2, float("nan")), ValueError, "eta_min expects a number of at least"),
        (lambda o: nn.optim.WarmUpLR(o, warm_up=-1), ValueError, "WarmUpLR: warm_up expects at least 0 but got -1"),
    ):
        untouched = optimizer()
        with pytest.raises(kind, match=message):
            call(untouched)
        assert [group["lr"] for group in untouched.param_groups] == [0.1, 0.02]


def test_states_that_do_not_fit_change_nothing():
    schedule = nn.optim.StepLR(optimizer(), 2)
    rates(schedule, 3)
    before = schedule.state_dict()
    for bad in ({"steps": 1}, {"steps": 1, "bases": [0.1]}, {"steps": -1, "bases": [0.1, 0.1]}):
        with pytest.raises(ValueError, match=r"StepLR\.load_state_dict: "):
            schedule.load_state_dict(bad)
        assert schedule.state_dict() == before
    assert repr(schedule).startswith("StepLR(steps=3, lr=[0.01")
