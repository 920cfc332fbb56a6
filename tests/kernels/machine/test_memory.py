"""The memory pool: memory comes back with the last view, and what is kept idle is bounded."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.machine import memory
from tilegrad.kernels.machine.memory import POOLED_FROM, Pool, _rounded, empty, memory_report, memory_trim

from tilegrad import nn

MEBI = 1 << 20


def take(pool, size):
    return pool.take((size,), np.dtype(np.uint8), size)


def test_memory_returns_with_the_last_view():
    pool = Pool(64 * MEBI)
    array = take(pool, MEBI)
    address = array.ctypes.data
    view = array[100:200].reshape(10, 10).T
    buffer = memoryview(view)
    del array, view
    gc.collect()
    assert (pool.used_bytes, pool.idle_bytes) == (MEBI, 0)
    del buffer
    gc.collect()
    assert (pool.used_bytes, pool.idle_bytes) == (0, MEBI)
    assert take(pool, MEBI).ctypes.data == address
    assert pool.mappings == 1


def test_arrays_in_use_do_not_overlap():
    pool = Pool(64 * MEBI)
    arrays = [take(pool, MEBI) for _ in range(8)]
    for value, array in enumerate(arrays):
        array[:] = value
    del arrays[::2]
    arrays += [take(pool, MEBI) for _ in range(4)]
    for value, array in enumerate(arrays[4:]):
        array[:] = 100 + value
    assert [int(array[0]) for array in arrays] == [1, 3, 5, 7, 100, 101, 102, 103]
    assert all((array == array[0]).all() for array in arrays)


def test_idle_memory_is_bounded():
    pool = Pool(3 * MEBI)
    arrays = [take(pool, MEBI) for _ in range(10)]
    assert (pool.used_bytes, pool.peak_bytes) == (10 * MEBI, 10 * MEBI)
    arrays.clear()
    gc.collect()
    assert (pool.used_bytes, pool.idle_bytes, pool.peak_bytes) == (0, 3 * MEBI, 10 * MEBI)
    none_kept = Pool(0)
    del arrays
    take(none_kept, MEBI)
    gc.collect()
    assert none_kept.idle_bytes == 0


def test_the_longest_idle_blocks_go_first():
    """A program that changes to other shapes gets its blocks back, however full the pool was of the old ones."""
    pool = Pool(4 * MEBI)
    old = [take(pool, MEBI) for _ in range(4)]
    del old
    for _ in range(10):
        new = take(pool, 2 * MEBI), take(pool, 3 * MEBI // 2)
        del new
    gc.collect()
    assert pool.mappings == 4 + 2
    assert pool.idle_bytes == 3 * MEBI // 2 + 2 * MEBI  # room for the new ones; no old one fits beside them
    assert {size for size, idle in pool._idle.items() if idle} == {2 * MEBI, 3 * MEBI // 2}


@given(st.lists(st.integers(POOLED_FROM, 3 * MEBI), max_size=60), st.integers(0, 8))
def test_changing_sizes_do_not_grow_the_pool(sizes, megabytes):
    """Bytes mapped are those in use and at most ``limit`` idle, at every moment."""
    pool, live = Pool(megabytes * MEBI), []
    for turn, size in enumerate(sizes):
        live.append(take(pool, size))
        if turn % 3:
            live.pop(0)
        assert pool.used_bytes == sum(_rounded(array.size) for array in live)
        assert pool.idle_bytes == sum(size * len(idle) for size, idle in pool._idle.items()) <= pool.limit


def test_training_on_changing_shapes_stays_within_the_bound(monkeypatch):
    """Every step has another size; between steps nothing is in use that was not before, and idle memory is bounded."""
    monkeypatch.setattr(memory._pool, "limit", 6 * MEBI)
    memory_trim()
    net = nn.Sequential(nn.Conv2dBatchNorm(1, 16, 3, padding=1, activation="relu"), nn.Conv2d(16, 1, 3, padding=1))
    optimizer = nn.optim.Adam(net.parameters())
    before = memory_report()["used_bytes"]
    for side in (*range(40, 120, 8), *range(120, 40, -8)):
        x = nn.Tensor(np.ones((2, side, side + 3, 1), np.float32))
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x), x).backward()
        optimizer.step()
        del x
        gc.collect()
        report = memory_report()
        assert report["used_bytes"] == before
        assert report["idle_bytes"] <= 6 * MEBI == report["limit_bytes"]


def test_idle_memory_goes_before_a_request_is_refused(monkeypatch):
    pool, refused = Pool(64 * MEBI), []
    take(pool, MEBI)
    gc.collect()
    assert pool.idle_bytes == MEBI

    class OneRefusal(memory._Block):
        def __init__(self, size):
            if not refused:
                refused.append(pool.idle_bytes)
                raise MemoryError
            super().__init__(size)

    monkeypatch.setattr(memory, "_Block", OneRefusal)
    array = take(pool, 2 * MEBI)
    assert array.nbytes == 2 * MEBI
    assert (refused, pool.idle_bytes) == ([MEBI], 0)


def test_trim_spares_what_is_in_use():
    pool = Pool(64 * MEBI)
    kept, dropped = take(pool, MEBI), take(pool, MEBI)
    kept[:] = 7
    del dropped
    gc.collect()
    pool.trim()
    assert (pool.used_bytes, pool.idle_bytes) == (MEBI, 0)
    assert (kept == 7).all()
    del kept
    gc.collect()
    assert pool.idle_bytes == MEBI


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc to read the resident size from")
def test_trimmed_memory_goes_to_the_system():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    pool = Pool(256 * MEBI)
    array = take(pool, 128 * MEBI)
    array[:] = 1
    full = resident()
    del array
    gc.collect()
    assert resident() > full - 64 * MEBI
    pool.trim()
    assert resident() < full - 64 * MEBI


def test_arrays_are_aligned_to_pages():
    for size in (POOLED_FROM, POOLED_FROM + 1, 3 * MEBI + 17):
        assert empty((size,), np.uint8).ctypes.data % 4096 == 0


def test_what_empty_gives():
    for shape, dtype in (((3, 5), np.float32), ((0, 4), np.float64), ((), np.int64), ((700, 1000), np.float64)):
        array = empty(shape, dtype)
        assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
        assert array.flags.carray
    before = memory_report()["used_bytes"]
    small, large = empty((POOLED_FROM - 1,), np.uint8), empty((POOLED_FROM,), np.uint8)
    assert memory_report()["used_bytes"] == before + large.nbytes
    assert small.base is None


@given(st.integers(1, 1 << 40))
def test_sizes_are_rounded_by_an_eighth_at_most(size):
    rounded = _rounded(size)
    assert rounded % 4096 == 0
    assert size <= rounded <= max(size + size // 8 + 1, size + 4095)
    assert _rounded(rounded) == rounded


def test_report_and_trim():
    memory_trim()
    before = memory_report()
    assert before["idle_bytes"] == 0
    array = empty((2 * MEBI,), np.uint8)
    during = memory_report()
    assert during["used_bytes"] == before["used_bytes"] + array.nbytes
    assert during["peak_bytes"] >= during["used_bytes"]
    del array
    gc.collect()
    assert memory_report()["idle_bytes"] == 2 * MEBI
    memory_trim()
    assert memory_report()["idle_bytes"] == 0


def test_threads_share_the_pool():
    pool, wrong = Pool(8 * MEBI), []

    def work(value):
        for turn in range(200):
            size = MEBI // 2 * (1 + (turn + value) % 3)
            array = take(pool, size)
            array[::4096] = value
            if not (array[::4096] == value).all():
                wrong.append((value, turn))

    threads = [threading.Thread(target=work, args=(value,)) for value in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    assert not wrong
    assert pool.used_bytes == 0
    assert pool.idle_bytes == sum(size * len(blocks) for size, blocks in pool._idle.items()) <= 8 * MEBI


def test_the_bound_is_read_from_the_environment():
    program = """
import numpy as np
from tilegrad.kernels.machine.memory import empty, memory_report
a = [empty((1 << 20,), np.uint8) for _ in range(5)]
del a
print(memory_report()["idle_bytes"] >> 20, memory_report()["limit_bytes"] >> 20)
"""
    environment = {**os.environ, "TILEGRAD_POOL_MB": "2"}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["2", "2"]
