"""Convolutions in registers without a GPU: the CUDA C++ source in the emulator, and compiled by NVRTC."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
from cuda_cases import Case, cases, check, misaligned, run
from hypothesis import example, given, settings
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, WITH_TENSOR_CORES, compiled, emulated
from tilegrad.kernels.convolution import (
    CONV2D,
    CONV2D_INPUT_GRAD,
    CONV2D_WEIGHT_GRAD,
    conv2d,
    cuda_register,
)
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.machine.cuda_product import LARGE, MIDDLE, PRECISIONS, TALL, TENSOR_TILES, TILES, WIDE, Tile
from tilegrad.kernels.operation import Operation
from tolerances import BF16_PRODUCT, TF32_3_PRODUCT, TF32_PRODUCT

OPERATIONS = (CONV2D, CONV2D_INPUT_GRAD, CONV2D_WEIGHT_GRAD)  # a transposed convolution is the input gradient
GEMM = {"mma_gemm": TF32_PRODUCT, "mma_gemm_bf16": BF16_PRODUCT, "mma_gemm_3xtf32": TF32_3_PRODUCT}


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


DRAWN = cases(
    sizes=(1, 3, 8, 11),
    channels=(1, 3, 9),
    out_channels=(1, 3, 10),
    kernels=(1, 2, 3, 4),
    strides=(1, 2, 3),
    dilations=(1, 2, 3),
    groups=(1, 2),
    dtypes=("float32", "float64"),
)
# Each stride beside a dilation that shares a factor with it, where phases have taps of their own or none.
PHASES = Case((1, 11, 9, 4), (6, 4, 5, 2), True, (2, 3), ((1, 2), (2, 0)), (2, 2), 2, "leaky_relu", "float32", 0)


@emulated
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
@given(DRAWN)
@example(PHASES)
@example(PHASES._replace(stride=(3, 3), dilation=(3, 1), seed=2))
@example(Case((2, 9, 21, 8), (70, 3, 3, 8), True, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, "relu", "float32", 1))
@settings(max_examples=12, deadline=None)
def test_equals_the_definition(operation: Operation, case: Case) -> None:
    check(case, "cuda.register", 0.0, operation=operation)


@emulated
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
@pytest.mark.parametrize("variant", GEMM)
@given(DRAWN)
@example(PHASES)
@example(PHASES._replace(stride=(3, 3), dilation=(3, 1), seed=1))
@settings(max_examples=8, deadline=None)
def test_equals_the_definition_on_tensor_cores(variant: str, operation: Operation, case: Case) -> None:
    check(case._replace(dtype="float32"), f"cuda.{variant}", GEMM[variant], operation=operation)


@emulated
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
@pytest.mark.parametrize("variant", GEMM)
@pytest.mark.parametrize("number", range(4))
def test_every_tile_on_tensor_cores(
    number: int, variant: str, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    precision = {v.name: v.precision for v in operation.variants}[variant]
    monkeypatch.setattr(cuda_register, "tile_for", lambda *_: TENSOR_TILES[number]._replace(precision=precision))
    monkeypatch.setattr(operation, "_plans", {})
    case = Case((1, 7, 20, 5), (11, 2, 3, 5), True, (2, 1), ((1, 0), (0, 1)), (1, 2), 1, "tanh", "float32", 1)
    check(case, f"cuda.{variant}", GEMM[variant], operation=operation)


@emulated
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
@pytest.mark.parametrize("tile", TILES)
def test_every_tile_computes_every_shape(tile: Tile, operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule that picks a tile is about speed; each is right for all."""
    monkeypatch.setattr(cuda_register, "tile_for", lambda *_: tile)
    monkeypatch.setattr(operation, "_plans", {})
    for dtype in ("float32", "float64") if tile is not LARGE else ("float32",):
        case = Case((1, 7, 20, 5), (11, 2, 3, 5), True, (2, 1), ((1, 0), (0, 1)), (1, 2), 1, "tanh", dtype, 1)
        check(case, "cuda.register", 0.0, operation=operation)


