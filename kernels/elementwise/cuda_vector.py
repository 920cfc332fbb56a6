"""Elementwise operations "vector" on CUDA: the host side of cuda_vector.cu, which holds the idea.

Takes everything. Whether threads load 16 bytes at a time is decided at each call, by where its arrays begin.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import contiguous
from ..machine import cuda
from ..operation import Run
from .geometry import Elementwise

_SOURCE = Path(__file__).with_suffix(".cu")
_THREADS = 256
_PER_THREAD = 4  # groups, as in cuda_vector.cu
_LARGE = 1 << 31  # groups whose numbers the kernel takes apart in 64 bits

FUNCTIONS = (
    "add", "subtract", "multiply", "divide", "maximum", "minimum", "relu_grad", "leaky_relu_grad", "tanh_grad",
    "sigmoid_grad", "negative", "absolute", "square", "sqrt", "exp", "log", "power", "relu", "leaky_relu", "tanh",
    "sigmoid", "softplus",
)  # fmt: skip
"""As enum Function in cuda_vector.cu, activations included."""


@functools.cache
def arguments_of(axes: int) -> np.dtype:
    """As struct Arguments in cuda_vector.cu."""
    words = [(name, np.uint64) for name in ("a", "b", "y", "size")] + [("parameter", np.float64)]
    return np.dtype([*words, ("steps_a", np.int64, axes), ("steps_b", np.int64, axes), ("extents", cuda.DIVISOR, axes)])


@functools.cache
def kernel_for(
    function: str, dtype: str, vector: int, axes: int, repeated: tuple[bool, bool], *, large: bool = False
) -> cuda.Kernel:
    """The kernel for one function, type, numbers in a group, axes, and operands that a group has one number of."""
    macros = (
        ("THREADS", _THREADS), ("DOUBLE", int(dtype == "float64")), ("VECTOR", vector), ("AXES", axes),
        ("LARGE", int(large)), ("REPEAT_A", int(repeated[0])), ("REPEAT_B", int(repeated[1])),
        ("FUNCTION", FUNCTIONS.index(function)),
    )  # fmt: skip
    forms = "".join("s" if repeat else "v" for repeat in repeated)
    name = f"{function}_{dtype}_x{vector}_{forms}_{axes}d{'_large' if large else ''}"
    return cuda.Kernel(_SOURCE, name, _THREADS, arguments_of(axes), macros)


def group_of(g: Elementwise) -> int:
    """Neighbouring numbers that 16 bytes hold, where a call can take them at once, else 1."""
    vector = 16 // g.dtype.itemsize
    if any(steps[-1] not in (0, 1) for steps in g.strides):
        return 1
    if len(g.shape) == 1:
        return vector
    rows = [step for steps in g.strides if steps[-1] == 1 for step in steps[:-1]]
    return 1 if g.shape[-1] % vector or any(step % vector for step in rows) else vector


def _stage(g: Elementwise, vector: int) -> cuda.Stage:
    """The launch with groups of so many numbers."""
    axes, groups = len(g.shape), g.size // vector
    large = groups >= _LARGE
    repeated = tuple(vector > 1 and steps[-1] == 0 for steps in g.strides)
    both = (*repeated, False)[:2]
    kernel = kernel_for(g.operation, g.dtype.name, vector, axes, both, large=large and axes > 1)
    prepared = np.zeros(1, kernel.arguments)
    prepared["size"], prepared["parameter"] = g.size, g.parameter
    for name, steps in zip(("steps_a", "steps_b"), g.strides, strict=False):
        prepared[name] = (*steps[:-1], steps[-1] * vector)
    prepared["extents"] = [cuda.divisor(extent) for extent in (*g.shape[:-1], max(1, g.shape[-1] // vector))]
    blocks = max(1, -(-groups // (_THREADS * _PER_THREAD)))
    return cuda.Stage(kernel, (blocks, 1, 1), 0, prepared)


def build(g: Elementwise) -> Run:
    """Prepare the launch of an operation of this folder, or of an activation."""
    wide = group_of(g)
    stages = {vector: _stage(g, vector) for vector in {1, wide} if g.size}
    read = [steps[-1] == 1 for steps in g.strides]  # as groups

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if not g.size:
            return
        arrays = tuple(contiguous(g.operation, a) if copied else a for a, copied in zip(arrays, g.copied, strict=True))
        groups = [a for a, whole in zip(arrays, read, strict=True) if whole]
        aligned = not any(cuda.address(array) % 16 for array in (*groups, *outputs))
        stages[wide if aligned else 1].run((*arrays, None)[:2], outputs)

    return run
