"""The definitions of batch normalisation and of its gradient, channel by channel.

Variances are computed in two passes: first the mean, then the mean of squared deviations from it.
"""

import math

from ..activation.epilogue import activate
from ..activation.reference import activate_grad


def batch_norm(x, mean, var, weight, bias, y, eps, code, negative_slope):
    """``y = activate((x - mean) / sqrt(var + eps) * weight + bias)``."""
    C = x.shape[-1]
    pixels, results = x.reshape(-1, C), y.reshape(-1, C)
    for c in range(C):
        scale = 1.0 / math.sqrt(var[c] + eps)
        if weight is not None:
            scale *= weight[c]
        for p in range(pixels.shape[0]):
            value = (pixels[p, c] - mean[c]) * scale
            if bias is not None:
                value += bias[c]
            results[p, c] = activate(value, code, negative_slope)


def batch_norm_train(x, weight, bias, y, mean, inverse_std, affine, unbiased, eps, code, negative_slope):
    """Statistics of each channel, and x normalised by them: ``y = activate((x - mean) * affine[0] + affine[1])``."""
    C = x.shape[-1]
    pixels, results = x.reshape(-1, C), y.reshape(-1, C)
    count = pixels.shape[0]
    for c in range(C):
        total = 0.0
        for p in range(count):
            total += pixels[p, c]
        center = total / count
        squares = 0.0
        for p in range(count):
            squares += (pixels[p, c] - center) ** 2
        inverse = 1.0 / math.sqrt(squares / count + eps)
        mean[c], inverse_std[c], unbiased[c] = center, inverse, squares / (count - 1)
        scale, offset = inverse, 0.0
        if weight is not None:
            scale *= weight[c]
        if bias is not None:
            offset += bias[c]
        affine[0, c], affine[1, c] = scale, offset
        for p in range(count):
            results[p, c] = activate((pixels[p, c] - center) * scale + offset, code, negative_slope)


def batch_norm_apply(x, mean, affine, y, code, negative_slope):
    """``y = activate((x - mean) * affine[0] + affine[1])``."""
    C = x.shape[-1]
    pixels, results = x.reshape(-1, C), y.reshape(-1, C)
    for c in range(C):
        for p in range(pixels.shape[0]):
            results[p, c] = activate((pixels[p, c] - mean[c]) * affine[0, c] + affine[1, c], code, negative_slope)


def batch_norm_grad(gy, x, mean, inverse_std, weight, affine, gx, gweight, gbias, code, negative_slope):
    """With z = (x - mean) * inverse_std and g the gradient by ``z * weight + bias``::

    gbias = sum g        gweight = sum g * z        gx = weight * inverse_std * (g - mean of g - z * mean of g * z)
    """
    C = x.shape[-1]
    pixels, gradients, results = x.reshape(-1, C), gy.reshape(-1, C), gx.reshape(-1, C)
    count = pixels.shape[0]
    for c in range(C):
        slope, offset = 0.0, 0.0
        if affine is not None:
            slope, offset = affine[0, c], affine[1, c]
        sum_g, sum_gz = 0.0, 0.0
        for p in range(count):
            y = activate((pixels[p, c] - mean[c]) * slope + offset, code, negative_slope)
            g = activate_grad(gradients[p, c], y, code, negative_slope)
            sum_g += g
            sum_gz += g * (pixels[p, c] - mean[c]) * inverse_std[c]
        gweight[c], gbias[c] = sum_gz, sum_g
        scale = inverse_std[c]
        if weight is not None:
            scale *= weight[c]
        for p in range(count):
            y = activate((pixels[p, c] - mean[c]) * slope + offset, code, negative_slope)
            g = activate_grad(gradients[p, c], y, code, negative_slope)
            z = (pixels[p, c] - mean[c]) * inverse_std[c]
            results[p, c] = scale * (g - sum_g / count - z * sum_gz / count)
