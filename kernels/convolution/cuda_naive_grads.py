"""The gradients of conv2d "naive" on CUDA: one thread, one output.

The idea: both gradients are written as a *gather*, the sum of all that one number of the result is made of
(`input_grad_sum` and `weight_grad_sum` in reference.py), so that each goes to a thread. Written as a scatter, every
number of gy added to the pixels that it came from, threads would have to add atomically, in an order that differs from
run to run.

Index arithmetic: threads are numbered in the order in which the result lies in memory, C fastest.

    gx[n, h, w, c]     for tap (r, s), the 32 threads of a warp read one run of w, and one number of gy for all channels
    gw[k, r, s, c]     for each output pixel they read one number of gy and 32 channels of x: coalesced

Memory traffic: two reads for a multiply-add, as in the forward naive kernel. The weight gradient has few threads, only
as many as there are weights, and each walks all pixels of all images: long serial sums, which are therefore float64,
while the input gradient adds in the working type. Both want what cuda_tiled.py does for the forward pass, and the
weight gradient besides to share out its pixels among blocks.

conv_transpose2d is the input gradient. Both take everything.
"""

from typing import Any

from numba import cuda

from ..activation.epilogue import CODES, activate
from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import ConvGeometry
from .reference import input_grad_sum, weight_grad_sum


@cuda.jit
def conv2d_input_grad_naive(gy, w, bias, gx, stride, pads, dilation, groups, code, negative_slope):
    """Each thread computes one element of gx. An empty bias stands for none."""
    index = cuda.grid(1)
    if index >= gx.size:
        return
    _, H, W, C = gx.shape
    c = index % C
    column = index // C % W
    h = index // (C * W) % H
    n = index // (C * W * H)
    total = input_grad_sum(gy, w, n, h, column, c, stride, pads, dilation, groups, gx.dtype.type(0))
    if bias.size > 0:
        total += bias[c]
    gx[n, h, column, c] = activate(total, code, negative_slope)


@cuda.jit
def conv2d_weight_grad_naive(gy, x, gw, stride, pads, dilation, groups):
    """Each thread computes one element of gw."""
    index = cuda.grid(1)
    if index >= gw.size:
        return
    K, R, S, group_c = gw.shape
    c = index % group_c
    s = index // group_c % S
    r = index // (group_c * S) % R
    k = index // (group_c * S * R)
    first_c = k // (K // groups) * group_c
    gw[k, r, s, c] = weight_grad_sum(gy, x, k, r, s, first_c + c, stride, pads, dilation, 0.0)


def build_input_grad(g: ConvGeometry) -> Run:
    """Prepare the launch: a thread for each element of gx."""
    constants = (g.stride, g.pads, g.dilation, g.groups, CODES[g.activation], g.dtype.type(g.negative_slope))

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gy, w, bias), (gx,) = arrays, outputs
        bias = w.reshape(-1)[:0] if bias is None else bias
        launch_each(conv2d_input_grad_naive, gx.size, gy, w, bias, gx, *constants)

    return run


def build_weight_grad(g: ConvGeometry) -> Run:
    """Prepare the launch: a thread for each element of gw."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (gy, x), (gw,) = arrays, outputs
        launch_each(conv2d_weight_grad_naive, gw.size, gy, x, gw, g.stride, g.pads, g.dilation, g.groups)

    return run
