"""Batch normalisation in CUDA C++ without a GPU: both sources in the emulator, and compiled by NVRTC."""

from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from hypothesis import given, settings
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels import normalization
from tilegrad.kernels.activation.epilogue import ACTIVATIONS
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.normalization import cuda_fused

from tilegrad import kernels

OPERATIONS = (
    normalization.BATCH_NORM,
    normalization.BATCH_NORM_APPLY,
    normalization.BATCH_NORM_TRAIN,
    normalization.BATCH_NORM_GRAD,
)


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    """Partial sums start as NaN, and small shapes are cut into parts."""
    with cuda.launching(emulator.launch), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_fused, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))
        patch.setattr(cuda_fused, "_LEAST_ROWS", 1)
        for operation in OPERATIONS:
            patch.setattr(operation, "_plans", {})
        yield


def drawn(shape: tuple[int, ...], dtype: str, seed: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1.0, shape).astype(dtype)


def close(found: Any, expected: Any, bound: float) -> None:
    """Relative to the largest number, with room for one of its size where all cancel."""
    assert found.dtype != object
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound * max(1.0, np.abs(expected).max(initial=0.0)))


def compare(shape: tuple[int, ...], dtype: str, activation: str | None, given: bool, seed: int, mean: float) -> None:
    """All three operations beside their definitions in float64, of the same numbers."""
    x, gy, channel = drawn(shape, dtype, seed, mean), drawn(shape, dtype, seed + 1), shape[-1:]
    weight, bias = (drawn(channel, dtype, seed + i) if given else None for i in (2, 3))
    how: dict[str, Any] = {"activation": activation, "negative_slope": 0.2}
    wide = [None if a is None else a.astype(np.float64) for a in (x, weight, bias)]
    bound, bound_grad = tolerances.BATCH_NORM[dtype], tolerances.BATCH_NORM_GRAD[dtype]

    found = kernels.batch_norm_train(x, weight, bias, variant="cuda.fused", **how)
    expected = kernels.batch_norm_train(*wide, variant="naive", **how)
    for ours, theirs in zip(found[:3], expected[:3], strict=True):
        close(ours, theirs, bound)
    close(found[3][0], expected[3][0], bound)
    last = kernels.batch_norm_apply(x, found[1], found[3], variant="cuda.fused", **how)
    np.testing.assert_array_equal(last, found[0])

    _, center, inverse_std, affine = (a.astype(dtype) for a in expected)
    statistics = (center, inverse_std)
    var = abs(drawn(channel, dtype, seed + 4))
    found_y = kernels.batch_norm(x, center, var, weight, bias, variant="cuda.fused", **how)
    wide_y = kernels.batch_norm(wide[0], *[a.astype("f8") for a in (center, var)], *wide[1:], variant="naive", **how)
    close(found_y, wide_y, bound)

    arrays = (gy, x, *statistics, weight, affine if activation else None)
    found = kernels.batch_norm_grad(*arrays, variant="cuda.fused", **how)
    expected = kernels.batch_norm_grad(*[None if a is None else a.astype("f8") for a in arrays], variant="naive", **how)
    for ours, theirs in zip(found, expected, strict=True):
        close(ours, theirs, bound_grad)


@emulated
@given(
    st.tuples(st.integers(2, 90), st.one_of(st.integers(1, 40), st.sampled_from((64, 132, 260)))),
    st.sampled_from(("float32", "float64")),
    st.sampled_from(ACTIVATIONS),
    st.booleans(),
    st.integers(0, 2**31),
)
@settings(max_examples=15, deadline=None)
def test_equals_the_definition(
    shape: tuple[int, int], dtype: str, activation: str | None, given: bool, seed: int
) -> None:
    compare(shape, dtype, activation, given, seed, 0.0)


@emulated
@pytest.mark.parametrize("shape", [(3, 1), (700, 3), (1100, 4), (300, 32)])
def test_many_rows(shape: tuple[int, int]) -> None:
    compare(shape, "float32", "leaky_relu", True, 5, 0.0)


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_large_mean_does_not_harm_the_variance(dtype: str) -> None:
    """Numbers about 5000 with a deviation of 1: the mean of their squares keeps no digit of the variance in float32."""
    x = drawn((600, 8), dtype, 3, 5000.0)
    y, mean, inverse_std, _ = kernels.batch_norm_train(x, variant="cuda.fused")
    wide = x.astype(np.longdouble)  # NumPy's own sums of float64 numbers of 5000 are off by some units
    np.testing.assert_allclose(mean, wide.mean(0), rtol=tolerances.EPS[dtype])
    np.testing.assert_allclose(inverse_std, 1 / np.sqrt(wide.var(0) + 1e-5), rtol=2 * tolerances.EPS[dtype])
    close(y, (wide - wide.mean(0)) / np.sqrt(wide.var(0) + 1e-5), tolerances.BATCH_NORM[dtype])


@emulated
def test_a_first_number_far_from_the_others_does_not_harm_the_variance() -> None:
    """Relative to it, 600 float32 squares would lose some 30 units in the last place of the result."""
    x = drawn((600, 8), "float32", 4)
    x[0] = 1000.0
    _, mean, inverse_std, _ = kernels.batch_norm_train(x, variant="cuda.fused")
    wide = x.astype(np.longdouble)
    np.testing.assert_allclose(mean, wide.mean(0), rtol=2 * tolerances.EPS["float32"])
    np.testing.assert_allclose(inverse_std, 1 / np.sqrt(wide.var(0) + 1e-5), rtol=2 * tolerances.EPS["float32"])


