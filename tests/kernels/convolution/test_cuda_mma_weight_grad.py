"""The weight gradient on tensor cores without a GPU: both CUDA C++ sources in the emulator, and compiled by NVRTC."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from cuda_cases import TENSOR_CORES, Case, cases, check, misaligned, run
from hypothesis import example, given, settings
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, WITH_TENSOR_CORES, broken, compiled, emulated
from tilegrad.kernels.convolution import CONV2D_WEIGHT_GRAD, conv2d_weight_grad, cuda_mma_weight_grad
from tilegrad.kernels.linear.cuda_sum_partials import sum_kernel
from tilegrad.kernels.machine import cuda


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    """Partial sums start as NaN, like outputs."""
    with cuda.launching(emulator.launch), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_mma_weight_grad, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))
        yield


def check_gradient(case: Case, variant: str = "mma") -> None:
    check(case, f"cuda.{variant}", TENSOR_CORES[variant], operation=CONV2D_WEIGHT_GRAD)


@emulated
@given(
    cases(
        sizes=(1, 3, 8, 9, 17, 25),
        channels=(4, 8, 28, 36, 68),
        out_channels=(4, 16, 36, 64, 68),
        kernels=(1, 2, 3, 5),
    )
)
@example(Case((2, 8, 8, 64), (64, 3, 3, 64), False, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 1))
@example(Case((2, 19, 37, 36), (68, 3, 3, 36), False, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 0))
@example(Case((3, 33, 18, 4), (32, 5, 5, 4), False, (1, 1), ((2, 2), (2, 2)), (1, 1), 1, None, "float32", 1))
@settings(max_examples=15, deadline=None)
def test_equals_the_definition(case: Case) -> None:
    check_gradient(case)


@emulated
@given(
    cases(sizes=(1, 3, 8, 9, 17, 25), channels=(4, 8, 36), out_channels=(4, 36, 68), kernels=(2, 3, 4), strides=(2,))
)
@example(Case((3, 28, 27, 36), (36, 4, 4, 36), False, (2, 2), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 0))
@settings(max_examples=10, deadline=None)
def test_equals_the_definition_with_stride_2(case: Case) -> None:
    check_gradient(case)


@emulated
@given(
    cases(sizes=(1, 8, 17), channels=(4, 36), out_channels=(4, 36, 68), kernels=(3, 4)),
    st.sampled_from((1, 2)),
)
@settings(max_examples=8, deadline=None)
def test_equals_the_definition_with_bfloat16_products(case: Case, stride: int) -> None:
    check_gradient(case._replace(stride=(stride, stride)), "mma_bf16")


@emulated
@pytest.mark.parametrize("variant", TENSOR_CORES)
@pytest.mark.parametrize("tile", cuda_mma_weight_grad.TILES)
def test_every_tile_computes_every_shape(
    tile: cuda_mma_weight_grad.Tile, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule that picks a tile is about speed and registers; each is right for all."""
    monkeypatch.setattr(cuda_mma_weight_grad, "tile_for", lambda geometry: tile)
    monkeypatch.setattr(CONV2D_WEIGHT_GRAD, "_plans", {})
    for x, w in [((2, 9, 21, 72), (8, 3, 3, 72)), ((1, 5, 6, 12), (36, 2, 5, 12))]:
        check_gradient(Case(x, w, False, (1, 1), ((1, 2), (0, 1)), (1, 1), 1, None, "float32", 0), variant)


