"""Layers beside PyTorch's: outputs and all gradients, with the same weights."""

import numpy as np
import pytest
from pytorch_twins import adopt, nchw, nhwc
from tolerances import LAYERS_FLOAT32, LAYERS_FLOAT64

from tilegrad import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity
T = torch.nn

LAYERS = {
    "Conv2d": (lambda: nn.Conv2d(4, 6, 3), lambda: T.Conv2d(4, 6, 3)),
    "Conv2d strided": (
        lambda: nn.Conv2d(4, 6, (3, 5), stride=2, padding=(1, 2), bias=False),
        lambda: T.Conv2d(4, 6, (3, 5), stride=2, padding=(1, 2), bias=False),
    ),
    "Conv2d grouped": (
        lambda: nn.Conv2d(4, 8, 3, groups=2, dilation=2, padding=2),
        lambda: T.Conv2d(4, 8, 3, groups=2, dilation=2, padding=2),
    ),
    "Conv2d depthwise": (
        lambda: nn.Conv2d(4, 4, 3, groups=4, padding=1),
        lambda: T.Conv2d(4, 4, 3, groups=4, padding=1),
    ),
    "Conv2d replicate": (
        lambda: nn.Conv2d(4, 2, 5, padding=2, padding_mode="replicate"),
        lambda: T.Conv2d(4, 2, 5, padding=2, padding_mode="replicate"),
    ),
    "Conv2d reflect": (
        lambda: nn.Conv2d(4, 2, 5, padding=(2, 1), padding_mode="reflect"),
        lambda: T.Conv2d(4, 2, 5, padding=(2, 1), padding_mode="reflect"),
    ),
    "Conv2d circular": (
        lambda: nn.Conv2d(4, 2, 5, padding=(2, 1), padding_mode="circular"),
        lambda: T.Conv2d(4, 2, 5, padding=(2, 1), padding_mode="circular"),
    ),
    "Conv2d with an activation": (
        lambda: nn.Conv2d(4, 6, 3, activation="leaky_relu", negative_slope=0.2),
        lambda: T.Sequential(T.Conv2d(4, 6, 3), T.LeakyReLU(0.2)),
    ),
    "ConvTranspose2d": (
        lambda: nn.ConvTranspose2d(4, 6, 4, stride=2, padding=1),
        lambda: T.ConvTranspose2d(4, 6, 4, stride=2, padding=1),
    ),
    "ConvTranspose2d grouped": (
        lambda: nn.ConvTranspose2d(4, 6, 3, stride=3, output_padding=2, groups=2, dilation=2, activation="tanh"),
        lambda: T.Sequential(T.ConvTranspose2d(4, 6, 3, stride=3, output_padding=2, groups=2, dilation=2), T.Tanh()),
    ),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(4), lambda: T.BatchNorm2d(4)),
    "BatchNorm2d bare": (
        lambda: nn.BatchNorm2d(4, affine=False, track_running_stats=False),
        lambda: T.BatchNorm2d(4, affine=False, track_running_stats=False),
    ),
    "Conv2dBatchNorm": (
        lambda: nn.Conv2dBatchNorm(4, 6, 3, padding=1, stride=2, activation="relu", momentum=0.3),
        lambda: T.Sequential(
            T.Conv2d(4, 6, 3, padding=1, stride=2, bias=False), T.BatchNorm2d(6, momentum=0.3), T.ReLU()
        ),
    ),
    "Conv2dBatchNorm transposed": (
        lambda: nn.ConvTranspose2dBatchNorm(4, 6, 4, stride=2, padding=1, activation="leaky_relu", momentum=0.3),
        lambda: T.Sequential(
            T.ConvTranspose2d(4, 6, 4, stride=2, padding=1, bias=False), T.BatchNorm2d(6, momentum=0.3), T.LeakyReLU()
        ),
    ),
    "Conv2dBatchNorm transposed and grouped": (
        lambda: nn.ConvTranspose2dBatchNorm(4, 6, 3, stride=2, output_padding=1, groups=2, activation="tanh"),
        lambda: T.Sequential(
            T.ConvTranspose2d(4, 6, 3, stride=2, output_padding=1, groups=2, bias=False), T.BatchNorm2d(6), T.Tanh()
        ),
    ),
    "activations": (
        lambda: nn.Sequential(nn.Conv2d(4, 5, 1), nn.Softplus(), nn.SiLU(), nn.Softmax(1), nn.LogSoftmax(-1)),
        lambda: T.Sequential(T.Conv2d(4, 5, 1), T.Softplus(), T.SiLU(), T.Softmax(2), T.LogSoftmax(1)),
    ),
    "dropout in evaluation": (
        lambda: nn.Sequential(nn.Conv2d(4, 5, 1), nn.Dropout(0.0), nn.Dropout2d(0.0)),
        lambda: T.Sequential(T.Conv2d(4, 5, 1), T.Dropout(0.0), T.Dropout2d(0.0)),
    ),
    "MaxPool2d": (lambda: nn.MaxPool2d(3, 2, 1), lambda: T.MaxPool2d(3, 2, 1)),
    "MaxPool2d dilated": (
        lambda: nn.MaxPool2d((2, 3), (1, 2), dilation=2, ceil_mode=True),
        lambda: T.MaxPool2d((2, 3), (1, 2), dilation=2, ceil_mode=True),
    ),
    "AvgPool2d": (lambda: nn.AvgPool2d(3, 2, 1), lambda: T.AvgPool2d(3, 2, 1)),
    "AvgPool2d of pixels": (
        lambda: nn.AvgPool2d((3, 2), 3, (1, 0), ceil_mode=True, count_include_pad=False),
        lambda: T.AvgPool2d((3, 2), 3, (1, 0), ceil_mode=True, count_include_pad=False),
    ),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d((3, None)), lambda: T.AdaptiveAvgPool2d((3, None))),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d(4), lambda: T.AdaptiveMaxPool2d(4)),
    "global average": (lambda: nn.AdaptiveAvgPool2d(1), lambda: T.AdaptiveAvgPool2d(1)),
    "Upsample": (lambda: nn.Upsample(scale_factor=2), lambda: T.Upsample(scale_factor=2)),
    "Upsample bilinear": (
        lambda: nn.Upsample((11, 5), mode="bilinear", align_corners=True),
        lambda: T.Upsample((11, 5), mode="bilinear", align_corners=True),
    ),
    "PixelShuffle": (
        lambda: nn.Sequential(nn.Conv2d(4, 27, 3), nn.PixelShuffle(3)),
        lambda: T.Sequential(T.Conv2d(4, 27, 3), T.PixelShuffle(3)),
    ),
    "PixelUnshuffle": (
        lambda: nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(16, 5, 3)),
        lambda: T.Sequential(T.PixelUnshuffle(2), T.Conv2d(16, 5, 3)),
    ),
    "ZeroPad2d": (lambda: nn.ZeroPad2d(((1, 2), (3, 4))), lambda: T.ZeroPad2d((3, 4, 1, 2))),
    "ConstantPad2d": (lambda: nn.ConstantPad2d(1, 0.5), lambda: T.ConstantPad2d(1, 0.5)),
    "ReflectionPad2d": (lambda: nn.ReflectionPad2d((2, 1)), lambda: T.ReflectionPad2d((1, 1, 2, 2))),
    "ReplicationPad2d": (lambda: nn.ReplicationPad2d(((0, 9), (2, 1))), lambda: T.ReplicationPad2d((2, 1, 0, 9))),
    "CircularPad2d": (lambda: nn.CircularPad2d(2), lambda: T.CircularPad2d(2)),
    "image to vector": (
        lambda: nn.Sequential(nn.Conv2d(4, 3, 3), nn.ReLU(), nn.Flatten((6, 4, 3)), nn.Sigmoid(), nn.Linear(72, 5)),
        lambda: T.Sequential(T.Conv2d(4, 3, 3), T.ReLU(), T.Flatten(), T.Sigmoid(), T.Linear(72, 5)),
    ),
    "image to vector to image": (
        lambda: nn.Sequential(
            nn.Sequential(nn.Flatten((8, 6, 4)), nn.Linear(192, 7, activation="tanh")),
            nn.Linear(7, 60), nn.LeakyReLU(0.1), nn.Unflatten((3, 4, 5)), nn.ConvTranspose2d(5, 2, 2),
        ),
        lambda: T.Sequential(
            T.Sequential(T.Flatten(), T.Linear(192, 7)),
            T.Linear(7, 60), T.LeakyReLU(0.1), T.Unflatten(1, (5, 3, 4)), T.ConvTranspose2d(5, 2, 2),
        ),
    ),
}  # fmt: skip
BLOCK = {"0.": "conv.", "1.": "norm."}


