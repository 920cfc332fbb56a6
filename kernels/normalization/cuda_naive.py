"""Batch normalisation and its gradient "naive" on CUDA: one thread, one number, and sums in between.

    statistics   the sums of each channel and then of squared deviations from their mean (reduction/cuda_naive.py)
    channels     one thread a channel turns them into what its numbers are multiplied by and moved by
    apply        one thread a number: ``activate((x - center) * scale + offset)``

    gradient     one thread a number writes g and g * z, which are summed likewise, and one a number writes gx

The idea: every number needs two sums over its whole channel, so the work falls into launches: what one launch has
written, the next one reads. Variances are computed in two passes, as the definition does: the difference of the mean
of squares and the square of the mean would cancel.

Index arithmetic: arrays are seen as (rows, C) and threads numbered as they lie in memory; the channel is the remainder
by C, so the 32 threads of a warp read neighbouring words, and neighbouring channels' factors.

Memory traffic: in training x is read three times, and what is to be summed is written and read in float64: 28 bytes a
number where 12 would do. The gradient moves 44 bytes a number where 20 would do. A block that adds its own channel's
numbers needs neither; and the sums of the forward pass could come out of the convolution before.

Sums and factors are float64. Weights that are not given are ones, and a bias zeros. NaN propagates within its channel.
Takes everything.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from ..activation.epilogue import CODES, activate
from ..activation.reference import activate_grad
from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from ..reduction.cuda_naive import sum_rows
from ..reduction.geometry import Pass
from .geometry import Normalization
from .geometry import rejects as rejects

CENTER, SCALE, OFFSET = 0, 1, 2  # rows of ``factors``: what the numbers of each channel are moved and multiplied by


@cuda.jit
def squared_deviations(x, factors, squares):
    """Each thread writes the square of a number's deviation from its channel's mean."""
    i = cuda.grid(1)
    if i < x.size:
        deviation = x[i] - factors[CENTER, i % factors.shape[1]]
        squares[i] = deviation * deviation


@cuda.jit
def given_factors(mean, var, weight, bias, factors, eps):
    """Each thread computes the factors of a channel whose mean and variance are given."""
    c = cuda.grid(1)
    if c < mean.size:
        factors[CENTER, c] = mean[c]
        factors[SCALE, c] = weight[c] / math.sqrt(var[c] + eps)
        factors[OFFSET, c] = bias[c]


@cuda.jit
def measured_factors(sums, weight, bias, factors, mean, inverse_std, affine, unbiased, count, eps):
    """Each thread computes the factors of a channel from the sum of its squares, and writes what is handed out."""
    c = cuda.grid(1)
    if c >= mean.size:
        return
    inverse = 1.0 / math.sqrt(sums[c] / count + eps)
    factors[SCALE, c] = inverse * weight[c]
    factors[OFFSET, c] = bias[c]
    mean[c] = factors[CENTER, c]
    inverse_std[c] = inverse
    affine[0, c] = factors[SCALE, c]
    affine[1, c] = factors[OFFSET, c]
    unbiased[c] = sums[c] / (count - 1)


@cuda.jit
def batch_norm_naive(x, factors, y, code, negative_slope):
    """Each thread normalises a number."""
    i = cuda.grid(1)
    if i < x.size:
        c = i % factors.shape[1]
        value = (x[i] - factors[CENTER, c]) * factors[SCALE, c] + factors[OFFSET, c]
        y[i] = activate(value, code, negative_slope)


@cuda.jit
def gradient_terms(gy, x, mean, inverse_std, affine, g, gz, code, negative_slope):
    """Each thread writes the gradient before the activation, and its product with the normalised number."""
    i = cuda.grid(1)
    if i < x.size:
        c = i % mean.size
        deviation = x[i] - mean[c]
        y = activate(deviation * affine[0, c] + affine[1, c], code, negative_slope)
        g[i] = activate_grad(gy[i], y, code, negative_slope)
        gz[i] = g[i] * deviation * inverse_std[c]


@cuda.jit
def batch_norm_grad_naive(g, x, mean, inverse_std, weight, sums, gx, count):
    """Each thread computes a number of gx."""
    i = cuda.grid(1)
    if i < x.size:
        c = i % mean.size
        z = (x[i] - mean[c]) * inverse_std[c]
        gx[i] = inverse_std[c] * weight[c] * (g[i] - sums[0, c] / count - z * sums[1, c] / count)


@cuda.jit
def channel_gradients(sums, gweight, gbias):
    """Each thread rounds the sums of a channel."""
    c = cuda.grid(1)
    if c < gbias.size:
        gbias[c] = sums[0, c]
        gweight[c] = sums[1, c]


def _given(vector: Any, shape: tuple[int, ...], number: float, x: Any) -> Any:
    """The vector, or one that is full of a number."""
    if vector is None:
        vector = new_like(x, shape, x.dtype)
        vector.fill(number)
    return vector


def build(g: Normalization) -> Run:
    """Prepare the launches of `batch_norm`."""
    code, size = CODES[g.activation], g.rows * g.channels

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, mean, var, weight, bias), (y,) = arrays, outputs
        weight, bias = _given(weight, mean.shape, 1.0, x), _given(bias, mean.shape, 0.0, x)
        factors = new_like(x, (3, g.channels), np.float64)
        launch_each(given_factors, g.channels, mean, var, weight, bias, factors, g.eps)
        launch_each(batch_norm_naive, size, x.reshape(-1), factors, y.reshape(-1), code, g.negative_slope)

    return run


def build_apply(g: Normalization) -> Run:
    """Prepare the launch of `batch_norm_apply`."""
    code, size = CODES[g.activation], g.rows * g.channels

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, mean, affine), (y,) = arrays, outputs
        factors = new_like(x, (3, g.channels), np.float64)
        factors[CENTER], factors[SCALE:] = mean, affine
        launch_each(batch_norm_naive, size, x.reshape(-1), factors, y.reshape(-1), code, g.negative_slope)

    return run


def build_train(g: Normalization) -> Run:
    """Prepare the launches of `batch_norm_train`."""
    code, size, walk = CODES[g.activation], g.rows * g.channels, Pass(1, g.rows, g.channels)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, weight, bias), (y, *statistics) = arrays, outputs
        x, vector = x.reshape(-1), (g.channels,)
        weight, bias = _given(weight, vector, 1.0, x), _given(bias, vector, 0.0, x)
        factors, sums = new_like(x, (3, g.channels), np.float64), new_like(x, vector, np.float64)
        squares = new_like(x, (size,), np.float64)
        sum_rows(x, factors[CENTER], walk, 1.0 / g.rows)
        launch_each(squared_deviations, size, x, factors, squares)
        sum_rows(squares, sums, walk)
        launch_each(measured_factors, g.channels, sums, weight, bias, factors, *statistics, g.rows, g.eps)
        launch_each(batch_norm_naive, size, x, factors, y.reshape(-1), code, g.negative_slope)

    return run


def build_grad(g: Normalization) -> Run:
    """Prepare the launches of `batch_norm_grad`."""
    code, size, walk = CODES[g.activation], g.rows * g.channels, Pass(1, g.rows, g.channels)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gy, x, mean, inverse_std, weight, affine), (gx, gweight, gbias) = arrays, outputs
        gy, x = gy.reshape(-1), x.reshape(-1)
        weight, affine = _given(weight, mean.shape, 1.0, x), _given(affine, (2, g.channels), 0.0, x)
        terms, terms_z = (new_like(x, (size,), np.float64) for _ in range(2))
        sums = new_like(x, (2, g.channels), np.float64)
        launch_each(gradient_terms, size, gy, x, mean, inverse_std, affine, terms, terms_z, code, g.negative_slope)
        sum_rows(terms, sums[0], walk)
        sum_rows(terms_z, sums[1], walk)
        launch_each(batch_norm_grad_naive, size, terms, x, mean, inverse_std, weight, sums, gx.reshape(-1), g.rows)
        launch_each(channel_gradients, g.channels, sums, gweight, gbias)

    return run
