"""The one parallel driver.

`launch(worker, tasks, block, ns)` does tasks ``0 .. tasks - 1``. Tasks are cut from the shape alone and every task
writes its own outputs, so results depend neither on how many threads there are nor on which does what. Each thread
begins with its own share of the tasks, which follow each other, so that what one launch wrote near a core the next one
reads there. It takes them in short runs from a counter, and when they are done helps the others with theirs: one that
the system has stopped, or that sits on a slower core, holds up nobody but for the run it is in.

How far threads help: results that do not depend on their number need a partition that the shapes alone decide. So work
is cut into enough tasks for some 16 threads wherever shapes give as many, and gradients of weights into 8 to 16 shares
whose sums are added in order; beyond that, one image or a weight gradient leaves threads without work. Scratch is up to
a megabyte for each thread; the shares' sums take at most 32 megabytes together, where one share alone takes no more.
Elementwise work and batch norms wait for memory as soon as a few threads run.

Three ways to run the same worker:

* on the caller's thread, where the work is too small to pay for a launch (2-4 us);
* under Numba's OpenMP or TBB layer, by the only ``prange`` of the package;
* on a Python thread pool, where Numba has only its workqueue layer, which aborts the process when two Python threads
  launch at once, and in a forked child, which GNU OpenMP would terminate. Workers are called through ctypes, which
  releases the interpreter lock.
"""

import contextlib
import ctypes
import functools
import importlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import get_num_threads, prange, types
from numba.core import config
from numba.np.ufunc import parallel

from .compile import kernel
from .pointers import call_worker, fetch_add

# Work below this many nanoseconds (estimated by the caller) is done where it stands.
SERIAL_BELOW_NS = 20_000

_WORKER = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_DRIVER = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 6)
_RUNS_PER_THREAD = 8


@kernel(types.void(*[types.int64] * 6), parallel=True)
def _driver() -> Any:
    def drive(worker, tasks, threads, run, counters, block):
        for thread in prange(threads):
            slot = np.int64(thread)  # prange counts in uint64
            # Counters lie a cache line apart.
            for turn in range(threads):
                owner = (slot + turn) % threads
                first, last = tasks * owner // threads, tasks * (owner + 1) // threads
                begin = first + fetch_add(counters + 64 * owner, run)
                while begin < last:
                    call_worker(worker, begin, min(begin + run, last), slot, block)
                    begin = first + fetch_add(counters + 64 * owner, run)

    return drive


# How often GNU OpenMP looks whether a wait is over before it gives its processor away: some tens of microseconds,
# longer than Python takes from one launch to the next. Its own choice spins for milliseconds, and where another
# program keeps a processor busy, the thread that is waited for cannot run meanwhile: work then takes ten times as long.
_SPINS = "2000"


@functools.cache
def _layer_is_concurrent() -> bool:
    """Load Numba's threading layer, and say whether it is one that Python threads may use at the same time."""
    wanted = str(config.THREADING_LAYER).lower()
    if wanted == "workqueue":
        return False
    for name in [wanted] if wanted in ("omp", "tbb") else ["tbb", "omp"]:
        with _brief_spinning(), contextlib.suppress(ImportError):
            importlib.import_module(f"numba.np.ufunc.{name}pool")
            return True
    return False


@contextlib.contextmanager
def _brief_spinning() -> Iterator[None]:
    """GNU OpenMP reads its environment when it is loaded, and only then; what users have set stays."""
    if "GOMP_SPINCOUNT" in os.environ or "OMP_WAIT_POLICY" in os.environ:
        yield
        return
    os.environ["GOMP_SPINCOUNT"] = _SPINS
    try:
        yield
    finally:
        del os.environ["GOMP_SPINCOUNT"]


class _Threads:
    """How this process runs workers in parallel; decided at the first launch that wants threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forked = False
        self.driver: Callable[..., None] | None = None
        self.pool: ThreadPoolExecutor | None = None
        self.functions: dict[int, Callable[..., None]] = {}

    def start(self) -> None:
        with self.lock:
            if self.driver is not None or self.pool is not None:
                return
            if _layer_is_concurrent() and not self.forked:
                self.driver = _DRIVER(_driver.address())
            else:
                self.pool = ThreadPoolExecutor(max(1, config.NUMBA_NUM_THREADS), thread_name_prefix="tilegrad")

    def function(self, address: int) -> Callable[..., None]:
        found = self.functions.get(address)
        if found is None:
            found = self.functions[address] = _WORKER(address)
        return found


_threads = _Threads()


def _after_fork() -> None:
    global _threads
    _threads = _Threads()
    _threads.forked = True


os.register_at_fork(after_in_child=_after_fork)


def prepare() -> None:
    """Have the parallel driver, where there will be one, before the first launch that wants threads."""
    if _layer_is_concurrent() and not _threads.forked:
        _driver.address()


def layer() -> str:
    """What runs parallel work: ``"numba"`` (OpenMP or TBB) or ``"python"`` (a thread pool)."""
    _threads.start()
    return "python" if _threads.driver is None else "numba"


def num_threads() -> int:
    """How many threads a launch uses: `numba.get_num_threads`, which users set by `numba.set_num_threads`."""
    return _count()()


@functools.cache
def _count() -> Callable[[], int]:
    """What asks Numba's layer for it, without the locks that `get_num_threads` takes each time (0.7 us)."""
    _layer_is_concurrent()  # before Numba loads it in its own way
    get_num_threads()
    return getattr(parallel, "_get_num_threads", get_num_threads)


def launch(worker: int, tasks: int, block: int, ns: float) -> None:
    """Run a worker on all its tasks and wait.

    Parameters
    ----------
    worker
        Address of the worker: ``family.address(*parameters)``.
    tasks
        Number of tasks, a function of the shapes alone.
    block
        Address of the worker's argument block, which is read during the call only. What the block points to must
        have names in the caller meanwhile: a block keeps nothing alive.
    ns
        Estimated time of all the work on one thread in nanoseconds; small work is done without threads.
    """
    if tasks <= 0 or not worker:  # a rehearsal has no address of a kernel that is not compiled yet
        return
    state = _threads
    threads = min(num_threads(), tasks) if ns >= SERIAL_BELOW_NS else 1
    if threads == 1:
        (state.functions.get(worker) or state.function(worker))(0, tasks, 0, block)
        return
    if state.driver is None and state.pool is None:
        state.start()
    run = -(-tasks // (threads * _RUNS_PER_THREAD))
    if state.driver is not None:
        counters = (ctypes.c_int64 * (8 * threads))()
        state.driver(worker, tasks, threads, run, ctypes.addressof(counters), block)
        return
    function, pool, begins = state.function(worker), state.pool, iter(range(0, tasks, run))
    assert pool is not None

    def work(slot: int) -> None:
        for begin in begins:
            function(begin, min(begin + run, tasks), slot, block)

    others = [pool.submit(work, slot) for slot in range(1, threads)]
    work(0)
    for other in others:
        other.result()


def block_of(words: Sequence[int]) -> np.ndarray:
    """An argument block holding these words."""
    return np.array(words, dtype=np.int64)
