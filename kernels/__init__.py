"""Pure functions on arrays: the compiled kernels that everything else is made of.

An array is a ``numpy.ndarray`` (CPU) or a ``cupy.ndarray`` (CUDA); images are ``(N, H, W, C)``. Each operation is a
folder: its public functions and declaration, its definition in loops, and its variants, one per file.
"""

from .activation import leaky_relu, leaky_relu_grad, relu, relu_grad, sigmoid, sigmoid_grad, softplus, tanh, tanh_grad
from .arrays import asarray, to_device
from .bilateral import bilateral, bilateral_grad
from .block import conv2d_batch_norm_train, conv_transpose2d_batch_norm_train
from .box import box2d
from .canny import canny, canny_of_gradient
from .chain import (
    normalized_conv2d_input_grad,
    normalized_conv2d_weight_grad,
    normalized_conv_transpose2d_input_grad,
)
from .contexts import explain, precision, trace, use_variant
from .convolution import conv2d, conv2d_input_grad, conv2d_weight_grad, conv_transpose2d
from .correlation import (
    correlate1d,
    correlate2d,
    correlate2d_input_grad,
    correlate2d_weight_grad,
    correlate_fixed2d,
    correlate_separable2d,
)
from .cross_entropy import cross_entropy, cross_entropy_and_grad
from .distance import distance_transform
from .dropout import dropout
from .elementwise import (
    absolute,
    add,
    divide,
    exp,
    log,
    maximum,
    minimum,
    multiply,
    negative,
    power,
    sqrt,
    square,
    subtract,
)
from .embedding import embedding, embedding_grad
from .exemplar import inpaint_exemplar
from .gradient import derivative2d, gradient_magnitude2d, laplacian2d
from .halving import halve
from .histogram import blend_tile_maps, count_between, count_values, look_up, piecewise_linear, tile_maps
from .hysteresis import hysteresis
from .inpainting import inpaint_biharmonic, inpaint_marching
from .integral import integral
from .interpolation import interpolate, interpolate_grad
from .jpeg import jpeg
from .labeling import label_components, measure_components
from .linear import linear, matmul
from .loss import (
    bce_with_logits,
    bce_with_logits_and_grad,
    charbonnier_loss,
    charbonnier_loss_and_grad,
    huber_loss,
    huber_loss_and_grad,
    l1_loss,
    l1_loss_and_grad,
    mse_loss,
    mse_loss_and_grad,
    smooth_l1_loss,
    smooth_l1_loss_and_grad,
)
from .machine.memory import memory_report, memory_trim
from .matching import match_products, match_template, window_sums
from .nl_means import nl_means, nl_means_uint8
from .noise import add_noise, salt_and_pepper
from .normalization import batch_norm, batch_norm_apply, batch_norm_grad, batch_norm_train
from .optimizer import adam_step, average_step, norm_of_all, sgd_step
from .padding import pad2d, pad2d_grad
from .pooling import (
    adaptive_avg_pool2d,
    adaptive_avg_pool2d_grad,
    adaptive_max_pool2d,
    adaptive_max_pool2d_grad,
    avg_pool2d,
    avg_pool2d_grad,
    max_pool2d,
    max_pool2d_grad,
    take_pixels,
)
from .pyramids import pyramid_down, pyramid_up
from .random import random_blocks, random_normal, random_permutation, random_poisson, random_uniform
from .rank import max_filter2d, min_filter2d, rank_filter2d, rank_filter_nd, window_places
from .reduction import mean, sum
from .shuffling import pixel_shuffle, pixel_unshuffle
from .similarity import mean_squared_error, structural_similarity
from .smoothed_edges import smoothed_edges
from .softmax import log_softmax, log_softmax_grad, softmax, softmax_grad
from .splines import spline_filter2d, spline_filter2d_grad
from .threshold import threshold
from .total_variation import total_variation
from .warmup import warmup
from .warping import warp2d, warp2d_grad

__all__ = [
    "absolute",
    "adam_step",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool2d_grad",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_grad",
    "add",
    "add_noise",
    "asarray",
    "average_step",
    "avg_pool2d",
    "avg_pool2d_grad",
    "batch_norm",
    "batch_norm_apply",
    "batch_norm_grad",
    "batch_norm_train",
    "bce_with_logits",
    "bce_with_logits_and_grad",
    "bilateral",
    "bilateral_grad",
    "blend_tile_maps",
    "box2d",
    "canny",
    "canny_of_gradient",
    "charbonnier_loss",
    "charbonnier_loss_and_grad",
    "conv2d",
    "conv2d_batch_norm_train",
    "conv2d_input_grad",
    "conv2d_weight_grad",
    "conv_transpose2d",
    "conv_transpose2d_batch_norm_train",
    "correlate1d",
    "correlate2d",
    "correlate2d_input_grad",
    "correlate2d_weight_grad",
    "correlate_fixed2d",
    "correlate_separable2d",
    "count_between",
    "count_values",
    "cross_entropy",
    "cross_entropy_and_grad",
    "derivative2d",
    "distance_transform",
    "divide",
    "dropout",
    "embedding",
    "embedding_grad",
    "exp",
    "explain",
    "gradient_magnitude2d",
    "halve",
    "huber_loss",
    "huber_loss_and_grad",
    "hysteresis",
    "inpaint_biharmonic",
    "inpaint_exemplar",
    "inpaint_marching",
    "integral",
    "interpolate",
    "interpolate_grad",
    "jpeg",
    "l1_loss",
    "l1_loss_and_grad",
    "label_components",
    "laplacian2d",
    "leaky_relu",
    "leaky_relu_grad",
    "linear",
    "log",
    "log_softmax",
    "log_softmax_grad",
    "look_up",
    "match_products",
    "match_template",
    "matmul",
    "max_filter2d",
    "max_pool2d",
    "max_pool2d_grad",
    "maximum",
    "mean",
    "mean_squared_error",
    "measure_components",
    "memory_report",
    "memory_trim",
    "min_filter2d",
    "minimum",
    "mse_loss",
    "mse_loss_and_grad",
    "multiply",
    "negative",
    "nl_means",
    "nl_means_uint8",
    "norm_of_all",
    "normalized_conv2d_input_grad",
    "normalized_conv2d_weight_grad",
    "normalized_conv_transpose2d_input_grad",
    "pad2d",
    "pad2d_grad",
    "piecewise_linear",
    "pixel_shuffle",
    "pixel_unshuffle",
    "power",
    "precision",
    "pyramid_down",
    "pyramid_up",
    "random_blocks",
    "random_normal",
    "random_permutation",
    "random_poisson",
    "random_uniform",
    "rank_filter2d",
    "rank_filter_nd",
    "relu",
    "relu_grad",
    "salt_and_pepper",
    "sgd_step",
    "sigmoid",
    "sigmoid_grad",
    "smooth_l1_loss",
    "smooth_l1_loss_and_grad",
    "smoothed_edges",
    "softmax",
    "softmax_grad",
    "softplus",
    "spline_filter2d",
    "spline_filter2d_grad",
    "sqrt",
    "square",
    "structural_similarity",
    "subtract",
    "sum",
    "take_pixels",
    "tanh",
    "tanh_grad",
    "threshold",
    "tile_maps",
    "to_device",
    "total_variation",
    "trace",
    "use_variant",
    "warmup",
    "warp2d",
    "warp2d_grad",
    "window_places",
    "window_sums",
]
