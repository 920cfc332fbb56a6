"""The definitions, row by row: the largest number is subtracted before any exponential, which changes no result."""

import math

from numba.extending import register_jitable


@register_jitable
def largest_of(row):
    """The largest number of a vector; NaN where one is."""
    largest = -math.inf
    for value in row:
        if value > largest or value != value:
            largest = value
    return largest


@register_jitable
def sum_of_powers(row, largest):
    """``sum(exp(row - largest))``: at least 1, or NaN where a number is NaN or the largest is infinite."""
    total = 0.0
    for value in row:
        total += math.exp(value - largest)
    return total


def softmax(x, y):
    """``y = exp(x) / sum(exp(x))``."""
    C = x.shape[x.ndim - 1]
    for row in range(x.size // max(1, C)):
        values, results = x.reshape((-1, C))[row], y.reshape((-1, C))[row]
        largest = largest_of(values)
        total = sum_of_powers(values, largest)
        for c in range(C):
            results[c] = math.exp(values[c] - largest) / total


def log_softmax(x, y):
    """``y = x - log(sum(exp(x)))``."""
    C = x.shape[x.ndim - 1]
    for row in range(x.size // max(1, C)):
        values, results = x.reshape((-1, C))[row], y.reshape((-1, C))[row]
        largest = largest_of(values)
        total = sum_of_powers(values, largest)
        for c in range(C):
            results[c] = (values[c] - largest) - math.log(total)


def softmax_grad(gy, y, gx):
    """``gx = y * (gy - sum(gy * y))``."""
    C = y.shape[y.ndim - 1]
    for row in range(y.size // max(1, C)):
        slopes, values, results = gy.reshape((-1, C))[row], y.reshape((-1, C))[row], gx.reshape((-1, C))[row]
        total = 0.0
        for c in range(C):
            total += slopes[c] * values[c]
        for c in range(C):
            results[c] = values[c] * (slopes[c] - total)


def log_softmax_grad(gy, y, gx):
    """``gx = gy - exp(y) * sum(gy)``."""
    C = y.shape[y.ndim - 1]
    for row in range(y.size // max(1, C)):
        slopes, values, results = gy.reshape((-1, C))[row], y.reshape((-1, C))[row], gx.reshape((-1, C))[row]
        total = 0.0
        for c in range(C):
            total += slopes[c]
        for c in range(C):
            results[c] = slopes[c] - math.exp(values[c]) * total
