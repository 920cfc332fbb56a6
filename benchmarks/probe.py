"""What the machine can do at best: multiply-adds out of registers, copying memory, and passing a word between threads.

They are measured in this process, with as many threads as the workloads get, because a processor's rate depends on
what else runs on it. The first two are the limits that rows are compared with. The last tells cores that share a cache
from cores that do not, between which a virtual machine may be moved at any time.
"""

import functools
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from tilegrad.kernels.machine.pointers import fetch_add
from tilegrad.kernels.machine.processor import lanes, vector_bytes
from tilegrad.kernels.machine.vectors import Vectors

_ATTEMPTS = 7


def _sums() -> int:
    """Independent sums: enough to hide the adders' latency, few enough to stay in registers."""
    return 24 if vector_bytes() == 64 else 12


@intrinsic
def _multiply_adds(typingctx, rounds, number):
    """``rounds`` times one multiply-add on each of `_sums()` float32 vectors that stay in registers."""

    def codegen(context, builder, signature, args):
        i64 = ir.IntType(64)
        vectors = Vectors(builder, 4)
        factor = vectors.splat(args[1])
        before = builder.block
        loop, end = builder.append_basic_block("loop"), builder.append_basic_block("end")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(i64)
        index.add_incoming(i64(0), before)
        sums = [builder.phi(vectors.vector) for _ in range(_sums())]
        products = [vectors.fma(factor, factor, s) for s in sums]
        following = builder.add(index, i64(1))
        index.add_incoming(following, loop)
        for place, (s, product) in enumerate(zip(sums, products, strict=True)):
            s.add_incoming(vectors.constant(float(place)), before)
            s.add_incoming(product, loop)
        builder.cbranch(builder.icmp_signed("<", following, args[0]), loop, end)
        builder.position_at_end(end)
        total = functools.reduce(vectors.add, products)
        return functools.reduce(
            builder.fadd, [builder.extract_element(total, ir.IntType(32)(lane)) for lane in range(vectors.lanes)]
        )

    return types.float32(types.int64, types.float32), codegen


@functools.cache
def _loop() -> Callable[[int, np.float32], float]:
    compiled = njit(nogil=True)(lambda rounds, number: _multiply_adds(rounds, number))
    compiled(2, np.float32(0.5))
    return compiled


def _fastest(work: Callable[[int], Any], threads: int, attempts: int = _ATTEMPTS) -> float:
    """Least seconds from the first thread's start to the last one's end, where each does ``work(thread)``."""
    best = np.inf
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(attempts):
            barrier = threading.Barrier(threads)

            def span(thread: int, barrier: threading.Barrier = barrier) -> tuple[float, float]:
                barrier.wait()
                start = time.perf_counter()
                work(thread)
                return start, time.perf_counter()

            starts, ends = zip(*pool.map(span, range(threads)), strict=True)
            best = min(best, max(ends) - min(starts))
    return best


@functools.cache
def multiply_add_peak(threads: int) -> float:
    """Floating-point operations per second: float32 multiply-adds (two operations) in the widest vectors."""
    loop, rounds = _loop(), 4_000_000
    seconds = _fastest(lambda thread: loop(rounds, np.float32(0.5)), threads)
    return threads * rounds * _sums() * lanes(4) * 2 / seconds


_PASSES = 200


@functools.cache
def _player() -> Callable[[int, int, int], None]:
    def play(counter, first, passes):
        for turn in range(passes):
            while fetch_add(counter, 0) != 2 * turn + first:
                pass
            fetch_add(counter, 1)

    compiled = njit(nogil=True)(play)
    alone = np.zeros(8, np.int64)
    compiled(alone.ctypes.data, 0, 1)
    return compiled


def round_trip(threads: int) -> float | None:
    """Least seconds in which a word goes from one thread to another and back; None on one thread."""
    if threads < 2 or (os.cpu_count() or 1) < 2:
        return None
    play, counter = _player(), np.zeros(8, np.int64)

    def work(thread: int) -> None:
        play(counter.ctypes.data, thread, _PASSES)

    best = np.inf
    for _ in range(3):
        counter[0] = 0
        best = min(best, _fastest(work, 2, attempts=1))
    return best / _PASSES


def copy_bandwidth(moved: float, threads: int) -> float:
    """Bytes per second, read and written, of copying arrays that together hold about ``moved`` bytes.

    Arrays that fit a cache are copied faster, so a limit for a kernel is that of its own size.
    """
    return _copy_bandwidth(1 << max(16, round(np.log2(max(moved, 1.0)))), threads)


@functools.cache
def _copy_bandwidth(moved: int, threads: int) -> float:
    length = moved // 2 // threads
    sources = [np.ones(length, np.uint8) for _ in range(threads)]
    targets = [np.ones(length, np.uint8) for _ in range(threads)]
    repeats = max(1, (1 << 28) // moved)

    def work(thread: int) -> None:
        source, target = sources[thread], targets[thread]
        for _ in range(repeats):
            np.copyto(target, source)

    return 2 * length * threads * repeats / _fastest(work, threads)