@emulated
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of the definition, interpreted
@pytest.mark.parametrize("variant", ["cuda.fused", "blocked"])
def test_what_is_not_finite_shows_where_it_does_in_the_definition(variant: str) -> None:
    x, (weight, bias) = drawn((5, 3, 8), "float32", 0), drawn((2, 8), "float32", 1)
    x[1, 2, 3], x[4, 0, 5] = np.nan, np.inf
    found = kernels.batch_norm_train(x, weight, bias, activation="tanh", variant=variant)
    expected = kernels.batch_norm_train(x, weight, bias, activation="tanh", variant="reference")
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
    np.testing.assert_allclose(found[3], expected[3], rtol=1e-5, atol=1e-6)


@emulated
def test_arrays_that_begin_anywhere() -> None:
    """16-byte loads want addresses of their own; without them the result has the same bits."""
    x = drawn((37, 8), "float32", 0)
    moved = np.empty(x.size + 1, np.float32)[1:].reshape(x.shape)
    moved[:] = x
    launched = []

    def record(kernel: cuda.Kernel, *launch: Any) -> None:
        launched.append(kernel.name)
        emulator.launch(kernel, *launch)

    with cuda.launching(record):
        one, other = (kernels.batch_norm(a, x[0], abs(x[1]), variant="cuda.fused") for a in (x, moved))
    assert launched == ["batch_norm_inference_linear_float32_x4", "batch_norm_inference_linear_float32_x1"]
    np.testing.assert_array_equal(one, other)


@emulated
def test_no_rows_and_no_channels() -> None:
    for shape in ((0, 4), (3, 0), (0, 0)):
        x, vector = np.ones(shape, np.float32), np.ones(shape[-1:], np.float32)
        assert kernels.batch_norm(x, vector, vector, variant="cuda.fused").shape == shape
        assert kernels.batch_norm_apply(x, vector, np.stack([vector] * 2), variant="cuda.fused").shape == shape
        gx, gweight, gbias = kernels.batch_norm_grad(x, x, vector, vector, variant="cuda.fused")
        np.testing.assert_array_equal(gweight, 0 * vector)
        np.testing.assert_array_equal(gbias, 0 * vector)
        assert gx.shape == shape


def test_parts_cover_all_rows_once_and_none_is_empty() -> None:
    for rows in range(1, 400):
        for wanted, least in ((1, 1), (7, 1), (264, 16), (3, 64)):
            parts, each = cuda_fused.parts_of(rows, wanted, least)
            assert (parts - 1) * each < rows <= parts * each
            assert parts <= wanted


MUTANTS = {
    "no barrier": ("__syncthreads();", "", "nobody has written|since the last barrier"),
    "channels run over": ("if (c < a.C &&", "if (", "outside every array|differ|a second time"),
    "rows run over": (
        "row < end; row += down",
        "row <= end; row += down",
        "outside every array|a second time|Not equal",
    ),
    "last rows left out": ("row < end; row += down", "row + down < end; row += down", "Not equal"),
    "a warp forgotten": ("w < THREADS / 32", "w < THREADS / 32 - 1", "Not equal"),
    "lanes not added": ("mask < 32; mask *= 2", "mask < 16; mask *= 2", "Not equal"),
    "not relative to the first": ("sums.first[v] += count * moved;", "", "Not equal"),
    "squares not relative to the first": ("moved * (2 * sums.first[v]", "moved * (sums.first[v]", "Not equal"),
    "scale of another channel": ("a.affine + a.C + c", "a.affine + c", "Not equal"),
}


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_fused, MUTANTS[mutant], tmp_path, monkeypatch):
        compare((150, 12), "float32", "leaky_relu", True, 1, 3.0)


class OnGpu:
    """As much of a cupy.ndarray as the check of running statistics looks at."""

    __module__ = "cupy"

    def __init__(self, array: np.ndarray) -> None:
        self.shape, self.dtype, self.strides, self.flags = array.shape, array.dtype, array.strides, array.flags


def test_running_statistics_on_a_gpu_are_checked_before_any_work() -> None:
    x = OnGpu(np.ones((4, 3), np.float32))
    for wrong, reason in (
        (np.ones(3, np.float32), "running_var expects a cupy.ndarray but got ndarray"),
        (OnGpu(np.ones(4, np.float32)), r"running_var expects \(3,\) float32 but got \(4,\) float32"),
        (OnGpu(np.ones(6, np.float32)[::2]), "running_var expects a C-contiguous array"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"batch_norm_train: {reason}"):
            kernels.batch_norm_train(x, running_mean=OnGpu(np.ones(3, np.float32)), running_var=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="momentum expects 0 to 1 but got 2"):
        kernels.batch_norm_train(x, running_mean=OnGpu(np.ones(3, np.float32)), momentum=2.0)  # type: ignore[arg-type]


WIDE = [("float32", 4), ("float64", 2)]
PASSES = [
    (mode, a) for mode in cuda_fused.MODES for a in (None, "relu", "tanh", "sigmoid") if mode != "moments" or not a
]


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize(("dtype", "vector"), WIDE)
@pytest.mark.parametrize(("mode", "activation"), PASSES)
def test_compiles_without_spills(
    mode: str, activation: str | None, dtype: str, vector: int, architecture: str, record_property: Any
) -> None:
    kernel = cuda_fused.kernel_for(mode, dtype, vector, activation)
    resources = compiled(kernel, architecture, record_property)
    assert resources.registers <= 128, "two blocks' registers fit a multiprocessor"
