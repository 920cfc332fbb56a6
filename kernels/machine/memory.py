"""A bounded pool for large arrays.

Training asks for the same few large arrays at every step. Fresh ones cost page faults, which can take longer than
the kernel that fills them; so arrays of a quarter of a mebibyte or more come from here and their memory comes back
when the last array that views it is gone. Sizes are rounded up to one of eight steps per power of two, so that a
block fits the next request of about its size.

A process holds what its arrays need and, beside it, at most ``TILEGRAD_POOL_MB`` mebibytes of idle blocks (where that
is not set to a whole number: a quarter of the machine's memory, 2048 at most). Beyond that the blocks that have been
idle longest go back to the system, so that a program whose shapes change keeps the sizes that it uses now. Where the
system has no more memory, all idle blocks go before a request is refused.

Blocks are anonymous mappings aligned to pages, with huge pages where the system has them.
"""

import contextlib
import ctypes
import math
import mmap
import os
import threading
import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

POOLED_FROM = 256 * 1024


def _rounded(size: int) -> int:
    """``size`` rounded up to a multiple of an eighth of the power of two below it.

    >>> _rounded(1_000_000), _rounded(1_048_576)
    (1048576, 1048576)
    """
    step = max(4096, 1 << max(0, (size - 1).bit_length() - 4))
    return -(-size // step) * step


class _Block:
    """One mapping: an address and how long it is."""

    def __init__(self, size: int) -> None:
        self.size = size
        try:
            self.memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except (OSError, OverflowError) as reason:
            raise MemoryError(f"cannot get {size:,} bytes of memory") from reason
        if size >= 2 << 20 and hasattr(mmap, "MADV_HUGEPAGE"):
            with contextlib.suppress(OSError):  # a system without huge pages: ordinary ones serve
                self.memory.madvise(mmap.MADV_HUGEPAGE)
        self._anchor = ctypes.c_char.from_buffer(self.memory)
        self.address = ctypes.addressof(self._anchor)


class Pool:
    """Blocks in use and blocks kept for the next request of their size."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.lock = threading.RLock()  # a finaliser may run inside `take`, on the same thread
        self._idle: dict[int, list[tuple[int, _Block]]] = {}  # by size: when each fell idle, the longest ago first
        self._returns = 0
        self._leases: dict[int, tuple[weakref.ref[ctypes.Array], _Block]] = {}
        self.idle_bytes = 0
        self.used_bytes = 0
        self.peak_bytes = 0
        self.mappings = 0

    def take(self, shape: tuple[int, ...], dtype: np.dtype, size: int) -> np.ndarray:
        size = _rounded(size)
        with self.lock:
            idle = self._idle.get(size)
            if idle:
                _, block = idle.pop()
                self.idle_bytes -= size
            else:
                block = self._new_block(size)
            self.used_bytes += size
            self.peak_bytes = max(self.peak_bytes, self.used_bytes)
            # Every array that views the memory holds this object alive; its end gives the block back.
            lease = (ctypes.c_char * size).from_address(block.address)
            key = id(lease)

            def end(_: Any) -> None:
                self._give_back(key)

            self._leases[key] = (weakref.ref(lease, end), block)
        buffer: Any = lease
        return np.ndarray(shape, dtype, buffer)

    def _give_back(self, key: int) -> None:
        with self.lock:
            _, block = self._leases.pop(key)
            self.used_bytes -= block.size
            self.idle_bytes += block.size
            self._returns += 1
            self._idle.setdefault(block.size, []).append((self._returns, block))
            while self.idle_bytes > self.limit:
                self._drop_oldest()

    def _new_block(self, size: int) -> _Block:
        try:
            block = _Block(size)
        except MemoryError:
            if not self.idle_bytes:
                raise
            self.trim()
            block = _Block(size)
        self.mappings += 1
        return block

    def _drop_oldest(self) -> None:
        size = min((size for size, idle in self._idle.items() if idle), key=lambda size: self._idle[size][0][0])
        self._idle[size].pop(0)
        self.idle_bytes -= size

    def trim(self) -> None:
        with self.lock:
            self._idle.clear()
            self.idle_bytes = 0


def _limit() -> int:
    """The most bytes that the pool may keep idle."""
    named = os.environ.get("TILEGRAD_POOL_MB", "")
    if named.isdecimal():
        return int(named) << 20
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2048 << 20
    return min(2048 << 20, machine // 4)


_pool = Pool(_limit())
# A child that is forked while another thread holds the lock would find it held for ever.
os.register_at_fork(before=_pool.lock.acquire, after_in_parent=_pool.lock.release, after_in_child=_pool.lock.release)


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """A C-contiguous array of undefined values, from the pool if it is large."""
    dtype = np.dtype(dtype)
    size = dtype.itemsize * math.prod(shape)
    if size < POOLED_FROM:
        return np.empty(shape, dtype)
    return _pool.take(shape, dtype, size)


def memory_report() -> dict[str, int]:
    """Bytes of pooled memory: in use, idle, the most that may be idle, the peak in use; and mappings ever made.

    >>> sorted(memory_report())
    ['idle_bytes', 'limit_bytes', 'mappings', 'peak_bytes', 'used_bytes']
    """
    return {
        "used_bytes": _pool.used_bytes,
        "idle_bytes": _pool.idle_bytes,
        "limit_bytes": _pool.limit,
        "peak_bytes": _pool.peak_bytes,
        "mappings": _pool.mappings,
    }


def memory_trim() -> None:
    """Return the pool's idle memory to the system."""
    _pool.trim()
