"""Whole networks in PyTorch: eager, or through ``torch.compile``."""

import functools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .. import networks
from ..contestant import Arrays, Prepared, Training, UnavailableError, training
from ..kinds import Work
from ..network_kinds import CNN, DCGAN, DnCNN, Network
from .torch_arrays import adam, to_tensor, without_graph

Compile = Callable[[torch.nn.Module], Any]


def _eager(model: torch.nn.Module) -> torch.nn.Module:
    return model


def prepare(work: Network, arrays: Arrays, layout: Any) -> Prepared | None:
    """Make a whole network ready; see `Contestant`. Inference is measured in one layout, PyTorch's faster one."""
    return _prepare(work, arrays, layout, _eager) if work.training or layout is torch.channels_last else None


def prepare_compiled(work: Work, arrays: Arrays) -> Prepared | None:
    """A whole network through ``torch.compile``, channels_last; nothing else."""
    if not isinstance(work, Network):
        return None
    return _prepare(work, arrays, torch.channels_last, functools.partial(torch.compile, dynamic=False))


@functools.cache
def check_compiler() -> None:
    """Raise `UnavailableError` where ``torch.compile`` cannot work: without a C++ compiler, for one."""
    try:
        torch.compile(lambda x: torch.relu(x) + 1)(torch.ones(64))
    except Exception as reason:  # whatever the compiler's many layers raise, its column is left out
        said = str(reason).strip().splitlines() or ["no message"]
        raise UnavailableError(f"torch.compile fails here: {type(reason).__name__}: {said[0][:160]}") from reason


@functools.singledispatch
def _prepare(work: Any, arrays: Arrays, layout: Any, through: Compile) -> Prepared:
    raise TypeError(f"prepare: expects a network but got {type(work).__name__}")


