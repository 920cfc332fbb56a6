"""The classifier beside PyTorch's: the same weights, the same batches, steps of Adam on the cross-entropy."""

import numpy as np
import pytest
from pytorch_twins import nchw
from tolerances import TRAINING_FLOAT32, TRAINING_FLOAT64

from tilegrad import nn

SETTINGS = {"image_size": 22, "image_channels": 2, "classes": 5, "channels": 4, "hidden": 8}
STEPS, BATCH = 30, 8


def test_shapes():
    for settings in ({}, SETTINGS, {"image_size": 18, "channels": 2}):
        model = nn.models.CNNClassifier(**settings)
        state = {name: array.shape for name, array in model.state_dict().items()}
        assert state == dict(nn.models.CNNClassifier.shapes(**model.configuration()))
    assert sum(p.size for p in nn.models.CNNClassifier().parameters()) == 93322
    with pytest.raises(ValueError, match="CNNClassifier: image_size expects at least 18 but got 17"):
        nn.models.CNNClassifier(17)


def twins(dtype):
    import torch

    T = torch.nn
    torch.manual_seed(0)
    theirs = T.Sequential(
        T.Conv2d(2, 4, 3), T.ReLU(), T.MaxPool2d(2), T.Conv2d(4, 8, 3), T.ReLU(), T.MaxPool2d(2), T.Conv2d(8, 8, 3),
        T.ReLU(), T.Flatten(), T.Linear(32, 8), T.ReLU(), T.Linear(8, 5),
    ).to(getattr(torch, dtype))  # fmt: skip
    ours = nn.models.CNNClassifier(**SETTINGS).to(dtype)
    names = [name for name, _ in nn.models.CNNClassifier.shapes(**SETTINGS)]
    state = dict(zip(names, theirs.state_dict().values(), strict=True))
    ours.load_state_dict(nn.pytorch.state_dict_from_pytorch(state, ours))
    return ours, theirs


def losses(dtype):
    import torch

    ours, theirs = twins(dtype)
    optimizers = [nn.optim.Adam(ours.parameters(), lr=1e-2), torch.optim.Adam(theirs.parameters(), lr=1e-2)]
    random, found = np.random.default_rng(0), []
    for _ in range(STEPS):
        labels = random.integers(0, 5, BATCH)
        x = random.standard_normal((BATCH, 22, 22, 2)) + labels[:, None, None, None]
        x = x.astype(dtype)
        mine = nn.functional.cross_entropy(ours(nn.Tensor(x)), labels)
        their = torch.nn.functional.cross_entropy(theirs(nchw(x)), torch.from_numpy(labels))
        for optimizer, loss in zip(optimizers, (mine, their), strict=True):
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        found.append((mine.item(), their.item()))
    return np.array(found).T


@pytest.mark.parity
def test_steps_in_float64_are_pytorchs():
    pytest.importorskip("torch")
    ours, theirs = losses("float64")
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TRAINING_FLOAT64)
    assert ours[-5:].mean() < 0.9 * ours[:5].mean()


@pytest.mark.parity
def test_first_steps_in_float32_are_pytorchs():
    pytest.importorskip("torch")
    ours, theirs = losses("float32")
    np.testing.assert_allclose(ours[:5], theirs[:5], rtol=TRAINING_FLOAT32)
