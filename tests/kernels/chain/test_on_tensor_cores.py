"""Whether tensor cores take a block and its gradients is what their variants say when they are called."""

from typing import Any

import numpy as np
import pytest
from tilegrad.kernels.chain import on_tensor_cores
from tilegrad.kernels.machine import cuda

from tilegrad import kernels


def taken(function: Any, *arrays: Any, **how: Any) -> bool:
    """Whether the variant takes a call, of which nothing is computed."""
    with cuda.launching(lambda *_: None):
        try:
            function(*arrays, variant="cuda.mma_bf16", **how)
        except ValueError as refused:
            if 'variant "cuda.mma_bf16" takes ' not in str(refused):
                raise
            return False
    return True


def filled(*shape: int, dtype: str = "f4") -> np.ndarray:
    return np.ones(shape, dtype)


def taken_apart(c: int, k: int, size: int, transposed: bool, dtype: str, place: dict[str, Any]) -> bool:
    """The block, read through a normalisation, and both gradients, one by one."""
    x = filled(1, 12, 12, c, dtype=dtype)
    group = place.get("groups", 1)
    w = filled(c, size, size, k // group, dtype=dtype) if transposed else filled(k, size, size, c // group, dtype=dtype)
    mean, affine = filled(c, dtype=dtype), filled(2, c, dtype=dtype)
    block, by_input = kernels.conv2d_batch_norm_train, kernels.normalized_conv2d_input_grad
    gy = kernels.conv_transpose2d(x, w, **place) if transposed else kernels.conv2d(x, w, **place)
    pair = (x, gy) if transposed else (gy, x)
    if transposed:
        block, by_input = kernels.conv_transpose2d_batch_norm_train, kernels.normalized_conv_transpose2d_input_grad
    by_weight = {"normalized": "gy" if transposed else "x", **place}
    answers = [
        taken(block, x, w, x_mean=mean, x_affine=affine, apply=False, **place),
        taken(by_input, gy, w, x, mean, mean, None, affine, **place),
        taken(kernels.normalized_conv2d_weight_grad, *pair, mean, affine, w.shape, **by_weight),
    ]
    return all(answers)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(
    ("c", "k", "size", "dtype", "place", "wanted"),
    [
        (8, 12, 3, "f4", {"padding": 1}, True),
        (4, 4, 4, "f4", {"stride": 2, "padding": 1}, True),
        (4, 4, 5, "f4", {}, True),
        (6, 4, 3, "f4", {}, False),
        (4, 6, 3, "f4", {}, False),
        (4, 4, 6, "f4", {}, False),
        (4, 4, 6, "f4", {"stride": 2}, False),  # the convolution is taken, but not its weight's gradient
        (4, 4, 3, "f4", {"stride": 3}, False),
        (4, 4, 3, "f4", {"dilation": 2}, False),
        (8, 8, 3, "f4", {"groups": 2}, False),
        (4, 4, 3, "f8", {}, False),
    ],
)
def test_says_what_the_variants_say(
    c: int, k: int, size: int, dtype: str, place: dict[str, Any], wanted: bool, transposed: bool
) -> None:
    group = place.get("groups", 1)
    w_shape = (c, size, size, k // group) if transposed else (k, size, size, c // group)
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1} | ({"output_padding": 0} if transposed else {})
    found = on_tensor_cores((1, 12, 12, c), w_shape, np.dtype(dtype), transposed=transposed, **usual | place)
    assert found == taken_apart(c, k, size, transposed, dtype, place) == wanted
