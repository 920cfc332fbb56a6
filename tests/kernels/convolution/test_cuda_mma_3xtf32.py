"""Products of float32 on tensor cores ("3xTF32") without a GPU: in the emulator, and compiled by NVRTC."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from cuda_cases import Case, cases, check, run
from hypothesis import example, given, settings
from hypothesis import strategies as st
from on_emulator import WITH_TENSOR_CORES, broken, compiled, emulated
from test_cuda_mma_weight_grad import COMMON, KERNELS
from tilegrad.kernels.convolution import (
    CONV2D,
    CONV2D_INPUT_GRAD,
    CONV2D_WEIGHT_GRAD,
    cuda_mma,
    cuda_mma_weight_grad,
)
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.operation import Operation
from tolerances import TF32_3_ERROR, TF32_3_ERROR_OF_FEW, TF32_3_PRODUCT

OPERATIONS = (CONV2D, CONV2D_INPUT_GRAD, CONV2D_WEIGHT_GRAD)


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


@emulated
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
@given(
    cases(sizes=(1, 3, 8, 9, 17), channels=(4, 28, 36, 68), out_channels=(4, 32, 36, 68), kernels=(1, 2, 3, 4)),
    st.sampled_from((1, 2)),
)
@example(Case((2, 9, 19, 36), (68, 3, 3, 36), True, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, "relu", "float32", 1), 1)
@example(Case((1, 15, 18, 36), (36, 4, 4, 36), True, (1, 1), ((1, 2), (2, 0)), (1, 1), 1, None, "float32", 1), 2)
@settings(max_examples=8, deadline=None)
def test_equals_the_definition(operation: Operation, case: Case, stride: int) -> None:
    check(case._replace(stride=(stride, stride)), "cuda.mma_3xtf32", TF32_3_PRODUCT, operation=operation)


# Layers of DnCNN and of DCGAN's discriminator, on a part of an image: up to 4096 products are added.
LAYERS = {
    name: Case(x, w, False, (stride, stride), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 1)
    for name, x, w, stride in (
        ("DnCNN", (1, 10, 9, 64), (64, 3, 3, 64), 1),
        ("DnCNN, first", (1, 9, 9, 1), (64, 3, 3, 1), 1),
        ("DCGAN", (2, 14, 14, 64), (128, 4, 4, 64), 2),
        ("DCGAN, deep", (1, 4, 4, 256), (64, 4, 4, 256), 2),
    )
}


def errors(case: Case, operation: Operation, *, positive: bool) -> dict[str, float]:
    """The largest error of each variant against float64, relative to the largest number of the result."""
    rng = np.random.default_rng(0)
    shapes, args, _ = case.call(operation)
    draw = (lambda shape: rng.uniform(0, 1, shape)) if positive else rng.standard_normal
    arrays = [None if shape is None else draw(shape).astype(np.float32) for shape in shapes]
    exact = run([None if a is None else a.astype(np.float64) for a in arrays], args, "naive", operation=operation)
    ours = "mma_3xtf32" if case.x[3] % 4 == 0 else "mma_gemm_3xtf32"
    found = {name: run(arrays, args, f"cuda.{name}", operation=operation) for name in (ours, "register")}
    return {name: float(abs(y - exact).max() / abs(exact).max()) for name, y in found.items()}


@emulated
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
@pytest.mark.parametrize("layer", LAYERS)
def test_the_error_is_near_that_of_float32(layer: str, operation: Operation, positive: bool) -> None:
    case = LAYERS[layer]
    _, _, products = case.call(operation)
    ours, registers = errors(case, operation, positive=positive).values()
    assert 0 < ours <= (TF32_3_ERROR if products >= 64 else TF32_3_ERROR_OF_FEW) * registers


def rounded(x: np.ndarray) -> np.ndarray:
    """The nearest tf32 numbers, halves away from zero."""
    return ((x.view(np.uint32) + 0x1000) & 0xFFFFE000).view(np.float32)


@emulated
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
@pytest.mark.parametrize("identity", ["left", "right"])
def test_a_factor_keeps_both_of_its_parts(operation: Operation, identity: str) -> None:
    """Multiplied by the identity it comes back to the bit: as its nearest tf32 number and that of what is left."""
    case = Case((1, 2, 2, 4), (4, 1, 1, 4), False, (1, 1), ((0, 0), (0, 0)), (1, 1), 1, None, "float32", 1)
    shapes, args, _ = case.call(operation)
    x = np.random.default_rng(3).standard_normal((4, 4)).astype(np.float32)
    one = np.eye(4, dtype=np.float32)
    factors = (one, x) if identity == "left" else (x, one)
    arrays = [f.reshape(s) for f, s in zip(factors, shapes[:2], strict=True)]
    if len(shapes) > 2:
        arrays.append(None)
    big = rounded(x)
    kept = big + rounded(x - big)
    assert 0 < abs(kept - x).max() <= 2.0**-23 * abs(x).max()
    got = run(arrays, args, "cuda.mma_3xtf32", operation=operation).reshape(4, 4)
    turned = {CONV2D.name: "left", CONV2D_WEIGHT_GRAD.name: "right"}.get(operation.name) == identity
    np.testing.assert_array_equal(got, kept.T if turned else kept)


NUMBERS = np.float32([np.inf, -np.inf, np.nan, 0, -0.0, 1, -1, 1 + 2.0**-13, -1 - 2.0**-13, 1 - 2.0**-14, 1e19, 2e-30])


@emulated
@pytest.mark.parametrize("variant", ["mma_3xtf32", "mma_gemm_3xtf32"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
def test_products_of_what_is_not_finite_are_those_of_float32(operation: Operation, variant: str) -> None:
    """Small parts of either sign and of zero stand beside it, and make no NaN of infinity nor turn it round."""
    n = len(NUMBERS)
    with np.errstate(all="ignore"):
        expected = np.outer(NUMBERS, NUMBERS)
    column = np.zeros((n, 4), np.float32)
    column[:, 0] = NUMBERS
    if operation is CONV2D:
        arrays = [column.reshape(1, 1, n, 4), column.reshape(n, 1, 1, 4), None]
        got = run(arrays, (1, 0, 1, 1, None, 0.0), f"cuda.{variant}", operation=operation).reshape(n, n)
    elif operation is CONV2D_INPUT_GRAD:
        arrays = [column.reshape(1, 1, n, 4), np.ascontiguousarray(column.T).reshape(4, 1, 1, n), None]
        args = ((1, 1, n, n), 1, 0, 1, 1, None, 0.0)
        got = run(arrays, args, f"cuda.{variant}", operation=operation).reshape(n, n)
    else:
        row = NUMBERS.reshape(1, 1, 1, n)
        got = run([row, row], ((n, 1, 1, n), 1, 0, 1, 1), f"cuda.{variant}", operation=operation).reshape(n, n)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(got[~finite], expected[~finite])
    np.testing.assert_allclose(got[finite], expected[finite], rtol=TF32_3_PRODUCT)


# What the emulator finds in these kernels when they are broken. A sum of few products has little rounding of its own.
FEW = Case((1, 5, 6, 4), (8, 1, 1, 4), False, (1, 1), ((0, 0), (0, 0)), (1, 1), 1, None, "float32", 1)
MUTANTS = {
    "small times big left out": ("multiply_tf32(sum, a.small, b.big[first], b.big[first + 1]);", "", "differ"),
    "big times small left out": ("multiply_tf32(sum, a.big, b.small[first], b.small[first + 1]);", "", "differ"),
    "big times big left out": ("multiply_tf32(sum, a.big, b.big[first], b.big[first + 1]);", "", "differ"),
    "what is left is cut": ("finite ? round_tf32(static_cast<u32>(bits_of(left)))", "finite ? 0", "differ"),
    "small parts exchanged": ("b.small[first], b.small[first + 1]", "b.small[first + 1], b.small[first]", "differ"),
}


@emulated
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_product_is_found_out(
    mutant: str, operation: Operation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summing_pixels = operation is CONV2D_WEIGHT_GRAD
    case = FEW._replace(x=(1, 2, 2, 4)) if summing_pixels else FEW
    with broken(cuda_mma_weight_grad if summing_pixels else cuda_mma, MUTANTS[mutant], tmp_path, monkeypatch):
        check(case, "cuda.mma_3xtf32", TF32_3_PRODUCT, operation=operation)


IN_ONE_CHAIN = ("float sum[4] = {};", "float sum[4] = {d[0], d[1], d[2], d[3]}; d[0] = d[1] = d[2] = d[3] = 0;")


@emulated
def test_sums_of_a_chain_on_tensor_cores_are_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_mma, IN_ONE_CHAIN, tmp_path, monkeypatch):
        test_the_error_is_near_that_of_float32("DCGAN, deep", CONV2D, True)


@emulated
@pytest.mark.parametrize("mutant", [
    ("finite ? nearest : (nearest & 0x80000000u) | 0x3F800000u", "nearest"),
    ("static_cast<u32>(bits_of(left))) : nearest", "static_cast<u32>(bits_of(left))) : 0"),
    ("(nearest & 0x80000000u) | 0x3F800000u", "0x3F800000u"),
])  # fmt: skip
def test_infinity_taken_apart_wrongly_is_found_out(
    mutant: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with broken(cuda_mma, mutant, tmp_path, monkeypatch):
        test_products_of_what_is_not_finite_are_those_of_float32(CONV2D, "mma_3xtf32")


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize("input_gradient", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("tile", cuda_mma.TILES)
def test_convolutions_compile_without_spills(
    tile: cuda_mma.Tile, stride: int, input_gradient: bool, architecture: str, record_property: Any
) -> None:
    kernel = cuda_mma.kernel_for(tile, stride, input_gradient=input_gradient, split=True)
    resources = compiled(kernel, architecture, record_property)
    blocks = 2 if tile is cuda_mma.WIDE else 3
    assert blocks * kernel.threads * resources.registers <= 65536, "the blocks' registers fit a multiprocessor"


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize(
    ("tile", "taps", "stride"),
    [pytest.param(*kernel, marks=() if kernel in COMMON else pytest.mark.slow) for kernel in KERNELS],
)
def test_weight_gradients_compile_without_spills(
    tile: cuda_mma_weight_grad.Tile, taps: int, stride: int, architecture: str, record_property: Any
) -> None:
    kernel = cuda_mma_weight_grad.kernel_for(tile, taps, stride, split=True)
    resources = compiled(kernel, architecture, record_property)
    assert 2 * kernel.threads * resources.registers <= 65536, "two blocks' registers fit a multiprocessor"
