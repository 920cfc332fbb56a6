"""Gradients of a gradient's norm: the penalty of WGAN-GP, through every kind of layer.

The penalty is a function of the parameters by way of a gradient, so its own gradient needs second derivatives by
image, weight and bias at once. Second derivatives of piecewise linear activations are zero; the others' are not.
"""

import numpy as np
import pytest

from tilegrad import nn

NETWORKS = {
    "linear": lambda: nn.Sequential(nn.Linear(6, 5, activation="tanh"), nn.Linear(5, 1)),
    "convolution": lambda: nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2, padding=1, activation="leaky_relu", negative_slope=0.2),
        nn.Conv2d(4, 3, 2, activation="sigmoid"),
        nn.Flatten(),
        nn.Linear(12, 1),
    ),
    "transposed convolution": lambda: nn.Sequential(
        nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1, output_padding=1, activation="tanh"), nn.Conv2d(3, 1, 3)
    ),
    "batch normalisation": lambda: nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3, activation="sigmoid"), nn.Conv2d(3, 1, 2)
    ),
    "fused block": lambda: nn.Sequential(
        nn.Conv2dBatchNorm(2, 3, 3, padding=1, activation="tanh"), nn.Conv2d(3, 1, 3, padding=1, activation="relu")
    ),
    "layers apart": lambda: nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.LeakyReLU(0.2), nn.Conv2d(3, 2, 2), nn.Tanh(), nn.ReLU(), nn.Sigmoid()
    ),
}


def penalty(model, x):
    (gradient,) = nn.grad(model(x).sum(), x, create_graph=True)
    norms = gradient.reshape(len(x), -1).square().sum(1).sqrt()
    return (norms - 1.0).square().mean()


@pytest.mark.parametrize("name", NETWORKS)
def test_gradient_of_the_penalty(name):
    nn.manual_seed(5)
    model = NETWORKS[name]().to(np.float64)
    shape = (3, 6) if name == "linear" else (3, 5, 5, 2)
    x = nn.Tensor(np.random.default_rng(2).standard_normal(shape), True)
    parameters = list(model.parameters())

    def function(x, *values):
        for parameter, value in zip(parameters, values, strict=True):
            replace(model, parameter, value)
        result = penalty(model, x)
        for parameter, value in zip(parameters, values, strict=True):
            replace(model, value, parameter)
        return result

    assert nn.gradcheck(function, [x, *parameters], rtol=1e-5)


def replace(model, old, new):
    for module in model.modules():
        for name, value in vars(module).items():
            if value is old:
                setattr(module, name, new)


def test_penalty_trains_a_critic():
    nn.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(1, 8, 3, activation="leaky_relu", negative_slope=0.2), nn.Conv2d(8, 1, 4))
    optimizer = nn.optim.Adam(critic.parameters(), lr=1e-2)
    x = nn.randn((8, 6, 6, 1)).requires_grad_()
    values = []
    for _ in range(30):
        loss = penalty(critic, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < 0.05 * values[0]
