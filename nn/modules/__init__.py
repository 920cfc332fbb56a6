"""Layers: functions with parameters, under PyTorch's names."""

from .activation import LeakyReLU, ReLU, Sigmoid, Tanh
from .convolution import Conv2d, ConvTranspose2d
from .linear import Flatten, Linear, Unflatten
from .loss import MSELoss
from .module import Module, Sequential, StateDict
from .normalization import BatchNorm2d, Conv2dBatchNorm

__all__ = [
    "BatchNorm2d",
    "Conv2d",
    "Conv2dBatchNorm",
    "ConvTranspose2d",
    "Flatten",
    "LeakyReLU",
    "Linear",
    "MSELoss",
    "Module",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "StateDict",
    "Tanh",
    "Unflatten",
]
