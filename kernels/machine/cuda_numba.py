"""Kernels written in Numba CUDA: launched on CuPy's arrays and stream, or in Numba's simulator on NumPy arrays.

The simulator (``NUMBA_ENABLE_CUDASIM=1`` before Numba is imported) runs every thread as a thread of Python: slow, but
it needs no GPU, and an index out of bounds is an exception.
"""

import math
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
from numba import config, cuda, types
from numba.extending import overload

from .products import times

# Small arrays have small grids, for which their caller is not to blame: Numba would warn of each.
warnings.filterwarnings("ignore", "Grid size .* under-utilization")

THREADS = 128
"""Threads of a block, where their number is free: four warps."""


def launch_each(kernel: Any, count: int, *arguments: Any) -> None:
    """Run ``kernel(*arguments)`` with a thread for each of ``count`` indices ``cuda.grid(1)``.

    Threads come in whole blocks, so that the last ones may have an index beyond: kernels check.
    """
    threads = min(THREADS, count)
    if count:
        launch(kernel, (-(-count // threads),), (threads,), *arguments)


def launch(kernel: Any, grid: tuple[int, ...], block: tuple[int, ...], *arguments: Any) -> None:
    """Run ``kernel(*arguments)`` over a grid of blocks, in order with the other work of CuPy's current stream.

    Arrays are passed as they are, without a copy and without waiting for the device.
    """
    if config.ENABLE_CUDASIM:
        kernel[grid, block](*arguments)
        return
    if any(isinstance(argument, np.ndarray) for argument in arguments):
        name = kernel.py_func.__name__
        raise TypeError(f"{name}: expects cupy.ndarray arguments but got numpy.ndarray (which its simulator takes)")
    import cupy

    stream = cuda.external_stream(cupy.cuda.get_current_stream().ptr)
    views = [cuda.as_cuda_array(a, sync=False) if isinstance(a, cupy.ndarray) else a for a in arguments]
    kernel[grid, block, stream](*views)


if config.ENABLE_CUDASIM:

    def fma(a, b, c):
        """``a * b + c`` of three floats of one type, rounded once, for device code."""
        exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        near = float(exact)
        if isinstance(a, np.float32) and near != exact and not np.float64(near).view(np.int64) & 1:
            # Of the float64 numbers around it that with an odd last bit, which a second rounding never takes for a tie.
            near = math.nextafter(near, math.inf if exact > near else -math.inf)
        return type(a)(near)

else:

    @cuda.jit(device=True)
    def fma(a, b, c):
        """``a * b + c`` of three floats of one type, rounded once, for device code."""
        return cuda.fma(a, b, c)

    @overload(times, target="cuda")
    def times_on_device(a, b):
        """An fma that adds -0, which changes no product: no compiler joins it with anything."""
        zero = np.float32(-0.0) if a == types.float32 else np.float64(-0.0)
        return lambda a, b: fma(a, b, zero)
