"""Averaged weights."""

import numpy as np
import pytest

from tilegrad import kernels, nn


def model(dtype=np.float32):
    return nn.Sequential(nn.Conv2dBatchNorm(1, 2, 3), nn.Conv2d(2, 1, 1)).to(dtype)


def train(network, average, steps, seed):
    random = np.random.default_rng(seed)
    for _ in range(steps):
        for parameter in network.parameters():
            parameter.copy_(random.standard_normal(parameter.shape))
        average.update()


def test_the_average_is_what_it_says():
    network = model(np.float64)
    average = nn.EMA(network, 0.9)
    expected = {name: p.data.copy() for name, p in network.named_parameters()}
    random = np.random.default_rng(0)
    for _ in range(5):
        for name, parameter in network.named_parameters():
            parameter.copy_(random.standard_normal(parameter.shape))
            expected[name] = 0.9 * expected[name] + 0.1 * parameter.data
        with kernels.trace() as events:
            average.update()
        assert [event.operation for event in events] == ["average_step"]
    for name, array in average.averages.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-12)


def test_a_warm_up_starts_with_little_weight_on_the_past():
    network = nn.Linear(1, 1, bias=False)
    average = nn.EMA(network, 0.9, warm_up=True)
    start = network.weight.item()
    network.weight.copy_(start + 1)
    average.update()
    assert average.averages["weight"].item() == pytest.approx(start + 0.9)


def test_applied_averages_are_taken_back():
    network = model()
    average = nn.EMA(network, 0.5)
    train(network, average, 3, 0)
    trained = network.state_dict()

    def evaluate():
        with average.applied():
            for name, parameter in network.named_parameters():
                np.testing.assert_array_equal(parameter.data, average.averages[name])
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        evaluate()
    for name, array in network.state_dict().items():
        np.testing.assert_array_equal(array, trained[name])


def test_a_resumed_average_gives_the_same_bits():
    whole = nn.EMA(model(), 0.9, warm_up=True)
    train_both = model()
    first = nn.EMA(train_both, 0.9, warm_up=True)
    first.load_state_dict(whole.state_dict())
    train(train_both, first, 4, 1)
    other = model()
    second = nn.EMA(other, 0.9, warm_up=True)
    second.load_state_dict(first.state_dict())
    train(train_both, first, 3, 2)
    train(other, second, 3, 2)
    assert first.updates == second.updates == 7
    for name, array in first.averages.items():
        np.testing.assert_array_equal(array, second.averages[name])


def test_bad_input_is_refused():
    network = model()
    for bad in (1.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match=r"EMA: decay expects a number in \[0, 1\) but got"):
            nn.EMA(network, bad)
    average = nn.EMA(network)
    state = average.state_dict()
    wrong = {**state["averages"], "1.weight": np.ones(3, np.float32)}
    for bad in (
        {"updates": 0},
        {"updates": -1, "averages": state["averages"]},
        {"updates": 0, "averages": {}},
        {"updates": 0, "averages": wrong},
    ):
        with pytest.raises(ValueError, match=r"EMA\.load_state_dict: "):
            average.load_state_dict(bad)
    for name, array in average.averages.items():
        np.testing.assert_array_equal(array, state["averages"][name])
