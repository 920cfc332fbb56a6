"""Kernels of CUDA C++: compiled once for an architecture, kept on disk, launched.

A `Kernel` names a source file, the tile it is compiled for and the layout of its one argument, a struct passed by
value: one struct is written and passed faster than fifteen scalars, and both sides check its size.

`launch` runs a kernel on the GPU of the current CuPy device and stream. What runs it can be replaced inside a block
(`launching`), so that the same host code drives a simulation on machines without a GPU.

GPUs differ in the instructions that they have and in the shared memory of a block. A `Stage`, a launch that is made
ready, is held against the GPU of the current device (`gpu`) when it is made: so no variant lists architectures, and the
plan of a call passes over those whose launches the GPU lacks something for.
"""

import contextlib
import functools
import hashlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..arrays import new_like
from . import nvrtc
from .cache import cache_folder

PTX_HEADER = Path(__file__).with_name("cuda_ptx.cuh")
HEADERS = tuple(sorted(Path(__file__).parent.glob("cuda_*.cuh")))

FIRST_ARCHITECTURE = 75
TENSOR_CORES = 80
"""The first architecture with tensor cores of tf32 and bfloat16, and asynchronous copies, which go with them here."""


class Gpu(NamedTuple):
    """What kernels are planned for."""

    architecture: int
    """Such as 75, which is written sm_75."""
    shared_bytes: int
    """Shared memory that a block can have."""


SM_80 = Gpu(80, 99 << 10)
"""What every GPU from sm_80 on has."""


class LackingError(ValueError):
    """The GPU lacks what a launch needs; the message goes on after the name of a variant."""


@dataclass(frozen=True, eq=False)  # hashed by identity: it is looked up at every launch
class Kernel:
    """One kernel of CUDA C++ for one tile.

    Parameters
    ----------
    source
        The ``.cu`` file. It includes ``cuda_ptx.cuh``, perhaps other headers of this folder behind it or of its own
        folder, and nothing else, and calls its kernel ``KERNEL``.
    name
        What the kernel is called in profilers: operation, variant, type and tile.
    threads
        Threads of a block.
    arguments
        The layout of the struct that the kernel takes by value; the source checks ``ARGUMENT_BYTES`` against its own.
    macros
        Names and values given to the preprocessor.
    least_architecture
        The first whose instructions suffice.
    """

    source: Path
    name: str
    threads: int
    arguments: np.dtype
    macros: tuple[tuple[str, int], ...] = ()
    least_architecture: int = FIRST_ARCHITECTURE

    @property
    def options(self) -> list[str]:
        """The macros as a compiler's options."""
        own = (("KERNEL", self.name), ("ARGUMENT_BYTES", self.arguments.itemsize))
        return [f"-D{name}={value}" for name, value in (*own, *self.macros)]

    @property
    def headers(self) -> tuple[Path, ...]:
        """What the source may include: the headers of this folder, and those beside it."""
        return (*HEADERS, *sorted(self.source.parent.glob("*.cuh")))


class Launcher(Protocol):
    """Runs a kernel; ``arguments`` holds addresses of ``arrays``, which it reads, and of ``outputs``, which it writes.

    An array that it updates in place is among both.
    """

    def __call__(
        self,
        kernel: Kernel,
        grid: tuple[int, int, int],
        shared_bytes: int,
        arguments: np.ndarray,
        arrays: Sequence[Any],
        outputs: Sequence[Any],
    ) -> None: ...


def launch(
    kernel: Kernel,
    grid: tuple[int, int, int],
    shared_bytes: int,
    arguments: np.ndarray,
    arrays: Sequence[Any],
    outputs: Sequence[Any],
) -> None:
    """Run a kernel over a grid of blocks, each with so much shared memory."""
    _launcher.get()(kernel, grid, shared_bytes, arguments, arrays, outputs)


