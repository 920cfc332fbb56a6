"""The emulator of CUDA C++ reports the mistakes that it is there for: kernels that are wrong on purpose."""

import re
from pathlib import Path

import emulator
import numpy as np
import pytest
from tilegrad.kernels.machine import cuda

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.skipif(emulator.compiler() is None, reason="the emulator needs a C++ compiler (g++)"),
]

ARGUMENTS = np.dtype([("x", np.uint64), ("y", np.uint64), ("mistake", np.int32)], align=True)

# 64 threads turn an array of 64 rows of four floats round, through shared memory, and store each beside a zero.
SOURCE = """
#include "cuda_ptx.cuh"
struct Arguments { const float* x; float* y; int mistake; };
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "layout");
enum { NONE, SHARED_OUT_OF_BOUNDS, SHARED_MISALIGNED, NO_BASE, GLOBAL_OUT_OF_BOUNDS, NO_WAIT, NO_BARRIER,
       WRITE_AFTER_READ, NEVER_WRITTEN, WARP_DIVERGES, BARRIER_DIVERGES, LEAVES_BARRIER, WRITES_INPUT, WRITES_TWICE };

extern "C" __global__ void __launch_bounds__(64) KERNEL(const Arguments a) {
    const int t = threadIdx.x, warp = t / 32, lane = t % 32;
    const u32 rows = a.mistake == NO_BASE ? 0 : shared_memory();
    const int to = a.mistake == SHARED_OUT_OF_BOUNDS ? t + 1 : t;
    const int from = a.mistake == GLOBAL_OUT_OF_BOUNDS ? t + 1 : t;
    if (a.mistake != NEVER_WRITTEN || t < 63) copy_async_16(rows + to * 16, a.x + from * 4, true);
    commit_copies();
    if (a.mistake != NO_WAIT) wait_copies<0>();
    if (a.mistake == LEAVES_BARRIER && warp == 1) return;
    if (a.mistake == BARRIER_DIVERGES ? lane < 16 : a.mistake != NO_BARRIER) __syncthreads();
    u32 words[4];
    // Warps run in order: the later one is led to read what the earlier wrote, or to write what the earlier read.
    const bool own = a.mistake == NO_BARRIER && warp == 0 || a.mistake == WRITE_AFTER_READ && warp == 1;
    const u32 row = rows + (own ? t : 63 - t) * 16 + (a.mistake == SHARED_MISALIGNED ? 4 : 0);
    if (a.mistake != WARP_DIVERGES || lane < 16) load_matrices(words, row);
    if (a.mistake == WRITE_AFTER_READ && warp == 1) copy_async_16(rows + t * 16, a.x, true);
    float* y = a.mistake == WRITES_INPUT ? const_cast<float*>(a.x) : a.y;
    for (int m = 0; m < 4; m++) {
        float* to = y + (warp * 32 + m * 8 + lane / 4) * 8 + lane % 4 * 2;
        store_pair(to, value_of(words[m]), 0.0f);
        if (a.mistake == WRITES_TWICE) store_pair(to, 0.0f, 0.0f);
    }
}
"""
COMPLAINTS = {
    "SHARED_OUT_OF_BOUNDS": "thread 63: copy_async_16: shared address 1024 is outside the block's 1024 bytes",
    "SHARED_MISALIGNED": "load_matrices: shared address .* is not a multiple of 16",
    "NO_BASE": "copy_async_16: shared address -4096 is outside",
    "GLOBAL_OUT_OF_BOUNDS": "thread 63: copy_async_16: 16 bytes at .* lie outside every array",
    "NO_WAIT": "load_matrices: reads what a copy of thread .* is on its way to",
    "NO_BARRIER": "thread 32: load_matrices: reads what thread .* has written since the last barrier",
    "WRITE_AFTER_READ": "copy_async_16: writes what another thread has read since the last barrier",
    "NEVER_WRITTEN": "load_matrices: reads shared memory that nobody has written",
    "WARP_DIVERGES": r"0 and 16 have diverged: one is at load_matrices \(turn.cu, line 22\), the other at the end",
    "BARRIER_DIVERGES": "threads 0 and 16 have diverged: one is at __syncthreads .*, the other at load_matrices",
    "LEAVES_BARRIER": "threads 0 and 32 have diverged: one is at __syncthreads .*, the other at the end",
    "WRITES_INPUT": "store_pair: writes an input",
    "WRITES_TWICE": "store_pair: writes element 0 of an output a second time",
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> cuda.Kernel:
    source = tmp_path_factory.mktemp("cuda") / "turn.cu"
    source.write_text(SOURCE)
    return cuda.Kernel(source, "turn", 64, ARGUMENTS)


def turn(kernel: cuda.Kernel, mistake: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.arange(256, dtype=np.float32).reshape(64, 4)
    y = np.full((64, 4, 2), np.nan, np.float32)
    arguments = np.zeros(1, ARGUMENTS)
    arguments["x"], arguments["y"], arguments["mistake"] = cuda.address(x), cuda.address(y), mistake
    with cuda.launching(emulator.launch):
        cuda.launch(kernel, (1, 1, 1), 1024, arguments, [x], [y])
    return x, y


def test_a_kernel_without_mistakes_runs(kernel: cuda.Kernel) -> None:
    x, y = turn(kernel, 0)
    np.testing.assert_array_equal(y[..., 0], x[::-1])
    np.testing.assert_array_equal(y[..., 1], 0)


@pytest.mark.parametrize("mistake", COMPLAINTS)
def test_a_mistake_is_reported(kernel: cuda.Kernel, mistake: str) -> None:
    with pytest.raises(emulator.EmulationError, match=f"^turn.cu: .*{COMPLAINTS[mistake]}"):
        turn(kernel, list(COMPLAINTS).index(mistake) + 1)


UPDATE = """
#include "cuda_ptx.cuh"
struct Arguments { float* x; unsigned long long unused; int mistake; };
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "layout");

extern "C" __global__ void __launch_bounds__(32) KERNEL(const Arguments a) {
    const int t = blockIdx.x * 32 + threadIdx.x;
    const float number = load_number(a.x + (a.mistake == 1 && t == 5 ? 4 : a.mistake == 2 && t == 5 ? 40 : t));
    store_number(a.x + t, number + 1);
    if (a.mistake == 3) store_number(a.x + t, number);
}
"""


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        (0, ""),
        (1, "thread 5: load_number: reads element 4 of an array after it was updated"),
        (
            2,
            r"block \(1, 0, 0\), thread 8: store_number: updates element 40 of an array, which another thread has read",
        ),
        (3, "store_number: writes element 0 of an output a second time"),
    ],
)
def test_an_array_is_updated_in_place_by_one_thread_for_each_number(
    mistake: int, complaint: str, tmp_path: Path
) -> None:
    source = tmp_path / "update.cu"
    source.write_text(UPDATE)
    x, arguments = np.arange(64, dtype=np.float32), np.zeros(1, ARGUMENTS)
    arguments["x"], arguments["mistake"] = cuda.address(x), mistake
    launch = (cuda.Kernel(source, "update", 32, ARGUMENTS), (2, 1, 1), 0, arguments, [x], [x])
    if complaint:
        with pytest.raises(emulator.EmulationError, match=complaint):
            emulator.launch(*launch)
        return
    emulator.launch(*launch)
    np.testing.assert_array_equal(x, np.arange(1, 65))


