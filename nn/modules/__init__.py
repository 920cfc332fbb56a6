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
from .module import Module, Sequential, StateDict
from .normalization import BatchNorm1d, BatchNorm2d, Conv2dBatchNorm, ConvTranspose2dBatchNorm

__all__ = [
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "CharbonnierLoss",
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
    "Module",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "StateDict",
    "Tanh",
    "Unflatten",
]