def prepared(name, dtype):
    ours, theirs = (make() for make in LAYERS[name])
    theirs = theirs.to(getattr(torch, dtype))
    for parameter in theirs.parameters():
        if parameter.ndim == 1:
            T.init.uniform_(parameter, 0.5, 1.5)
    if name == "image to vector to image":
        theirs[0].append(T.Tanh())
    state = theirs.state_dict()
    for old, new in (BLOCK if name.startswith("Conv2dBatchNorm") else {}).items():
        state = {key.replace(old, new, 1) if key.startswith(old) else key: value for key, value in state.items()}
    own = {key for key, _ in ours._named_tensors()}
    if own and not set(state) & own:
        state = {key.removeprefix("0."): value for key, value in state.items()}
    ours.to(dtype)
    ours.load_state_dict(nn.pytorch.state_dict_from_pytorch(state, ours))
    return ours, theirs


def assert_close(ours, theirs, tolerance):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * max(1.0, np.abs(theirs).max()))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", LAYERS_FLOAT64), ("float32", LAYERS_FLOAT32)])
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, dtype, tolerance):
    torch.manual_seed(0)
    ours, theirs = prepared(name, dtype)
    x = np.random.default_rng(3).standard_normal((3, 8, 6, 4)).astype(dtype)
    for training in (True, False):
        ours.train(training), theirs.train(training)
        ours.zero_grad(), theirs.zero_grad()
        mine, their = nn.Tensor(x, True), nchw(x).requires_grad_()
        y, expected = ours(mine), theirs(their)
        assert_close(y.detach(), nhwc(expected) if expected.ndim == 4 else expected.detach(), tolerance)
        y.square().sum().backward()
        expected.square().sum().backward()
        assert_close(mine.grad, nhwc(their.grad), 10 * tolerance)
        if name.startswith("image"):
            continue  # the gradients of linear layers lie in another order; the outputs are proof enough of the import
        for (key, parameter), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            expected = nhwc(other.grad) if other.ndim == 4 else other.grad.numpy()
            assert parameter.grad is not None, key
            assert_close(parameter.grad, expected, 10 * tolerance)
        for mine, their in zip(ours.buffers(), (b for b in theirs.buffers() if b.ndim), strict=True):
            assert_close(mine, their, tolerance)


