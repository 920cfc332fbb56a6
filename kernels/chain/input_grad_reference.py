"""The definitions: a convolution's input gradient, then the gradient of the normalisation that its input came out of.

gx holds the first's result until the second, which reads each number before it writes there, is done with it.
"""

from numba.extending import register_jitable

from ..convolution.reference import conv2d, conv2d_input_grad
from ..normalization.reference import batch_norm_grad

convolve = register_jitable(conv2d)
convolve_transposed = register_jitable(conv2d_input_grad)
normalize_grad = register_jitable(batch_norm_grad)


def normalized_conv2d_input_grad(
    gy, w, x, mean, inverse_std, weight, affine, gx, gweight, gbias, place, code, negative_slope
):
    """Of ``conv2d(activate(batch_norm_train(x)), w)`` by x, and by the normalisation's weight and bias."""
    convolve_transposed(gy, w, None, gx, *place, 0, 0.0)
    normalize_grad(gx, x, mean, inverse_std, weight, affine, gx, gweight, gbias, code, negative_slope)


def normalized_conv_transpose2d_input_grad(
    gy, w, x, mean, inverse_std, weight, affine, gx, gweight, gbias, place, code, negative_slope
):
    """The same of a transposed convolution, whose input gradient is a convolution."""
    convolve(gy, w, None, gx, *place, 0, 0.0)
    normalize_grad(gx, x, mean, inverse_std, weight, affine, gx, gweight, gbias, code, negative_slope)
