"""The definition of the cross-entropy of classes, row by row, and of its gradient.

With smoothing s, a target is the class itself with the part ``1 - s``, and every class with the part ``s / C``.
"""

import math

from numba.extending import register_jitable

from ..softmax.reference import largest_of, sum_of_powers


@register_jitable
def _weight_of(weight, c):
    return 1.0 if weight is None else weight[c]


@register_jitable
def _divisor(target, weight, mean, ignored):
    """What the sum of the losses is divided by: for a mean, the weights of the targets."""
    if not mean:
        return 1.0
    total = 0.0
    for label in target:
        if label != ignored:
            total += _weight_of(weight, label)
    return total


@register_jitable
def loss_of_row(values, label, weight, smoothing):
    largest = largest_of(values)
    whole, C = math.log(sum_of_powers(values, largest)), values.size
    total = (1.0 - smoothing) * _weight_of(weight, label) * (whole - (values[label] - largest))
    for c in range(C):
        if smoothing > 0:
            total += smoothing / C * _weight_of(weight, c) * (whole - (values[c] - largest))
    return total


@register_jitable
def slopes_of_row(values, slopes, label, weight, divisor, smoothing):
    """``slopes = (softmax(values) * sum of the target's parts - target's parts) / divisor``."""
    C = values.size
    own = (1.0 - smoothing) * _weight_of(weight, label)
    parts = own
    for c in range(C):
        parts += smoothing / C * _weight_of(weight, c)
    largest = largest_of(values)
    powers = sum_of_powers(values, largest)
    for c in range(C):
        part = smoothing / C * _weight_of(weight, c) + (own if c == label else 0.0)
        slopes[c] = (parts * math.exp(values[c] - largest) / powers - part) / divisor


def cross_entropy(x, target, weight, y, summed, mean, smoothing, ignored):
    """``y = sum over rows of -log(softmax(x)[target]) * weight[target] / divisor``, or each loss."""
    C = x.shape[x.ndim - 1]
    labels, results, total = target.reshape(-1), y.reshape(-1), 0.0
    for row in range(labels.size):
        loss = 0.0
        if labels[row] != ignored:
            loss = loss_of_row(x.reshape((-1, C))[row], labels[row], weight, smoothing)
        if summed:
            total += loss
        else:
            results[row] = loss
    if summed:
        divisor = _divisor(labels, weight, mean, ignored)
        results[0] = total / divisor if divisor != 0 else math.nan


def cross_entropy_and_grad(x, target, weight, y, gx, summed, mean, smoothing, ignored):
    """`cross_entropy`, and ``gx = (softmax(x) * sum of the target's parts - target's parts) / divisor``."""
    C = x.shape[x.ndim - 1]
    labels, results, total = target.reshape(-1), y.reshape(-1), 0.0
    divisor = _divisor(labels, weight, mean, ignored)
    for row in range(labels.size):
        values, slopes, label, loss = x.reshape((-1, C))[row], gx.reshape((-1, C))[row], labels[row], 0.0
        for c in range(C):
            slopes[c] = 0.0
        if label != ignored:
            loss = loss_of_row(values, label, weight, smoothing)
            slopes_of_row(values, slopes, label, weight, divisor, smoothing)
        if summed:
            total += loss
        else:
            results[row] = loss
    if summed:
        results[0] = total / divisor if divisor != 0 else math.nan
