"""Pooling and its gradients "naive" on CUDA: one thread, one output.

The idea: each thread of a forward operation walks its window as the definition does (reference.py). The gradients are
defined as a *scatter*: every window adds to the pixels that it saw, and where windows overlap several threads would add
to one pixel at once. So here each thread has a pixel and *gathers* from the windows that saw it, in ascending order:
sums are the same in every run.

Index arithmetic: threads are numbered as results lie in memory, channels fastest, so the 32 of a warp read a run of
channels for each number of the window. Window p sees the pixels ``p * stride - padding + t * dilation`` with t below
the kernel's size, so pixel h is seen by

    p from  ceil((h + padding - (kernel - 1) * dilation) / stride)  to  floor((h + padding) / stride)

where the division by the dilation leaves no remainder. Adaptive windows cover ``floor(p * H / P) .. ceil((p + 1) * H /
P) - 1``; solved for p this is the same formula with H and P exchanged.

Memory traffic: every number is read by all windows that see it; neighbouring ones find it in the cache.

Sums are float64. NaN propagates as the definition says. Takes everything.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from .geometry import Pooling
from .reference import average_of, bounds, divisor_of, greatest_and_place, greatest_of


@cuda.jit(device=True)
def windows_of(h, size, count, kernel, stride, padding, dilation):
    """First and last + 1 of the windows that may see pixel h along one axis."""
    if kernel == 0:
        first, end, _ = bounds(h, count, size, 0, 0, 0, 1)
        return first, end
    reach = h + padding - (kernel - 1) * dilation
    first = 0 if reach <= 0 else (reach + stride - 1) // stride
    end = (h + padding) // stride + 1
    return first, end if end < count else count


@cuda.jit(device=True)
def sees(i, h, size, count, kernel, stride, padding, dilation):
    """Whether window i sees pixel h."""
    first, end, step = bounds(i, size, count, kernel, stride, padding, dilation)
    return first <= h < end and (h - first) % step == 0


@cuda.jit
def max_pool_naive(x, y, kernel, stride, padding, dilation):
    """Each thread computes one element of y; so in all forward kernels."""
    index = cuda.grid(1)
    if index < y.size:
        _, P, Q, C = y.shape
        n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
        y[n, p, q, c] = greatest_of(x, n, p, q, c, (P, Q), kernel, stride, padding, dilation)


@cuda.jit
def max_pool_places_naive(x, y, places, kernel, stride, padding, dilation):
    index = cuda.grid(1)
    if index < y.size:
        _, P, Q, C = y.shape
        n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
        greatest, place = greatest_and_place(x, n, p, q, c, (P, Q), kernel, stride, padding, dilation)
        y[n, p, q, c] = greatest
        places[n, p, q, c] = place


@cuda.jit
def max_pool_grad_naive(gy, places, gx, kernel, stride, padding, dilation):
    """Each thread adds what the windows hand on whose greatest number was its pixel."""
    index = cuda.grid(1)
    if index >= gx.size:
        return
    _, H, W, C = gx.shape
    _, P, Q, _ = gy.shape
    n, h, w, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    top, bottom = windows_of(h, H, P, kernel[0], stride[0], padding[0], dilation[0])
    left, right = windows_of(w, W, Q, kernel[1], stride[1], padding[1], dilation[1])
    total = 0.0
    for p in range(top, bottom):
        if not sees(p, h, H, P, kernel[0], stride[0], padding[0], dilation[0]):
            continue
        for q in range(left, right):
            seen = sees(q, w, W, Q, kernel[1], stride[1], padding[1], dilation[1])
            if seen and places[n, p, q, c] == h * W + w:
                total += gy[n, p, q, c]
    gx[n, h, w, c] = total


@cuda.jit
def take_pixels_naive(x, places, y):
    """Each thread copies one number."""
    index = cuda.grid(1)
    if index < y.size:
        _, P, Q, C = y.shape
        n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
        place, W = places[n, p, q, c], x.shape[2]
        y[n, p, q, c] = x[n, place // W, place % W, c]


@cuda.jit
def avg_pool_naive(x, y, kernel, stride, padding, include_pad, divisor):
    index = cuda.grid(1)
    if index < y.size:
        _, P, Q, C = y.shape
        n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
        y[n, p, q, c] = average_of(x, n, p, q, c, (P, Q), kernel, stride, padding, include_pad, divisor)


@cuda.jit
def avg_pool_grad_naive(gy, gx, kernel, stride, padding, include_pad, divisor):
    """Each thread adds its pixel's share of all windows that see it."""
    index = cuda.grid(1)
    if index >= gx.size:
        return
    _, H, W, C = gx.shape
    _, P, Q, _ = gy.shape
    n, h, w, c = index // (C * W * H), index // (C * W) % H, index // C % W, index % C
    top, bottom = windows_of(h, H, P, kernel[0], stride[0], padding[0], 1)
    left, right = windows_of(w, W, Q, kernel[1], stride[1], padding[1], 1)
    total = 0.0
    for p in range(top, bottom):
        for q in range(left, right):
            count = divisor_of(p, q, (H, W), (P, Q), kernel, stride, padding, include_pad, divisor)
            total += gy[n, p, q, c] / count
    gx[n, h, w, c] = total


def _build(kernel: Any, *constants: Any) -> Run:
    """A launch of a thread for each element of the first output."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(kernel, outputs[0].size, *arrays, *outputs, *constants)

    return run


def _window(g: Pooling) -> tuple[Any, ...]:
    """The window as the definition is told it: a kernel of (0, 0) is an adaptive one."""
    return g.kernel or (0, 0), g.stride, g.padding


def build_max(g: Pooling) -> Run:
    """Prepare the launch of max pooling, with places if they are asked for."""
    return _build(max_pool_naive if len(g.outputs) == 1 else max_pool_places_naive, *_window(g), g.dilation)


def build_max_grad(g: Pooling) -> Run:
    """Prepare the launch of the gradient of max pooling."""
    return _build(max_pool_grad_naive, *_window(g), g.dilation)


def build_take(g: Pooling) -> Run:
    """Prepare the launch of `take_pixels`."""
    return _build(take_pixels_naive)


def build_avg(g: Pooling) -> Run:
    """Prepare the launch of average pooling."""
    return _build(avg_pool_naive, *_window(g), g.include_pad, g.divisor)


def build_avg_grad(g: Pooling) -> Run:
    """Prepare the launch of the gradient of average pooling."""
    return _build(avg_pool_grad_naive, *_window(g), g.include_pad, g.divisor)
