"""The definitions: the loss of one number, its slope by that number, and the loops around them.

Each definition takes a number, its target, the weight of the target's positive part (1 but for `bce_with_logits`) and
the loss's own parameter.
"""

import math
from collections.abc import Callable
from typing import Any

from numba.extending import register_jitable


@register_jitable
def _sign(d):
    return 1.0 if d > 0 else -1.0 if d < 0 else d  # NaN stays NaN


def _mse(x, t, p, parameter):
    d = x - t
    return d * d, 2.0 * d


def _l1(x, t, p, parameter):
    d = x - t
    return abs(d), _sign(d)


def _huber(x, t, p, delta):
    d = x - t
    if abs(d) > delta:
        return delta * (abs(d) - 0.5 * delta), delta * _sign(d)
    return 0.5 * d * d, d


def _smooth_l1(x, t, p, beta):
    d = x - t
    if abs(d) >= beta:
        return abs(d) - 0.5 * beta, _sign(d)
    return 0.5 * d * d / beta, d / beta


def _charbonnier(x, t, p, eps):
    d = x - t
    y = math.sqrt(d * d + eps * eps)
    return y, d / y


def _bce_with_logits(x, t, p, parameter):
    # softplus(z) = log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)); its slope is the sigmoid.
    e = math.exp(-abs(x))
    rest = math.log1p(e)
    below, above = (-x if x < 0 else 0.0) + rest, (x if x > 0 else 0.0) + rest  # softplus of -x and of x
    small, large = e / (1.0 + e), 1.0 / (1.0 + e)
    sigmoid, other = (small, large) if x < 0 else (large, small)  # of x and of -x
    return t * p * below + (1.0 - t) * above, (1.0 - t) * sigmoid - t * p * other


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "mse_loss": _mse,
    "l1_loss": _l1,
    "huber_loss": _huber,
    "smooth_l1_loss": _smooth_l1,
    "charbonnier_loss": _charbonnier,
    "bce_with_logits": _bce_with_logits,
}


def loss_loops(name: str, definition: Callable[..., Any]) -> Callable[..., None]:
    """``y = scale * sum(weight * loss)``, or each ``weight * loss`` where they are not summed."""
    scalar = register_jitable(definition)

    def loops(x, target, weight, positive, y, scale, summed, number, parameter):
        flat, results, total = x.reshape(-1), y.reshape(-1), 0.0
        for i in range(x.size):
            t = number if target is None else target.reshape(-1)[i]
            p = 1.0 if positive is None else positive.reshape(-1)[i]
            value, _ = scalar(flat[i], t, p, parameter)
            if weight is not None:
                value *= weight.reshape(-1)[i]
            if summed:
                total += value
            else:
                results[i] = value
        if summed:
            results[0] = total * scale

    loops.__name__ = loops.__qualname__ = name
    return loops


def loss_with_gradient_loops(name: str, definition: Callable[..., Any]) -> Callable[..., None]:
    """`loss_loops`, and ``gx = scale * weight * slope``."""
    scalar = register_jitable(definition)

    def loops(x, target, weight, positive, y, gx, scale, summed, number, parameter):
        flat, results, slopes, total = x.reshape(-1), y.reshape(-1), gx.reshape(-1), 0.0
        for i in range(x.size):
            t = number if target is None else target.reshape(-1)[i]
            p = 1.0 if positive is None else positive.reshape(-1)[i]
            value, slope = scalar(flat[i], t, p, parameter)
            if weight is not None:
                value *= weight.reshape(-1)[i]
                slope *= weight.reshape(-1)[i]
            slopes[i] = scale * slope
            if summed:
                total += value
            else:
                results[i] = value
        if summed:
            results[0] = total * scale

    loops.__name__ = loops.__qualname__ = name
    return loops
