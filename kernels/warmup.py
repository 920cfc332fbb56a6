"""Kernels compiled ahead of their first use."""

import numpy as np
from numpy.typing import DTypeLike

from .contexts import operations
from .machine.compile import compiled_kernels
from .machine.threads import layer


def warmup(dtype: DTypeLike = "float32") -> int:
    """Compile what arrays of one dtype need, and store it in the on-disk cache for later processes.

    Runs the sample cases of every operation. A cache that is full already costs a fraction of a second; an empty one
    is filled in about a minute. Useful in the building of an image or before many processes start at once.

    Parameters
    ----------
    dtype : float32 or float64

    Returns
    -------
    int
        How many kernels were compiled; 0 where the cache had them all.

    Raises
    ------
    TypeError
        For another dtype.

    Examples
    --------
    >>> compiled = warmup()
    >>> warmup()
    0
    """
    wanted = np.dtype(dtype)
    if wanted.char not in "fd" or not wanted.isnative:
        raise TypeError(f"warmup: dtype expects float32 or float64 but got {wanted}")
    before = len(compiled_kernels)
    layer()  # the parallel driver
    for operation in tuple(operations.values()):
        for case in operation.cases:
            arrays, keywords = operation.sample(case, wanted.name)
            operation.function(*arrays, **keywords)
    return len(compiled_kernels) - before
