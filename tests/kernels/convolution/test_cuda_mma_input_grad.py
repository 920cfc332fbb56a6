"""The input gradient on tensor cores without a GPU: in the emulator, and compiled by NVRTC."""

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
from tilegrad.kernels.convolution import (
    CONV2D_INPUT_GRAD,
    CONV_TRANSPOSE2D,
    conv2d_input_grad,
    cuda_mma,
)
from tilegrad.kernels.machine import cuda


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def check_gradient(case: Case, variant: str = "mma") -> None:
    check(case, f"cuda.{variant}", TENSOR_CORES[variant], operation=CONV2D_INPUT_GRAD)


@emulated
@given(
    cases(
        sizes=(1, 3, 8, 9, 17, 25),
        channels=(4, 16, 28, 36, 64, 68, 132),
        out_channels=(4, 8, 32, 36, 68),
        kernels=(1, 2, 3, 5),
    )
)
@example(Case((1, 8, 8, 64), (64, 3, 3, 64), True, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, "relu", "float32", 1))
@example(Case((2, 19, 37, 68), (36, 3, 3, 68), True, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 0))
@example(Case((1, 33, 18, 32), (4, 5, 5, 32), False, (1, 1), ((2, 2), (2, 2)), (1, 1), 1, "tanh", "float32", 1))
@example(Case((1, 9, 11, 4), (8, 1, 2, 4), True, (1, 1), ((2, 0), (2, 1)), (1, 1), 1, None, "float32", 0))
@settings(max_examples=25, deadline=None)
def test_equals_the_definition(case: Case) -> None:
    check_gradient(case)


@emulated
@given(
    cases(
        sizes=(1, 8, 17, 25),
        channels=(4, 28, 36, 68),
        out_channels=(4, 32, 36),
        kernels=(1, 2, 3, 4, 7, 10),
        strides=(2,),
    )
)
@example(Case((2, 16, 16, 68), (36, 4, 4, 68), True, (2, 2), ((1, 1), (1, 1)), (1, 1), 1, "relu", "float32", 0))
@example(Case((1, 19, 36, 8), (32, 3, 5, 8), False, (2, 2), ((1, 2), (2, 0)), (1, 1), 1, "tanh", "float32", 1))
@example(Case((1, 19, 36, 8), (4, 1, 1, 8), True, (2, 2), ((1, 2), (0, 0)), (1, 1), 1, None, "float32", 0))
@settings(max_examples=15, deadline=None)
def test_equals_the_definition_with_stride_2(case: Case) -> None:
    """By phases: where no tap reaches, as with 1 x 1, there is still a bias."""
    check_gradient(case)


@emulated
@given(
    cases(sizes=(1, 8, 17), channels=(4, 36, 68), out_channels=(4, 32, 36), kernels=(1, 3, 4)),
    st.sampled_from((1, 2)),
)
@settings(max_examples=10, deadline=None)
def test_equals_the_definition_with_bfloat16_products(case: Case, stride: int) -> None:
    check_gradient(case._replace(stride=(stride, stride)), "mma_bf16")