def load(model: torch.nn.Module, weights: Mapping[str, np.ndarray], layout: Any) -> None:
    """Give a network weights under tilegrad's names, which its own modules have too."""
    tensors = {name: to_tensor(array, torch.contiguous_format) for name, array in weights.items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    model.to(memory_format=layout)


class Block(torch.nn.Module):
    """Convolution, batch normalisation, activation; the names are those of tilegrad's `nn.Conv2dBatchNorm`."""

    def __init__(self, conv: torch.nn.Module, channels: int, activate: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.conv = conv
        self.norm: torch.nn.Module = torch.nn.BatchNorm2d(channels)
        self.activate = activate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activate(self.norm(self.conv(x)))

    def fold(self) -> None:
        """Put the normalisation into the convolution, for inference."""
        self.conv, self.norm = fuse_conv_bn_eval(self.conv, self.norm), torch.nn.Identity()


relu = functools.partial(functional.relu, inplace=True)


class _DnCNN(torch.nn.Module):
    def __init__(self, depth: int, channels: int) -> None:
        super().__init__()
        layers: OrderedDict[str, torch.nn.Module] = OrderedDict()
        layers["0"] = torch.nn.Conv2d(1, channels, 3, padding=1)
        for i in range(1, depth - 1):
            convolution = torch.nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            layers[str(i)] = Block(convolution, channels, relu)
        layers[str(depth - 1)] = torch.nn.Conv2d(channels, 1, 3, padding=1)
        self.network = torch.nn.Sequential(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for index, layer in enumerate(self.network):
            y = relu(layer(y)) if index == 0 else layer(y)
        return x - y


def _dncnn(work: DnCNN, layout: Any) -> _DnCNN:
    model = _DnCNN(work.depth, work.channels)
    load(model, networks.dncnn(work).state_dict(), layout)
    return model


def _dncnn_step(
    work: DnCNN, arrays: Arrays, layout: Any, through: Compile, dtype: type, device: str = "cpu"
) -> Training:
    x, target = (to_tensor(arrays[name].astype(dtype), layout).to(device) for name in ("x", "target"))
    model = _dncnn(work, layout).to(x.dtype).to(device)
    optimizer, apply = adam(model.parameters()), through(model)

    def step(x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = functional.mse_loss(apply(x), target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Training(step, (x, target))


@_prepare.register
def _(work: DnCNN, arrays: Arrays, layout: Any, through: Compile) -> Prepared:
    if work.training:
        return training(lambda dtype: _dncnn_step(work, arrays, layout, through, dtype))
    model = _dncnn(work, layout).eval()
    for block in model.network:
        if isinstance(block, Block):
            block.fold()
    x, apply = to_tensor(arrays["x"], layout), through(model)
    return without_graph(lambda: apply(x))


def _channels_first(array: np.ndarray, image: tuple[int, int, int], axis: int) -> np.ndarray:
    """An axis over (H, W, C) as PyTorch flattens images, over (C, H, W)."""
    places = np.arange(array.shape[axis]).reshape(image)
    return np.take(array, np.moveaxis(places, 2, 0).ravel(), axis)


_leaky = functools.partial(functional.leaky_relu, negative_slope=0.2, inplace=True)


def _dcgan(work: DCGAN, layout: Any) -> tuple[torch.nn.Module, torch.nn.Module]:
    make = _large_dcgan if work.size == 64 else _small_dcgan
    models, weights = make(work), [dict(model.state_dict()) for model in networks.dcgan(work)]
    if work.size != 64:
        image = (work.size // 4, work.size // 4, 2 * work.channels)
        for name in ("0.weight", *(f"1.{part}" for part in ("weight", "bias", "running_mean", "running_var"))):
            weights[0][f"network.{name}"] = _channels_first(weights[0][f"network.{name}"], image, 0)
        weights[1]["network.3.weight"] = _channels_first(weights[1]["network.3.weight"], image, 1)
    for model, own in zip(models, weights, strict=True):
        load(model, own, layout)
    return models


def _small_dcgan(work: DCGAN) -> tuple[torch.nn.Module, torch.nn.Module]:
    wide, narrow, side = 2 * work.channels, work.channels, work.size // 4
    features = side * side * wide
    up = torch.nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False)
    generator = torch.nn.Sequential(OrderedDict({
        "network": torch.nn.Sequential(
            torch.nn.Linear(work.latent, features, bias=False), torch.nn.BatchNorm1d(features),
            _Reshaped((wide, side, side), relu), Block(up, narrow, relu), torch.nn.ConvTranspose2d(narrow, 1, 4, 2, 1),
        ),
        "end": torch.nn.Tanh(),
    }))  # fmt: skip
    first, down = torch.nn.Conv2d(1, narrow, 4, 2, 1), torch.nn.Conv2d(narrow, wide, 4, 2, 1, bias=False)
    discriminator = torch.nn.Sequential(OrderedDict({
        "network": torch.nn.Sequential(OrderedDict({
            "0": first, "activation": torch.nn.LeakyReLU(0.2, inplace=True), "1": Block(down, wide, _leaky),
            "2": torch.nn.Flatten(), "3": torch.nn.Linear(features, 1),
        })),
    }))  # fmt: skip
    return generator, discriminator


def _large_dcgan(work: DCGAN) -> tuple[torch.nn.Module, torch.nn.Module]:
    widths = [work.channels << i for i in range(4)]
    up: OrderedDict[str, torch.nn.Module] = OrderedDict({
        "0": _Reshaped((work.latent, 1, 1), torch.nn.Identity()),
        "1": Block(torch.nn.ConvTranspose2d(work.latent, widths[3], 4, bias=False), widths[3], relu),
    })  # fmt: skip
    down: OrderedDict[str, torch.nn.Module] = OrderedDict({
        "0": torch.nn.Conv2d(work.colours, widths[0], 4, 2, 1, bias=False),
        "activation": torch.nn.LeakyReLU(0.2, inplace=True),
    })  # fmt: skip
    for i, (few, many) in enumerate(pairwise(widths)):
        up[str(4 - i)] = Block(torch.nn.ConvTranspose2d(many, few, 4, 2, 1, bias=False), few, relu)
        down[str(i + 1)] = Block(torch.nn.Conv2d(few, many, 4, 2, 1, bias=False), many, _leaky)
    up["5"] = torch.nn.ConvTranspose2d(widths[0], work.colours, 4, 2, 1, bias=False)
    down |= {"4": torch.nn.Conv2d(widths[3], 1, 4, bias=False), "5": torch.nn.Flatten()}
    layers = OrderedDict((name, up[name]) for name in sorted(up))
    generator = torch.nn.Sequential(OrderedDict({"network": torch.nn.Sequential(layers), "end": torch.nn.Tanh()}))
    return generator, torch.nn.Sequential(OrderedDict({"network": torch.nn.Sequential(down)}))


class _Reshaped(torch.nn.Module):
    """Vectors as images, activated before."""

    def __init__(self, shape: tuple[int, int, int], activate: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.shape, self.activate = shape, activate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activate(x).view(-1, *self.shape)


def _dcgan_step(
    work: DCGAN, arrays: Arrays, layout: Any, through: Compile, dtype: type, device: str = "cpu"
) -> Training:
    x, z = (to_tensor(arrays[name].astype(dtype), layout).to(device) for name in ("x", "z"))
    models = [model.to(x.dtype).to(device) for model in _dcgan(work, layout)]
    of_generator, of_discriminator = (
        adam(model.parameters(), networks.GAN_RATE, networks.GAN_BETAS) for model in models
    )  # fmt: skip
    generator, discriminator = map(through, models)
    loss = functional.binary_cross_entropy_with_logits
    real = torch.ones(work.batch, 1, dtype=x.dtype, device=device)
    false = torch.zeros_like(real)

    def step(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        images = generator(z)
        of_discriminator.zero_grad(set_to_none=True)
        judged = loss(discriminator(x), real) + loss(discriminator(images.detach()), false)
        judged.backward()
        of_discriminator.step()
        of_generator.zero_grad(set_to_none=True)
        passed = loss(discriminator(images), real)
        passed.backward()
        of_generator.step()
        return (judged + passed).detach()

    return Training(step, (x, z))


@_prepare.register
def _(work: DCGAN, arrays: Arrays, layout: Any, through: Compile) -> Prepared:
    return training(lambda dtype: _dcgan_step(work, arrays, layout, through, dtype))


def _cnn_step(work: CNN, arrays: Arrays, layout: Any, through: Compile, dtype: type, device: str = "cpu") -> Training:
    x, labels = to_tensor(arrays["x"].astype(dtype), layout).to(device), torch.from_numpy(work.labels).to(device)
    relu = functools.partial(torch.nn.ReLU, inplace=True)
    layers = torch.nn.Sequential(OrderedDict({
        "0": torch.nn.Conv2d(1, 32, 3), "a": relu(), "1": torch.nn.MaxPool2d(2),
        "2": torch.nn.Conv2d(32, 64, 3), "b": relu(), "3": torch.nn.MaxPool2d(2),
        "4": torch.nn.Conv2d(64, 64, 3), "c": relu(), "5": torch.nn.Flatten(),
        "6": torch.nn.Linear(576, 64), "d": relu(), "7": torch.nn.Linear(64, 10),
    }))  # fmt: skip
    weights = dict(networks.cnn().state_dict())
    weights["network.6.weight"] = _channels_first(weights["network.6.weight"], (3, 3, 64), 1)
    model = torch.nn.Sequential(OrderedDict({"network": layers}))
    load(model, weights, layout)
    model.to(x.dtype).to(device)
    optimizer, apply = adam(model.parameters()), through(model)

    def step(x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(apply(x), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Training(step, (x, labels))


@_prepare.register
def _(work: CNN, arrays: Arrays, layout: Any, through: Compile) -> Prepared:
    return training(lambda dtype: _cnn_step(work, arrays, layout, through, dtype))


STEPS: Mapping[type, Callable[..., Training]] = {DnCNN: _dncnn_step, DCGAN: _dcgan_step, CNN: _cnn_step}
"""What makes a training step of each network: ``(work, arrays, layout, through, dtype, device)``."""
