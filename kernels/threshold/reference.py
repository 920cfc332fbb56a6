"""The definition of thresholds."""

from numba.extending import register_jitable

RULES = ("binary", "binary_inv", "trunc", "tozero", "tozero_inv")


@register_jitable
def thresholded(value, level, top, zero, rule):
    """What a number becomes; ``zero`` is that of its type, so that nothing is widened."""
    above, below = value > level, value <= level  # NaN is neither
    if rule == 0:
        return top if above else zero
    if rule == 1:
        return top if below else zero
    if rule == 2:
        return level if above else value
    if rule == 3:
        return zero if below else value
    return zero if above else value


def threshold(x, levels, y, n, rule, top):
    """Every number by itself; images have one level each."""
    values, each, results = x.reshape(n, -1), levels.reshape(n), y.reshape(n, -1)
    for i in range(n):
        for j in range(values.shape[1]):
            results[i, j] = thresholded(values[i, j], each[i], top, 0.0, rule)
