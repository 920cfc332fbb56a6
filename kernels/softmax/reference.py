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


@register_jitable
def softmax_row(values, results):
    """``results = exp(values) / sum(exp(values))``."""
    largest = largest_of(values)
    total = sum_of_powers(values, largest)
    for c in range(values.size):
        results[c] = math.exp(values[c] - largest) / total


@register_jitable
def log_softmax_row(values, results):
    """``results = values - log(sum(exp(values)))``."""
    largest = largest_of(values)
    total = sum_of_powers(values, largest)
    for c in range(values.size):
        results[c] = (values[c] - largest) - math.log(total)


@register_jitable
def softmax_grad_row(slopes, values, results):
    """``results = values * (slopes - sum(slopes * values))``."""
    total = 0.0
    for c in range(values.size):
        total += slopes[c] * values[c]
    for c in range(values.size):
        results[c] = values[c] * (slopes[c] - total)


@register_jitable
def log_softmax_grad_row(slopes, values, results):
    """``results = slopes - exp(values) * sum(slopes)``."""
    total = 0.0
    for c in range(values.size):
        total += slopes[c]
    for c in range(values.size):
        results[c] = slopes[c] - math.exp(values[c]) * total


def softmax(x, y):
    """``y = exp(x) / sum(exp(x))``."""
    C = x.shape[x.ndim - 1]
    for row in range(x.size // max(1, C)):
        softmax_row(x.reshape((-1, C))[row], y.reshape((-1, C))[row])


def log_softmax(x, y):
    """``y = x - log(sum(exp(x)))``."""
    C = x.shape[x.ndim - 1]
    for row in range(x.size // max(1, C)):
        log_softmax_row(x.reshape((-1, C))[row], y.reshape((-1, C))[row])


def softmax_grad(gy, y, gx):
    """``gx = y * (gy - sum(gy * y))``."""
    C = y.shape[y.ndim - 1]
    for row in range(y.size // max(1, C)):
        softmax_grad_row(gy.reshape((-1, C))[row], y.reshape((-1, C))[row], gx.reshape((-1, C))[row])


def log_softmax_grad(gy, y, gx):
    """``gx = gy - exp(y) * sum(gy)``."""
    C = y.shape[y.ndim - 1]
    for row in range(y.size // max(1, C)):
        log_softmax_grad_row(gy.reshape((-1, C))[row], y.reshape((-1, C))[row], gx.reshape((-1, C))[row])
