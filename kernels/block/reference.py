"""The definitions: a convolution, then batch normalisation by the statistics of its result.

The convolution's own result z is kept beside the normalised one, for the gradient.
"""

from numba.extending import register_jitable

from ..convolution.reference import conv2d, conv2d_input_grad
from ..normalization.reference import batch_norm_train

convolve = register_jitable(conv2d)
convolve_transposed = register_jitable(conv2d_input_grad)
normalize = register_jitable(batch_norm_train)


def conv2d_batch_norm_train(x, w, weight, bias, y, z, mean, inverse_std, affine, unbiased, place, normalization):
    """``z = conv2d(x, w)``, and the results of ``batch_norm_train(z, weight, bias)``."""
    convolve(x, w, None, z, *place, 0, 0.0)
    normalize(z, weight, bias, y, mean, inverse_std, affine, unbiased, *normalization)


def conv_transpose2d_batch_norm_train(
    x, w, weight, bias, y, z, mean, inverse_std, affine, unbiased, place, normalization
):
    """The same with a transposed convolution, which is the input gradient of a convolution."""
    convolve_transposed(x, w, None, z, *place, 0, 0.0)
    normalize(z, weight, bias, y, mean, inverse_std, affine, unbiased, *normalization)
