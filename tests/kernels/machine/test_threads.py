"""The parallel driver: every task once, and the same results by every way, from any thread and after a fork."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.machine import threads
from tilegrad.kernels.machine.compile import kernel
from tilegrad.kernels.machine.pointers import fetch_add, pointer

from tilegrad import kernels

MUCH, LITTLE = 1e9, 0.0
TWO = min(2, numba.config.NUMBA_NUM_THREADS)


@kernel()
def count():
    """Adds one to a counter of each task and notes the slot that did it."""

    def work(begin, end, slot, block):
        counts, slots = pointer(block[0], np.int64), pointer(block[1], np.int64)
        for task in range(begin, end):
            counts[task] += 1
            slots[task] = slot

    return work


@kernel()
def meet():
    """Task 0 is over when most tasks have begun: it waits, for a while, until others have done its thread's share."""

    def work(begin, end, slot, block):
        begun, slots = pointer(block[0], np.int64), pointer(block[1], np.int64)
        for task in range(begin, end):
            fetch_add(block[0], 1)
            slots[task] = slot
            patience = 0
            while task == 0 and begun[0] < 90 and patience < 2_000_000_000:
                patience = fetch_add(block[0] + 8, 1)

    return work


@pytest.fixture(scope="module", autouse=True)
def worker(tmp_path_factory):
    """Compiled into a folder of its own: the cache's key covers the package's sources, not this file."""
    before = os.environ.get("TILEGRAD_CACHE_DIR")
    os.environ["TILEGRAD_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    count.address()
    if before is None:
        del os.environ["TILEGRAD_CACHE_DIR"]
    else:
        os.environ["TILEGRAD_CACHE_DIR"] = before


@pytest.fixture(params=["numba", "python"])
def way(request, monkeypatch):
    """The two ways of running a worker in parallel."""
    state = threads._Threads()
    if request.param == "python":
        monkeypatch.setattr(threads, "_layer_is_concurrent", lambda: False)
    elif not threads._layer_is_concurrent():
        pytest.skip("Numba has only its workqueue layer here")
    monkeypatch.setattr(threads, "_threads", state)
    assert threads.layer() == request.param
    yield request.param
    if state.pool is not None:
        state.pool.shutdown()


@pytest.fixture
def two_threads():
    before = numba.get_num_threads()
    numba.set_num_threads(TWO)
    yield
    numba.set_num_threads(before)


def counted(tasks, ns):
    counts, slots = np.zeros(tasks + 2, np.int64), np.full(tasks + 2, -1)
    block = threads.block_of([counts.ctypes.data, slots.ctypes.data])
    threads.launch(count.address(), tasks, block.ctypes.data, ns)
    assert counts.tolist() == [1] * tasks + [0, 0]
    return slots[:tasks].tolist()


@pytest.mark.usefixtures("two_threads")
def test_every_task_is_done_once(way):
    for ns in (LITTLE, MUCH):
        for tasks in (0, 1, 2, 3, 5, 64, 1001):
            assert set(counted(tasks, ns)) <= set(range(TWO))


@given(tasks=st.integers(0, 300))
def test_every_task_is_done_once_whatever_their_number(tasks):
    counted(tasks, MUCH)


@pytest.mark.skipif(TWO < 2, reason="one thread only")
@pytest.mark.usefixtures("two_threads")
def test_a_thread_that_is_held_up_leaves_the_rest_to_others(way):
    slots, begun = np.full(100, -1), np.zeros(2, np.int64)
    block = threads.block_of([begun.ctypes.data, slots.ctypes.data])
    threads.launch(meet.address(), 100, block.ctypes.data, MUCH)
    assert begun[0] == 100
    assert set(slots.tolist()) == {0, 1}


@pytest.mark.usefixtures("two_threads")
def test_small_work_takes_no_threads(way):
    assert set(counted(100, threads.SERIAL_BELOW_NS - 1)) == {0}


def test_users_set_the_number_of_threads(way):
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    assert threads.num_threads() == 1
    assert set(counted(100, MUCH)) == {0}
    numba.set_num_threads(before)


def some_results(seed):
    """Results of kernels large enough to take threads."""
    x = kernels.random_normal((2, 40, 40, 16), seed=seed)
    w = kernels.random_normal((24, 3, 3, 16), seed=seed, counter=1 << 20)
    y = kernels.conv2d(x, w, padding=1)
    return [x, y, kernels.conv2d_weight_grad(y, x, w.shape, padding=1), kernels.random_permutation(100, seed=seed)]


def assert_same(found, expected):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_results_do_not_depend_on_the_number_of_threads(way):
    before, results = numba.get_num_threads(), []
    for number in (1, TWO):
        numba.set_num_threads(number)
        results.append(some_results(1))
    numba.set_num_threads(before)
    assert_same(*results)


def test_eight_python_threads_at_once(way):
    expected = [some_results(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for found, wanted in zip(pool.map(some_results, list(range(8)) * 3), expected * 3, strict=True):
            assert_same(found, wanted)


CONCURRENT = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import numba
from tilegrad import kernels
from tilegrad.kernels.machine import threads
numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))

def work(seed):
    x = kernels.random_normal((2, 40, 40, 16), seed=seed)
    return kernels.conv2d(x, kernels.random_normal((24, 3, 3, 16), seed=seed), padding=1).tobytes()

expected = [work(seed) for seed in range(8)]
with ThreadPoolExecutor(8) as pool:
    same = all(list(pool.map(work, range(8))) == expected for _ in range(3))
print(json.dumps([threads.layer(), same]))
"""

FORKED = """
import json, os, sys
import numba
from tilegrad import kernels
from tilegrad.kernels.machine import threads
numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))

def work(seed):
    x = kernels.random_normal((2, 40, 40, 16), seed=seed)
    return kernels.conv2d(x, kernels.random_normal((24, 3, 3, 16), seed=seed), padding=1).tobytes()

expected = [work(seed) for seed in range(3)]
layer = threads.layer()
child = os.fork()
if child == 0:
    right = [work(seed) for seed in range(3)] == expected and threads.layer() == "python"
    os._exit(0 if right else 1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps([layer, status, [work(seed) for seed in range(3)] == expected]))
"""


def report_of(program, **settings):
    environment = {**os.environ, **settings}
    arguments = {"env": environment, "capture_output": True, "text": True, "timeout": 120}
    found = subprocess.run([sys.executable, "-c", program], check=False, **arguments)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_python_threads_where_numba_has_only_workqueue():
    """Numba's workqueue layer aborts the process when two threads launch at once."""
    assert report_of(CONCURRENT, NUMBA_THREADING_LAYER="workqueue") == ["python", True]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("settings", [{}, {"NUMBA_THREADING_LAYER": "workqueue"}], ids=["default", "workqueue"])
def test_a_forked_child_computes_the_same(settings):
    """GNU OpenMP ends a forked child that enters it."""
    layer, status, parent_goes_on = report_of(FORKED, **settings)
    assert layer == ("python" if settings else threads.layer())
    assert status == 0
    assert parent_goes_on


HELD = """
import os, threading, time
from tilegrad.kernels.machine import compile as compilation, memory

def hold(lock, held):
    with lock:
        held.set()
        time.sleep(0.3)

for lock in (memory._pool.lock, compilation._COMPILING):
    held = threading.Event()
    thread = threading.Thread(target=hold, args=(lock, held))
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.acquire(timeout=10) else 1)
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with lock:
        pass
print("true")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_waits_for_locks_that_other_threads_hold():
    assert report_of(HELD) is True
