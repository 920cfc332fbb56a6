"""The definitions of noise: which numbers of the random stream meet which numbers of the image."""

from numba.extending import register_jitable

from ..random.reference import normal_of, philox_block


def add_noise(x, place, spread, low, y, each, mean, std, high, words, unit):
    """``y = x + spread * (mean + std * z)``, in [low, high]; without a spread it is 1, without low there is no end.

    Numbers of x and spread are multiplied by ``unit`` first, which is 1 but for integers.
    """
    values, results = x.reshape(-1), y.reshape(-1)
    for i in range(values.size):
        noise = mean + std * normal_of(place, i, words)
        if spread is not None:
            noise *= spread.reshape(-1)[i] * unit
        value = values[i] * unit + noise
        if low is not None and value < low[i // each]:
            value = low[i // each]
        results[i] = high if value > high else value


@register_jitable
def replacement(place, i, share, salt, value, low, clip):
    """Number i, within [low, 1] if it is to be clipped, or what it is replaced by."""
    block = philox_block(place, i // 2)
    j = i % 2 * 2
    if block[j] < share:
        return 1.0 if block[j + 1] < salt else low
    if clip:
        raised = low if value < low else value
        return 1.0 if raised > 1 else raised
    return value


def salt_and_pepper(x, place, low, y, each, share, salt, clip, unit):
    """``y`` is 1 or low where a word is below the share."""
    values, results = x.reshape(-1), y.reshape(-1)
    for i in range(values.size):
        results[i] = replacement(place, i, share, salt, values[i] * unit, low[i // each], clip)
