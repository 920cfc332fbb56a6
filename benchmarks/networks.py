"""tilegrad's side of whole networks, and the weights that all sides start from."""

import functools
from typing import Any

import numpy as np

from tilegrad import nn

from .contestant import Arrays, Prepared, Training, training
from .network_kinds import CNN, DCGAN, DnCNN


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


@functools.singledispatch
def trainer(work: Any, arrays: Arrays, dtype: type = np.float32, device: str = "cpu") -> Training:
    """A training step of a whole network on a device."""
    raise TypeError(f"trainer: expects a network but got {type(work).__name__}")


@trainer.register
def _(work: DnCNN, arrays: Arrays, dtype: type = np.float32, device: str = "cpu") -> Training:
    model = dncnn(work).to(dtype).to(device)
    inputs = tuple(nn.Tensor(arrays[name].astype(dtype)).to(device) for name in ("x", "target"))
    optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)

    def step(x: nn.Tensor, target: nn.Tensor) -> nn.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Training(step, inputs)


@prepare.register
def _(work: DnCNN, arrays: Arrays) -> Prepared:
    if work.training:
        return training(lambda dtype: trainer(work, arrays, dtype))
    model = dncnn(work).eval()
    x = nn.Tensor(arrays["x"])

    def infer() -> nn.Tensor:
        with nn.no_grad():
            return model(x)

    return Prepared(infer, lambda: (infer().numpy(),))


def dcgan(work: DCGAN) -> tuple[nn.models.DCGANGenerator, nn.models.DCGANDiscriminator]:
    """Both networks with the weights that all sides start from."""
    nn.manual_seed(0)
    image = (work.size, work.channels, work.colours)
    return nn.models.DCGANGenerator(*image, latent=work.latent), nn.models.DCGANDiscriminator(*image)


GAN_RATE, GAN_BETAS = 2e-4, (0.5, 0.999)


@trainer.register
def _(work: DCGAN, arrays: Arrays, dtype: type = np.float32, device: str = "cpu") -> Training:
    generator, discriminator = (model.to(dtype).to(device) for model in dcgan(work))
    inputs = tuple(nn.Tensor(arrays[name].astype(dtype)).to(device) for name in ("x", "z"))
    of_generator, of_discriminator = (
        nn.optim.Adam(model.parameters(), GAN_RATE, GAN_BETAS) for model in (generator, discriminator)
    )
    loss = nn.functional.binary_cross_entropy_with_logits

    def step(x: nn.Tensor, z: nn.Tensor) -> nn.Tensor:
        images = generator(z)
        of_discriminator.zero_grad()
        judged = loss(discriminator(x), 1.0) + loss(discriminator(images.detach()), 0.0)
        judged.backward()
        of_discriminator.step()
        of_generator.zero_grad()
        passed = loss(discriminator(images), 1.0)
        passed.backward()
        of_generator.step()
        return (judged + passed).detach()

    return Training(step, inputs)


@prepare.register
def _(work: DCGAN, arrays: Arrays) -> Prepared:
    return training(lambda dtype: trainer(work, arrays, dtype))


def cnn() -> nn.models.CNNClassifier:
    """The classifier with the weights that all sides start from."""
    nn.manual_seed(0)
    return nn.models.CNNClassifier()


@trainer.register
def _(work: CNN, arrays: Arrays, dtype: type = np.float32, device: str = "cpu") -> Training:
    model = cnn().to(dtype).to(device)
    inputs = nn.Tensor(arrays["x"].astype(dtype)).to(device), nn.Tensor(work.labels).to(device)
    optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)

    def step(x: nn.Tensor, labels: nn.Tensor) -> nn.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Training(step, inputs)


@prepare.register
def _(work: CNN, arrays: Arrays) -> Prepared:
    return training(lambda dtype: trainer(work, arrays, dtype))