@emulated
def test_a_long_sum_is_cut_into_parts_by_shapes_alone() -> None:
    case = Case((3, 20, 20, 2), (3, 3, 3, 2), False, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 1)
    assert cuda_register.parts_of(3 * 20 * 20, 264, 512)[0] == 2
    check(case, "cuda.register", 0.0, operation=CONV2D_WEIGHT_GRAD)
    check(case._replace(dtype="float64", seed=2), "cuda.register", 0.0, operation=CONV2D_WEIGHT_GRAD)


@emulated
def test_nan_reaches_the_pixels_that_read_it_and_no_other() -> None:
    x = np.ones((1, 9, 17, 3), np.float32)
    x[0, 0, 0, 1], x[0, 8, 16, 0] = np.nan, np.inf
    arrays, args = [x, np.ones((2, 2, 2, 3), np.float32), None], (1, ((0, 1), (1, 0)), 1, 1, "relu", 0.0)
    np.testing.assert_array_equal(run(arrays, args, "cuda.register"), run(arrays, args, "reference"))


@emulated
def test_arrays_may_begin_anywhere() -> None:
    x, w, y = misaligned((1, 5, 6, 3)), misaligned((2, 3, 3, 3)), misaligned((1, 3, 4, 2))
    conv2d(x, w, out=y, variant="cuda.register")
    np.testing.assert_array_equal(y, conv2d(x, w, variant="reference"))


def test_narrow_results_take_narrow_tiles() -> None:
    """First and last layers of networks, whose images or results have one channel or three."""
    assert cuda_register.tile_for(204800, 1, np.dtype("f4")) == TALL
    assert cuda_register.tile_for(3, 576, np.dtype("f4")) == WIDE
    assert cuda_register.tile_for(204800, 128, np.dtype("f4")) == LARGE
    assert cuda_register.tile_for(204800, 128, np.dtype("f8")) == MIDDLE


@pytest.mark.parametrize("mistake", [
    ("k + TILE_K < last", "k + TILE_K <= last - TILE_K"), ("__syncthreads();", ""), ("+ i % RUN", ""),
    ("sums[m][n] += a[m] * b[n]", "sums[m][n] += a[m] * b[0]"), ("(buffer == shared ? BUFFER : 0)", "0"),
])  # fmt: skip
@emulated
def test_a_broken_kernel_is_found_out(mistake: tuple[str, str], tmp_path: Path, monkeypatch: Any) -> None:
    """The emulator and the comparison see each of these."""
    header = cuda.PTX_HEADER.with_name("cuda_product.cuh").read_text()
    assert mistake[0] in header
    (tmp_path / "cuda_product.cuh").write_text(header.replace(*mistake))
    (tmp_path / "cuda_register.cu").write_text(cuda_register._SOURCE.read_text())
    monkeypatch.setattr(cuda_register, "_SOURCE", tmp_path / "cuda_register.cu")
    monkeypatch.setattr(CONV2D, "_plans", {})
    cuda_register.kernel_for.cache_clear()
    case = Case((1, 9, 9, 9), (10, 3, 3, 9), False, (1, 1), ((1, 1), (1, 1)), (1, 1), 1, None, "float32", 0)
    try:
        with pytest.raises((AssertionError, emulator.EmulationError)):
            check(case, "cuda.register", 0.0)
    finally:
        cuda_register.kernel_for.cache_clear()


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("mode", cuda_register.MODES)
def test_compiles_without_spills(mode: str, architecture: str, record_property: Any) -> None:
    names = PRECISIONS[1:] if architecture in WITH_TENSOR_CORES else ()
    tensor = [tile._replace(precision=name) for name in names for tile in TENSOR_TILES]
    for dtype, tiles in ((np.dtype("f4"), (*TILES, *tensor)), (np.dtype("f8"), TILES[1:])):  # no call takes the others
        for tile in tiles:
            resources = compiled(cuda_register.kernel_for(mode, tile, dtype), architecture, record_property)
            assert tile.shared_bytes(dtype) <= 48 * 1024
            assert tile.threads * resources.registers <= 65536


@given(st.sampled_from((*TILES, *[tile._replace(precision="tf32") for tile in TENSOR_TILES])))
def test_a_tile_is_whole(tile: Tile) -> None:
    assert tile.threads == 256
    assert tile.m % tile.part_m == tile.n % tile.part_n == 0
