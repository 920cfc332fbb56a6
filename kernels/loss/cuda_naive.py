"""Losses "naive" on CUDA: one thread, one number.

The idea: each thread computes the loss of its number, and the slope if the gradient is asked for, with the definition
(reference.py). What is to be summed goes to memory in float64, and reduction/cuda_naive.py adds it up in a fixed order.

Index arithmetic: threads are numbered as numbers lie in memory, so the 32 of a warp read neighbouring words. A target
that is one number for all, and weights that are not given, are arrays of one number with a step of 0.

Memory traffic: 8 bytes a number are written and read again only to be summed. A kernel that adds what its block has
computed before it writes would save that, which is most of the traffic of a loss without its gradient.

Takes everything.
"""

import functools
from typing import Any

import numpy as np
from numba import cuda

from ..arrays import new_like
from ..machine.cuda_numba import launch_each
from ..operation import Run
from ..reduction.cuda_naive import sum_rows
from ..reduction.geometry import Pass
from .declare import Loss
from .reference import DEFINITIONS


@functools.cache
def loss_kernel(loss: str) -> Any:
    """The kernel of a loss; an empty gx stands for none."""
    scalar = cuda.jit(device=True)(DEFINITIONS[loss])

    def kernel(x, target, weight, positive, losses, gx, steps, scale, parameter):
        i = cuda.grid(1)
        if i >= x.size:
            return
        value, slope = scalar(x[i], target[i * steps[0]], positive[i * steps[2]], parameter)
        factor = weight[i * steps[1]]
        losses[i] = value * factor
        if gx.size > 0:
            gx[i] = scale * (slope * factor)

    kernel.__name__ = kernel.__qualname__ = f"{loss}_naive"
    return cuda.jit(kernel)


def _flat(array: Any, number: float, x: Any) -> tuple[Any, int]:
    """The numbers of an array and the step from one to the next; of None, ``number`` and 0."""
    if array is not None:
        return array.reshape(-1), 1
    one = new_like(x, (1,), x.dtype)
    one.fill(number)
    return one, 0


def build(g: Loss) -> Run:
    """Prepare the launches: a thread for each number, and those of the sum."""
    kernel = loss_kernel(g.loss)

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        x, target, weight, positive = arrays
        given = _flat(target, g.number or 0.0, x), _flat(weight, 1.0, x), _flat(positive, 1.0, x)
        (target, weight, positive), steps = zip(*given, strict=True)
        y = outputs[0].reshape(-1)
        losses = new_like(x, (g.size,), np.float64) if g.summed else y
        gx = outputs[1].reshape(-1) if g.with_grad else losses[:0]
        launch_each(kernel, g.size, x.reshape(-1), target, weight, positive, losses, gx, steps, g.scale, g.parameter)
        if g.summed:
            sum_rows(losses, y, Pass(1, g.size, 1), g.scale)

    return run
