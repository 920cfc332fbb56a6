"""Pixel shuffle "naive" on CUDA: one thread, one number.

The idea: each thread copies the number that the definition (reference.py) says stands at its place.

Index arithmetic: threads are numbered as the result lies in memory, channels fastest. So a warp writes one run, and
reads words that are r * r apart (shuffle), or r * r runs of neighbouring words (back).

Memory traffic: each number is read once and written once, but a transaction of 32 bytes that is read for every r * r-th
word brings the others in vain, unless the cache keeps them for the threads of the next rows of the block.

Takes everything.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import launch_each
from ..operation import Run
from . import Shuffling
from .reference import shuffled, unshuffled


@cuda.jit
def pixel_shuffle_naive(x, y, factor):
    """Each thread copies one number; so in both kernels."""
    index = cuda.grid(1)
    if index < y.size:
        _, P, Q, C = y.shape
        n, p, q, c = index // (C * Q * P), index // (C * Q) % P, index // C % Q, index % C
        y[n, p, q, c] = shuffled(x, n, p, q, c, factor)


@cuda.jit
def pixel_unshuffle_naive(x, y, factor):
    index = cuda.grid(1)
    if index < y.size:
        _, H, W, K = y.shape
        n, h, w, k = index // (K * W * H), index // (K * W) % H, index // K % W, index % K
        y[n, h, w, k] = unshuffled(x, n, h, w, k, factor)


def _build(kernel: Any, g: Shuffling) -> Run:
    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        launch_each(kernel, outputs[0].size, arrays[0], outputs[0], g.factor)

    return run


def build(g: Shuffling) -> Run:
    """Prepare the launch of the shuffle: a thread for each number."""
    return _build(pixel_shuffle_naive, g)


def build_unshuffle(g: Shuffling) -> Run:
    """Prepare the launch of the shuffle back."""
    return _build(pixel_unshuffle_naive, g)
