"""Convolutions in processes of their own: threads, threading layers, processors, guarded memory, compilation."""

import ctypes
import mmap
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core import config
from tilegrad.kernels.machine import processor, threads

HERE = Path(__file__).parent


def run(*arguments, timeout=600, **environment):
    """A Python program beside this file; the error is its whole output."""
    search = os.pathsep.join([str(HERE), str(HERE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": search, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_threads():
    """One to eight threads, and eight Python threads at once, give the same bits."""
    if not threads._layer_is_concurrent():
        pytest.skip("Numba has only its workqueue layer here")
    run(HERE / "in_process.py", NUMBA_NUM_THREADS="8")


def test_threads_without_openmp_and_tbb():
    """The layer that aborts on concurrent use is never started."""
    run(HERE / "in_process.py", "workqueue", NUMBA_NUM_THREADS="8", NUMBA_THREADING_LAYER="workqueue")


GUARDED = """
import faulthandler
from test_convolution_processes import guarded_calls
faulthandler.enable()
guarded_calls()
"""


def at_the_end_of_a_page(array, pages):
    """A copy of the array whose last byte is the last before a page that must not be touched."""
    page = mmap.PAGESIZE
    size = -(-max(1, array.nbytes) // page) * page
    memory = mmap.mmap(-1, size + page)
    pages.append(memory)  # alive as long as the copy
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(address + size), ctypes.c_size_t(page), 0) == 0
    copy = np.frombuffer(memory, array.dtype, array.size, size - array.nbytes).reshape(array.shape)
    copy[...] = array
    return copy


def guarded_calls():
    """Reading or writing one byte beyond an array ends this process."""
    from convolution_calls import OPERATIONS, Call

    for index in range(400):
        rng = np.random.default_rng(index)
        pick = rng.choice
        c, k = (int(pick([1, 2, 3, 5, 15, 16, 17, 31, 33])) for _ in range(2))
        groups = int(pick([1, 1, 2, 3]))
        if index % 7 == 0:
            c, k, groups = 1, 1, int(pick([3, 17, 20]))
        call = Call(
            x=(int(pick([1, 2])), *(int(v) for v in rng.integers(7, 15, 2)), c * groups),
            w=(k * groups, int(pick([1, 3, 4])), int(pick([1, 3, 4])), c),
            stride=(int(pick([1, 2, 3])), int(pick([1, 2, 3]))),
            padding=((int(pick([0, 1])), 1), (1, int(pick([0, 2])))),
            dilation=(int(pick([1, 2])), int(pick([1, 2]))),
            groups=groups,
            bias=bool(index % 2),
            dtype=("float32", "float64")[index // 2 % 2],
            seed=index,
        )
        for operation in OPERATIONS:
            pages = []
            arrays = call.arrays(operation)
            expected = call.run(operation, arrays)
            there = [None if a is None else at_the_end_of_a_page(a, pages) for a in arrays]
            out = at_the_end_of_a_page(np.zeros(call.result(operation), call.dtype), pages)
            print(call.text(operation), flush=True)
            call.run(operation, there, out=out)
            np.testing.assert_array_equal(out, expected)
            call.run(operation, there, out=out, variant="direct")
            del there, out


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="protects pages by mprotect")
def test_nothing_is_touched_beyond_the_arrays():
    run("-c", GUARDED)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="protects pages by mprotect")
def test_the_guard_bites():
    read = "import numpy as np, ctypes; from test_convolution_processes import at_the_end_of_a_page as place\n"
    read += "x = place(np.ones(5, np.float32), [])\n"
    run("-c", read + "ctypes.c_float.from_address(x.ctypes.data + 16).value")
    with pytest.raises(AssertionError):
        run("-c", read + "ctypes.c_float.from_address(x.ctypes.data + 20).value")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "vector_bytes"),
    [("haswell", 32), ("x86-64", 16)],
)
@pytest.mark.skipif(processor.target()[0].split("-")[0] != "x86_64", reason="names processors of x86-64")
def test_other_processors(name, vector_bytes):
    """AVX2 has 16 registers of 32 bytes, plain x86-64 16 of 16 bytes and no fused multiply-add."""
    if vector_bytes > processor.vector_bytes() or config.CPU_NAME:
        pytest.skip(f"this processor has no vectors of {vector_bytes} bytes")
    check = f"from tilegrad.kernels.machine.processor import vector_bytes; assert vector_bytes() == {vector_bytes}"
    run("-c", check, NUMBA_CPU_NAME=name)
    names = ("convolution", "winograd", "winograd_phases", "winograd_phases_weight_grad", "winograd_rows", "taps")
    others = [HERE.parent / "machine" / "test_microkernel.py", HERE.parent / "interpolation" / "test_interpolation.py"]
    tests = [*others, *[HERE / f"test_{name}.py" for name in names]]
    quick = ("-q", "-p", "no:cacheprovider", "-m", "not (slow or parity)")
    run("-m", "pytest", "-n0", *quick, *tests, NUMBA_CPU_NAME=name, HYPOTHESIS_PROFILE="brief")


NETWORKS = """
import numpy as np
from tilegrad import kernels
from tilegrad.kernels.machine.compile import compiled_kernels


def passes(width, images, height, columns):
    shape = (images, height, columns, 1)
    x, first = np.ones(shape, np.float32), np.ones((width, 3, 3, 1), np.float32)
    middle, last = np.ones((width, 3, 3, width), np.float32), np.ones((1, 3, 3, width), np.float32)
    down = np.ones((width, 4, 4, width), np.float32)
    bias = np.ones(width, np.float32)
    for w, activation in ((first, "relu"), (middle, None), (last, None)):
        y = kernels.conv2d(x, w, bias[: w.shape[0]], padding=1, activation=activation)
        kernels.conv2d_weight_grad(y, x, w.shape, padding=1)
        kernels.conv2d_input_grad(y, w, x.shape, padding=1)
        x = y if w is not last else x
    y = kernels.conv2d(x, down, stride=2, padding=1, activation="leaky_relu")
    kernels.conv_transpose2d(y, down, bias, stride=2, padding=1, activation="tanh")
    kernels.conv2d_weight_grad(y, x, down.shape, stride=2, padding=1)
    kernels.linear(y.reshape(images, -1), np.ones((5, y[0].size), np.float32))


# Wide, narrow and very narrow networks take different variants, and halves of 7 x 7 every kind of tile.
for network in ((64, 2, 40, 40), (64, 2, 14, 14), (17, 3, 24, 24), (1, 2, 20, 40)):
    passes(*network)
first = list(compiled_kernels)
assert first, "the cache was empty, so that kernels were compiled"
assert len(first) == len(set(first)), first
for width, images, height, columns in ((48, 1, 33, 70), (18, 2, 31, 29), (2, 3, 17, 23), (130, 1, 9, 9)):
    passes(width, images, height, columns)
    assert compiled_kernels == first, (width, compiled_kernels[len(first) :])
"""


def test_another_network_compiles_nothing(tmp_path):
    """Kernels are compiled for types, variants and kinds of tiles; widths and sizes of images are arguments."""
    run("-c", NETWORKS, TILEGRAD_CACHE_DIR=str(tmp_path))
