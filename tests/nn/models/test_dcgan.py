"""DCGAN beside PyTorch's: the same weights, the same vectors and images, steps of both optimisers in turn."""

import numpy as np
import pytest
from pytorch_twins import nchw, nhwc
from tolerances import LAYERS_FLOAT64, TRAINING_FLOAT32, TRAINING_FLOAT64

from tilegrad import nn

SIZES, CHANNELS, BATCH, STEPS, LATENT = [28, 32, 64], 4, 6, 25, 10
HIDDEN = {28: 0, 32: 12, 64: 0}  # with and without the layer that joins the parts of small images


@pytest.mark.parametrize("image_size", SIZES)
def test_shapes(image_size):
    generator = nn.models.DCGANGenerator(image_size, CHANNELS, 3, LATENT, HIDDEN[image_size])
    images = generator(nn.randn((2, LATENT)))
    assert images.shape == (2, image_size, image_size, 3)
    assert abs(images.detach().numpy()).max() < 1
    discriminator = nn.models.DCGANDiscriminator(image_size, CHANNELS, 3, HIDDEN[image_size])
    assert discriminator(images).shape == (2, 1)
    for model in (generator, discriminator):
        state = {name: array.shape for name, array in model.state_dict().items()}
        assert state == dict(type(model).shapes(**model.configuration()))
        again = type(model)(**model.configuration())
        again.load_state_dict(model.state_dict())


def test_defaults_are_those_of_mnist():
    sizes = [
        sum(p.size for p in model().parameters()) for model in (nn.models.DCGANGenerator, nn.models.DCGANDiscriminator)
    ]
    assert sizes == [
        627200 + 2 * 6272 + 128 * 16 * 64 + 2 * 64 + 64 * 16 + 1,
        64 * 16 + 64 + 128 * 16 * 64 + 256 + 6272 + 1,
    ]


def test_errors():
    for model in (nn.models.DCGANGenerator, nn.models.DCGANDiscriminator):
        with pytest.raises(ValueError, match=f"{model.__name__}: image_size expects 28, 32 or 64 but got 48"):
            model(48)
        for wrong in ({"hidden": -1}, {"image_size": 64, "hidden": 8}):
            with pytest.raises(ValueError, match=f"{model.__name__}: hidden expects 0, or a positive number"):
                model(**wrong)


def torch_generator(size):
    import torch

    T = torch.nn
    c = CHANNELS
    if size == 64:
        widths, layers = [8 * c, 4 * c, 2 * c, c], [T.Unflatten(1, (LATENT, 1, 1))]
        layers += [T.ConvTranspose2d(LATENT, 8 * c, 4, bias=False), T.BatchNorm2d(8 * c), T.ReLU()]
    else:
        side, widths = size // 4, [2 * c, c]
        features = 2 * c * side * side
        layers, inputs = [], LATENT
        for outputs in [HIDDEN[size], features] if HIDDEN[size] else [features]:
            layers += [T.Linear(inputs, outputs, bias=False), T.BatchNorm1d(outputs), T.ReLU()]
            inputs = outputs
        layers += [T.Unflatten(1, (2 * c, side, side))]
    for i, width in enumerate(widths[1:]):
        layers += [T.ConvTranspose2d(widths[i], width, 4, 2, 1, bias=False), T.BatchNorm2d(width), T.ReLU()]
    return T.Sequential(*layers, T.ConvTranspose2d(c, 1, 4, 2, 1, bias=size != 64), T.Tanh())


def torch_discriminator(size):
    import torch

    T = torch.nn
    c, halvings = CHANNELS, 4 if size == 64 else 2
    layers = [T.Conv2d(1, c, 4, 2, 1, bias=size != 64), T.LeakyReLU(0.2)]
    for i in range(halvings - 1):
        layers += [T.Conv2d(c << i, c << i + 1, 4, 2, 1, bias=False), T.BatchNorm2d(c << i + 1), T.LeakyReLU(0.2)]
    width, side = c << halvings - 1, size >> halvings
    if size == 64:
        return T.Sequential(*layers, T.Conv2d(width, 1, 4, bias=False), T.Flatten())
    features, hidden = width * side**2, HIDDEN[size]
    layers.append(T.Flatten())
    if hidden:
        layers += [T.Linear(features, hidden, bias=False), T.BatchNorm1d(hidden), T.LeakyReLU(0.2)]
    return T.Sequential(*layers, T.Linear(hidden or features, 1))