EXCHANGE = """
#include "cuda_ptx.cuh"
struct Arguments { int* x; unsigned long long unused; int mistake; };
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "layout");

extern "C" __global__ void __launch_bounds__(32) KERNEL(const Arguments a) {
    const int t = blockIdx.x * 32 + threadIdx.x;
    if (a.mistake == 1 && t == 5) load_number(a.x);
    if (exchange(a.x, t) != t - 1) store_number(a.x + 1, 0);
    if (a.mistake == 2 && t == 5) store_number(a.x, 0);
}
"""


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        (0, ""),
        (1, "thread 5: load_number: reads element 0 of an array after it was updated"),
        (2, "thread 5: store_number: writes element 0 of an output a second time"),
    ],
)
def test_any_number_of_threads_exchange_what_they_find(mistake: int, complaint: str, tmp_path: Path) -> None:
    """Here one after the other: each finds what the one before has put there."""
    source = tmp_path / "exchange.cu"
    source.write_text(EXCHANGE)
    x, arguments = np.full(2, -1, np.int32), np.zeros(1, ARGUMENTS)
    arguments["x"], arguments["mistake"] = cuda.address(x), mistake
    launch = (cuda.Kernel(source, "exchange", 32, ARGUMENTS), (2, 1, 1), 0, arguments, [x], [x])
    if complaint:
        with pytest.raises(emulator.EmulationError, match=complaint):
            emulator.launch(*launch)
        return
    emulator.launch(*launch)
    np.testing.assert_array_equal(x, [63, -1])


