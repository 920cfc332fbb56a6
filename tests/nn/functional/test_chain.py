"""Blocks in a row, unnormalised in between, beside the same blocks one by one."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from tilegrad.nn.modules.normalization import Block

from tilegrad import nn

STACKS: dict[str, Callable[[], list[nn.Module]]] = {
    "convolutions": lambda: [
        nn.Conv2dBatchNorm(2, 5, 3, padding=1, activation="relu"),
        nn.Conv2dBatchNorm(5, 4, 4, stride=2, padding=1, activation="leaky_relu", negative_slope=0.2),
        nn.Conv2dBatchNorm(4, 4, 3, padding=2, dilation=2, groups=2, eps=1e-3, momentum=0.3),
        nn.Conv2d(4, 2, 3, padding=1),
    ],
    "transposed": lambda: [
        nn.Conv2d(2, 3, 1, activation="tanh"),
        nn.ConvTranspose2dBatchNorm(3, 6, 4, stride=2, padding=1, activation="tanh"),
        nn.ConvTranspose2dBatchNorm(6, 4, 3, stride=2, padding=1, output_padding=1, activation="sigmoid"),
        nn.Conv2dBatchNorm(4, 3, 3, activation="relu"),
    ],
}


@pytest.fixture
def linked(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Say whether blocks in a row are linked, whatever the device."""
    return lambda wanted: monkeypatch.setattr(Block, "links", lambda block, x: wanted and block.training)


def model_and_images(name: str) -> tuple[nn.Sequential, nn.Tensor]:
    nn.manual_seed(0)
    model = nn.Sequential(*STACKS[name]()).to(np.float64)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data[:] = nn.randn(module.weight.shape, dtype=np.float64).data + 1.5
            module.bias.data[:] = nn.randn(module.bias.shape, dtype=np.float64).data
    return model, nn.Tensor(nn.randn((3, 8, 9, 2), dtype=np.float64).data, requires_grad=True)


def numbers(model: nn.Sequential, x: nn.Tensor, y: nn.Tensor) -> Iterator[np.ndarray]:
    """All gradients and running statistics, and the result."""
    yield y.detach().numpy()
    yield from (p.grad.numpy() for p in [x, *model.parameters()] if p.grad is not None)
    yield from (b.numpy() for b in model.buffers())


@pytest.mark.parametrize("name", STACKS)
def test_gives_the_same_numbers(name: str, linked: Callable[[bool], None]) -> None:
    results = []
    for wanted in (False, True):
        linked(wanted)
        model, x = model_and_images(name)
        y = model(x)
        y.square().sum().backward()
        assert all(p.grad is not None for p in [x, *model.parameters()])
        results.append(list(numbers(model, x, y)))
    for apart, together in zip(*results, strict=True):
        np.testing.assert_allclose(together, apart, rtol=1e-9, atol=1e-11 * np.abs(apart).max())


@pytest.mark.parametrize("name", STACKS)
def test_second_derivatives_are_the_same(name: str, linked: Callable[[bool], None]) -> None:
    results = []
    for wanted in (False, True):
        linked(wanted)
        model, x = model_and_images(name)
        y = model(x)
        (g,) = nn.grad(y.square().sum(), [x], create_graph=True)
        g.square().sum().backward()
        results.append(list(numbers(model, x, y)))
    for apart, together in zip(*results, strict=True):
        np.testing.assert_allclose(together, apart, rtol=1e-8, atol=1e-10 * np.abs(apart).max())


def test_images_between_blocks_are_not_written(linked: Callable[[bool], None]) -> None:
    linked(True)
    model, x = model_and_images("convolutions")
    y, seen, kinds = model(x), set(), []
    nodes = [y.node]
    while nodes:
        node = nodes.pop()
        if isinstance(node, nn.node.Node) and node not in seen:
            seen.add(node)
            kinds.append(node.primitive.name)
            nodes.extend(node.edges)
    assert sorted(kinds) == ["batch_norm_apply", *["conv2d"], *["conv2d_unapplied"] * 3]


def test_a_frozen_block_ends_the_row(linked: Callable[[bool], None]) -> None:
    linked(True)
    model, x = model_and_images("convolutions")
    model[1].eval()
    found = model(x)
    linked(False)
    model, x = model_and_images("convolutions")
    model[1].eval()
    np.testing.assert_allclose(found.detach(), model(x).detach(), rtol=1e-9, atol=1e-11)


def test_only_what_is_asked_for_is_computed(linked: Callable[[bool], None]) -> None:
    linked(True)
    model, x = model_and_images("convolutions")
    x.requires_grad_(False)
    model[0].requires_grad_(False)
    model[1].requires_grad_(False)
    model(x).sum().backward()
    assert {name for name, p in model.named_parameters() if p.grad is not None} == {
        name for name, _ in model.named_parameters() if name[0] in "23"
    }
