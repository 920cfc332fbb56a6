"""Functions of tensors, under PyTorch's names; images are NHWC and convolution weights OHWI.

Each is a primitive with its gradient rules beside it, or a composition of primitives; see `tilegrad.nn.primitive`.
"""

from .activation import (
    leaky_relu,
    leaky_relu_grad,
    log_softmax,
    relu,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    silu,
    softmax,
    softplus,
    tanh,
    tanh_grad,
)
from .arithmetic import abs, add, div, exp, log, maximum, minimum, mul, neg, pow, sqrt, square, sub
from .bilateral import bilateral_filter
from .block import conv2d_batch_norm, conv_transpose2d_batch_norm
from .convolution import conv2d, conv2d_input_grad, conv2d_weight_grad, conv_transpose2d
from .cross_entropy import cross_entropy
from .dropout import dropout, dropout2d
from .edges import sobel, sobel_magnitude
from .embedding import embedding, embedding_grad
from .filtering import box_blur, correlate2d, gaussian_blur
from .loss import binary_cross_entropy_with_logits, charbonnier_loss, huber_loss, l1_loss, mse_loss, smooth_l1_loss
from .matching import match_template
from .normalization import batch_norm
from .padding import pad2d
from .pooling import adaptive_avg_pool2d, adaptive_max_pool2d, avg_pool2d, max_pool2d
from .product import linear, matmul
from .rank import max_filter, median_filter, min_filter
from .resizing import interpolate, pixel_shuffle, pixel_unshuffle
from .shape import broadcast_to, mean, permute, reshape, sum
from .similarity import multiscale_structural_similarity, structural_similarity
from .warping import spline_filter2d, warp2d

__all__ = [
    "abs",
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "add",
    "avg_pool2d",
    "batch_norm",
    "bilateral_filter",
    "binary_cross_entropy_with_logits",
    "box_blur",
    "broadcast_to",
    "charbonnier_loss",
    "conv2d",
    "conv2d_batch_norm",
    "conv2d_input_grad",
    "conv2d_weight_grad",
    "conv_transpose2d",
    "conv_transpose2d_batch_norm",
    "correlate2d",
    "cross_entropy",
    "div",
    "dropout",
    "dropout2d",
    "embedding",
    "embedding_grad",
    "exp",
    "gaussian_blur",
    "huber_loss",
    "interpolate",
    "l1_loss",
    "leaky_relu",
    "leaky_relu_grad",
    "linear",
    "log",
    "log_softmax",
    "match_template",
    "matmul",
    "max_filter",
    "max_pool2d",
    "maximum",
    "mean",
    "median_filter",
    "min_filter",
    "minimum",
    "mse_loss",
    "mul",
    "multiscale_structural_similarity",
    "neg",
    "pad2d",
    "permute",
    "pixel_shuffle",
    "pixel_unshuffle",
    "pow",
    "relu",
    "relu_grad",
    "reshape",
    "sigmoid",
    "sigmoid_grad",
    "silu",
    "smooth_l1_loss",
    "sobel",
    "sobel_magnitude",
    "softmax",
    "softplus",
    "spline_filter2d",
    "sqrt",
    "square",
    "structural_similarity",
    "sub",
    "sum",
    "tanh",
    "tanh_grad",
    "warp2d",
]
