"""Arguments of input gradients through a normalisation, and what the two operations apart are called."""

from typing import Any

import numpy as np

from tilegrad import kernels

GRADIENTS = {
    "conv2d": kernels.normalized_conv2d_input_grad,
    "conv_transpose2d": kernels.normalized_conv_transpose2d_input_grad,
}
PLAIN = {"conv2d": kernels.conv2d, "conv_transpose2d": kernels.conv_transpose2d}


def drawn(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def arguments(
    name: str, image: tuple[int, int, int], channels: tuple[int, int], size: int, seed: int, **place: Any
) -> list[Any]:
    """gy, w, x and what normalises x, for an image of channels[0] channels that is convolved to channels[1].

    No normalised number lies near zero, where activations have a kink.
    """
    c, k = channels
    x, weight, bias = drawn((*image, c), seed), drawn((c,), seed + 1), drawn((c,), seed + 2)
    y, mean, inverse_std, affine = kernels.batch_norm_train(x, weight, bias)
    x[abs(y) < 1e-3] += 1
    groups = place.get("groups", 1)
    shape = (k, size, size, c // groups) if name == "conv2d" else (c, size, size, k // groups)
    w = drawn(shape, seed + 3)
    gy = drawn(PLAIN[name](y, w, **place).shape, seed + 4)
    return [gy, w, x, mean, inverse_std, weight, affine]


def arriving(name: str, gy: np.ndarray, w: np.ndarray, x: np.ndarray, **how: Any) -> np.ndarray:
    """The gradient by what the convolution reads."""
    return kernels.conv2d_input_grad(gy, w, x.shape, **how) if name == "conv2d" else kernels.conv2d(gy, w, **how)
