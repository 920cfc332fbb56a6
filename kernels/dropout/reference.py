"""The definition of dropout: a 32-bit word of the random stream for each number, of which the upper 24 bits count."""

from ..random.reference import philox_block


def dropout(x, place, y, threshold, scale):
    """``y = x * scale`` where the word's upper bits are at least the threshold, else ``x * 0``."""
    values, results = x.reshape(-1), y.reshape(-1)
    for i in range(values.size):
        word = philox_block(place, i // 4)[i % 4]
        results[i] = values[i] * (scale if word >> 8 >= threshold else 0.0)
