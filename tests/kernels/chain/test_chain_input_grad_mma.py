"""Input gradients through a normalisation on tensor cores without a GPU: in the emulator, and compiled by NVRTC."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from chain_calls import GRADIENTS, arguments, arriving
from hypothesis import example, given, settings
from hypothesis import strategies as st
from on_emulator import WITH_TENSOR_CORES, broken, compiled, emulated
from tilegrad.kernels import chain
from tilegrad.kernels.activation.epilogue import ACTIVATIONS
from tilegrad.kernels.chain import cuda_mma as host
from tilegrad.kernels.convolution import cuda_mma
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.normalization import cuda_fused

from tilegrad import kernels

OPERATIONS = (chain.NORMALIZED_CONV2D_INPUT_GRAD, chain.NORMALIZED_CONV_TRANSPOSE2D_INPUT_GRAD)


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    """Sums begin as NaN."""
    with cuda.launching(emulator.launch), pytest.MonkeyPatch.context() as patch:
        patch.setattr(host, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))
        yield


def forget_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    for operation in OPERATIONS:
        monkeypatch.setattr(operation, "_plans", {})


def check(
    name: str, arrays: list[Any], variant: str = "cuda.mma", activation: Any = "leaky_relu", **place: Any
) -> None:
    """What follows from the very gradient that arrives, whatever rounding went into that."""
    gy, w, x, mean, inverse_std, weight, affine = arrays
    end: dict[str, Any] = {"activation": activation, "negative_slope": 0.2}
    gx, gweight, gbias = GRADIENTS[name](*arrays, variant=variant, **end, **place)
    arrived = arriving(name, gy, w, x, variant=variant, **place)
    wide = [None if a is None else a.astype(np.float64) for a in (arrived, x, mean, inverse_std, weight, affine)]
    if activation is None:
        wide[-1] = None
    expected_gx, expected_gweight, expected_gbias = kernels.batch_norm_grad(*wide, variant="naive", **end)
    bound = tolerances.BATCH_NORM_GRAD["float32"]
    np.testing.assert_allclose(gx, expected_gx, rtol=0, atol=bound * abs(expected_gx).max(initial=1))
    # A number rounds at most five times, and in eleven additions, before it is added in float64; tanh and sigmoid,
    # whose derivatives are at most 1, round some more. A rounding is half of EPS, of the sum of the sizes.
    sizes = abs(wide[0]).reshape(-1, x.shape[-1])
    distances = abs((wide[1] - wide[2]) * wide[3]).reshape(sizes.shape)
    eps = tolerances.EPS["float32"] * (8 if activation in (None, "relu", "leaky_relu") else 12)
    for found, expected, of in (
        (gbias, expected_gbias, sizes.sum(0)),
        (gweight, expected_gweight, (sizes * distances).sum(0)),
    ):
        assert found.dtype == np.float32
        assert (abs(found - expected) <= eps * of).all()


@emulated
@given(
    st.sampled_from(list(GRADIENTS)),
    st.tuples(st.integers(1, 2), st.integers(2, 19), st.integers(2, 35)),
    st.sampled_from(((4, 4), (8, 36), (36, 4), (68, 8))),
    st.integers(1, 4),
    st.sampled_from((1, 2)),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from(("cuda.mma", "cuda.mma_bf16")),
    st.integers(0, 2**31),
)
@example("conv2d", (1, 19, 35), (36, 4), 1, 2, "relu", "cuda.mma", 0)  # most pixels are reached by no tap
@settings(max_examples=15, deadline=None)
def test_follows_from_what_arrives(
    name: str, image: tuple[int, int, int], channels: tuple[int, int], size: int, stride: int, activation: str | None,
    variant: str, seed: int,
) -> None:  # fmt: skip
    place = {"stride": stride, "padding": size // 2}
    check(name, arguments(name, image, channels, size, seed, **place), variant, activation, **place)


@emulated
@pytest.mark.parametrize("tile", cuda_mma.TILES)
@pytest.mark.parametrize("name", GRADIENTS)
def test_every_tile_computes_every_shape(name: str, tile: cuda_mma.Tile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule that picks a tile is about speed; each is right for all."""
    monkeypatch.setattr(cuda_mma, "tile_for", lambda p, q, k: tile)
    forget_plans(monkeypatch)
    for image, channels, stride in (((2, 9, 21), (72, 8), 1), ((1, 10, 7), (12, 36), 2)):
        place = {"stride": stride, "padding": ((1, 0), (1, 1))}
        check(name, arguments(name, image, channels, 3, 0, **place), **place)


@emulated
def test_many_parts_are_added_by_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    launched = []

    def record(kernel: cuda.Kernel, *launch: Any) -> None:
        launched.append(kernel.name)
        emulator.launch(kernel, *launch)

    monkeypatch.setattr(cuda_fused, "_ADDING_BLOCKS", 9)
    forget_plans(monkeypatch)
    with cuda.launching(record):
        check("conv2d", arguments("conv2d", (3, 18, 19), (8, 4), 3, 0))
    assert launched[:3] == [
        "conv2d_input_grad_sums_leaky_relu_mma_tf32_8x16x32_stride1",
        "batch_norm_finish_grad_float32_x2",
        "batch_norm_gradient_linear_float32_x4",
    ]


@emulated
@pytest.mark.parametrize("name", GRADIENTS)
def test_without_a_weight_and_without_an_affine_map(name: str) -> None:
    arrays = arguments(name, (1, 9, 10), (8, 4), 3, 1)
    check(name, [*arrays[:5], None, arrays[6]], activation="relu")
    check(name, [*arrays[:5], None, None], activation=None)