LOWER = """
#include "cuda_ptx.cuh"
struct Arguments { u32* x; unsigned long long unused; int mistake; };
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "layout");

extern "C" __global__ void __launch_bounds__(32) KERNEL(const Arguments a) {
    const u32 t = threadIdx.x, number = 40 - blockIdx.x * 32 - t, own = shared_memory() + 4;
    if (a.mistake == 1 && t == 5) load_number(a.x);
    if (a.mistake == 2 && t == 5) store_number(a.x + 1, 0u);
    const u32 seen = load_lowered(a.x + (a.mistake == 2)), before = lower(a.x, number);
    if (seen == 99) lower(a.x + 1, number);
    if (before == 99) lower(a.x + 2, number);
    if (a.mistake == 3 && t == 5) load_number(a.x);
    if (t == 0) store_shared(own, 100u);
    if (a.mistake != 4) __syncthreads();
    if (a.mistake == 5 && t == 4) load_word(own);
    lower_shared(own, t + 1);
    if (a.mistake == 6 && t == 5) store_shared(own, 0u);
    if (a.mistake == 7 && t == 5) load_word(own);
    __syncthreads();
    if (load_word(own) != 1) lower(a.x, 0);
}
"""


def lowered(folder: Path, mistake: int, seed: int) -> list[int]:
    """What 32 threads leave of three numbers: the least of all, of those that saw no other, and of the first one."""
    source = folder / "lower.cu"
    source.write_text(LOWER)
    x, arguments = np.full(3, 99, np.uint32), np.zeros(1, ARGUMENTS)
    arguments["x"], arguments["mistake"] = cuda.address(x), mistake
    emulator.launch(cuda.Kernel(source, "lower", 32, ARGUMENTS), (1, 1, 1), 8, arguments, [x], [x], seed)
    return x.tolist()


