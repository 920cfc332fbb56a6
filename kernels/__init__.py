"""Pure functions on arrays: the compiled kernels that everything else is made of.

An array is a ``numpy.ndarray`` (CPU) or a ``cupy.ndarray`` (CUDA); images are ``(N, H, W, C)``. Each operation is a
folder: its public functions and declaration, its definition in loops, and its variants, one per file.
"""

from .convolution import conv2d, conv2d_input_grad, conv2d_weight_grad, conv_transpose2d
from .correlation import correlate1d, correlate_separable2d
from .machine.memory import memory_report, memory_trim
from .operation import explain, trace, use_variant
from .random import random_blocks, random_normal, random_permutation, random_uniform

__all__ = [
    "conv2d",
    "conv2d_input_grad",
    "conv2d_weight_grad",
    "conv_transpose2d",
    "correlate1d",
    "correlate_separable2d",
    "explain",
    "memory_report",
    "memory_trim",
    "random_blocks",
    "random_normal",
    "random_permutation",
    "random_uniform",
    "trace",
    "use_variant",
]
