"""The definition of the optimisers' steps for one parameter, in loops that can be checked by hand.

All arrays are flat and of one size. Results come in arrays of their own, which may be the arguments: element i of the
results depends on elements i alone. ``scalars`` holds what changes from step to step.
"""

import math

from numba.extending import register_jitable


@register_jitable
def adam_element(p, g, m, v, scalars, decay):
    """The parameter and both averages after a step, of one number: see `adam`."""
    rest1, beta2, rest2 = scalars[0], scalars[1], scalars[2]  # 1 - beta1, beta2, 1 - beta2
    step_size, correction, eps, amount = scalars[3], scalars[4], scalars[5], scalars[6]
    if decay == 1:
        g += amount * p
    if decay == 2:
        p -= amount * p
    m += rest1 * (g - m)
    v = beta2 * v + rest2 * g * g
    return p - step_size * m / (math.sqrt(v) / correction + eps), m, v


def adam(parameter, grad, exp_avg, exp_avg_sq, scalars, new_parameter, new_avg, new_avg_sq, decay):
    """Adam (Kingma and Ba 2015); ``decay`` is 0 (none), 1 (added to the gradient) or 2 (AdamW: off the parameter).

    ``step_size`` is the learning rate over ``1 - beta1**step``, ``correction`` the root of ``1 - beta2**step``.
    """
    for i in range(parameter.size):
        new_parameter[i], new_avg[i], new_avg_sq[i] = adam_element(
            parameter[i], grad[i], exp_avg[i], exp_avg_sq[i], scalars, decay
        )


@register_jitable
def sgd_element(p, g, scalars, decay):
    """One number after a step: see `sgd`."""
    lr, weight_decay = scalars[0], scalars[1]
    if decay == 1:
        g += weight_decay * p
    return p - lr * g


def sgd(parameter, grad, scalars, new_parameter, decay):
    """``parameter - lr * (grad + weight_decay * parameter)``; ``decay`` is 0 or 1."""
    for i in range(parameter.size):
        new_parameter[i] = sgd_element(parameter[i], grad[i], scalars, decay)


@register_jitable
def momentum_element(p, g, b, scalars, decay, nesterov, first):
    """The parameter and the sum of gradients after a step, of one number: see `sgd_momentum`."""
    lr, weight_decay, momentum, share = scalars[0], scalars[1], scalars[2], scalars[3]  # share: 1 - dampening
    if decay == 1:
        g += weight_decay * p
    b = g if first else momentum * b + share * g
    return p - lr * (g + momentum * b if nesterov else b), b


def sgd_momentum(parameter, grad, buffer, scalars, new_parameter, new_buffer, decay, nesterov, first):
    """Steps along a decaying sum of gradients, which the first step starts with the gradient itself."""
    for i in range(parameter.size):
        new_parameter[i], new_buffer[i] = momentum_element(
            parameter[i], grad[i], buffer[i], scalars, decay, nesterov, first
        )


@register_jitable
def average_element(average, number, scalars):
    """One number after a step: see `average`."""
    return average + scalars[0] * (number - average)


def average(average, array, scalars, new_average):
    """``average + share * (array - average)``; ``share`` is what is not kept."""
    for i in range(average.size):
        new_average[i] = average_element(average[i], array[i], scalars)


def norm_of_all(numbers, norm):
    """The square root of the sum of all squares."""
    total = 0.0
    for i in range(numbers.size):
        total += float(numbers[i]) ** 2
    norm[()] = math.sqrt(total)
