"""Convolution on tensor cores without a GPU: the CUDA C++ source in the emulator, and compiled by NVRTC."""

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
from tilegrad.kernels.convolution import CONV2D, conv2d, cuda_mma, cuda_round_bf16
from tilegrad.kernels.machine import cuda
from tolerances import BF16_PRODUCT, TF32_PRODUCT


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


@emulated
@given(
    cases(
        sizes=(1, 3, 8, 9, 17, 25),
        channels=(4, 8, 32, 36, 68),
        out_channels=(2, 16, 30, 34, 64, 66, 130),
        kernels=(1, 2, 3, 5),
    )
)
@example(Case((1, 8, 8, 64), (64, 3, 3, 64), True, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, "relu", "float32", 1))
@example(Case((2, 19, 37, 36), (70, 3, 3, 36), True, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 0))
@example(Case((1, 33, 18, 4), (32, 5, 5, 4), False, (1, 1), ((2, 2), (2, 2)), (1, 1), 1, "tanh", "float32", 1))
@settings(max_examples=25, deadline=None)
def test_equals_the_definition(case: Case) -> None:
    check(case, "cuda.mma", TF32_PRODUCT)


@emulated
@given(
    cases(
        sizes=(1, 8, 17, 25),
        channels=(4, 32, 36),
        out_channels=(2, 30, 34, 66),
        kernels=(1, 2, 3, 4, 7, 10),
        strides=(2,),
    )
)
@example(Case((2, 16, 16, 36), (66, 4, 4, 36), True, (2, 2), ((1, 1), (1, 1)), (1, 1), 1, "leaky_relu", "float32", 0))
@example(Case((1, 19, 35, 8), (32, 3, 5, 8), False, (2, 2), ((1, 2), (2, 0)), (1, 1), 1, None, "float32", 1))
@settings(max_examples=15, deadline=None)
def test_equals_the_definition_with_stride_2(case: Case) -> None:
    check(case, "cuda.mma", TF32_PRODUCT)


@emulated
@given(
    cases(sizes=(1, 8, 17), channels=(4, 32, 36), out_channels=(2, 34, 66), kernels=(1, 3, 4)),
    st.sampled_from((1, 2)),
)
@settings(max_examples=10, deadline=None)
def test_equals_the_definition_with_bfloat16_products(case: Case, stride: int) -> None:
    check(case._replace(stride=(stride, stride)), "cuda.mma_bf16", BF16_PRODUCT)


