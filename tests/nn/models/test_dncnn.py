"""DnCNN beside PyTorch's: the same weights, the same batches, fifty steps of Adam."""

import numpy as np
import pytest
from pytorch_twins import nchw
from tolerances import TRAINING_FLOAT32, TRAINING_FLOAT64

from tilegrad import nn

DEPTH, CHANNELS, STEPS = 5, 8, 50


def test_the_network_predicts_what_is_subtracted():
    model = nn.models.DnCNN(depth=3, channels=4, image_channels=3)
    nn.init.zeros_(model.network[2].weight)
    x = nn.randn((2, 7, 9, 3))
    np.testing.assert_array_equal(model(x).detach(), x)


def test_batch_norm_is_a_choice():
    kinds = [type(module).__name__ for module in nn.models.DnCNN(depth=4, channels=4, batch_norm=False).network]
    assert kinds == ["Conv2d"] * 4
    assert type(nn.models.DnCNN(depth=4, channels=4).network[1]).__name__ == "Conv2dBatchNorm"


def test_depth():
    assert len(nn.models.DnCNN().network) == 17
    with pytest.raises(ValueError, match="DnCNN: depth expects at least 2 but got 1"):
        nn.models.DnCNN(depth=1)


def batches(dtype):
    random = np.random.default_rng(0)
    clean = random.uniform(0, 1, (STEPS, 8, 24, 24, 1))
    return [(c.astype(dtype), (c + 0.1 * random.standard_normal(c.shape)).astype(dtype)) for c in clean]


def start():
    nn.manual_seed(0)
    return nn.models.DnCNN(DEPTH, CHANNELS)


def our_losses(dtype):
    model = start().to(dtype)
    optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for clean, noisy in batches(dtype):
        loss = nn.functional.mse_loss(model(nn.Tensor(noisy)), nn.Tensor(clean))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


def their_losses(dtype):
    import torch

    T = torch.nn
    layers = [T.Conv2d(1, CHANNELS, 3, padding=1), T.ReLU()]
    for _ in range(DEPTH - 2):
        layers += [T.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False), T.BatchNorm2d(CHANNELS), T.ReLU()]
    network = T.Sequential(*layers, T.Conv2d(CHANNELS, 1, 3, padding=1)).to(getattr(torch, dtype))
    with torch.no_grad():
        for theirs, ours in zip(network.parameters(), start().parameters(), strict=True):
            theirs.copy_(nchw(ours.data) if ours.ndim == 4 else torch.from_numpy(ours.data))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for clean, noisy in batches(dtype):
        x = nchw(noisy)
        loss = T.functional.mse_loss(x - network(x), nchw(clean))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


@pytest.mark.parity
def test_fifty_steps_in_float64_are_pytorchs():
    pytest.importorskip("torch")
    ours = our_losses("float64")
    assert ours[-1] < 0.5 * ours[0]
    np.testing.assert_allclose(ours, their_losses("float64"), rtol=0, atol=TRAINING_FLOAT64)


@pytest.mark.parity
def test_fifty_steps_in_float32_stay_as_near_as_pytorchs_own():
    pytest.importorskip("torch")
    exact, ours, theirs = our_losses("float64"), our_losses("float32"), their_losses("float32")
    np.testing.assert_allclose(ours[:5], theirs[:5], rtol=TRAINING_FLOAT32)
    # Adam amplifies rounding: what can be asked of later steps is PyTorch's own distance from the exact run.
    assert np.abs(ours - exact).max() <= 3 * np.abs(theirs - exact).max()
