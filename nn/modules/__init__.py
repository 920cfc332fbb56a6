"""Layers: functions with parameters, under PyTorch's names."""

from .activation import LeakyReLU, LogSoftmax, ReLU, Sigmoid, SiLU, Softmax, Softplus, Tanh
from .convolution import Conv2d, ConvTranspose2d
from .dropout import Dropout, Dropout2d
from .embedding import Embedding
from .linear import Flatten, Linear, Unflatten
from .loss import (
    BCEWithLogitsLoss,
    CharbonnierLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    SmoothL1Loss,
)
from .module import Module, StateDict
from .normalization import BatchNorm1d, BatchNorm2d, Conv2dBatchNorm, ConvTranspose2dBatchNorm
from .pooling import AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, MaxPool2d
from .resizing import (
    CircularPad2d,
    ConstantPad2d,
    PixelShuffle,
    PixelUnshuffle,
    ReflectionPad2d,
    ReplicationPad2d,
    Upsample,
    ZeroPad2d,
)
from .sequential import Sequential

__all__ = [
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "CharbonnierLoss",
    "CircularPad2d",
    "ConstantPad2d",
    "Conv2d",
    "Conv2dBatchNorm",
    "ConvTranspose2d",
    "ConvTranspose2dBatchNorm",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout2d",
    "Embedding",
    "Flatten",
    "HuberLoss",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "PixelShuffle",
    "PixelUnshuffle",
    "ReLU",
    "ReflectionPad2d",
    "ReplicationPad2d",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "StateDict",
    "Tanh",
    "Unflatten",
    "Upsample",
    "ZeroPad2d",
]
