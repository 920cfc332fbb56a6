"""The weight gradient through a normalisation on tensor cores, without a GPU: in the emulator, and compiled by NVRTC.

Beside it stands the same kernel without a normalisation, after batch normalisation's own pass: the same bits, since
the numbers that are multiplied are the same, and so is their order. That one is measured against the definition in
the tests of the convolution.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import emulator
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from on_emulator import WITH_TENSOR_CORES, broken, compiled, emulated
from tilegrad.kernels.activation.epilogue import ACTIVATIONS
from tilegrad.kernels.chain.weight_grad import NORMALIZED_CONV2D_WEIGHT_GRAD
from tilegrad.kernels.convolution import CONV2D_WEIGHT_GRAD, cuda_mma_weight_grad
from tilegrad.kernels.machine import cuda

from tilegrad import kernels

VARIANTS = ("mma", "mma_bf16")


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    """Partial sums start as NaN."""
    with cuda.launching(emulator.launch), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_mma_weight_grad, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))
        yield


@pytest.fixture
def planning(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What is changed with it holds for plans that the test makes, which no other test sees."""
    for operation in (CONV2D_WEIGHT_GRAD, NORMALIZED_CONV2D_WEIGHT_GRAD):
        monkeypatch.setattr(operation, "_plans", {})
    return monkeypatch


class Call(NamedTuple):
    """Shapes and arguments of a call, to be filled with numbers."""

    image: tuple[int, int, int]
    c: int
    k: int
    kernel: tuple[int, int]
    stride: int
    padding: tuple[tuple[int, int], tuple[int, int]]
    normalized: str
    activation: str | None

    @property
    def place(self) -> dict[str, Any]:
        return {"stride": self.stride, "padding": self.padding}

    @property
    def end(self) -> dict[str, Any]:
        return {"activation": self.activation, "negative_slope": 0.5}

    def arrays(self, seed: int, *, whole: bool = False) -> tuple[Any, Any, Any, Any, Any]:
        """gy, x, mean, affine and the weight's shape; whole numbers are small, so that nothing rounds."""
        n, *size = self.image
        draw, channels = np.random.default_rng(seed), self.c if self.normalized == "x" else self.k
        pixels = [
            (length + sum(self.padding[axis]) - self.kernel[axis]) // self.stride + 1
            for axis, length in enumerate(size)
        ]
        gy, x, mean, affine = (
            (draw.integers(-3, 4, shape) if whole else draw.normal(0, 1, shape)).astype(np.float32)
            for shape in ((n, *pixels, self.k), (*self.image, self.c), (channels,), (2, channels))
        )
        return gy, x, mean, affine, (self.k, *self.kernel, self.c)

    def run(self, arrays: Any, variant: str) -> np.ndarray:
        """The gradient, written over NaN."""
        out = np.full(arrays[-1], np.nan, np.float32)
        how = {"normalized": self.normalized, "variant": f"cuda.{variant}", "out": out}
        return kernels.normalized_conv2d_weight_grad(*arrays, **how, **self.end, **self.place)

    def apart(self, arrays: Any, variant: str) -> np.ndarray:
        """The same with a pass of batch normalisation before."""
        gy, x, mean, affine, shape = arrays
        y = kernels.batch_norm_apply(
            x if self.normalized == "x" else gy, mean, affine, variant="cuda.fused", **self.end
        )
        pair = (gy, y) if self.normalized == "x" else (y, x)
        return kernels.conv2d_weight_grad(*pair, shape, variant=f"cuda.{variant}", **self.place)

    def check(self, seed: int, variant: str = "mma") -> None:
        """The bits of the two operations and, of whole numbers, of the definition in float64."""
        arrays = self.arrays(seed)
        np.testing.assert_array_equal(self.run(arrays, variant), self.apart(arrays, variant))
        if self.activation not in ("tanh", "sigmoid"):
            gy, x, mean, affine, shape = self.arrays(seed, whole=True)
            wide = (gy.astype("f8"), x.astype("f8"), mean.astype("f8"), affine.astype("f8"), shape)
            expected = kernels.normalized_conv2d_weight_grad(
                *wide, normalized=self.normalized, variant="naive", **self.end, **self.place
            )
            np.testing.assert_array_equal(self.run((gy, x, mean, affine, shape), variant), expected)


