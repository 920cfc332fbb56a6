"""CUDA C++ to machine code, by NVIDIA's runtime compiler (NVRTC) called directly.

NVRTC needs neither a GPU nor a driver, so that every kernel is compiled, and its registers counted, on machines that
have none. The sources here include nothing of the CUDA toolkit; the headers they share travel with them in memory.
The result is a cubin: machine code for one architecture, which a driver loads without compiling.

The library is looked for in the wheel ``nvidia-cuda-nvrtc`` (``-cu12`` for CUDA 12), then in ``$CUDA_HOME`` and
``$CUDA_PATH``, then where the system's loader looks. A driver of CUDA 12 does not load what CUDA 13 compiled: where
there is a driver, a library of a later major version than its own is passed over.
"""

import ctypes
import functools
import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class CompileError(RuntimeError):
    """NVRTC refused a source; the message holds its log, with the lines at fault."""


class Resources(NamedTuple):
    """What one kernel takes of a multiprocessor, from the assembler's report."""

    registers: int
    """Registers of one thread; 255 at most."""
    spill_bytes: int
    """Stores and loads of registers that did not fit, in bytes of code: 0 unless a kernel is slow."""
    stack_bytes: int
    """Local memory of one thread, which lies in device memory."""
    shared_bytes: int
    """Shared memory of one block, without what is asked for at launch."""


class Compiled(NamedTuple):
    """A compiled source: machine code, and the resources of each kernel in it by name."""

    cubin: bytes
    resources: dict[str, Resources]


def compile_source(
    source: str,
    *,
    name: str,
    architecture: str,
    options: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Compiled:
    """Compile one CUDA C++ source for one architecture.

    Parameters
    ----------
    source
        The text; its kernels are ``extern "C"``.
    name
        What messages call it.
    architecture
        Such as ``"sm_90"``.
    options
        Further options of NVRTC, such as ``"-DTILE_ROWS=8"``.
    headers
        Texts by the names under which the source includes them.

    Raises
    ------
    CompileError
        With NVRTC's log: file, line and reason.
    RuntimeError
        If the library is not installed.

    Notes
    -----
    The C interface is documented in NVIDIA's "NVRTC" manual.
    """
    library = _library()
    headers = headers or {}
    program = ctypes.c_void_p()
    texts = (ctypes.c_char_p * len(headers))(*[text.encode() for text in headers.values()])
    names = (ctypes.c_char_p * len(headers))(*[header.encode() for header in headers])
    code = library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), name.encode(), len(headers), texts, names)
    _check(library, code, "nvrtcCreateProgram")
    try:
        # --ptxas-options=-v makes the assembler report registers and spills in the log.
        arguments = [f"-arch={architecture}", "-std=c++17", "--ptxas-options=-v", *options]
        array = (ctypes.c_char_p * len(arguments))(*[argument.encode() for argument in arguments])
        code = library.nvrtcCompileProgram(program, len(arguments), array)
        log = _fetch(library, program, "ProgramLog").rstrip(b"\0").decode(errors="replace")
        if code:
            reason = library.nvrtcGetErrorString(code).decode()
            raise CompileError(f"{name}: {reason} for {architecture} ({' '.join(options)})\n{log.strip()}")
        return Compiled(_fetch(library, program, "CUBIN"), parse_resources(log))
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


@functools.cache
def version() -> tuple[int, int]:
    """The version of the installed NVRTC, such as ``(13, 0)``."""
    return _version_of(_library())


def _version_of(library: ctypes.CDLL) -> tuple[int, int]:
    major, minor = ctypes.c_int(), ctypes.c_int()
    _check(library, library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)), "nvrtcVersion")
    return major.value, minor.value


def parse_resources(log: str) -> dict[str, Resources]:
    """Each kernel's resources from the assembler's report.

    >>> parse_resources('''
    ... ptxas info    : Compiling entry function 'scale' for 'sm_90'
    ... ptxas info    : Function properties for scale
    ...     0 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
    ... ptxas info    : Used 10 registers, used 0 barriers, 16 bytes smem''')
    {'scale': Resources(registers=10, spill_bytes=12, stack_bytes=0, shared_bytes=16)}
    """
    found = {}
    for entry in re.split(r"Compiling entry function", log)[1:]:
        kernel = re.match(r" '([^']+)'", entry)
        registers = re.search(r"Used (\d+) registers", entry)
        if not kernel or not registers:
            continue
        stack = re.search(r"(\d+) bytes stack frame", entry)
        shared = re.search(r"(\d+) bytes smem", entry)
        spills = re.findall(r"(\d+) bytes spill (?:stores|loads)", entry)
        found[kernel[1]] = Resources(
            int(registers[1]),
            sum(map(int, spills)),
            int(stack[1]) if stack else 0,
            int(shared[1]) if shared else 0,
        )
    return found


def _fetch(library: ctypes.CDLL, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    _check(library, getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)), f"nvrtcGet{what}Size")
    buffer = ctypes.create_string_buffer(size.value)
    _check(library, getattr(library, f"nvrtcGet{what}")(program, buffer), f"nvrtcGet{what}")
    return buffer.raw


def _check(library: ctypes.CDLL, code: int, function: str) -> None:
    if code:
        raise RuntimeError(f"{function}: {library.nvrtcGetErrorString(code).decode()}")


def candidates() -> Iterator[str]:
    """Where the library may be, in the order in which places are tried."""
    pattern = "nvrtc64_*.dll" if sys.platform == "win32" else "libnvrtc.so*"
    folders: list[Path] = []
    wheels = importlib.util.find_spec("nvidia")  # a namespace package: one folder per place that wheels went to
    for root in (wheels.submodule_search_locations or ()) if wheels else ():
        folders += [
            path
            for part in ("cu*", "cuda_nvrtc")
            for sub in ("lib", "bin")
            for path in Path(root).glob(f"{part}/{sub}")
        ]
    for variable in ("CUDA_HOME", "CUDA_PATH"):
        if os.environ.get(variable):
            folders += [Path(os.environ[variable], sub) for sub in ("lib64", "lib", "bin")]
    for folder in folders:
        yield from (str(path) for path in sorted(folder.glob(pattern), reverse=True) if "alt" not in path.name)
    yield from (
        ("nvrtc64_130_0.dll", "nvrtc64_120_0.dll")
        if sys.platform == "win32"
        else (
            "libnvrtc.so.13",
            "libnvrtc.so.12",
            "libnvrtc.so",
        )
    )


def driver_version() -> tuple[int, int] | None:
    """The latest CUDA version that the installed driver knows, or None where there is no driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
    found = ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(found))
    return found.value // 1000, found.value % 1000 // 10


@functools.cache
def _library() -> ctypes.CDLL:
    tried, driver = [], driver_version()
    for place in candidates():
        try:
            library = ctypes.CDLL(place)
        except OSError:
            tried.append(place)
            continue
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        if driver is not None and _version_of(library)[0] > driver[0]:
            tried.append(f"{place}, which is later than the driver's CUDA {driver[0]}.{driver[1]}")
            continue
        return library
    raise RuntimeError(
        "NVRTC, NVIDIA's runtime compiler, is not installed: pip install nvidia-cuda-nvrtc (CUDA 13) or "
        f"nvidia-cuda-nvrtc-cu12, or set CUDA_HOME (tried {', '.join(tried)})"
    )
