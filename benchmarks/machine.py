"""What the numbers depend on, to be stated beside them: processor, versions, threads, memory."""

import ctypes
import os
import re
import textwrap
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numba
from tilegrad.kernels import memory_report
from tilegrad.kernels.machine.threads import num_threads

from tilegrad.doctor import report
from tilegrad.errors import UsageError

from . import probe
from .timing import NOISY, Watch, wait_until_quiet

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def use_threads(count: int | None) -> int:
    """Let tilegrad use ``count`` threads, all it has if None, and return how many that are."""
    if count is not None:
        most = int(numba.config.NUMBA_NUM_THREADS)
        if not 1 <= count <= most:
            raise UsageError(f"--threads expects 1 to {most} but is {count}; NUMBA_NUM_THREADS sets the most")
        numba.set_num_threads(count)
    return num_threads()


def keep_freed_memory() -> str:
    """Make glibc's malloc keep what is freed, and say in one line how malloc is set.

    By default it gives large blocks back to the system at once, and a library that allocates every result with malloc
    pays for page faults instead of arithmetic. A user's own ``MALLOC_*`` settings are left alone.
    """
    if _settings():
        return as_started()
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return "the system's, which has no mallopt"
    done = mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, -1) and mallopt(_M_TOP_PAD, 64 << 20)
    return "keeps freed memory (mallopt; the rival's best case)" if done else "as the system has it (mallopt refused)"


def as_started() -> str:
    """One line on how malloc was set when the process started."""
    return " ".join(f"{name}={value}" for name, value in _settings().items()) or "as the system has it"


_TELLING = re.compile(
    r"(MALLOC|OMP|KMP|GOMP|MKL|OPENBLAS|DNNL|ONEDNN|TORCH|ATEN|TORCHINDUCTOR)_\w+|GLIBC_TUNABLES|LD_PRELOAD"
    r"|NUMBA_(NUM_THREADS|THREADING_\w+|CPU_\w+|OPT|LOOP_VECTORIZE)|TILEGRAD_POOL_MB"
)


def environment() -> dict[str, str]:
    """What the process was told about memory, threads and arithmetic; of paths, the last part alone."""
    telling = {name: value for name, value in sorted(os.environ.items()) if _TELLING.fullmatch(name)}
    return {name: " ".join(os.path.basename(part) for part in value.split()) for name, value in telling.items()}


def _settings() -> dict[str, str]:
    return {n: v for n, v in sorted(os.environ.items()) if n.startswith("MALLOC_") or n == "GLIBC_TUNABLES"}


def huge_pages() -> str:
    """What the system does about transparent huge pages: always, madvise (our large arrays ask for them) or never."""
    try:
        choices = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
    except OSError:
        return "unknown"
    return choices.partition("[")[2].partition("]")[0] or "unknown"


def describe(rivals: Iterable[str], threads: int, malloc: str, patience: float) -> dict[str, Any]:
    """The facts, as plain data; ``rivals`` are the other sides' libraries. Limits are measured when all is quiet."""
    known = dict(report())
    wait_until_quiet(patience)
    watch = Watch()
    facts = {
        "measured": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **{name: known[name] for name in ("tilegrad", "numpy", "numba", "llvmlite", "processor", "vectors")},
        "python": known["python"].split()[0],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threading": known["threads"].partition("; ")[2],
        "environment": environment(),
        "rivals": list(dict.fromkeys(rivals)),
        "threads": threads,
        "malloc": malloc,
        "huge_pages": huge_pages(),
        "pool_limit_bytes": memory_report()["limit_bytes"],
        "round_trip": probe.round_trip(threads),
        "peak_flops_1": probe.multiply_add_peak(1),
        "peak_flops": probe.multiply_add_peak(threads),
        "copy_bytes_8MiB": probe.copy_bandwidth(8 << 20, threads),
        "copy_bytes_512MiB": probe.copy_bandwidth(512 << 20, threads),
    }
    return {**facts, "others": watch.others()}


def head(facts: dict[str, Any]) -> str:
    """The facts, as the lines above the table."""
    beside = f" beside {' and '.join(facts['rivals'])}" if facts["rivals"] else " alone (no rival is installed)"
    threads = f"{facts['threads']} thread{'s' if facts['threads'] > 1 else ''}"
    told = " ".join(f"{name}={value}" for name, value in facts["environment"].items()) or "nothing set"
    apart = f"; a word between two threads and back {1e9 * facts['round_trip']:.0f} ns" if facts["round_trip"] else ""
    noisy = " (!)" if (facts["others"] or 0.0) >= NOISY else ""
    lines = [
        f"tilegrad {facts['tilegrad']}{beside}; {facts['precision']}, {threads}; Python {facts['python']}, "
        f"numpy {facts['numpy']}, numba {facts['numba']}, llvmlite {facts['llvmlite']}",
        f"{facts['processor']}, {facts['cores']} cores, {facts['vectors']} wide; {facts['threading']}",
        f"limits: multiply-adds {facts['peak_flops_1'] / 1e9:.0f} GFLOP/s on 1 thread, "
        f"{facts['peak_flops'] / 1e9:.0f} on {facts['threads']}; copying (read and written) "
        f"{facts['copy_bytes_8MiB'] / 1e9:.0f} GB/s at 8 MiB, {facts['copy_bytes_512MiB'] / 1e9:.0f} at 512 MiB{apart}"
        f"{noisy}",
        f"malloc: {facts['malloc']}; huge pages: {facts['huge_pages']}; "
        f"tilegrad's pool keeps at most {facts['pool_limit_bytes'] >> 20} MiB; environment: {told}",
        f"measured {facts['measured']}",
    ]
    return "\n".join(textwrap.fill(line, 120, subsequent_indent="  ") for line in lines)