@emulated
@pytest.mark.parametrize("variant", TENSOR_CORES)
@pytest.mark.parametrize("tile", cuda_mma.TILES)
def test_every_tile_computes_every_shape(tile: cuda_mma.Tile, variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule that picks a tile is about speed; each is right for all."""
    monkeypatch.setattr(cuda_mma, "tile_for", lambda p, q, k: tile)
    monkeypatch.setattr(CONV2D, "_plans", {})
    for x, w in [((2, 9, 21, 8), (70, 3, 3, 8)), ((1, 5, 6, 36), (10, 2, 5, 36))]:
        for seed in (0, 1):
            case = Case(x, w, True, (1, 1), ((1, 2), (0, 1)), (1, 1), 1, "leaky_relu", "float32", seed)
            check(case, f"cuda.{variant}", TENSOR_CORES[variant])


@emulated
def test_operands_are_rounded_to_nearest_not_truncated() -> None:
    """With the identity for a weight the result is the rounded input: 10 bits of mantissa, halves away from zero."""
    x = np.random.default_rng(3).standard_normal((1, 6, 7, 4)).astype(np.float32)
    x[0, 0, 0] = [1 + 2.0**-11, 1 + 2.0**-11 - 2.0**-20, -1 - 2.0**-11, 1 + 2.0**-10 + 2.0**-12]
    mantissa, exponent = np.frexp(x.astype(np.float64))
    nearest = np.ldexp(np.trunc(mantissa * 2**11 + np.copysign(0.5, x)) / 2**11, exponent)
    got = run([x, np.eye(4, dtype=np.float32)[:, None, None, :], None], (1, 0, 1, 1, None, 0.0), "cuda.mma")
    np.testing.assert_array_equal(got, nearest.astype(np.float32))


@emulated
def test_operands_are_rounded_to_the_nearest_bfloat16() -> None:
    """7 bits of mantissa, halves to even."""
    x = np.zeros((1, 2, 3, 4), np.float32)
    x[0, 0, 0] = [1 + 2.0**-8, 1 + 3 * 2.0**-8, -1 - 2.0**-8 - 2.0**-20, 1 + 2.0**-9]
    got = run([x, np.eye(4, dtype=np.float32)[:, None, None, :], None], (1, 0, 1, 1, None, 0.0), "cuda.mma_bf16")
    np.testing.assert_array_equal(got[0, 0, 0], np.float32([1, 1 + 2.0**-6, -1 - 2.0**-7, 1]))


@emulated
@pytest.mark.parametrize("variant", TENSOR_CORES)
def test_nan_and_infinity_reach_the_pixels_that_read_them_and_no_other(variant: str) -> None:
    x = np.ones((1, 9, 17, 4), np.float32)
    x[0, 0, 0, 1], x[0, 8, 16, 0] = np.nan, np.inf
    args = (1, ((0, 1), (1, 0)), 1, 1, "relu", 0.0)
    arrays = [x, np.ones((2, 2, 2, 4), np.float32), None]
    np.testing.assert_array_equal(run(arrays, args, f"cuda.{variant}"), run(arrays, args, "reference"))


@emulated
def test_arrays_may_begin_anywhere() -> None:
    """Small whole numbers, whose products and sums are exact in every precision."""
    x, w, y = misaligned((1, 8, 8, 4)), misaligned((2, 1, 1, 4)), misaligned((1, 8, 8, 2))
    conv2d(x, w, out=y, variant="cuda.mma")
    np.testing.assert_array_equal(y, conv2d(x, w, variant="reference"))


@pytest.mark.parametrize(
    ("x", "w", "dtype", "args", "reason"),
    [
        ((1, 8, 8, 4), (2, 3, 3, 4), "f8", {}, "takes float32 but got float64"),
        ((1, 8, 8, 4), (2, 3, 3, 4), "f4", {"stride": 3}, r"takes stride 1 or 2, .* but got stride \(3, 3\)"),
        ((1, 8, 8, 4), (2, 3, 3, 2), "f4", {"groups": 2}, "takes .* groups 1 but got .* groups 2"),
        ((1, 8, 8, 4), (2, 6, 3, 4), "f4", {}, "takes kernels up to 5 x 5 with stride 1 but got 6 x 3"),
        ((1, 8, 8, 3), (2, 3, 3, 3), "f4", {}, "takes C_in a multiple of 4 .* but got C_in = 3, C_out = 2"),
        ((1, 8, 8, 4), (3, 3, 3, 4), "f4", {}, "an even C_out but got C_in = 4, C_out = 3"),
    ],
)
def test_says_why_it_does_not_take_a_call(x: Any, w: Any, dtype: str, args: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        conv2d(np.ones(x, dtype), np.ones(w, dtype), variant="cuda.mma", **args)


# What the emulator finds in this kernel when it is broken: mistakes of memory by their kind, others by wrong values.
MUTANTS = {
    "no barrier": ("__syncthreads();", "", "since the last barrier"),
    "no wait": ("wait_copies<0>();", "", "a copy of thread .* is on its way"),
    "channels run over": ("&& c < a.C;", ";", "lie outside every array"),
    "rows of weights run over": ("k < a.K && c", "c", "lie outside every array"),
    "right edge stored": ("at.p >= a.P || at.q >= a.Q", "at.p >= a.P", "a second time"),
    "buffers overlap": (
        "weights = halo + 2 * halo_bytes",
        "weights = halo + halo_bytes",
        "on its way|nobody has written",
    ),
    "swizzle lost on the way in": ("copy_async_16(to + swizzled(row, piece)", "copy_async_16(to + i * 16", "differ"),
    "taps turned by 90 degrees": ("rows_on * columns + columns_on", "columns_on * columns + rows_on", "differ"),
    "bias of the neighbour": ("a.bias + k + 1)", "a.bias + k)", "differ"),
}
BF16_MUTANTS = {
    "rounded before it is there": ("|| BF16) && shift == 0", "|| BF16) && shift == 1", "nobody has written"),
    "halves exchanged": ("piece / 2) + piece % 2 * 8", "piece / 2) + (1 - piece % 2) * 8", "differ"),
    "one halo for two chunks": (
        "u32 current = halo + index % 2 * halo_bytes;",
        "u32 current = halo;",
        "since the last barrier|nobody has written",
    ),
    "rows of weights as long as they were": (
        "a.R * a.S + tap) * a.w_row",
        "a.R * a.S + tap) * a.C",
        "is not a multiple of 16",
    ),
    "swizzle of long rows": ("row / 2 & 3", "row & 7", "since the last barrier"),
}


@emulated
@pytest.mark.parametrize("mutant", [*MUTANTS, *BF16_MUTANTS])
def test_a_broken_kernel_is_found_out(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 36 channels: two chunks. 30 output channels: the tile's last two are beyond the edge.
    case = Case((1, 9, 17, 36), (30, 3, 3, 36), True, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 0)
    variant = "mma_bf16" if mutant in BF16_MUTANTS else "mma"
    with broken(cuda_mma, (MUTANTS | BF16_MUTANTS)[mutant], tmp_path, monkeypatch):
        check(case, f"cuda.{variant}", TENSOR_CORES[variant])


@emulated
def test_weights_are_rounded_row_by_row() -> None:
    """To the nearest, halves to even, and rows are padded to whole pieces of 8 numbers."""
    w = np.array([[1 + 2.0**-8, 1 + 3 * 2.0**-8, -2.0, np.inf] * 3, [np.nan, 2.0**-130, -0.0, 3e38] * 3], np.float32)
    found = cuda_round_bf16.Rounding(2, 12).run(w)
    assert found.shape == (2, 16)
    assert not found[:, 12:].any()
    wide = (found[:, :12].astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(wide[0], np.float32([1, 1 + 2.0**-6, -2, np.inf] * 3))
    np.testing.assert_array_equal(wide[1, 1:4], np.float32([2.0**-130, -0.0, np.ldexp(226 / 128, 127)]))
    assert np.isnan(wide[1, ::4]).all()


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
def test_rounding_compiles_without_spills(architecture: str, record_property: Any) -> None:
    compiled(cuda_round_bf16.rounding_kernel(), architecture, record_property)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("tile", cuda_mma.TILES)
def test_compiles_without_spills(
    tile: cuda_mma.Tile, stride: int, bf16: bool, architecture: str, record_property: Any
) -> None:
    kernel = cuda_mma.kernel_for(tile, stride, bf16=bf16)
    resources = compiled(kernel, architecture, record_property)
    assert 3 * kernel.threads * resources.registers <= 65536, "the blocks' registers fit a multiprocessor"
    largest = 5 * stride
    assert tile.shared_bytes(largest, largest, stride, bf16=bf16) + resources.shared_bytes <= SHARED_BYTES[architecture]
