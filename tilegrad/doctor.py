"""`tilegrad doctor`: what this installation has, what it lacks, and the command that brings what it lacks."""

import ctypes
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from pathlib import Path

import numba

from ._version import __version__
from .extras import EXTRA_OF, distribution_of
from .kernels import memory_report
from .kernels.machine import cuda, nvrtc
from .kernels.machine.cache import cache_folder, usage, writable
from .kernels.machine.processor import target, vector_bytes
from .kernels.machine.threads import layer, num_threads


def report() -> list[tuple[str, str]]:
    """Pairs of a subject and what is known about it, in the order in which they are shown.

    >>> dict(report())["tilegrad"] == __version__
    True
    """
    return [
        ("tilegrad", __version__),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        *((name, _version(name) or "missing") for name in ("numpy", "numba", "llvmlite")),
        ("processor", _processor()),
        ("vectors", f"{8 * vector_bytes()} bits"),
        ("threads", f"{num_threads()} of {os.cpu_count()} processors; {_layer()}"),
        ("kernel cache", _cache()),
        ("memory", _memory()),
        *_cuda(),
        *((distribution_of(module), _extra(module, extra)) for module, extra in EXTRA_OF.items()),
    ]


def as_table(rows: list[tuple[str, str]]) -> str:
    """Two columns, the first as wide as its longest entry.

    >>> print(as_table([("a", "1"), ("long", "2")]))
    a     1
    long  2
    """
    width = max(len(subject) for subject, _ in rows)
    return "\n".join(f"{subject:<{width}}  {finding}" for subject, finding in rows)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{name} (compiled for {target()[1] or 'a generic processor'})"


def _layer() -> str:
    if layer() == "python":
        return "a Python thread pool (Numba has neither OpenMP nor TBB here)"
    found = []
    for pool, name in (("tbbpool", "TBB"), ("omppool", "OpenMP")):
        try:
            importlib.import_module(f"numba.np.ufunc.{pool}")
        except ImportError:
            continue
        found.append(name)
    wanted = str(numba.config.THREADING_LAYER)
    return f"Numba's parallel layer ({' or '.join(found)} present, setting {wanted!r})"


def _cache() -> str:
    if not writable():
        return f"{cache_folder()}: not writable, so kernels are compiled anew in every process; set TILEGRAD_CACHE_DIR"
    kernels, generations, total_bytes = usage()
    others = f", and those of {generations - 1} other versions" if generations > 1 else ""
    size = f"{total_bytes / 2**20:.1f} MiB used"
    return f"{cache_folder()}: writable, {kernels} kernels{others}, {size}; tilegrad warmup fills it"


def _memory() -> str:
    pool = memory_report()
    kept = f"at most {pool['limit_bytes'] >> 20} MiB kept for reuse (TILEGRAD_POOL_MB)"
    peak = peak_memory()
    return kept if peak is None else f"{kept}; this process took {peak >> 20} MiB at its peak"


def peak_memory() -> int | None:
    """The most bytes of memory that this process has had, or None where the system does not say."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _cuda() -> list[tuple[str, str]]:
    driver = _driver()
    rows = driver or [("CUDA driver", "none found; everything runs on the processor")]
    for subject, names in (
        ("CuPy", ("cupy-cuda13x", "cupy-cuda12x", "cupy")),
        ("numba-cuda", ("numba-cuda",)),
    ):
        versions = [f"{name} {version}" for name in names if (version := _version(name))]
        missing = 'missing: python -m pip install "tilegrad[cuda13]" (or cuda12)'
        rows.append((subject, ", ".join(versions) or missing))
    return [*rows, ("NVRTC", _nvrtc())]


def _nvrtc() -> str:
    """The version of the compiler of CUDA C++ kernels, or why there is none."""
    try:
        return "CUDA {}.{}".format(*nvrtc.version())
    except RuntimeError as reason:
        return str(reason)


_MAJOR, _MINOR, _SHARED_BYTES = 75, 76, 97  # of enum CUdevice_attribute: the last is what a block may opt in to


def _driver() -> list[tuple[str, str]]:
    """The driver's CUDA version and its devices, asked of the driver itself; nothing where there is no driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return []
    version, count = ctypes.c_int(), ctypes.c_int()
    status = driver.cuInit(0)
    if status != 0:
        return [("CUDA driver", f"present, but cuInit answers error {status}")]
    driver.cuDriverGetVersion(ctypes.byref(version))
    driver.cuDeviceGetCount(ctypes.byref(count))
    major, minor = version.value // 1000, version.value % 1000 // 10
    rows = [("CUDA driver", f"CUDA {major}.{minor}, {count.value or 'no'} device{'s' * (count.value > 1)}")]
    for index in range(count.value):
        device, name, numbers = ctypes.c_int(), ctypes.create_string_buffer(128), []
        driver.cuDeviceGet(ctypes.byref(device), index)
        driver.cuDeviceGetName(name, len(name), device)
        for attribute in (_MAJOR, _MINOR, _SHARED_BYTES):
            number = ctypes.c_int()
            driver.cuDeviceGetAttribute(ctypes.byref(number), attribute, device)
            numbers.append(number.value)
        gpu = cuda.Gpu(10 * numbers[0] + numbers[1], numbers[2])
        rows.append((f"GPU {index}", f"{name.value.decode(errors='replace')}, {_gpu(gpu)}"))
    return rows


def _gpu(gpu: cuda.Gpu) -> str:
    """What a GPU has and lacks.

    >>> _gpu(cuda.Gpu(90, 232448))
    'sm_90, 227 KB of shared memory for a block'
    """
    found = f"sm_{gpu.architecture}, {gpu.shared_bytes >> 10} KB of shared memory for a block"
    if gpu.architecture < cuda.FIRST_ARCHITECTURE:
        return f"{found}; too old for kernels in CUDA C++, which need sm_{cuda.FIRST_ARCHITECTURE}"
    if gpu.architecture < cuda.TENSOR_CORES:
        lacks = f"no tensor cores of tf32 and bfloat16 (from sm_{cuda.TENSOR_CORES})"
        return f"{found}; {lacks}: products are of float32 in every precision"
    return found


def _extra(module: str, extra: str) -> str:
    if importlib.util.find_spec(module) is None:
        return f'missing: python -m pip install "tilegrad[{extra}]"'
    return _version(distribution_of(module)) or "present"
