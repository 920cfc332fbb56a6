"""Cross-entropy "naive" on CUDA: one thread, one row.

    weights     each thread looks up the weight of its row's class; a sum of them is the divisor of a mean
    losses      each thread computes the loss of its row
    sum         of the losses (reduction/cuda_naive.py), and one thread divides it
    gradient    each thread writes the slopes of its row, divided

The idea: what the definition does with a row (reference.py) needs no other row, but for the divisor, which a launch
before has left in memory: launches of one stream run one after the other, and nothing waits for the host.

Index arithmetic and memory traffic are those of softmax/cuda_naive.py: the numbers of a thread's row lie together, so
those that the 32 threads of a warp read at a time lie C apart, and each row is read three times.

Losses and their sums are float64. A row whose class does not exist has a loss and slopes of NaN: arrays on a GPU are
not read before. Takes everything.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from ..reduction.cuda_naive import sum_rows
from ..reduction.geometry import Pass
from . import CrossEntropy
from .reference import loss_of_row, slopes_of_row


@cuda.jit
def target_weights_naive(target, weight, weights, ignored):
    """Each thread writes the weight of its row's class, 0 if that is ignored."""
    row = cuda.grid(1)
    if row < weights.size:
        label = target[row]
        weights[row] = weight[label] if 0 <= label < weight.size and label != ignored else 0.0


@cuda.jit
def cross_entropy_naive(x, target, weight, losses, smoothing, ignored):
    """Each thread computes the loss of a row."""
    row = cuda.grid(1)
    if row < losses.size:
        label, loss = target[row], 0.0
        if label != ignored:
            loss = loss_of_row(x[row], label, weight, smoothing) if 0 <= label < weight.size else math.nan
        losses[row] = loss


@cuda.jit
def cross_entropy_grad_naive(x, target, weight, divisor, gx, smoothing, ignored):
    """Each thread writes the slopes of a row."""
    row = cuda.grid(1)
    if row >= gx.shape[0]:
        return
    label, slopes = target[row], gx[row]
    if 0 <= label < weight.size and label != ignored:
        slopes_of_row(x[row], slopes, label, weight, divisor[0], smoothing)
    else:
        for c in range(slopes.size):
            slopes[c] = 0.0 if label == ignored else math.nan


@cuda.jit
def divided_naive(total, divisor, y):
    """One thread: the mean, NaN of no rows."""
    y[0] = total[0] / divisor[0] if divisor[0] != 0 else math.nan


def build(g: CrossEntropy) -> Run:
    """Prepare the launches: a thread for each row in each."""

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        (x, target, weight), y = arrays, outputs[0]
        x, target = x.reshape(g.rows, g.classes), target.reshape(-1)
        if weight is None:
            weight = new_like(x, (g.classes,), g.dtype)
            weight.fill(1)
        divisor = new_like(x, (1,), np.float64)
        divisor.fill(1)
        if g.mean:
            weights = new_like(x, (g.rows,), np.float64)
            launch_each(target_weights_naive, g.rows, target, weight, weights, g.ignored)
            sum_rows(weights, divisor, Pass(1, g.rows, 1))
        losses = new_like(x, (g.rows,), np.float64) if g.summed else y.reshape(-1)
        launch_each(cross_entropy_naive, g.rows, x, target, weight, losses, g.smoothing, g.ignored)
        if g.summed:
            total = new_like(x, (1,), np.float64)
            sum_rows(losses, total, Pass(1, g.rows, 1))
            launch_each(divided_naive, 1, total, divisor, y.reshape(-1))
        if g.with_grad:
            gx = outputs[1].reshape(g.rows, g.classes)
            launch_each(cross_entropy_grad_naive, g.rows, x, target, weight, divisor, gx, g.smoothing, g.ignored)

    return run