def test_any_number_of_threads_lower_a_number_and_their_steps_come_between_others(tmp_path: Path) -> None:
    """All have looked before the first one lowers the number; with seeds some have, and others are the first."""
    assert lowered(tmp_path, 0, 0) == [9, 9, 40]
    found = [lowered(tmp_path, 0, seed) for seed in range(1, 9)]
    assert {least for least, _, _ in found} == {9}
    assert len({first for _, _, first in found}) > 1


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        (1, "thread 0: load_lowered: lowers element 0, which was read or written"),
        (2, "load_lowered: lowers element 1, which was read or written"),
        (3, "thread 5: load_number: reads element 0 of an array after it was updated"),
        (4, "lower_shared: lowers what thread 0 has written since the last barrier"),
        (5, "lower_shared: lowers what another thread has read since the last barrier"),
        (6, "thread 5: store_shared: writes what another thread has lowered since the last barrier"),
        (7, "thread 5: load_word: reads what another thread has lowered since the last barrier"),
    ],
)
def test_numbers_that_are_lowered_are_reached_in_no_other_way(mistake: int, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(emulator.EmulationError, match=complaint):
        lowered(tmp_path, mistake, 0)


SUM = """
#include "cuda_ptx.cuh"
struct Arguments { const float* x; float* y; int pairs; };
static_assert(sizeof(Arguments) == ARGUMENT_BYTES, "layout");

extern "C" __global__ void __launch_bounds__(32) KERNEL(const Arguments a) {
    const int t = threadIdx.x % 4;
    float d[4] = {load_number(a.x + 8)};
    const u32 first = bits_of(load_number(a.x + t)), second = bits_of(load_number(a.x + t + 4)), one = bits_of(1.0f);
    const u32 factors[4] = {first, first, second, second};
    if (a.pairs) {
        const u32 halves[4] = {first >> 16, first >> 16, second >> 16, second >> 16};
        multiply_bf16(d, halves, one >> 16, one >> 16);
    } else {
        multiply_tf32(d, factors, one, one);
    }
    store_number(a.y + threadIdx.x, d[0]);
}
"""


@pytest.mark.parametrize("pairs", [0, 1])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_tensor_cores_cut_what_they_add(pairs: int, sign: float, tmp_path: Path) -> None:
    """Beside 1 a product has bits down to 2^-24, and a sum down to 2^-23: others are cut, on either side of zero."""
    source = tmp_path / "sum.cu"
    source.write_text(SUM)
    kernel = cuda.Kernel(source, "sum", 32, ARGUMENTS)
    unit = 2.0**-24
    for products, expected in (
        ([unit / 2] * 8, 1),
        ([unit] * 3, 1 + 2 * unit),
        ([unit] * 4, 1 + 4 * unit),
        ([3 * unit / 2] * 2, 1 + 2 * unit),
        ([1, 1 + 2.0**-7], 3 + 2.0**-7),
        ([np.inf], np.inf),
        ([np.inf, -np.inf], np.nan),
    ):
        x, y, arguments = np.zeros(9, np.float32), np.full(32, np.nan, np.float32), np.zeros(1, ARGUMENTS)
        x[: len(products)], x[8] = products, 1
        x *= np.float32(sign)
        arguments["x"], arguments["y"], arguments["mistake"] = cuda.address(x), cuda.address(y), pairs
        emulator.launch(kernel, (1, 1, 1), 0, arguments, [x], [y])
        np.testing.assert_array_equal(y[::4], np.float32(sign * expected))


def test_a_source_that_does_not_compile_is_shown(tmp_path: Path) -> None:
    source = tmp_path / "wrong.cu"
    source.write_text('#include "cuda_ptx.cuh"\nextern "C" void KERNEL(const int a) { undeclared(a); }\n')
    with pytest.raises(emulator.EmulationError, match=r"wrong.cu:2:\d+: error: .undeclared. was not declared"):
        turn(cuda.Kernel(source, "wrong", 64, ARGUMENTS), 0)


BEHIND_A_HEADER = """#include "cuda_ptx.cuh"
struct Arguments {
    float* y;
};
inline u32 here(u32 value) { return shuffle(value, 0); }

#include "there.cuh"

extern "C" __global__ void KERNEL(const Arguments a) {
    if (threadIdx.x % 2 ? here(1) : there(1)) store_one(a.y, 1.0f);
}
"""


def test_a_line_of_a_header_is_another_one(tmp_path: Path) -> None:
    """Both shuffles stand on line 5, of two files; and the message names the file."""
    (tmp_path / "halves.cu").write_text(BEHIND_A_HEADER)
    (tmp_path / "there.cuh").write_text("\n\n\n\ninline u32 there(u32 value) { return shuffle(value, 0); }\n")
    arguments, y = np.zeros(1, np.dtype([("y", np.uint64)])), np.zeros(1, np.float32)
    kernel = cuda.Kernel(tmp_path / "halves.cu", "halves", 32, arguments.dtype)
    with pytest.raises(emulator.EmulationError, match=r"at shuffle \(there.cuh, line 5\), .* \(halves.cu, line 5\)"):
        emulator.launch(kernel, (1, 1, 1), 0, arguments, [], [y])


def test_the_emulated_functions_are_the_real_ones() -> None:
    """Both headers declare the same names with the same parameters, but for the line of the call."""

    def functions(path: Path, keyword: str) -> dict[str, str]:
        text = re.sub(r",? *CallSite site = CallSite::here\(\)", "", path.read_text())
        found = re.findall(rf"^{keyword} [\w<>, ]+? (\w+)\(([^{{]*)\) {{", text, re.MULTILINE)
        return {name: " ".join(parameters.split()) for name, parameters in found}

    real = functions(cuda.PTX_HEADER, "__device__ __forceinline__")
    emulated = functions(Path(emulator.__file__).with_name("cuda_ptx.cuh"), "inline")
    assert len(real) > 5
    assert {name: emulated.get(name) for name in real} == real
