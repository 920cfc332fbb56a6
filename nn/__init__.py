"""Neural networks on the compiled kernels: tensors that record, layers, losses, optimisers and models.

Names are PyTorch's; what differs is the layout: images are ``(N, H, W, C)``, weights ``(C_out, KH, KW, C_in)``.

To read it from the bottom up: autograd (the walk over the graph), tensor, node, primitive (an operation), functional
(the operations, their gradients beside them), modules, optim.
"""

from . import functional, init, models, optim, pytorch
from .autograd import enable_grad, grad, is_grad_enabled, no_grad
from .checkpoint import load_checkpoint, save_checkpoint
from .gradcheck import gradcheck, gradgradcheck
from .modules import (
    BatchNorm1d,
    BatchNorm2d,
    BCEWithLogitsLoss,
    CharbonnierLoss,
    Conv2d,
    Conv2dBatchNorm,
    ConvTranspose2d,
    ConvTranspose2dBatchNorm,
    CrossEntropyLoss,
    Dropout,
    Dropout2d,
    Embedding,
    Flatten,
    HuberLoss,
    L1Loss,
    LeakyReLU,
    Linear,
    LogSoftmax,
    Module,
    MSELoss,
    ReLU,
    Sequential,
    Sigmoid,
    SiLU,
    SmoothL1Loss,
    Softmax,
    Softplus,
    StateDict,
    Tanh,
    Unflatten,
)
from .random import Generator, default_generator, manual_seed, rand, randn
from .safetensors import load_file, save_file
from .serialization import load, save
from .tensor import Parameter, Tensor

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
    "Generator",
    "HuberLoss",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "StateDict",
    "Tanh",
    "Tensor",
    "Unflatten",
    "default_generator",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "init",
    "is_grad_enabled",
    "load",
    "load_checkpoint",
    "load_file",
    "manual_seed",
    "models",
    "no_grad",
    "optim",
    "pytorch",
    "rand",
    "randn",
    "save",
    "save_checkpoint",
    "save_file",
]
