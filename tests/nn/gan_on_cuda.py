"""DCGAN's networks of 64 x 64 with bfloat16 products, on a GPU or on the stand-in: test_on_cuda.py runs this file.

On the CPU nothing is rounded. There the same blocks are linked, the factors of all convolutions are rounded before, and
z behind: what tensor cores do with the same numbers, but for the order of their sums.
"""

import cupy
import numpy as np
import pytest
from gpu import is_stand_in, launching_on, needs_tensor_cores
from tilegrad.kernels.bfloat16 import from_bfloat16, to_bfloat16
from tilegrad.kernels.operation import Operation
from tilegrad.nn.modules.normalization import Block

from tilegrad import kernels, nn

is_stand_in(cupy)

BLOCKS = ("conv2d_batch_norm_train", "conv_transpose2d_batch_norm_train")
CONVOLUTIONS = ("conv2d", "conv_transpose2d", "conv2d_input_grad", "conv2d_weight_grad")
bce = nn.functional.binary_cross_entropy_with_logits


@pytest.fixture(autouse=True)
def _emulated():
    with launching_on(cupy):
        yield


@pytest.fixture
def rounding(monkeypatch):
    """Make the CPU round where tensor cores do."""
    run, links = Operation.run, Block.links

    def run_rounded(operation, arrays, args, *rest, **how):
        if isinstance(arrays[0], np.ndarray) and operation.name in CONVOLUTIONS:
            arrays = (*[from_bfloat16(to_bfloat16(factors)) for factors in arrays[:2]], *arrays[2:])
        if isinstance(arrays[0], np.ndarray) and operation.name in BLOCKS:
            y, z, *statistics = run(operation, arrays, (*args[:-1], True), *rest, **how)  # the last one is stored
            return (y, from_bfloat16(z), *statistics)
        return run(operation, arrays, args, *rest, **how)

    def links_rounded(block, x):
        return (x if isinstance(x, nn.Tensor) else x.z).device == "cpu" or links(block, x)

    monkeypatch.setattr(Operation, "run", run_rounded)
    monkeypatch.setattr(Block, "links", links_rounded)


def networks(device):
    nn.manual_seed(0)
    return nn.models.DCGANGenerator(64, 4, 3, 8).to(device), nn.models.DCGANDiscriminator(64, 4, 3).to(device)


def drawn(device, *shape, seed=0):
    return nn.Tensor(np.random.default_rng(seed).standard_normal(shape).astype(np.float32)).to(device)


@needs_tensor_cores
def test_losses_and_gradients_are_those_of_the_rounded_numbers(rounding):
    results = []
    for device in ("cpu", "cuda"):
        generator, discriminator = networks(device)
        vectors, real = drawn(device, 2, 8), drawn(device, 2, 64, 64, 3, seed=1)
        with kernels.precision("bfloat16"), kernels.trace() as events:
            made = generator(vectors)
            loss = bce(discriminator(real), 1.0) + bce(discriminator(made.detach()), 0.0)
            deceived = bce(discriminator(made), 1.0)
            found = {"made": made, "loss": loss, "deceived": deceived}
            for total, network in ((loss, discriminator), (deceived, generator)):
                names, parameters = zip(*network.named_parameters(), strict=True)
                names = [f"{type(network).__name__}.{name}" for name in names]
                found |= zip(names, nn.grad(total, list(parameters)), strict=True)
        results.append({name: kernels.to_device(tensor.data, "cpu") for name, tensor in found.items()})
    ran = [(event.operation, event.variant) for event in events]
    assert ran.count(("conv2d_batch_norm_train", "mma_bf16")) == 9  # three, of three batches
    assert ran.count(("conv_transpose2d_batch_norm_train", "mma_bf16")) == 4
    assert ran.count(("normalized_conv2d_input_grad", "mma_bf16")) == 6
    assert ran.count(("normalized_conv_transpose2d_input_grad", "mma_bf16")) == 3
    assert ran.count(("normalized_conv2d_weight_grad", "mma_bf16")) == 7
    assert not any(operation == "batch_norm_train" for operation, _ in ran)
    here, there = results
    for name, array in here.items():
        # Few numbers lie so near the middle between two of bfloat16 that another order of a sum rounds them otherwise.
        assert np.linalg.norm(there[name] - array) <= 2.0**-7 * np.linalg.norm(array), name


def test_a_captured_step_has_the_bits_of_the_step():
    states = []
    for wrap in (nn.capture, lambda step: step):
        generator, discriminator = networks("cuda")
        optimizers = [nn.optim.Adam(n.parameters(), lr=0.01, betas=(0.5, 0.999)) for n in (generator, discriminator)]

        def train(vectors, real, generator=generator, discriminator=discriminator, optimizers=optimizers):
            made = generator(vectors)
            optimizers[1].zero_grad()
            loss = bce(discriminator(real), 1.0) + bce(discriminator(made.detach()), 0.0)
            loss.backward()
            optimizers[1].step()
            optimizers[0].zero_grad()
            deceived = bce(discriminator(made), 1.0)
            deceived.backward()
            optimizers[0].step()
            return loss.detach(), deceived.detach()

        step = wrap(train)
        vectors, real = drawn("cuda", 1, 8), drawn("cuda", 1, 64, 64, 3, seed=1)
        with kernels.precision("bfloat16"):
            losses = [[float(loss) for loss in step(vectors, real)] for _ in range(4)]
        states.append((losses, [p.data.get() for n in (generator, discriminator) for p in n.parameters()]))
    assert states[0][0] == states[1][0]
    assert len(set(map(tuple, states[0][0]))) == 4
    for ours, theirs in zip(states[0][1], states[1][1], strict=True):
        np.testing.assert_array_equal(ours, theirs)
