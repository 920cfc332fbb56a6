"""Noise "naive" on CUDA: one thread, one number, to the bit as on the CPU.

The idea: the random stream is a function of a counter (../random/reference.py), so thread i draws for number i by
itself and adds what it drew at once; the noise is never in memory.

Index arithmetic: threads are numbered as numbers lie in memory. Number i belongs to image ``i // each``, whose least
value it may take.

Memory traffic: each number is read and written once. Each block of the stream is computed by the two or four threads
that have a share in it: a thread with all numbers of a block would do that once, and read and write 16 bytes at a time.

Takes everything.
"""

from typing import Any

from numba import cuda

from ..machine.cuda_numba import fma, launch_each
from ..operation import Run
from ..random.cuda_naive import normal_32, normal_64
from ..random.reference import philox_block
from . import Noise
from .reference import replacement


@cuda.jit
def add_noise_naive(x, place, spread, low, y, each, has_spread, limited, mean, std, high, unit):
    """Each thread computes one element of y."""
    i = cuda.grid(1)
    if i >= x.size:
        return
    if y.itemsize == 4:
        block, j = philox_block(place, i // 4), i % 4 // 2 * 2
        z = normal_32(block[j], block[j + 1], i % 2)
    else:
        z = normal_64(philox_block(place, i // 2), i % 2)
    noise = fma(std, z, mean)
    # An fma of its own, so that the compiler cannot fuse this product with the sum that follows.
    number = fma(y.dtype.type(x[i]), unit, y.dtype.type(0)) if unit < 1 else x[i]
    value = fma(y.dtype.type(spread[i]) * unit, noise, number) if has_spread else number + noise
    if limited and value < low[i // each]:
        value = low[i // each]
    y[i] = high if value > high else value


@cuda.jit
def salt_and_pepper_naive(x, place, low, y, each, share, salt, clip, unit):
    i = cuda.grid(1)
    if i < x.size:
        y[i] = replacement(place, i, share, salt, y.dtype.type(x[i]) * unit, low[i // each], clip)


def build(g: Noise) -> Run:
    """Prepare the launch: a thread for each number."""
    mean, std, high = [g.dtype.type(c) for c in g.constants]

    def run_added(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, place, spread, low = arrays
        values, y = x.reshape(-1), outputs[0].reshape(-1)
        factors, least = values if spread is None else spread.reshape(-1), values if low is None else low
        flags = (g.each, g.spread, g.limited)
        launch_each(add_noise_naive, g.size, values, place, factors, least, y, *flags, mean, std, high, g.unit)

    def run_replaced(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, place, low = arrays
        constants = (g.each, *g.thresholds, g.limited, g.unit)
        launch_each(salt_and_pepper_naive, g.size, x.reshape(-1), place, low, outputs[0].reshape(-1), *constants)

    return run_added if g.kind == "added" else run_replaced