@emulated
@pytest.mark.parametrize("variant", TENSOR_CORES)
@pytest.mark.parametrize("tile", cuda_mma.TILES)
def test_every_tile_computes_every_shape(tile: cuda_mma.Tile, variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule that picks a tile is about speed; each is right for all."""
    monkeypatch.setattr(cuda_mma, "tile_for", lambda p, q, k: tile)
    monkeypatch.setattr(CONV2D_INPUT_GRAD, "_plans", {})
    for x, w in [((2, 9, 21, 72), (8, 3, 3, 72)), ((1, 5, 6, 12), (36, 2, 5, 12))]:
        for seed in (0, 1):
            case = Case(x, w, True, (1, 1), ((1, 2), (0, 1)), (1, 1), 1, "leaky_relu", "float32", seed)
            check_gradient(case, variant)


@emulated
def test_a_transposed_convolution_is_the_same_kernel() -> None:
    rng = np.random.default_rng(5)
    x, w, bias = (rng.integers(-3, 4, s).astype("f4") for s in [(2, 5, 9, 36), (36, 3, 2, 8), (8,)])
    for stride, output_padding in [(1, 0), (2, (1, 0))]:
        args = (stride, ((1, 0), (0, 1)), output_padding, 1, 1, "leaky_relu", 0.5)
        got, expected = (
            run([x, w, bias], args, variant, operation=CONV_TRANSPOSE2D) for variant in ("cuda.mma", "reference")
        )
        np.testing.assert_array_equal(got, expected)


@emulated
def test_nan_and_infinity_reach_the_pixels_that_they_were_read_for_and_no_other() -> None:
    gy = np.ones((1, 9, 17, 4), np.float32)
    gy[0, 0, 0, 1], gy[0, 8, 16, 0] = np.nan, np.inf
    args = ((1, 9, 17, 4), 1, ((0, 1), (1, 0)), 1, 1, "relu", 0.0)
    arrays = [gy, np.ones((4, 2, 2, 4), np.float32), None]
    got, expected = (run(arrays, args, name, operation=CONV2D_INPUT_GRAD) for name in ("cuda.mma", "reference"))
    np.testing.assert_array_equal(got, expected)


@emulated
def test_arrays_may_begin_anywhere() -> None:
    """Small whole numbers, whose products and sums are exact in every precision."""
    gy, w, gx = misaligned((1, 8, 8, 4)), misaligned((4, 1, 1, 4)), misaligned((1, 8, 8, 4))
    conv2d_input_grad(gy, w, input_shape=gx.shape, out=gx, variant="cuda.mma")
    np.testing.assert_array_equal(gx, conv2d_input_grad(gy, w, input_shape=gx.shape, variant="reference"))


@pytest.mark.parametrize(
    ("x", "w", "dtype", "args", "reason"),
    [
        ((1, 8, 8, 4), (4, 3, 3, 4), "f8", {}, "takes float32 but got float64"),
        ((1, 8, 8, 4), (4, 3, 3, 4), "f4", {"dilation": 2}, r"takes .* dilation 1 .* but got .* dilation \(2, 2\)"),
        ((1, 8, 8, 4), (4, 3, 6, 4), "f4", {}, "takes kernels up to 5 x 5 with stride 1 but got 3 x 6"),
        ((1, 8, 8, 6), (4, 3, 3, 6), "f4", {}, "multiples of 4 .* but got C = 6, C_out = 4"),
        ((1, 8, 8, 4), (2, 3, 3, 4), "f4", {}, "multiples of 4 .* but got C = 4, C_out = 2"),
    ],
)
def test_says_why_it_does_not_take_a_call(x: Any, w: Any, dtype: str, args: dict[str, Any], reason: str) -> None:
    case = Case(x, w, False, (1, 1), ((0, 0), (0, 0)), (args.get("dilation", 1),) * 2, 1, None, dtype, 0)
    with pytest.raises(ValueError, match=reason):
        conv2d_input_grad(np.ones(case.y, dtype), np.ones(w, dtype), x, variant="cuda.mma", **args)


# What the emulator finds in this kernel when it is broken.
MUTANTS = {
    "inner channels run over": ("c < a.C && k < a.K;", "k < a.K;", "lie outside every array|differ"),
    "output channels run over": ("c < a.C && k < a.K;", "c < a.C;", "lie outside every array|differ"),
    "taps not reversed": ("? -STRIDE : STRIDE", "? STRIDE : STRIDE", "differ|lie outside"),
    "factors of the neighbour": ("(c + lane % 4) * WEIGHT", "(c + lane % 4 + 1) * WEIGHT", "on its way|differ"),
    "factors exchanged": ("i % 2 * 4 * WEIGHT_ROW_BYTES + i / 2", "i / 2 * 4 * WEIGHT_ROW_BYTES + i % 2", "differ"),
}
BF16_MUTANTS = {
    "half the inner channels": ("(c + lane % 16) * WEIGHT", "(c + lane % 8) * WEIGHT", "differ"),
    "factors not turned": ("load_matrices_turned(", "load_matrices(", "differ"),
    "rows of weights as long as they were": (
        "a.R * a.S + tap) * a.w_row",
        "a.R * a.S + tap) * a.K",
        "is not a multiple of 16",
    ),
}


@emulated
@pytest.mark.parametrize("mutant", [*MUTANTS, *BF16_MUTANTS])
def test_a_broken_kernel_is_found_out(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # 36 channels of gy: two chunks. 28 of gx: the tile's last four are beyond the edge.
    case = Case((1, 9, 17, 28), (36, 3, 3, 28), True, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 0)
    with broken(cuda_mma, (MUTANTS | BF16_MUTANTS)[mutant], tmp_path, monkeypatch):
        check_gradient(case, "mma_bf16" if mutant in BF16_MUTANTS else "mma")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("tile", cuda_mma.TILES)
def test_compiles_without_spills(
    tile: cuda_mma.Tile, stride: int, bf16: bool, architecture: str, record_property: Any
) -> None:
    kernel = cuda_mma.kernel_for(tile, stride, input_gradient=True, bf16=bf16)
    resources = compiled(kernel, architecture, record_property)
    assert 3 * kernel.threads * resources.registers <= 65536, "the blocks' registers fit a multiprocessor"
    shared = tile.shared_bytes(5 * stride, 5 * stride, stride, input_gradient=True, bf16=bf16) + resources.shared_bytes
    assert shared <= SHARED_BYTES[architecture]
