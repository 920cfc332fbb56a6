"""Matrix products in registers without a GPU: the CUDA C++ source in the emulator, and compiled by NVRTC."""

import itertools
from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, WITH_TENSOR_CORES, compiled, emulated
from tilegrad.kernels.linear import MATMUL, cuda_register, linear, matmul
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.machine.cuda_product import PRECISIONS, TENSOR_TILES, TILES, Tile
from tolerances import BF16_PRODUCT, TF32_3_PRODUCT, TF32_PRODUCT

TENSOR_CORES = {"mma": TF32_PRODUCT, "mma_bf16": BF16_PRODUCT, "mma_3xtf32": TF32_3_PRODUCT}


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def check(
    m: int, n: int, k: int, transpose_a: bool, transpose_b: bool, dtype: str, seed: int, variant: str = "register"
) -> None:
    """Whole numbers are multiplied and added exactly; others to within the rounding of factors and of a plain sum."""
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal if seed % 2 else lambda shape: rng.integers(-3, 4, shape)
    a, b = (draw(shape).astype(dtype) for shape in ((m, k), (k, n)))
    out = np.full((m, n), np.nan, dtype)
    arrays = (np.ascontiguousarray(a.T) if transpose_a else a, np.ascontiguousarray(b.T) if transpose_b else b)
    matmul(*arrays, transpose_a=transpose_a, transpose_b=transpose_b, variant=f"cuda.{variant}", out=out)
    wide = [factor.astype(np.float64) for factor in (a, b)]
    product = TENSOR_CORES.get(variant, 0)
    bound = (product + k * np.finfo(dtype).eps) * (abs(wide[0]) @ abs(wide[1])) if seed % 2 else 0
    assert (abs(out - wide[0] @ wide[1]) <= bound).all()


SIZES = st.sampled_from((1, 2, 7, 8, 9, 33, 65))


@emulated
@given(SIZES, SIZES, st.sampled_from((0, 1, 7, 8, 9, 24)), st.booleans(), st.booleans(),
       st.sampled_from(("float32", "float64")), st.integers(0, 99))  # fmt: skip
@example(130, 131, 17, False, True, "float32", 1)
@settings(max_examples=25, deadline=None)
def test_equals_the_definition(
    m: int, n: int, k: int, transpose_a: bool, transpose_b: bool, dtype: str, seed: int
) -> None:
    check(m, n, k, transpose_a, transpose_b, dtype, seed)


@emulated
@pytest.mark.parametrize("variant", TENSOR_CORES)
@given(SIZES, SIZES, st.sampled_from((0, 1, 7, 16, 17, 24)), st.booleans(), st.booleans(), st.integers(0, 99))
@example(130, 131, 17, False, True, 1)
@settings(max_examples=12, deadline=None)
def test_equals_the_definition_on_tensor_cores(
    variant: str, m: int, n: int, k: int, transpose_a: bool, transpose_b: bool, seed: int
) -> None:
    check(m, n, k, transpose_a, transpose_b, "float32", seed, variant)


@emulated
@pytest.mark.parametrize(
    ("variant", "dtype"), [("register", "float64"), *[(variant, "float32") for variant in TENSOR_CORES]]
)
@pytest.mark.parametrize("transposed", [False, True])
def test_a_long_inner_axis_is_cut_into_parts(variant: str, dtype: str, transposed: bool) -> None:
    """387 is three parts of 129, which end inside of a step."""
    launched = []

    def record(kernel: cuda.Kernel, grid: tuple[int, int, int], *launch: Any) -> None:
        launched.append(grid[2])
        emulator.launch(kernel, grid, *launch)

    with cuda.launching(record), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_register, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))
        for seed in (0, 1):
            check(9, 11, 387, transposed, not transposed, dtype, seed, variant)
    assert launched == [3, 1, 3, 1]


@emulated
def test_bias_and_activation_come_behind_all_parts() -> None:
    rng = np.random.default_rng(0)
    x, w, bias = (rng.standard_normal(shape) for shape in ((3, 300), (5, 300), (5,)))
    for activation, apply in (("tanh", np.tanh), ("leaky_relu", lambda v: np.where(v < 0, 0.3 * v, v))):
        found = linear(x, w, bias, activation=activation, negative_slope=0.3, variant="cuda.register")
        np.testing.assert_allclose(found, apply(x @ w.T + bias), rtol=1e-12)


@emulated
@pytest.mark.parametrize("number", range(4))
def test_every_tile_on_tensor_cores(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for variant, precision in zip(TENSOR_CORES, PRECISIONS[1:], strict=True):
        tile = TENSOR_TILES[number]._replace(precision=precision)
        monkeypatch.setattr(cuda_register, "tile_for", lambda *_, tile=tile: tile)
        monkeypatch.setattr(MATMUL, "_plans", {})
        for transpose_a, transpose_b in itertools.product((False, True), repeat=2):
            check(19, 37, 19, transpose_a, transpose_b, "float32", 1, variant)


@emulated
@pytest.mark.parametrize("tile", TILES)
def test_every_tile_computes_every_shape(tile: Tile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule that picks a tile is about speed; each is right for all."""
    monkeypatch.setattr(cuda_register, "tile_for", lambda *_: tile)
    monkeypatch.setattr(MATMUL, "_plans", {})
    for transpose_a, transpose_b in itertools.product((False, True), repeat=2):
        check(19, 37, 11, transpose_a, transpose_b, "float32", 1)


@emulated
@pytest.mark.parametrize("activation", [None, "relu", "leaky_relu", "tanh", "sigmoid"])
def test_a_layer_ends_in_bias_and_activation(activation: str | None) -> None:
    x, w, bias = (
        np.random.default_rng(i).standard_normal(s).astype("f4") for i, s in enumerate([(2, 5, 9), (7, 9), 7])
    )
    x[0, 0, 0] = np.nan
    found, expected = (linear(x, w, bias, activation=activation, variant=v) for v in ("cuda.register", "reference"))
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
def test_compiles_without_spills(architecture: str, record_property: Any) -> None:
    names = PRECISIONS[1:] if architecture in WITH_TENSOR_CORES else ()
    tensor = [tile._replace(precision=name) for name in names for tile in TENSOR_TILES]
    for dtype, tiles in ((np.dtype("f4"), (*TILES, *tensor)), (np.dtype("f8"), TILES[1:])):  # no call takes the others
        for tile, a, b in itertools.product(tiles, (False, True), (False, True)):
            resources = compiled(cuda_register.kernel_for(tile, dtype, a, b), architecture, record_property)
            assert tile.threads * resources.registers <= 65536