LOSSES = {
    "MSELoss": {},
    "L1Loss": {},
    "HuberLoss": {"delta": 0.6},
    "SmoothL1Loss": {"beta": 0.6},
    "BCEWithLogitsLoss": {},
}


@pytest.mark.parametrize("how", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_pointwise_loss(name, how):
    x, target = (np.random.default_rng(i).uniform(0, 2, (2, 3, 4)) for i in (0, 1))
    seed = np.random.default_rng(2).standard_normal((2, 3, 4) if how == "none" else ())
    mine, their = nn.Tensor(x, True), torch.from_numpy(x).requires_grad_()
    y = getattr(nn, name)(reduction=how, **LOSSES[name])(mine, nn.Tensor(target))
    expected = getattr(T, name)(reduction=how, **LOSSES[name])(their, torch.from_numpy(target))
    assert_close(y.detach(), expected.detach(), LAYERS_FLOAT64)
    y.backward(nn.Tensor(np.asarray(seed))), expected.backward(torch.tensor(seed))
    assert_close(mine.grad, their.grad, LAYERS_FLOAT64)


@pytest.mark.parametrize("how", ["mean", "sum", "none"])
def test_cross_entropy_loss_of_images(how):
    """Classes lie on the last axis here and on the second there."""
    random = np.random.default_rng(0)
    x, target, weight = random.standard_normal((2, 3, 4, 5)), random.integers(0, 5, (2, 3, 4)), random.uniform(1, 2, 5)
    target[0, 0, 0] = 4
    mine, their = nn.Tensor(x, True), nchw(x).requires_grad_()
    args = {"ignore_index": 4, "label_smoothing": 0.1, "reduction": how}
    y = nn.CrossEntropyLoss(nn.Tensor(weight), **args)(mine, target)
    expected = T.CrossEntropyLoss(torch.from_numpy(weight), **args)(their, torch.from_numpy(target))
    assert_close(y.detach(), expected.detach(), LAYERS_FLOAT64)
    seed = np.random.default_rng(2).standard_normal(y.shape)
    y.backward(nn.Tensor(np.asarray(seed))), expected.backward(torch.tensor(seed))
    assert_close(mine.grad, nhwc(their.grad), LAYERS_FLOAT64)


def test_embedding():
    indices = np.array([[3, 1, 3], [0, 3, 4]])
    theirs = T.Embedding(5, 3)
    ours = adopt(nn.Embedding(5, 3), theirs)
    y, expected = ours(indices), theirs(torch.from_numpy(indices))
    assert_close(y.detach(), expected.detach(), 0)
    y.square().sum().backward(), expected.square().sum().backward()
    assert_close(ours.weight.grad, theirs.weight.grad, LAYERS_FLOAT32)


@pytest.mark.parametrize("name", ["maximum", "minimum", "abs"])
def test_gradients_at_ties_are_pytorchs(name):
    a, b = np.array([1.0, 2.0, 0.0, -1.0]), np.array([1.0, 1.0, 0.0, 3.0])
    arguments = [a] if name == "abs" else [a, b]
    mine = [nn.Tensor(x, True) for x in arguments]
    their = [torch.from_numpy(x).requires_grad_() for x in arguments]
    getattr(nn.functional, name)(*mine).sum().backward()
    getattr(torch, name)(*their).sum().backward()
    for one, other in zip(mine, their, strict=True):
        np.testing.assert_array_equal(one.grad, other.grad)


def test_adopted_weights_give_the_same_network():
    theirs = T.Sequential(T.Conv2d(1, 2, 3), T.ReLU(), T.Conv2d(2, 1, 3))
    ours = adopt(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 1, 3)), theirs)
    x = np.random.default_rng(0).standard_normal((1, 9, 9, 1)).astype(np.float32)
    assert_close(ours(nn.Tensor(x)).detach(), nhwc(theirs(nchw(x))), LAYERS_FLOAT32)