@st.composite
def calls(draw: Any) -> Call:
    of = st.sampled_from
    stride, kernel = draw(of((1, 2))), (draw(of((1, 2, 3, 5))), draw(of((1, 2, 3, 4, 5))))
    sides = st.tuples(st.integers(0, 2), st.integers(0, 2))
    padding = draw(sides), draw(sides)
    h, w = (max(draw(of((1, 3, 8, 9, 17, 25))), kernel[i] - sum(padding[i])) for i in range(2))
    c, k = draw(of((4, 8, 28, 36, 68))), draw(of((4, 16, 36, 64, 68)))
    image = (draw(st.integers(1, 2)), h, w)
    return Call(image, c, k, kernel, stride, padding, draw(of(("x", "gy"))), draw(of(ACTIVATIONS)))


ONE = ((1, 1), (1, 1))


@emulated
@given(calls(), st.sampled_from(VARIANTS), st.integers(0, 2**31))
@example(Call((2, 8, 8), 64, 64, (3, 3), 1, ONE, "x", "relu"), "mma", 0)
@example(Call((2, 16, 16), 8, 68, (4, 4), 2, ONE, "gy", "leaky_relu"), "mma", 0)
@settings(max_examples=8, deadline=None)
def test_has_the_bits_of_the_two_operations(call: Call, variant: str, seed: int) -> None:
    call.check(seed, variant)


@emulated
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("normalized", ["x", "gy"])
@pytest.mark.parametrize("tile", cuda_mma_weight_grad.TILES)
def test_every_tile_computes_every_shape(
    tile: cuda_mma_weight_grad.Tile, normalized: str, variant: str, planning: pytest.MonkeyPatch
) -> None:
    """Of these, 2 taps leave some threads no piece of x in the last turn."""
    planning.setattr(cuda_mma_weight_grad, "tile_for", lambda geometry: tile)
    for image, c, k, kernel, stride in (((2, 9, 21), 72, 8, (3, 3), 1), ((1, 9, 18), 12, 76, (3, 2), 2)):
        Call(image, c, k, kernel, stride, ((1, 2), (0, 1)), normalized, "relu").check(0, variant)


@emulated
@pytest.mark.parametrize("normalized", ["x", "gy"])
@pytest.mark.parametrize("blocks", [1, 3, 50])
def test_any_number_of_parts_gives_the_sum(blocks: int, normalized: str, planning: pytest.MonkeyPatch) -> None:
    planning.setattr(cuda_mma_weight_grad, "_BLOCKS", blocks)
    planning.setattr(cuda_mma_weight_grad, "_LEAST_STRIPS", 1)
    Call((3, 18, 17), 8, 4, (1, 1), 1, ((0, 0), (0, 0)), normalized, "relu").check(0)


@emulated
@pytest.mark.parametrize("normalized", ["x", "gy"])
def test_what_is_not_a_number_goes_where_the_two_operations_send_it(normalized: str) -> None:
    call = Call((1, 9, 10), 8, 8, (3, 3), 1, ONE, normalized, "relu")
    gy, x, mean, affine, shape = call.arrays(0)
    (x if normalized == "x" else gy)[0, 4, 5, 3] = np.nan
    (x if normalized == "x" else gy)[0, 8, 9, 6] = np.inf
    affine[:, 5], affine[0, 6] = (np.inf, 1.0), 2.0
    found = call.run((gy, x, mean, affine, shape), "mma")
    assert np.isnan(found).any()
    assert np.isfinite(found).any()
    np.testing.assert_array_equal(found, call.apart((gy, x, mean, affine, shape), "mma"))


@emulated
@pytest.mark.parametrize("normalized", ["x", "gy"])
def test_arrays_may_begin_anywhere(normalized: str) -> None:
    call = Call((1, 8, 9), 4, 8, (3, 3), 1, ONE, normalized, "relu")
    arrays, moved = call.arrays(0), []
    for array in arrays:
        if isinstance(array, np.ndarray):
            room = np.empty(array.size + 1, np.float32)[1:].reshape(array.shape)
            room[:] = array
            moved.append(room)
        else:
            moved.append(array)
    np.testing.assert_array_equal(call.run(moved, "mma"), call.run(arrays, "mma"))


@emulated
def test_an_empty_batch_has_a_gradient_of_zeros() -> None:
    call = Call((0, 8, 8), 4, 4, (3, 3), 1, ONE, "x", None)
    np.testing.assert_array_equal(call.run(call.arrays(0), "mma"), np.zeros((4, 3, 3, 4)))


@emulated
@pytest.mark.parametrize("normalized", ["x", "gy"])
def test_nothing_is_launched_before_it(normalized: str) -> None:
    launched = []

    def record(kernel: cuda.Kernel, *launch: Any) -> None:
        launched.append(kernel.name)

    call = Call((1, 8, 8), 36, 4, (3, 3), 1, ONE, normalized, "relu")
    with cuda.launching(record):
        call.run(call.arrays(0), "mma")
    assert launched == [f"conv2d_weight_grad_{normalized}_normalized_relu_mma_tf32_64x64_taps3_stride1"]


