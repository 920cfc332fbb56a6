"""CUDA C++ kernels on the CPU: the same source, compiled by g++ under another ``cuda_ptx.cuh``.

`launch` has the signature of a launcher of `tilegrad.kernels.machine.cuda`, so that inside ``with
cuda.launching(emulator.launch):`` every ``cuda`` variant runs on NumPy arrays. It finds wrong indices, swizzles and
fragments, accesses out of bounds or misaligned, races between threads of a block (missing barriers and missing
waits), divergence at warp instructions, and outputs written twice. An array that a launch reads and writes is updated
in place: each word once, by the one thread that reads it, or lowered by any of them. Another ``seed`` runs threads in
another order, on which nothing may depend. Tensor cores cut what they add, as those of Ampere are known to. It cannot
show what else depends on the hardware, such as timing.
"""

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tilegrad.kernels.machine.cuda import HEADERS, Kernel

_FOLDER = Path(__file__).parent
# Fibers switch by longjmp, which the fortified one would refuse. Libraries of two kernels share no state.
_FLAGS = ["-std=c++17", "-O2", "-shared", "-fPIC", "-U_FORTIFY_SOURCE", "-fvisibility=hidden", f"-I{_FOLDER}"]
_FLAGS += [f"-I{HEADERS[0].parent}"]  # behind the folder that has the emulator's cuda_ptx.cuh
_INPUT, _OUTPUT, _UPDATE = range(3)  # as enum Use in memory.h


class EmulationError(RuntimeError):
    """The kernel made a mistake; the message holds the line of its source, the block and the thread."""


def compiler() -> str | None:
    """The C++ compiler that the emulator uses, or None where there is none."""
    return shutil.which(os.environ.get("CXX", "g++"))


@functools.cache
def _library(kernel: Kernel) -> ctypes.PyDLL:
    """The kernel with the emulator, compiled once for each text and kept in the system's temporary folder."""
    command = [str(compiler()), *_FLAGS, f'-DSOURCE="{kernel.source}"', *kernel.options, str(_FOLDER / "entry.cpp")]
    digest = hashlib.sha256(repr(command).encode() + kernel.source.read_bytes())
    for part in (*kernel.headers, *sorted(_FOLDER.glob("*.*"))):
        digest.update(part.read_bytes())
    folder = Path(tempfile.gettempdir()) / f"tilegrad-emulator-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{kernel.name}-{digest.hexdigest()[:20]}.so"
    if not path.exists():
        temporary = path.with_suffix(f".{os.getpid()}")
        built = subprocess.run([*command, "-o", str(temporary)], capture_output=True, text=True, check=False)
        if built.returncode:
            raise EmulationError(f"{kernel.name}: {' '.join(command)}\n{built.stderr}")
        os.replace(temporary, path)
    library = ctypes.PyDLL(str(path))  # one launch at a time: the emulator has one machine
    library.emulate.restype = ctypes.c_char_p
    library.loads_made.restype = ctypes.c_longlong
    return library


def loads(kernel: Kernel) -> int:
    """How many loads from device memory the threads of the kernel's last launch have made, of any width."""
    return int(_library(kernel).loads_made())


def launch(
    kernel: Kernel,
    grid: tuple[int, int, int],
    shared_bytes: int,
    arguments: np.ndarray,
    arrays: Sequence[Any],
    outputs: Sequence[Any],
    seed: int = 0,
) -> None:
    """Run a kernel, as `tilegrad.kernels.machine.cuda.launch` does, on NumPy arrays.

    An array that is among both ``arrays`` and ``outputs`` is updated in place. Blocks, warps and lanes run in the order
    of their numbers, or in a random one of that seed.
    """
    if arguments.dtype != kernel.arguments or arguments.shape != (1,):
        raise EmulationError(f"{kernel.name}: arguments are not the struct that the kernel declares")
    if kernel.threads % 32 or not 0 < kernel.threads <= 1024 or min(grid) < 1 or max(grid[1:]) > 65535:
        raise EmulationError(f"{kernel.name}: no GPU launches {kernel.threads} threads in a grid of {grid}")
    read, written = {id(a) for a in arrays}, {id(a) for a in outputs}
    both = [(a, _INPUT) for a in arrays if id(a) not in written]
    both += [(a, _UPDATE if id(a) in read else _OUTPUT) for a in outputs]
    begins, ends = zip(*[np.lib.array_utils.byte_bounds(a) for a, _ in both], strict=True)  # views have gaps
    pointers = ctypes.c_void_p * len(both)
    mistake = _library(kernel).emulate(
        (ctypes.c_int * 3)(*grid),
        kernel.threads,
        ctypes.c_longlong(shared_bytes),
        ctypes.c_void_p(arguments.ctypes.data),
        len(both),
        pointers(*begins),
        pointers(*ends),
        (ctypes.c_int * len(both))(*[use for _, use in both]),
        seed,
    )
    if mistake:
        raise EmulationError(f"{kernel.source.name}: {mistake.decode()}")
