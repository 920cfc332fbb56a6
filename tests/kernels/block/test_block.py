"""A convolution with batch normalisation: beside the two operations, and as one launch of CUDA C++ in the emulator."""

from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from hypothesis import given, settings
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, compiled, emulated
from tilegrad.kernels import block
from tilegrad.kernels.block import cuda_mma as host
from tilegrad.kernels.convolution import cuda_mma
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.normalization import cuda_fused

from tilegrad import kernels

BLOCKS = {"conv2d": kernels.conv2d_batch_norm_train, "conv_transpose2d": kernels.conv_transpose2d_batch_norm_train}


def drawn(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def weight_shape(name: str, size: int, c: int, k: int) -> tuple[int, ...]:
    return (k, size, size, c) if name == "conv2d" else (c, size, size, k)


def on_emulator(name: str, *arrays: Any, variant: str = "cuda.mma", **how: Any) -> tuple[np.ndarray, ...]:
    with cuda.launching(emulator.launch):
        return BLOCKS[name](*arrays, variant=variant, **how)


@pytest.mark.parametrize("name", BLOCKS)
def test_equals_the_two_operations(name: str) -> None:
    x, w = drawn((2, 9, 7, 5), 0), drawn(weight_shape(name, 3, 5, 6), 1)
    weight, bias, *running = drawn((4, 6), 2)
    others = [array.copy() for array in running]
    how: dict[str, Any] = {"momentum": 0.3, "eps": 1e-3, "activation": "leaky_relu", "negative_slope": 0.2}
    place = {"stride": 2, "padding": ((1, 0), (0, 1)), "dilation": (1, 2)}
    y, z, *statistics = BLOCKS[name](
        x, w, weight, bias, running_mean=running[0], running_var=running[1], **how, **place
    )
    other_z = getattr(kernels, name)(x, w, **place)
    others_too = kernels.batch_norm_train(other_z, weight, bias, running_mean=others[0], running_var=others[1], **how)
    for ours, theirs in zip((z, y, *statistics, *running), (other_z, *others_too, *others), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_bad_calls_are_refused_before_anything_is_changed() -> None:
    x, w, running = drawn((1, 4, 4, 2), 0), drawn((3, 3, 3, 2), 1), np.zeros(3, np.float32)
    for wrong, message in (
        ({"running_mean": np.zeros(4, np.float32)}, r"running_mean expects \(3,\) float32 but got \(4,\)"),
        ({"running_mean": running, "momentum": 2.0}, "momentum expects 0 to 1 but got 2.0"),
        ({"running_mean": running, "stride": 0}, "stride expects values of at least 1"),
        ({"running_mean": running, "activation": "gelu"}, "activation expects one of"),
        ({"running_mean": running, "weight": np.ones(2, np.float32)}, r"weight expects \(3,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            kernels.conv2d_batch_norm_train(x, w, **wrong)
    assert not running.any()


def test_its_parts_are_traced_and_it_is_explained() -> None:
    x, w = drawn((1, 4, 4, 2), 0), drawn((3, 3, 3, 2), 1)
    with kernels.trace() as events:
        kernels.conv2d_batch_norm_train(x, w)
    assert [event.operation for event in events] == ["conv2d", "batch_norm_train"]
    text = kernels.explain(kernels.conv2d_batch_norm_train, x, w)
    assert "cpu.apart      taken" in text
    assert "cuda.mma        for arrays on cuda" in text


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moments begin as NaN."""
    monkeypatch.setattr(host, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))


def check_moments(name: str, x: np.ndarray, w: np.ndarray, variant: str = "cuda.mma", **how: Any) -> None:
    """The statistics are those of the very z that was written, whatever rounding went into it."""
    k = w.shape[0 if name == "conv2d" else 3]
    weight, bias = drawn((2, k), 7)
    y, z, mean, inverse_std, affine = on_emulator(name, x, w, weight, bias, variant=variant, **how)
    plain = kernels.conv2d if name == "conv2d" else kernels.conv_transpose2d
    with cuda.launching(emulator.launch):
        np.testing.assert_array_equal(z, plain(x, w, variant=variant, **how))
    wide = z.astype(np.float64).reshape(-1, k)
    deviations = 1 / np.sqrt(wide.var(0) + 1e-5)
    eps = tolerances.EPS["float32"]
    np.testing.assert_allclose(mean, wide.mean(0), rtol=0, atol=eps * np.abs(wide).max())
    np.testing.assert_allclose(inverse_std, deviations, rtol=4 * eps)  # 64 differences are added in float32
    np.testing.assert_allclose(affine[0], weight * deviations, rtol=4 * eps, atol=1e-30)
    expected = (wide - wide.mean(0)) * deviations * weight + bias
    bound = tolerances.BATCH_NORM["float32"] * max(1, np.abs(expected).max())
    np.testing.assert_allclose(y.reshape(-1, k), expected, rtol=0, atol=bound)


@emulated
@given(
    st.sampled_from(list(BLOCKS)),
    st.tuples(st.integers(1, 2), st.integers(3, 19), st.integers(3, 35)),
    st.sampled_from(((4, 2), (8, 36), (36, 4))),
    st.sampled_from((1, 2)),
    st.sampled_from(("cuda.mma", "cuda.mma_bf16")),
    st.integers(0, 2**31),
)
@settings(max_examples=12, deadline=None)
def test_moments_are_those_of_the_result(
    name: str, image: tuple[int, int, int], channels: tuple[int, int], stride: int, variant: str, seed: int
) -> None:
    c, k = channels if name == "conv2d" else (4 * channels[0], 4 * channels[1])
    x, w = drawn((*image, c), seed), drawn(weight_shape(name, 3, c, k), seed + 1)
    check_moments(name, x, w, variant, stride=stride, padding=1)


@emulated
def test_a_large_mean_does_not_harm_the_variance(poisoned: None) -> None:
    """Every result is about 4096, exactly representable in tf32, with a deviation of about 1."""
    x = drawn((2, 11, 21, 8), 3)
    x[..., 0] = 64.0
    w = drawn((6, 1, 1, 8), 4) / 2
    w[..., 0] = 64.0
    check_moments("conv2d", x, w)


@emulated
@pytest.mark.parametrize("name", BLOCKS)
def test_arrays_that_begin_anywhere(name: str, poisoned: None) -> None:
    x, w = drawn((1, 5, 6, 8), 0), drawn(weight_shape(name, 3, 8, 8), 1)
    moved = np.empty(x.size + 1, np.float32)[1:].reshape(x.shape)
    moved[:] = x
    for ours, theirs in zip(on_emulator(name, x, w), on_emulator(name, moved, w), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@emulated
def test_what_is_not_a_number_shows_in_its_channel_alone(poisoned: None) -> None:
    x, w = drawn((1, 9, 17, 4), 0), drawn((6, 1, 1, 4), 1)
    w[2] = np.nan
    y, _, mean, inverse_std, _ = on_emulator("conv2d", x, w)
    for array in (y.reshape(-1, 6), mean[None], inverse_std[None]):
        np.testing.assert_array_equal(np.isnan(array).all(0), np.arange(6) == 2)
        np.testing.assert_array_equal(np.isnan(array).any(0), np.arange(6) == 2)


# What tells a broken kernel: each leaves z as it is.
MUTANTS = {
    "pixels outside are counted": ("own += inside[i];", "own += 1;"),
    "pixels outside are added": ("const float d = inside[m] ?", "const float d = true ?"),
    "the neighbour's channel": ("lane % 4 * 2 + i;", "lane % 4 * 2 + 1 - i;"),
    "a lane is left out": ("for (int mask = 4; mask < 32; mask *= 2)", "for (int mask = 4; mask < 16; mask *= 2)"),
    "one warp's place": ("+ first_pixel / WARP_PIXELS) * a.K * 4", ") * a.K * 4"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_epilogue_is_noticed(
    mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poisoned: None
) -> None:
    right, broken = MUTANTS[mutant]
    text = cuda_mma._SOURCE.read_text()
    assert right in text
    source = tmp_path / "cuda_mma.cu"
    source.write_text(text.replace(right, broken))
    monkeypatch.setattr(cuda_mma, "_SOURCE", source)
    monkeypatch.setattr(cuda_mma, "kernel_for", cuda_mma.kernel_for.__wrapped__)
    monkeypatch.setattr(block.CONV2D_BATCH_NORM_TRAIN, "_plans", {})
    with pytest.raises((emulator.EmulationError, AssertionError)):
        check_moments("conv2d", drawn((1, 9, 19, 4), 0), drawn((6, 3, 3, 4), 1), padding=1)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("tile", cuda_mma.TILES)
@pytest.mark.parametrize("transposed", [False, True])
def test_compiles_without_spills(
    tile: cuda_mma.Tile, stride: int, bf16: bool, transposed: bool, architecture: str, record_property: Any
) -> None:
    kernel = cuda_mma.kernel_for(tile, stride, input_gradient=transposed, bf16=bf16, moments=True)
    resources = compiled(kernel, architecture, record_property)
    blocks = 3
    assert blocks * kernel.threads * resources.registers <= 65536, "the blocks' registers fit a multiprocessor"


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
def test_what_follows_compiles_without_spills(architecture: str, record_property: Any) -> None:
    compiled(cuda_fused.finish_kernel("float32", centered=True), architecture, record_property)
