"""Random numbers "blocks" on CUDA: the host side of cuda_blocks.cu, which holds the idea. Dropout and noise are made
there too.

Takes everything. Whether threads store a block at once is decided at each call, by where its arrays begin.
"""

import functools
from pathlib import Path
from typing import Any

import numpy as np

from ..machine import cuda
from ..operation import Run
from .normal import COS_32, COS_64, LOG_32, LOG_64, MINUS_2_LOG_2, SIN_32, SIN_64

_SOURCE = Path(__file__).with_suffix(".cu")
_THREADS = 256

MODES = ("uniform", "normal", "dropout", "added", "spread", "replaced", "clipped")
_INPUTS = ("float32", "float64", "uint8", "uint16")
_SERIES = {"float32": (LOG_32, SIN_32, COS_32), "float64": (LOG_64, SIN_64, COS_64)}


@functools.cache
def arguments_of(dtype: str) -> np.dtype:
    """As struct Arguments in cuda_blocks.cu."""
    words = [(name, np.uint64) for name in ("place", "x", "spread", "low", "y", "n", "each", "threshold", "salt")]
    numbers = [(name, dtype) for name in ("offset", "scale", "largest", "unit", "minus_2_log_2")]
    series = zip(("log", "sine", "cosine"), _SERIES[dtype], strict=True)
    return np.dtype([*words, *numbers, *[(name, dtype, len(values)) for name, values in series]], align=True)


@functools.cache
def kernel_for(mode: str, dtype: str, source: str, *, wide: bool) -> cuda.Kernel:
    """The kernel of one mode, a type of results and one of what is read; a ``wide`` one stores a block at once."""
    macros = (
        ("THREADS", _THREADS), ("DOUBLE", int(dtype == "float64")), ("WIDE", int(wide)), ("MODE", MODES.index(mode)),
        ("INPUT", _INPUTS.index(source)),
    )  # fmt: skip
    name = f"{mode}_{dtype}_{'' if source == dtype else f'of_{source}_'}{'blocks' if wide else 'numbers'}"
    return cuda.Kernel(_SOURCE, name, _THREADS, arguments_of(dtype), macros)


def launch_of(mode: str, dtype: np.dtype, n: int, source: np.dtype | None = None, **numbers: Any) -> Run:
    """What makes ``n`` numbers of ``(place, x, spread, low)`` or of the first of them, as the mode says.

    ``source`` is the type of x and spread, where it is not that of the result; ``numbers`` are arguments by name.
    """
    source = source or dtype
    values = 2 if mode in ("replaced", "clipped") or (dtype.itemsize == 8 and mode != "dropout") else 4
    prepared = np.zeros(1, arguments_of(dtype.name))
    prepared["n"], prepared["minus_2_log_2"] = n, MINUS_2_LOG_2
    prepared["log"], prepared["sine"], prepared["cosine"] = _SERIES[dtype.name]
    for name, number in numbers.items():
        prepared[name] = number
    grid = (-(-n // (values * _THREADS)), 1, 1)
    kernels = [kernel_for(mode, dtype.name, source.name, wide=wide) for wide in (False, True)]
    stages = [cuda.Stage(kernel, grid, 0, prepared) for kernel in kernels]

    def run(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        if n:
            wide = not any(cuda.address(array) % (values * source.itemsize) for array in arrays[1:3])
            wide = wide and not any(cuda.address(array) % (values * dtype.itemsize) for array in outputs)
            stages[wide].run((*arrays, None, None, None)[:4], outputs)

    return run


def build(g: Any) -> Run:
    """Prepare the launch of `random_uniform` or `random_normal`."""
    offset, scale, largest = g.constants
    return launch_of(g.kind, g.dtype, g.n, offset=offset, scale=scale, largest=largest)
