"""CPU workers of the random streams: vector registers of Philox blocks, polynomials on their words.

A *step* makes four values, from one block (float32) or two (float64); LLVM runs as many steps side by side as a
register has lanes. Each value is a function of seed and counter alone, so how steps are shared out cannot be seen.
Fast-math is off: nothing here may be contracted or reassociated (see normal.py).
"""

import numpy as np
from numba import float32, float64, int64, njit

from ..machine.blocks import address_of
from ..machine.compile import kernel
from ..machine.pointers import float_bits, pointer, word_of
from ..machine.threads import block_of, launch
from ..operation import Run
from .normal import fma, normal_pair_32, normal_pair_64
from .philox import LOW, words_at

STEPS_PER_TASK = 2048
# Nanoseconds a value takes on one thread.
_COST = {"uniform": {"f": 0.5, "d": 1.2}, "normal": {"f": 1.1, "d": 2.2}, "permutation": {"l": 8.0}}


@njit(forceinline=True)
def _double_words(first, second):
    return (first & LOW) << np.uint64(32) | (second & LOW)


@njit(forceinline=True)
def _uniform_32(word, low, scale, largest):
    u = np.float32(np.int32((word & LOW) >> np.uint64(8))) * np.float32(2.0**-24)
    return min(fma(scale, u, low), largest)


@njit(forceinline=True)
def _uniform_64(word, low, scale, largest):
    u = np.float64(np.int64(word >> np.uint64(11))) * 2.0**-53
    return min(fma(scale, u, low), largest)


@njit(forceinline=True)
def _uniforms_32(counter, step, k0, k1, low, scale, largest):
    w0, w1, w2, w3 = words_at(counter + step, k0, k1)
    return (
        _uniform_32(w0, low, scale, largest),
        _uniform_32(w1, low, scale, largest),
        _uniform_32(w2, low, scale, largest),
        _uniform_32(w3, low, scale, largest),
    )


@njit(forceinline=True)
def _uniforms_64(counter, step, k0, k1, low, scale, largest):
    w0, w1, w2, w3 = words_at(counter + np.uint64(2) * step, k0, k1)
    w4, w5, w6, w7 = words_at(counter + np.uint64(2) * step + np.uint64(1), k0, k1)
    return (
        _uniform_64(_double_words(w0, w1), low, scale, largest),
        _uniform_64(_double_words(w2, w3), low, scale, largest),
        _uniform_64(_double_words(w4, w5), low, scale, largest),
        _uniform_64(_double_words(w6, w7), low, scale, largest),
    )


@njit(forceinline=True)
def _normals_32(counter, step, k0, k1, mean, std, _):
    w0, w1, w2, w3 = words_at(counter + step, k0, k1)
    z0, z1 = normal_pair_32(w0, w1)
    z2, z3 = normal_pair_32(w2, w3)
    return fma(std, z0, mean), fma(std, z1, mean), fma(std, z2, mean), fma(std, z3, mean)


@njit(forceinline=True)
def _normals_64(counter, step, k0, k1, mean, std, _):
    w0, w1, w2, w3 = words_at(counter + np.uint64(2) * step, k0, k1)
    w4, w5, w6, w7 = words_at(counter + np.uint64(2) * step + np.uint64(1), k0, k1)
    z0, z1 = normal_pair_64(_double_words(w0, w1), _double_words(w2, w3))
    z2, z3 = normal_pair_64(_double_words(w4, w5), _double_words(w6, w7))
    return fma(std, z0, mean), fma(std, z1, mean), fma(std, z2, mean), fma(std, z3, mean)


NORMALS = {"float32": _normals_32, "float64": _normals_64}
_STEPS = {
    ("uniform", "f"): _uniforms_32,
    ("uniform", "d"): _uniforms_64,
    ("normal", "f"): _normals_32,
    ("normal", "d"): _normals_64,
}


@kernel(fastmath=False)
def _fill(kind, char):
    values_at = _STEPS[kind, char]
    real = float32 if char == "f" else float64

    def work(begin, end, slot, block):
        out = pointer(block[0], real)
        n = block[1]
        k0, k1 = np.uint64(block[2]), np.uint64(block[3])
        counter = np.uint64(block[4]) | np.uint64(block[5]) << np.uint64(32)
        a, b, c = real(float_bits(block[6])), real(float_bits(block[7])), real(float_bits(block[8]))
        last = min(end * STEPS_PER_TASK, n // 4)
        for step in range(begin * STEPS_PER_TASK, last):
            y0, y1, y2, y3 = values_at(counter, np.uint64(step), k0, k1, a, b, c)
            out[4 * step] = y0
            out[4 * step + 1] = y1
            out[4 * step + 2] = y2
            out[4 * step + 3] = y3
        if last < end * STEPS_PER_TASK and 4 * last < n:  # the last values, fewer than four
            y0, y1, y2, _ = values_at(counter, np.uint64(last), k0, k1, a, b, c)
            out[4 * last] = y0
            if 4 * last + 1 < n:
                out[4 * last + 1] = y1
            if 4 * last + 2 < n:
                out[4 * last + 2] = y2

    return work


@kernel()
def _permute():
    def work(begin, end, slot, block):
        order = pointer(block[0], int64)
        n = block[1]
        k0, k1 = np.uint64(block[2]), np.uint64(block[3])
        counter = np.uint64(block[4]) | np.uint64(block[5]) << np.uint64(32)
        half = np.uint64(32)
        for pair in range((n + 1) // 2):
            w0, w1, w2, w3 = words_at(counter + np.uint64(pair), k0, k1)
            for odd in range(2):
                i = 2 * pair + odd
                if i == n:
                    return
                upper, lower = (w2, w3) if odd else (w0, w1)
                range_ = np.uint64(i + 1)
                j = np.int64(((upper & LOW) * range_ + ((lower & LOW) * range_ >> half)) >> half)
                order[i] = order[j]
                order[j] = i

    return work


def build(geometry) -> Run:  # type: ignore[no-untyped-def]
    """Uniform or normal values, as the geometry says."""
    g = geometry
    char = g.dtype.char
    worker, words = _fill.address(g.kind, char), [word_of(v) for v in g.constants]
    tasks = -(-g.n // (4 * STEPS_PER_TASK))
    ns = g.n * _COST[g.kind][char]

    def run(arrays, outputs):
        block = block_of([address_of(outputs[0]), g.n, *arrays[0].tolist(), *words])
        launch(worker, tasks, address_of(block), ns)

    return run


def build_permutation(geometry) -> Run:  # type: ignore[no-untyped-def]
    """Each element's place depends on those before it: one task."""
    worker = _permute.address()

    def run(arrays, outputs):
        block = block_of([address_of(outputs[0]), geometry.n, *arrays[0].tolist()])
        launch(worker, 1, address_of(block), 0.0)

    return run
