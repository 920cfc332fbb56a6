"""What is measured: the list."""

from dataclasses import replace

from .dense_kinds import Linear, Matmul, Sum
from .image_kinds import MOVES, ImageMove
from .kinds import PASSES, AdamStep, BatchNorm, Convolution, Elementwise, FreshProcess, SmallCall, Work
from .network_kinds import CNN, DCGAN, DnCNN

_LAYERS = (
    Convolution("dncnn-40", "DnCNN", (16, 40, 40, 64), 64, 3, padding=1),
    Convolution("dncnn-256", "DnCNN", (1, 256, 256, 64), 64, 3, padding=1),
    Convolution("dncnn-first-40", "DnCNN, first layer", (16, 40, 40, 1), 64, 3, padding=1),
    Convolution("dncnn-first-256", "DnCNN, first layer", (1, 256, 256, 1), 64, 3, padding=1),
    Convolution("dncnn-last-40", "DnCNN, last layer", (16, 40, 40, 64), 1, 3, padding=1),
    Convolution("dncnn-last-256", "DnCNN, last layer", (1, 256, 256, 64), 1, 3, padding=1),
    Convolution("dcgan-1-64", "DCGAN discriminator", (64, 28, 28, 1), 64, 4, stride=2, padding=1),
    Convolution("dcgan-64-128", "DCGAN discriminator", (64, 14, 14, 64), 128, 4, stride=2, padding=1),
    Convolution("dcgan-128-64", "DCGAN generator", (64, 7, 7, 128), 64, 4, stride=2, padding=1, transposed=True),
    Convolution("dcgan-128-256", "DCGAN discriminator", (64, 16, 16, 128), 256, 4, stride=2, padding=1),
    Convolution("dcgan-256-512", "DCGAN discriminator", (64, 8, 8, 256), 512, 4, stride=2, padding=1),
    Convolution("dcgan-256-128", "DCGAN generator", (64, 8, 8, 256), 128, 4, stride=2, padding=1, transposed=True),
    Convolution("dcgan-512-256", "DCGAN generator", (64, 4, 4, 512), 256, 4, stride=2, padding=1, transposed=True),
    Convolution("dcgan-64-1", "DCGAN generator", (64, 14, 14, 64), 1, 4, stride=2, padding=1, transposed=True),
    Convolution("srcnn-9x9", "SRCNN", (4, 96, 96, 1), 64, 9, padding=4),
    Convolution("srcnn-1x1", "SRCNN", (4, 96, 96, 64), 32, 1),
    Convolution("srcnn-5x5", "SRCNN", (4, 96, 96, 32), 1, 5, padding=2),
    Convolution("colour-first", "Colour, first layer", (16, 40, 40, 3), 64, 3, padding=1),
    Convolution("colour-last", "Colour, last layer", (16, 40, 40, 64), 3, 3, padding=1),
    Convolution("colour-first-s2", "Colour, discriminator", (64, 28, 28, 3), 64, 4, stride=2, padding=1),
    Convolution("colour-last-s2", "Colour, generator", (64, 14, 14, 64), 3, 4, stride=2, padding=1, transposed=True),
    Convolution("depthwise", "Depthwise", (16, 40, 40, 64), 64, 3, padding=1, groups=64),
    Convolution("depthwise-s2", "Depthwise", (16, 40, 40, 64), 64, 3, stride=2, padding=1, groups=64),
    Convolution("grouped", "Grouped", (16, 40, 40, 64), 64, 3, padding=1, groups=4),
)
_LINEAR_LAYERS = (Linear(64, 100, 256), Linear(128, 784, 128), Linear(128, 784, 1024), Linear(64, 100, 6272))
_MATRICES = (
    *(Matmul(size, size, size) for size in (512, 1024, 2048)),
    Matmul(1, 1024, 1024), Matmul(1, 100, 6272), Matmul(25088, 64, 64), Matmul(128, 128, 1),
)  # fmt: skip
_IMAGES = ((16, 40, 40, 64), (1, 256, 256, 64))
_MOVED = ((16, 40, 40, 64), (128, 28, 28, 32))
_CALLS = ("add", "relu", "matmul", "conv2d", "conv2d weight grad", "conv2d, recorded", "conv2d, backward")

_PICTURES = ((1, 256, 256, 1), (1, 512, 512, 1), (1, 1080, 1920, 1))

WORKLOADS: tuple[Work, ...] = (
    DnCNN((16, 40, 40, 1)),
    DnCNN((16, 40, 40, 1), fused=False),
    DCGAN(),
    CNN(),
    *(DnCNN(image, training=False) for image in _PICTURES),
    *(DnCNN(image, training=False, threads=1) for image in _PICTURES[1:]),
    *(replace(layer, run=run) for layer in _LAYERS for run in PASSES),
    *(replace(layer, run=run, variant="direct") for layer in _LAYERS[:2] for run in PASSES),
    *(BatchNorm(shape) for shape in _IMAGES),
    *(Elementwise(function, shape) for shape in _IMAGES for function in ("relu", "add", "tanh", "sigmoid")),
    *(Sum(shape, axes) for shape in _IMAGES for axes in ((0, 1, 2, 3), (0, 1, 2), (1, 2), (3,))),
    *_MATRICES,
    *(replace(layer, run=run) for layer in _LINEAR_LAYERS for run in PASSES),
    *(ImageMove(m, shape, g) for m in MOVES for shape in _MOVED for g in (False, True)),
    AdamStep(),
    *(SmallCall(function) for function in _CALLS),
    FreshProcess(training=False, warm=True),
    FreshProcess(training=True, warm=True),
    FreshProcess(training=True, warm=False),
)

SLOW = ("dncnn-17/inference-1920x1080*", "start/first-training")
"""Patterns of rows that a quick run leaves out unless they are asked for."""
