"""What the processor offers to a kernel: how wide its vector registers are and how many, a name to key code by.

Numba compiles for the machine it runs on unless ``NUMBA_CPU_NAME``/``NUMBA_CPU_FEATURES`` say otherwise; the same
two settings decide here, so that ``NUMBA_CPU_NAME=haswell`` exercises the AVX2 kernels on an AVX-512 machine.
"""

import functools
import re

from numba.core import config
from numba.core.registry import cpu_target

# Bytes in one vector register, by the name of the processor, when the user names one without listing its features.
_AVX512_NAMES = ("avx512", "icelake", "sapphirerapids", "graniterapids", "cascadelake", "tigerlake", "znver4", "znver5")
_AVX2_NAMES = ("haswell", "broadwell", "skylake", "alderlake", "znver1", "znver2", "znver3", "x86-64-v3")


@functools.cache
def target() -> tuple[str, str, str]:
    """The triple, processor name and feature string that Numba compiles for."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    return str(triple), str(name), str(features)


@functools.cache
def vector_bytes() -> int:
    """Width of the widest vector register in bytes: 64 (AVX-512), 32 (AVX2) or 16 (SSE, NEON).

    >>> vector_bytes() in (16, 32, 64)
    True
    """
    _, name, features = target()
    if config.CPU_NAME and not config.CPU_FEATURES:
        if any(part in name for part in _AVX512_NAMES):
            return 64
        return 32 if any(part in name for part in _AVX2_NAMES) else 16
    flags = set(features.split(","))
    if "+avx512f" in flags:
        return 64
    return 32 if "+avx2" in flags and "+fma" in flags else 16


def vector_registers() -> int:
    """How many vector registers there are: 16 on x86 without AVX-512, 32 elsewhere.

    >>> vector_registers() in (16, 32)
    True
    """
    architecture = target()[0].partition("-")[0]
    x86 = architecture == "x86_64" or re.fullmatch("i[3-6]86", architecture) is not None
    return 16 if x86 and vector_bytes() < 64 else 32


def lanes(itemsize: int) -> int:
    """How many numbers of ``itemsize`` bytes one vector register holds."""
    return vector_bytes() // itemsize