def test_takes_what_the_convolution_takes() -> None:
    call = Call((1, 8, 8), 6, 4, (3, 3), 1, ONE, "x", None)
    with pytest.raises(ValueError, match=r'"cuda.mma" takes C_in and C_out that are multiples of 4 .* C_in = 6'):
        call.run(call.arrays(0), "mma")


# What tells a broken prologue: each leaves a gradient without a normalisation as it is.
MUTANTS = {
    "pixels outside are normalised": ("= inside ? y : 0;", "= y;"),
    "only the first turn": ("const bool inside = to_normalize >> turn & 1;", "const bool inside = to_normalize & 1;"),
    "the last strip's pieces": ("to_normalize = load_strip(", "load_strip("),
    "before the copies have arrived": (
        "        wait_copies<0>();\n        if constexpr (NORMALIZED != 0) normalize_strip(a, factors, to_normalize, "
        "buffers + buffer);\n",
        "        if constexpr (NORMALIZED != 0) normalize_strip(a, factors, to_normalize, buffers + buffer);\n"
        "        wait_copies<0>();\n",
    ),
    "behind the barrier": (
        "        if constexpr (NORMALIZED != 0) normalize_strip(a, factors, to_normalize, buffers + buffer);\n"
        "        __syncthreads();\n",
        "        __syncthreads();\n"
        "        if constexpr (NORMALIZED != 0) normalize_strip(a, factors, to_normalize, buffers + buffer);\n",
    ),
    "the other buffer": ("to_normalize, buffers + buffer);", "to_normalize, buffers + BUFFER_BYTES - buffer);"),
    "another thread's pieces": ("strip + (NORMALIZED", "16 + strip + (NORMALIZED"),
    "scale for offset": ("load_numbers<4>(a.affine + channels + c)", "load_numbers<4>(a.affine + c)"),
    "channels of the first tile": (
        "NORMALIZED == 1 ? tile.c0 + threadIdx.x % IN_PIECES * 4 : tile.k0 + threadIdx.x % OUT_PIECES * 4;",
        "NORMALIZED == 1 ? threadIdx.x % IN_PIECES * 4 : threadIdx.x % OUT_PIECES * 4;",
    ),
    "channels run over": ("if (!NORMALIZED || c >= channels) return {};", "if (!NORMALIZED) return {};"),
    "another activation": ("ACTIVATION, a.negative_slope", "0, a.negative_slope"),
    "another slope": ("ACTIVATION, a.negative_slope", "ACTIVATION, 0.25f"),
}  # fmt: skip
OF_GY = ("pixels outside are normalised", "another thread's pieces", "channels of the first tile", "channels run over")


@emulated
@pytest.mark.parametrize(
    ("mutant", "normalized"), [*[(name, "x") for name in MUTANTS], *[(name, "gy") for name in OF_GY]]
)
def test_a_broken_prologue_is_noticed(
    mutant: str, normalized: str, tmp_path: Path, planning: pytest.MonkeyPatch
) -> None:
    with broken(cuda_mma_weight_grad, MUTANTS[mutant], tmp_path, planning):
        Call((2, 9, 18), 68, 68, (3, 3), 1, ONE, normalized, "leaky_relu").check(0)


WIDE, NARROW = cuda_mma_weight_grad.TILES
KERNELS = [(WIDE, taps, stride) for taps in (1, 2, 3) for stride in (1, 2)]
KERNELS += [(NARROW, taps, stride) for taps in (1, 2, 3, 4, 5) for stride in (1, 2)]
COMMON = [(WIDE, 3, 1), (NARROW, 4, 2)]


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize(("normalized", "activation"), [("x", "relu"), ("gy", "relu"), ("x", "tanh")])
@pytest.mark.parametrize(
    ("tile", "taps", "stride"),
    [pytest.param(*kernel, marks=() if kernel in COMMON else pytest.mark.slow) for kernel in KERNELS],
)
def test_compiles_without_spills(
    tile: cuda_mma_weight_grad.Tile, taps: int, stride: int, normalized: str, activation: str, bf16: bool,
    architecture: str, record_property: Any,
) -> None:  # fmt: skip
    kernel = cuda_mma_weight_grad.kernel_for(
        tile, taps, stride, bf16=bf16, normalized=normalized, activation=activation
    )
    resources = compiled(kernel, architecture, record_property)
    assert 2 * kernel.threads * resources.registers <= 65536, "two blocks' registers fit a multiprocessor"
