"""The definition: an array is normalised and activated, and then the weight gradient of the convolution is taken.

The normalised array ends where the image does: the zeros around it are zeros behind the normalisation.
"""

import numpy as np
from numba.extending import register_jitable

from ..convolution.reference import conv2d_weight_grad
from ..normalization.reference import batch_norm_apply

convolve = register_jitable(conv2d_weight_grad)
normalize = register_jitable(batch_norm_apply)


def normalized_conv2d_weight_grad(gy, x, mean, affine, gw, of_gy, place, activation):
    """``conv2d_weight_grad(gy, x)``, with x or gy after ``batch_norm_apply``."""
    if of_gy:
        normalized = np.empty_like(gy)
        normalize(gy, mean, affine, normalized, *activation)
        convolve(normalized, x, gw, *place)
    else:
        normalized = np.empty_like(x)
        normalize(x, mean, affine, normalized, *activation)
        convolve(gy, normalized, gw, *place)