def twins(size, dtype):
    """Both networks twice, with PyTorch's weights; its layers are numbered one by one, ours by blocks."""
    import torch

    torch.manual_seed(0)
    pairs = []
    for make, model in (
        (torch_generator, nn.models.DCGANGenerator(size, CHANNELS, latent=LATENT, hidden=HIDDEN[size])),
        (torch_discriminator, nn.models.DCGANDiscriminator(size, CHANNELS, hidden=HIDDEN[size])),
    ):
        theirs = make(size).to(getattr(torch, dtype))
        state = {key: value for key, value in theirs.state_dict().items() if "num_batches" not in key}
        names = [name for name, _ in type(model).shapes(**model.configuration())]
        assert len(names) == len(state)
        renamed = dict(zip(names, state.values(), strict=True))
        model.to(dtype)
        model.load_state_dict(nn.pytorch.state_dict_from_pytorch(renamed, model))
        pairs.append((model, theirs))
    return pairs


def batches(size, dtype):
    random = np.random.default_rng(0)
    for _ in range(STEPS):
        yield (
            random.standard_normal((BATCH, LATENT)).astype(dtype),
            random.uniform(-1, 1, (BATCH, size, size, 1)).astype(dtype),
        )


@pytest.mark.parity
@pytest.mark.parametrize("size", SIZES)
def test_outputs_are_pytorchs(size):
    torch = pytest.importorskip("torch")
    (ours, theirs), (judge, their_judge) = twins(size, "float64")
    z, x = next(batches(size, "float64"))
    for training in (True, False):
        for network in (ours, theirs, judge, their_judge):
            network.train(training)
        images, expected = ours(nn.Tensor(z)), theirs(torch.from_numpy(z))
        np.testing.assert_allclose(images.detach(), nhwc(expected), rtol=0, atol=LAYERS_FLOAT64)
        logits, expected = judge(nn.Tensor(x)), their_judge(nchw(x))
        np.testing.assert_allclose(logits.detach(), expected.detach(), rtol=0, atol=LAYERS_FLOAT64)


def losses(size, dtype):
    """(discriminator, generator) losses of every step, ours and PyTorch's."""
    import torch

    (g, their_g), (d, their_d) = twins(size, dtype)
    settings = {"lr": 2e-4, "betas": (0.5, 0.999)}
    optimizers = [nn.optim.Adam(m.parameters(), **settings) for m in (g, d)]
    their_optimizers = [torch.optim.Adam(m.parameters(), **settings) for m in (their_g, their_d)]
    bce, their_bce = (
        nn.functional.binary_cross_entropy_with_logits,
        torch.nn.functional.binary_cross_entropy_with_logits,
    )
    one, zero = (
        torch.ones((BATCH, 1), dtype=getattr(torch, dtype)),
        torch.zeros((BATCH, 1), dtype=getattr(torch, dtype)),
    )
    found, expected = [], []
    for z, x in batches(size, dtype):
        found.append(step(g, d, optimizers, nn.Tensor(z), nn.Tensor(x), bce, 1.0, 0.0))
        expected.append(step(their_g, their_d, their_optimizers, torch.from_numpy(z), nchw(x), their_bce, one, zero))
    return np.array(found), np.array(expected)


def step(g, d, optimizers, z, x, bce, one, zero):
    """One step of the discriminator and one of the generator, in words that both libraries understand."""
    fake = g(z)
    judged = bce(d(x), one) + bce(d(fake.detach()), zero)
    optimizers[1].zero_grad()
    judged.backward()
    optimizers[1].step()
    fooled = bce(d(fake), one)
    optimizers[0].zero_grad()
    fooled.backward()
    optimizers[0].step()
    return judged.item(), fooled.item()


@pytest.mark.parity
@pytest.mark.parametrize("size", [28, 64])
def test_steps_in_float64_are_pytorchs(size):
    pytest.importorskip("torch")
    ours, theirs = losses(size, "float64")
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TRAINING_FLOAT64)
    if size == 28:
        assert ours[-1, 0] < ours[0, 0]  # the discriminator learns


@pytest.mark.parity
def test_first_steps_in_float32_are_pytorchs():
    pytest.importorskip("torch")
    ours, theirs = losses(28, "float32")
    np.testing.assert_allclose(ours[:5], theirs[:5], rtol=TRAINING_FLOAT32)