@emulated
@pytest.mark.parametrize("blocks", [1, 2, 3, 7, 50])
def test_any_number_of_parts_gives_the_sum(blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """45 strips: parts of equal length, a last one that is shorter, and parts of one strip."""
    monkeypatch.setattr(cuda_mma_weight_grad, "_BLOCKS", blocks)
    monkeypatch.setattr(cuda_mma_weight_grad, "_LEAST_STRIPS", 1)
    monkeypatch.setattr(CONV2D_WEIGHT_GRAD, "_plans", {})
    case = Case((3, 18, 17, 8), (4, 1, 1, 8), False, (1, 1), ((0, 0), (0, 0)), (1, 1), 1, None, "float32", 0)
    check_gradient(case)
    check_gradient(case._replace(seed=1))


def test_parts_cover_all_strips_once_and_none_is_empty() -> None:
    for strips in range(300):
        for wanted, least in ((0, 8), (2, 8), (88, 8), (264, 8), (264, 1)):
            parts, each = cuda_mma_weight_grad.parts_of(strips, wanted, least)
            assert (parts - 1) * each < max(strips, 1) <= max(parts * each, 1)


@emulated
def test_an_empty_batch_has_a_gradient_of_zeros() -> None:
    arrays = [np.empty((0, 8, 8, 4), np.float32)] * 2
    got = run(arrays, ((4, 3, 3, 4), 1, 1, 1, 1), "cuda.mma", operation=CONV2D_WEIGHT_GRAD)
    np.testing.assert_array_equal(got, np.zeros((4, 3, 3, 4)))


@emulated
def test_two_runs_give_the_same_bits() -> None:
    rng = np.random.default_rng(2)
    arrays = [rng.standard_normal((2, 40, 40, 4)).astype(np.float32) for _ in range(2)]
    runs = [run(arrays, ((4, 3, 3, 4), 1, 1, 1, 1), "cuda.mma", operation=CONV2D_WEIGHT_GRAD) for _ in range(2)]
    assert cuda_mma_weight_grad.parts_of(100, 88, 8)[0] > 1
    np.testing.assert_array_equal(*runs)


@emulated
def test_arrays_may_begin_anywhere() -> None:
    """Small whole numbers, whose products and sums are exact in every precision."""
    gy, x, gw = misaligned((1, 8, 8, 4)), misaligned((1, 8, 8, 4)), misaligned((4, 1, 1, 4))
    conv2d_weight_grad(gy, x, weight_shape=gw.shape, out=gw, variant="cuda.mma")
    np.testing.assert_array_equal(gw, conv2d_weight_grad(gy, x, weight_shape=gw.shape, variant="reference"))


@pytest.mark.parametrize(
    ("x", "w", "dtype", "stride", "reason"),
    [
        ((1, 8, 8, 4), (4, 3, 3, 4), "f8", 1, "takes float32 but got float64"),
        ((1, 9, 9, 4), (4, 3, 3, 4), "f4", 3, r"takes stride 1 or 2, .* but got stride \(3, 3\)"),
        ((1, 8, 8, 4), (4, 3, 6, 4), "f4", 1, "takes kernels up to 5 wide but got 3 x 6"),
        ((1, 8, 8, 6), (4, 3, 3, 6), "f4", 1, "multiples of 4 .* but got C_in = 6, C_out = 4"),
        ((1, 8, 8, 4), (2, 3, 3, 4), "f4", 1, "multiples of 4 .* but got C_in = 4, C_out = 2"),
    ],
)
def test_says_why_it_does_not_take_a_call(x: Any, w: Any, dtype: str, stride: int, reason: str) -> None:
    case = Case(x, w, False, (stride,) * 2, ((0, 0), (0, 0)), (1, 1), 1, None, dtype, 0)
    with pytest.raises(ValueError, match=reason):
        conv2d_weight_grad(np.ones(case.y, dtype), np.ones(x, dtype), w, stride=stride, variant="cuda.mma")


# What the emulator finds in this kernel when it is broken: mistakes of memory by their kind, others by wrong values.
MUTANTS = {
    "no barrier": ("__syncthreads();", "", "since the last barrier|nobody has written"),
    "no wait": ("wait_copies<0>();", "", "a copy of thread .* is on its way"),
    "output channels run over": ("&& k < a.K;", ";", "lie outside every array|differ"),
    "input channels run over": ("&& c < a.C;", ";", "lie outside every array|differ"),
    "gradients outside the image count": ("p < a.P && q < a.Q && k", "p < a.P && k", "lie outside every array|differ"),
    "edge stored": ("if (c >= a.C) continue;", "", "a second time|lie outside"),
    "one buffer": ("buffers + BUFFER_BYTES - buffer)", "buffers + buffer)", "on its way|since the last barrier"),
    "padding forgotten": ("- a.left + pixel", "+ pixel", "differ"),
    "tap of the neighbour": ("X_LINE + s * X_ROW", "X_LINE + (TAPS - 1 - s) * X_ROW", "differ"),
    "last strips left out": ("? first + a.strips :", "? first + a.strips - 1 :", "differ"),
    "parts mixed up": ("tile.part) * a.K + k", "0) * a.K + k", "differ|a second time"),
}


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_found_out(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case((3, 17, 18, 36), (36, 3, 3, 36), False, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 0)
    with broken(cuda_mma_weight_grad, MUTANTS[mutant], tmp_path, monkeypatch):
        check_gradient(case)


WIDE, NARROW = cuda_mma_weight_grad.TILES
KERNELS = [(WIDE, taps, stride) for taps in (1, 2, 3) for stride in (1, 2)]
KERNELS += [(NARROW, taps, stride) for taps in (1, 2, 3, 4, 5) for stride in (1, 2)]
COMMON = [(WIDE, 1, 1), (WIDE, 3, 1), (NARROW, 4, 2)]


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize(
    ("tile", "taps", "stride"),
    [pytest.param(*kernel, marks=() if kernel in COMMON else pytest.mark.slow) for kernel in KERNELS],
)
def test_compiles_without_spills(
    tile: cuda_mma_weight_grad.Tile, taps: int, stride: int, bf16: bool, architecture: str, record_property: Any
) -> None:
    kernel = cuda_mma_weight_grad.kernel_for(tile, taps, stride, bf16=bf16)
    resources = compiled(kernel, architecture, record_property)
    assert 2 * kernel.threads * resources.registers <= 65536, "two blocks' registers fit a multiprocessor"
    assert tile.shared_bytes(taps, stride) + resources.shared_bytes <= SHARED_BYTES[architecture]


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])  # the latter for the products in registers
def test_the_sum_compiles_without_spills(dtype: str, architecture: str, record_property: Any) -> None:
    compiled(sum_kernel(np.dtype(dtype)), architecture, record_property)
