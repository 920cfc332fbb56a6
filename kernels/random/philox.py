"""Philox4x32-10 for CPU workers: a block of four random 32-bit words from a counter and a key.

Ten rounds of two 32 x 32 -> 64 bit products. Words travel in 64-bit lanes and their upper halves are left dirty,
because the next product reads the lower half alone: a round is two multiplications, two shifts and four exclusive-ors,
and LLVM puts as many blocks side by side as a vector register has 64-bit lanes.

Salmon, Moraes, Dror and Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011.
"""

import numpy as np
from numba import njit

LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@njit(forceinline=True)
def philox(c0, c1, c2, c3, k0, k1):
    """Four words, of which the lower 32 bits count, from a counter and a key of uint64 words below 2**32."""
    for _ in range(10):
        first = _MULTIPLIER_0 * (c0 & LOW)
        second = _MULTIPLIER_1 * (c2 & LOW)
        c0 = (second >> _HALF) ^ c1 ^ k0
        c1 = second
        c2 = (first >> _HALF) ^ c3 ^ k1
        c3 = first
        k0 = (k0 + _WEYL_0) & LOW
        k1 = (k1 + _WEYL_1) & LOW
    return c0, c1, c2, c3


@njit(forceinline=True)
def words_at(counter, k0, k1):
    """The block of a 64-bit counter; the upper half of Philox's 128-bit counter stays zero."""
    zero = np.uint64(0)
    return philox(counter & LOW, counter >> _HALF, zero, zero, k0, k1)
