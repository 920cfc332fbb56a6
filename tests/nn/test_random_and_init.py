"""Random tensors and initialisers: streams, moments, bounds."""

import math
import threading

import numpy as np
import pytest

from tilegrad import nn

init = nn.init


@pytest.mark.parametrize(
    "draw", [lambda g: g.uniform((1000,)), lambda g: g.normal((999,)), lambda g: g.permutation(50)]
)
def test_a_stream_goes_on_and_can_be_resumed(draw):
    generator = nn.Generator(3)
    first = draw(generator)
    state = generator.get_state()
    second = draw(generator)
    assert not np.array_equal(first, second)
    generator.set_state(state)
    np.testing.assert_array_equal(draw(generator), second)
    np.testing.assert_array_equal(draw(nn.Generator(3)), first)
    assert not np.array_equal(draw(nn.Generator(4)), first)


def test_draws_do_not_overlap():
    generator = nn.Generator(0)
    values = np.concatenate([generator.uniform((n,), dtype=np.float64) for n in (1, 2, 3, 5, 7, 64, 1000)])
    assert len(np.unique(values)) == len(values)


def test_manual_seed_seeds_the_default():
    nn.manual_seed(11)
    first = nn.randn((4,))
    nn.manual_seed(11)
    np.testing.assert_array_equal(nn.randn((4,)), first)
    with pytest.raises(ValueError, match="manual_seed: seed expects an integer"):
        nn.manual_seed(-1)


def test_threads_share_a_stream_without_drawing_twice():
    generator, drawn = nn.Generator(5), []

    def work():
        drawn.extend(float(generator.uniform((1,), dtype=np.float64)[0]) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drawn)) == 200


SHAPE = (64, 3, 3, 32)
FAN_IN, FAN_OUT = 9 * 32, 9 * 64
UNIFORM, NORMAL = math.sqrt(3), 1.0
SPREADS = {
    "kaiming_uniform_": (lambda t: init.kaiming_uniform_(t, nonlinearity="relu"), math.sqrt(2 / FAN_IN)),
    "kaiming_normal_": (lambda t: init.kaiming_normal_(t, a=0.2, mode="fan_out"), math.sqrt(2 / 1.04 / FAN_OUT)),
    "xavier_uniform_": (lambda t: init.xavier_uniform_(t, gain=2.0), 2 * math.sqrt(2 / (FAN_IN + FAN_OUT))),
    "xavier_normal_": (init.xavier_normal_, math.sqrt(2 / (FAN_IN + FAN_OUT))),
    "normal_": (lambda t: init.normal_(t, 0.0, 0.02), 0.02),
    "uniform_": (lambda t: init.uniform_(t, -0.3, 0.3), 0.3 / UNIFORM),
}


@pytest.mark.parametrize("name", SPREADS)
def test_spread(name):
    fill, std = SPREADS[name]
    nn.manual_seed(1)
    values = np.asarray(fill(nn.Tensor(np.empty(SHAPE, np.float32))))
    assert values.mean() == pytest.approx(0, abs=5 * std / math.sqrt(values.size))
    assert values.std() == pytest.approx(std, rel=0.02)
    if "uniform" in name:
        assert np.abs(values).max() <= std * UNIFORM * (1 + 1e-6)
        assert np.abs(values).max() >= 0.99 * std * UNIFORM


def test_constants():
    tensor = nn.Tensor(np.empty(3, np.float32))
    np.testing.assert_array_equal(init.zeros_(tensor), [0, 0, 0])
    np.testing.assert_array_equal(init.ones_(tensor), [1, 1, 1])
    np.testing.assert_array_equal(init.constant_(tensor, 2.5), [2.5] * 3)
    assert tensor.version.count == 3


@pytest.mark.parametrize("shape", [(4, 3, 3, 2), (20, 3), (3, 3)])
def test_orthogonal(shape):
    matrix = np.asarray(init.orthogonal_(nn.Tensor(np.empty(shape)), gain=3.0)).reshape(shape[0], -1)
    product = matrix @ matrix.T if len(matrix) <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 9 * np.eye(len(product)), atol=1e-12)


def test_default_initialisation_of_layers_is_pytorchs():
    nn.manual_seed(2)
    for layer in (nn.Conv2d(32, 64, 3), nn.ConvTranspose2d(64, 32, 3), nn.Linear(288, 640)):
        bound = 1 / math.sqrt(init.fans(layer.weight)[0])
        for values in (layer.weight.data, layer.bias.data):
            assert np.abs(values).max() <= bound * (1 + 1e-6)
            assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.25)


@pytest.mark.parametrize("nonlinearity", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu"])
@pytest.mark.parity
def test_gains_are_pytorchs(nonlinearity):
    torch = pytest.importorskip("torch")
    assert init.calculate_gain(nonlinearity) == pytest.approx(torch.nn.init.calculate_gain(nonlinearity))


def test_errors():
    with pytest.raises(ValueError, match="calculate_gain: nonlinearity expects one of"):
        init.calculate_gain("swish")
    with pytest.raises(ValueError, match=r"init: fans expect a weight of at least 2 axes but got shape \(3,\)"):
        init.xavier_normal_(nn.Tensor(np.empty(3)))
    with pytest.raises(ValueError, match="kaiming: mode expects 'fan_in' or 'fan_out' but got 'fan'"):
        init.kaiming_normal_(nn.Tensor(np.empty((3, 3))), mode="fan")
