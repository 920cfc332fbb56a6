"""The definitions: a convolution, then batch normalisation by the statistics of its result.

The convolution's own result z is kept beside the normalised one, for the gradient. What it reads may be such a z of
another block, normalised on the way; a y that is not wanted has no images.
"""

import numpy as np
from numba.extending import register_jitable

from ..convolution.reference import conv2d, conv2d_input_grad
from ..normalization.reference import batch_norm_apply, batch_norm_train

convolve = register_jitable(conv2d)
convolve_transposed = register_jitable(conv2d_input_grad)
apply = register_jitable(batch_norm_apply)
normalize = register_jitable(batch_norm_train)


@register_jitable
def read(x, mean, affine, reading):
    """x through the normalisation of the block before, or as it is."""
    if mean is None:
        return x
    normalized = np.empty_like(x)
    apply(x, mean, affine, normalized, *reading)
    return normalized


@register_jitable
def normalize_into(y, z, weight, bias, statistics, normalization):
    """`batch_norm_train`, for the statistics alone where y has no images."""
    normalize(z, weight, bias, y if y.size > 0 else np.empty_like(z), *statistics, *normalization)


def conv2d_batch_norm_train(
    x, w, weight, bias, x_mean, x_affine, y, z, mean, inverse_std, affine, unbiased, place, normalization, reading
):
    """``z = conv2d(x, w)``, and the results of ``batch_norm_train(z, weight, bias)``."""
    convolve(read(x, x_mean, x_affine, reading), w, None, z, *place, 0, 0.0)
    normalize_into(y, z, weight, bias, (mean, inverse_std, affine, unbiased), normalization)


def conv_transpose2d_batch_norm_train(
    x, w, weight, bias, x_mean, x_affine, y, z, mean, inverse_std, affine, unbiased, place, normalization, reading
):
    """The same with a transposed convolution, which is the input gradient of a convolution."""
    convolve_transposed(read(x, x_mean, x_affine, reading), w, None, z, *place, 0, 0.0)
    normalize_into(y, z, weight, bias, (mean, inverse_std, affine, unbiased), normalization)
