"""The definition of the random streams, in loops that can be checked by hand.

Philox4x32-10 turns a counter into a block of four 32-bit words, under a key of two: the seed. Ten times, the first and
third word of the counter are multiplied by a constant; the upper halves of the products are mixed into the second and
fourth word and the key, the lower halves move over; then the key moves on by another pair of constants. Values are
dealt from the blocks of counter, counter + 1, ... in order: one word a float32, two (upper first) a float64 or a key.

``state`` holds four words in int64: seed and counter, lower half first. Every intermediate is kept below 2**32 by a
mask, so that integers of Python (which grow) and of a compiler (which wrap at 64 bits) agree.
"""

import math

import numpy as np
from numba.extending import register_jitable

MASK = 0xFFFFFFFF


@register_jitable
def philox_block(state, index):
    """The four words of the block that many after the state's counter."""
    k0, k1 = int(state[0]), int(state[1])
    c0 = int(state[2]) + index
    c1 = (int(state[3]) + (c0 >> 32)) & MASK
    c0, c2, c3 = c0 & MASK, 0, 0
    for _ in range(10):
        first, second = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1 = ((second >> 32) & MASK) ^ c1 ^ k0, second & MASK
        c2, c3 = ((first >> 32) & MASK) ^ c3 ^ k1, first & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def uniform(state, y, low, high, largest, words):
    """``low + (high - low) * u`` with 24 (float32) or 53 (float64) random bits in u; never over ``largest``."""
    flat = y.reshape(-1)
    for i in range(flat.size):
        block = philox_block(state, i * words // 4)
        if words == 1:
            u = (block[i % 4] >> 8) * 2.0**-24
        else:
            j = i % 2 * 2
            u = (block[j] << 21 | block[j + 1] >> 11) * 2.0**-53
        flat[i] = min(low + (high - low) * u, largest)


@register_jitable
def normal_of(state, i, words):
    """Value i of the normal stream. Box and Muller: values 2 i and 2 i + 1 are ``sqrt(-2 log u)`` times cosine and sine
    of one angle.

    u has 31 (float32) or 53 random bits and is rounded to the type of the values, so that it ends at 1. The next word
    or two are the angle: two bits for the quadrant, the others, as a signed number, for the place in it.
    """
    block = philox_block(state, i * words // 4)
    if words == 1:
        j = i % 4 // 2 * 2
        u = float(np.float32(float(np.float32(block[j] >> 1)) * 2.0**-31 + 2.0**-32))
        angle = block[j + 1]
        rest = (angle << 2 & MASK | 2) * 2.0**-32
    else:
        u = (block[0] << 21 | block[1] >> 11) * 2.0**-53 + 2.0**-54
        angle = block[2]
        rest = ((angle << 2 & MASK) | block[3] >> 30) * 2.0**-32 + (block[3] << 2 & MASK | 2) * 2.0**-64
    if rest >= 0.5:
        rest -= 1.0
    theta = math.pi / 2 * ((angle >> 30) + rest)
    turn = math.cos(theta) if i % 2 == 0 else math.sin(theta)
    return math.sqrt(-2.0 * math.log(u)) * turn


def normal(state, y, mean, std, words):
    """``mean + std * z`` of the normal stream's values z."""
    flat = y.reshape(-1)
    for i in range(flat.size):
        flat[i] = mean + std * normal_of(state, i, words)


def permutation(state, order):
    """Fisher and Yates, inside out: i goes to a place j <= i drawn for it, and what was there moves to the end.

    With a 64-bit key for each i, ``j = key * (i + 1) // 2**64``.
    """
    for i in range(order.size):
        block = philox_block(state, i // 2)
        upper, lower = block[i % 2 * 2], block[i % 2 * 2 + 1]
        upper_product, lower_product = upper * (i + 1), lower * (i + 1)
        # The upper word of the 96-bit product; halves first, so that nothing passes 63 bits while i < 2**31.
        j = (upper_product + (lower_product >> 32)) >> 32
        order[i] = order[j]
        order[j] = i


@register_jitable
def poisson_of(block, mean, largest):
    """A count of that mean: as many as there are steps of the distribution function below one uniform number.

    From a mean of ``largest`` on: a normal number, corrected for the distribution's skewness (Cornish and Fisher's
    expansion, whose next term is below 1 / 100 there), rounded. A mean below 0 gives NaN.
    """
    if not 0 <= mean < math.inf:
        return math.nan
    if mean < largest:
        u = (block[0] << 21 | block[1] >> 11) * 2.0**-53
        count, share = 0.0, math.exp(-mean)
        below = share
        while u >= below and share > 0:
            count += 1
            share *= mean / count
            below += share
        return count
    u = (block[0] << 21 | block[1] >> 11) * 2.0**-53 + 2.0**-54
    rest = ((block[2] << 2 & MASK) | block[3] >> 30) * 2.0**-32 + (block[3] << 2 & MASK | 2) * 2.0**-64
    if rest >= 0.5:
        rest -= 1.0
    z = math.sqrt(-2.0 * math.log(u)) * math.cos(math.pi / 2 * ((block[2] >> 30) + rest))
    return max(0.0, float(math.floor(mean + math.sqrt(mean) * z + (z * z - 1) / 6 + 0.5)))


def poisson(state, rates, y, largest):
    """Counts of mean ``rates``."""
    flat, means = y.reshape(-1), rates.reshape(-1)
    for i in range(flat.size):
        flat[i] = poisson_of(philox_block(state, i), np.float64(means[i]), largest)