@emulated
@pytest.mark.parametrize("name", GRADIENTS)
def test_no_images(name: str) -> None:
    arrays = arguments(name, (1, 5, 6), (8, 4), 3, 1)
    arrays[0], arrays[2] = arrays[0][:0], arrays[2][:0]
    gx, gweight, gbias = GRADIENTS[name](*arrays, variant="cuda.mma")
    assert gx.shape == (0, 5, 6, 8)
    np.testing.assert_array_equal([gweight, gbias], np.zeros((2, 8)))


@emulated
@pytest.mark.parametrize("name", GRADIENTS)
def test_arrays_that_begin_anywhere(name: str) -> None:
    arrays = arguments(name, (1, 5, 6), (8, 4), 3, 0)
    moved = [np.empty(a.size + 1, np.float32)[1:].reshape(a.shape) for a in arrays]
    for to, a in zip(moved, arrays, strict=True):
        to[...] = a
    how = {"activation": "relu", "variant": "cuda.mma"}
    for ours, theirs in zip(GRADIENTS[name](*arrays, **how), GRADIENTS[name](*moved, **how), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@emulated
@pytest.mark.parametrize("which", [1, 2])
def test_what_is_not_a_number_shows_in_its_channel_alone(which: int) -> None:
    """NaN in the weights, or in x."""
    arrays = arguments("conv2d", (1, 9, 17), (8, 4), 1, 0)
    arrays[which][0, 0, 0, 2] = np.nan
    gx, *sums = chain.normalized_conv2d_input_grad(*arrays, activation="relu", variant="cuda.mma")
    for array in (gx.reshape(-1, 8), *[a[None] for a in sums[: 2 if which == 1 else 1]]):
        np.testing.assert_array_equal(np.isnan(array).all(0), np.arange(8) == 2)
        np.testing.assert_array_equal(np.isnan(array).any(0), np.arange(8) == 2)


def test_what_a_variant_cannot_take_is_said() -> None:
    for name, channels, message in (
        ("conv2d", (6, 4), "takes channels of the input and of gy that are multiples of 4"),
        ("conv_transpose2d", (4, 6), "takes C_in a multiple of 4"),
        ("conv2d", (4, 4), "takes stride 1 or 2, dilation 1"),
    ):
        place = {"dilation": 2 if channels == (4, 4) else 1}
        with pytest.raises(ValueError, match=f'input_grad: variant "cuda.mma" {message}'):
            GRADIENTS[name](*arguments(name, (1, 7, 7), channels, 3, 0, **place), variant="cuda.mma", **place)


# What tells a broken kernel.
MUTANTS = {
    "pixels outside are stored": ("pixel[i] = inside ?", "pixel[i] = true ?"),
    "another pixel's z": ("load_wide<2>(a.z + pixel[i] * a.K + k)", "load_wide<2>(a.z + pixel[0] * a.K + k)"),
    "the neighbour's mean": ("z[i].number[v] - mean.number[v]", "z[i].number[v] - mean.number[1 - v]"),
    "scale for offset": ("load_numbers<2>(a.affine + a.K + k)", "load_numbers<2>(a.affine + k)"),
    "no activation": ("ACTIVATION, a.negative_slope)", "0, a.negative_slope)"),
    "the sum before the activation": ("sum.number[v] += g.number[v]", "sum.number[v] += sums[i / 2][j][i % 2 * 2 + v]"),
    "not normalised": ("(d * inverse_std.number[v])", "d"),
    "another half": ("sums[i / 2][j][i % 2 * 2 + v], ACT", "sums[i / 2][j][v], ACT"),
    "a lane is left out": ("for (int mask = 4; mask < 32; mask *= 2)", "for (int mask = 4; mask < 16; mask *= 2)"),
    "one warp's place": ("+ first_pixel / WARP_PIXELS;", ";"),
    "one phase's place": ("static_cast<long long>(blockIdx.z) * gridDim.x + blockIdx.x", "blockIdx.x"),
    "sums change places": ("store_numbers<2>(to + k, sum);", "store_numbers<2>(to + k, product);"),
    "channels run over": ("if (lane >= 4 || k >= a.K) continue;", "if (lane >= 4) continue;"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_epilogue_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = {"stride": 2, "padding": 1}
    with broken(cuda_mma, MUTANTS[mutant], tmp_path, monkeypatch):
        check("conv2d", arguments("conv2d", (1, 19, 37), (36, 4), 3, 0, **place), **place)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize("activation", ["relu", pytest.param("tanh", marks=pytest.mark.slow)])
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("tile", cuda_mma.TILES)
@pytest.mark.parametrize("name", GRADIENTS)
def test_compiles_without_spills(
    name: str, tile: cuda_mma.Tile, stride: int, bf16: bool, activation: str, architecture: str, record_property: Any
) -> None:
    kernel = cuda_mma.kernel_for(
        tile, stride, input_gradient=name == "conv2d", bf16=bf16, sums=True, activation=activation
    )
    resources = compiled(kernel, architecture, record_property)
    assert 3 * kernel.threads * resources.registers <= 65536, "three blocks' registers fit a multiprocessor"


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
def test_what_follows_compiles_without_spills(architecture: str, record_property: Any) -> None:
    compiled(cuda_fused.finish_kernel("float32", grad=True, many=True), architecture, record_property)
