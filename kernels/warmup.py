"""Kernels compiled ahead of their first use."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .contexts import operations
from .machine import threads
from .machine.ahead import Kernel, Progress, compile_ahead
from .machine.compile import rehearse


def warmup(
    dtype: DTypeLike = "float32",
    *,
    run: Callable[[], Any] | None = None,
    jobs: int | None = None,
    told: Progress | None = None,
) -> int:
    """Compile what is going to be needed, in several processes, and store it in the on-disk cache for later ones.

    Useful in the building of an image, before many processes start at once, and at the start of a training, which
    would otherwise compile one kernel after another. Where the cache has everything it costs a fraction of a second.

    Parameters
    ----------
    dtype : float32 or float64
        Compile what arrays of this dtype need in the sample cases of every operation, unless ``run`` is given.
    run : callable without arguments
        Compile what this needs, such as one step of a training. It is called in a *rehearsal*: its operations check
        their arguments and give arrays of zeros, but compute nothing and write to no array. What it does besides
        calling operations does happen: an optimiser counts a step.
    jobs : int
        How many processes may compile at once; by default, as many as this one may use processors.
    told : callable
        ``told(done, total, name)`` is called, from any thread, when a kernel is ready.

    Returns
    -------
    int
        How many kernels were compiled; 0 where the cache had them all.

    Raises
    ------
    TypeError
        For another dtype.
    ValueError
        If ``jobs`` is less than 1.
    RuntimeError
        If kernels could not be compiled, after all others were. Whatever uses them will try again.

    Examples
    --------
    >>> from tilegrad import kernels
    >>> weight, image = np.ones((4, 3, 3, 2), "f4"), np.ones((1, 8, 8, 2), "f4")
    >>> compiled = warmup(run=lambda: kernels.conv2d(image, weight))
    >>> warmup(run=lambda: kernels.conv2d(image, weight))
    0
    """
    wanted = np.dtype(dtype)
    if wanted.char not in "fd" or not wanted.isnative:
        raise TypeError(f"warmup: dtype expects float32 or float64 but got {wanted}")
    if jobs is not None and jobs < 1:
        raise ValueError(f"warmup: jobs expects at least 1 but got {jobs}")
    outcome = compile_ahead(missing_kernels(run or (lambda: call_samples(wanted))), jobs, told)
    if outcome.failures:
        name, reason = next(iter(outcome.failures.items()))
        count = len(outcome.failures)
        raise RuntimeError(f"warmup: {count} kernel{'s' * (count > 1)} could not be compiled; {name}: {reason}")
    return outcome.compiled


def missing_kernels(run: Callable[[], Any]) -> list[Kernel]:
    """The kernels that a call would have to compile: neither this process nor the disk has them."""
    with rehearse() as missing:
        threads.prepare()
        run()
    return list(missing)


def call_samples(dtype: np.dtype) -> None:
    """Call every operation on its sample cases."""
    for operation in tuple(operations.values()):
        for case in operation.cases:
            arrays, keywords = operation.sample(case, dtype.name)
            operation.function(*arrays, **keywords)