@dataclass(frozen=True, eq=False)
class Stage:
    """A launch of which all is known but the arrays; their addresses are the first words of the kernel's struct.

    Raises
    ------
    LackingError
        If the GPU of the current device cannot launch it.
    """

    kernel: Kernel
    grid: tuple[int, int, int]
    shared_bytes: int
    prepared: np.ndarray

    def __post_init__(self) -> None:
        architecture, shared_bytes = gpu()
        if architecture < self.kernel.least_architecture:
            raise LackingError(_too_old(self.kernel, architecture))
        if shared_bytes < self.shared_bytes:
            needed = f"needs {self.shared_bytes} bytes of shared memory for a block"
            raise LackingError(f"{needed} but the GPU has {shared_bytes}")

    def run(self, arrays: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Launch with these arrays, in the struct's order; the address of None is 0."""
        both = [*arrays, *outputs]
        arguments = self.prepared.copy()
        arguments.view(np.uint64)[: len(both)] = [address(array) for array in both]
        given = [array for array in arrays if array is not None]
        launch(self.kernel, self.grid, self.shared_bytes, arguments, given, outputs)


def _too_old(kernel: Kernel, architecture: int) -> str:
    least = kernel.least_architecture
    reason = " for tensor cores of tf32 and bfloat16" if least == TENSOR_CORES else ""
    return f"needs sm_{least}{reason} but the GPU is sm_{architecture}"


@contextlib.contextmanager
def launching(launcher: Launcher, on: Gpu | None = SM_80) -> Iterator[None]:
    """Let ``launcher`` run the kernels that are launched inside the block; they are planned for a GPU like ``on``.

    None stands for that of the current device.
    """
    token, planned = _launcher.set(launcher), _planned.set(on)
    try:
        yield
    finally:
        _planned.reset(planned)
        _launcher.reset(token)


def gpu() -> Gpu:
    """The GPU that kernels are planned for: that of the current device; where there is none, `SM_80`."""
    planned = _planned.get()
    if planned is not None:
        return planned
    cupy = sys.modules.get("cupy")  # who has arrays on a GPU has imported it
    return SM_80 if cupy is None or not cupy.cuda.is_available() else _gpu_of(cupy.cuda.Device().id)


def gpu_for(arrays: Sequence[Any]) -> Gpu | None:
    """What the plan of a call may depend on of GPUs, or None where its arrays are in main memory.

    There they are a GPU's only inside `launching`.
    """
    if arrays and arrays[0].__class__ is np.ndarray:
        return _planned.get()
    return gpu()


@contextlib.contextmanager
def noting() -> Iterator[list[str]]:
    """The names of the kernels that are launched inside the block, in order."""
    names: list[str] = []
    launcher = _launcher.get()

    def note_and_launch(
        kernel: Kernel,
        grid: tuple[int, int, int],
        shared_bytes: int,
        arguments: np.ndarray,
        arrays: Sequence[Any],
        outputs: Sequence[Any],
    ) -> None:
        names.append(kernel.name)
        launcher(kernel, grid, shared_bytes, arguments, arrays, outputs)

    with launching(note_and_launch, _planned.get()):
        yield names


def address(array: Any) -> int:
    """Where an array's first element lies; 0 for None."""
    if array is None:
        return 0
    return int(array.__array_interface__["data"][0] if isinstance(array, np.ndarray) else array.data.ptr)


def aligning(run: Callable[[tuple[Any, ...], tuple[Any, ...]], None]) -> Callable[..., None]:
    """Launches that need arrays at multiples of 16 bytes, for arrays that begin anywhere: others are copied."""

    def run_aligned(arrays: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        given = tuple([array if address(array) % 16 == 0 else array.copy() for array in arrays])
        results = tuple([o if address(o) % 16 == 0 else new_like(o, o.shape, o.dtype) for o in outputs])
        run(given, results)
        for output, result in zip(outputs, results, strict=True):
            if result is not output:
                output[...] = result

    return run_aligned


DIVISOR = np.dtype([("divisor", np.uint64), ("multiplier", np.uint32), ("shift", np.uint32)])
"""As struct Divisor in cuda_ptx.cuh."""

LONGEST_LINE = 1 << 30
"""Numbers of a line and of a column: cuda_border.cuh computes twice as many in 32 bits."""


def divisor(number: int) -> tuple[int, int, int]:
    """What lets a kernel divide numbers below 2^31 by ``number``, from 1, by a multiplication; as `DIVISOR`.

    With 2^shift the power of two from ``number`` up, ``(1 + multiplier / 2^32) / 2^shift`` is 1 / number, too large by
    less than 2^-32 / number (Granlund and Montgomery, Division by invariant integers using multiplication, 1994).
    """
    shift = (number - 1).bit_length()
    if shift >= 32:  # such a number divides no number below 2^31: its kernel divides by `number` itself
        return number, 0, 0
    return number, ((1 << 32) * ((1 << shift) - number)) // number + 1, shift


def compile_kernel(kernel: Kernel, architecture: str) -> nvrtc.Compiled:
    """Machine code for an architecture such as ``"sm_90"``, from the disk cache or compiled now.

    The cache's key is everything that the code depends on: sources, options, architecture and NVRTC's version. A
    damaged entry is compiled again and written over; where nothing can be written, nothing is kept.
    """
    number = int(architecture.removeprefix("sm_").rstrip("af"))
    if number < kernel.least_architecture:
        raise LackingError(f"{kernel.name}: {_too_old(kernel, number)}")
    source = kernel.source.read_text()
    headers = {path.name: path.read_text() for path in kernel.headers}
    parts = (source, *headers.values(), *kernel.options, architecture, str(nvrtc.version()))
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
    path = cache_folder() / "cuda" / f"{kernel.name}-{architecture}-{key}.cubin"
    found = _read_entry(path)
    if found is None:
        found = nvrtc.compile_source(
            source,
            name=kernel.source.name,
            architecture=architecture,
            options=kernel.options,
            headers=headers,
        )
        _write_entry(path, found)
    return found


def _read_entry(path: Path) -> nvrtc.Compiled | None:
    """An entry is a line of JSON, then the machine code whose hash the line holds."""
    try:
        line, _, cubin = path.read_bytes().partition(b"\n")
        facts = json.loads(line)
        if facts["sha256"] != hashlib.sha256(cubin).hexdigest():
            return None
        return nvrtc.Compiled(cubin, {name: nvrtc.Resources(*row) for name, row in facts["resources"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write_entry(path: Path, compiled: nvrtc.Compiled) -> None:
    facts = {"sha256": hashlib.sha256(compiled.cubin).hexdigest(), "resources": compiled.resources}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
    except OSError:
        return  # a read-only place
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(facts).encode() + b"\n" + compiled.cubin)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)


def _launch_on_device(
    kernel: Kernel,
    grid: tuple[int, int, int],
    shared_bytes: int,
    arguments: np.ndarray,
    arrays: Sequence[Any],
    outputs: Sequence[Any],
) -> None:
    if any(isinstance(array, np.ndarray) for array in (*arrays, *outputs)):
        raise TypeError(f"{kernel.name}: expects cupy.ndarray arguments but got numpy.ndarray")
    import cupy

    function = _loaded(kernel, cupy.cuda.Device().id)
    function(grid, (kernel.threads, 1, 1), (arguments,), shared_bytes)


@functools.cache
def _gpu_of(device: int) -> Gpu:
    import cupy

    found = cupy.cuda.Device(device)
    return Gpu(int(found.compute_capability), found.attributes["MaxSharedMemoryPerBlockOptin"])


_LOADING = threading.Lock()


def _loaded(kernel: Kernel, device: int) -> Any:
    with _LOADING:
        return _load(kernel, device)


@functools.cache
def _load(kernel: Kernel, device: int) -> Any:
    """The kernel as a function of the device, free to use all the shared memory that a block can have there."""
    import cupy
    from cupy_backends.cuda.api import driver

    found = _gpu_of(device)
    compiled = compile_kernel(kernel, f"sm_{found.architecture}")
    module = cupy.cuda.function.Module()
    module.load(compiled.cubin)
    function = module.get_function(kernel.name)
    limit = found.shared_bytes - compiled.resources[kernel.name].shared_bytes
    driver.funcSetAttribute(function.ptr, driver.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, limit)
    return function


_launcher: ContextVar[Launcher] = ContextVar("launcher of CUDA C++ kernels", default=_launch_on_device)
_planned: ContextVar[Gpu | None] = ContextVar("the GPU that a launcher stands for", default=None)
