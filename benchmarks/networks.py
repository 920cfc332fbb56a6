"""tilegrad's side of whole networks, and the weights that all sides start from."""

import functools
from collections.abc import Callable
from typing import Any

from tilegrad import nn

from .contestant import Arrays, Prepared, training
from .network_kinds import DnCNN


@functools.singledispatch
def prepare(work: Any, arrays: Arrays) -> Prepared:
    """Make a whole network ready; see `Contestant`."""
    raise TypeError(f"prepare: expects a network but got {type(work).__name__}")


class _Unfused(nn.Module):
    """`nn.Conv2dBatchNorm` as three operations, with the same names of weights."""

    def __init__(self, block: nn.Conv2dBatchNorm) -> None:
        self.conv, self.norm = block.conv, block.norm

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        return nn.functional.relu(self.norm(self.conv(x)))


def dncnn(work: DnCNN) -> nn.models.DnCNN:
    """The network with the weights that all sides start from."""
    nn.manual_seed(0)
    model = nn.models.DnCNN(work.depth, work.channels)
    if not work.fused:
        layers = (_Unfused(m) if isinstance(m, nn.Conv2dBatchNorm) else m for m in model.network)
        model.network = nn.Sequential(*layers)
    return model


def _dncnn_step(work: DnCNN, arrays: Arrays, dtype: type) -> Callable[[], float]:
    model = dncnn(work).to(dtype)
    x, target = (nn.Tensor(arrays[name].astype(dtype)) for name in ("x", "target"))
    optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), target)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


@prepare.register
def _(work: DnCNN, arrays: Arrays) -> Prepared:
    if work.training:
        return training(lambda dtype: _dncnn_step(work, arrays, dtype))
    model = dncnn(work).eval()
    x = nn.Tensor(arrays["x"])

    def infer() -> nn.Tensor:
        with nn.no_grad():
            return model(x)

    return Prepared(infer, lambda: (infer().numpy(),))
