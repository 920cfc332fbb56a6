"""Functions of tensors, under PyTorch's names; images are NHWC and convolution weights OHWI.

Each is a primitive with its gradient rules beside it, or a composition of primitives; see `tilegrad.nn.primitive`.
"""

from .activation import (
    leaky_relu,
    leaky_relu_grad,
    relu,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    tanh,
    tanh_grad,
)
from .arithmetic import abs, add, div, exp, log, maximum, minimum, mul, neg, pow, sqrt, square, sub
from .block import conv2d_batch_norm
from .convolution import conv2d, conv2d_input_grad, conv2d_weight_grad, conv_transpose2d
from .loss import mse_loss
from .normalization import batch_norm
from .padding import pad2d
from .product import linear, matmul
from .shape import broadcast_to, mean, permute, reshape, sum

__all__ = [
    "abs",
    "add",
    "batch_norm",
    "broadcast_to",
    "conv2d",
    "conv2d_batch_norm",
    "conv2d_input_grad",
    "conv2d_weight_grad",
    "conv_transpose2d",
    "div",
    "exp",
    "leaky_relu",
    "leaky_relu_grad",
    "linear",
    "log",
    "matmul",
    "maximum",
    "mean",
    "minimum",
    "mse_loss",
    "mul",
    "neg",
    "pad2d",
    "permute",
    "pow",
    "relu",
    "relu_grad",
    "reshape",
    "sigmoid",
    "sigmoid_grad",
    "sqrt",
    "square",
    "sub",
    "sum",
    "tanh",
    "tanh_grad",
]
