"""The definition of dropout: a 32-bit word of the random stream for each number, of which the upper 24 bits count."""

from numba.extending import register_jitable

from ..random.reference import philox_block


@register_jitable
def factor_of(place, i, threshold, scale):
    """What number i is multiplied by."""
    word = philox_block(place, i // 4)[i % 4]
    return scale if word >> 8 >= threshold else 0.0


def dropout(x, place, y, threshold, scale):
    """``y = x * scale`` where the word's upper bits are at least the threshold, else ``x * 0``."""
    values, results = x.reshape(-1), y.reshape(-1)
    for i in range(values.size):
        results[i] = values[i] * factor_of(place, i, threshold, scale)
