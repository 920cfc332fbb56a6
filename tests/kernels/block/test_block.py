"""A convolution with batch normalisation: beside the two operations, and as one launch of CUDA C++ in the emulator."""

import math
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from on_emulator import SHARED_BYTES, WITH_TENSOR_CORES, broken, compiled, emulated
from tilegrad.kernels import block
from tilegrad.kernels.block import cuda_mma as host
from tilegrad.kernels.convolution import CONV2D, CONV_TRANSPOSE2D, cuda_mma
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.normalization import cuda_fused

from tilegrad import kernels

BLOCKS = {"conv2d": kernels.conv2d_batch_norm_train, "conv_transpose2d": kernels.conv_transpose2d_batch_norm_train}

OPERATIONS = (block.CONV2D_BATCH_NORM_TRAIN, block.CONV_TRANSPOSE2D_BATCH_NORM_TRAIN)


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


def read_through(x: np.ndarray, seed: int, activation: str | None) -> dict[str, Any]:
    """What a block before this one left beside x, its z: offsets of both signs, which padding must not become."""
    mean, *affine = drawn((3, x.shape[-1]), seed)
    return {"x_mean": mean, "x_affine": np.stack(affine), "x_activation": activation, "x_negative_slope": 0.2}


def normalized(x: np.ndarray, through: dict[str, Any], variant: str | None = None) -> np.ndarray:
    """The image that a block reads."""
    activation, slope = through["x_activation"], through["x_negative_slope"]
    end: dict[str, Any] = {"activation": activation, "negative_slope": slope, "variant": variant}
    return kernels.batch_norm_apply(x, through["x_mean"], through["x_affine"], **end)


@pytest.mark.parametrize("apply", [True, False])
@pytest.mark.parametrize("name", BLOCKS)
def test_reads_an_image_through_a_normalisation(name: str, apply: bool) -> None:
    x, w = drawn((2, 9, 7, 5), 0), drawn(weight_shape(name, 3, 5, 6), 1)
    how: dict[str, Any] = {"weight": drawn((6,), 2), "stride": 2, "padding": 1, "activation": "relu"}
    through = read_through(x, 3, "tanh")
    y, *rest = BLOCKS[name](x, w, **through, **how, apply=apply)
    other_y, *others = BLOCKS[name](normalized(x, through), w, **how)
    for ours, theirs in zip(rest, others, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    if apply:
        np.testing.assert_array_equal(y, other_y)
    else:
        assert y is None


@pytest.mark.parametrize("variant", ["naive", "reference"])
@pytest.mark.parametrize("name", BLOCKS)
def test_the_definition_without_y(name: str, variant: str) -> None:
    x, w, vector = drawn((1, 4, 5, 2), 0), drawn(weight_shape(name, 3, 2, 3), 1), drawn((3,), 2)
    y, *rest = BLOCKS[name](x, w, vector, vector, apply=False, variant=variant)
    assert y is None
    for ours, theirs in zip(rest, BLOCKS[name](x, w, vector, vector, variant=variant)[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_bad_calls_are_refused_before_anything_is_changed() -> None:
    x, w, running = drawn((1, 4, 4, 2), 0), drawn((3, 3, 3, 2), 1), np.zeros(3, np.float32)
    for wrong, message in (
        ({"running_mean": np.zeros(4, np.float32)}, r"running_mean expects \(3,\) float32 but got \(4,\)"),
        ({"running_mean": running, "momentum": 2.0}, "momentum expects 0 to 1 but got 2.0"),
        ({"running_mean": running, "stride": 0}, "stride expects values of at least 1"),
        ({"running_mean": running, "activation": "gelu"}, "activation expects one of"),
        ({"running_mean": running, "weight": np.ones(2, np.float32)}, r"weight expects \(3,\)"),
        ({"running_mean": running, "x_mean": np.ones(2, np.float32)}, "expects x_mean and x_affine together"),
        ({"running_mean": running, "x_affine": np.ones((2, 2), np.float32)}, "expects x_mean and x_affine together"),
        ({"running_mean": running, "x_activation": "relu"}, "x_activation expects x_mean and x_affine beside it"),
        ({"running_mean": running, **read_through(x, 0, "gelu")}, "activation expects one of"),
        ({"running_mean": running, **read_through(w[..., :1], 0, None)}, r"mean expects \(2,\) but got \(1,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            kernels.conv2d_batch_norm_train(x, w, **wrong)
    with pytest.raises(TypeError, match="conv2d_batch_norm_train: apply expects True or False but got 1"):
        kernels.conv2d_batch_norm_train(x, w, running_mean=running, apply=1)
    assert not running.any()


def test_its_parts_are_traced_and_it_is_explained() -> None:
    x, w = drawn((1, 4, 4, 2), 0), drawn((3, 3, 3, 2), 1)
    with kernels.trace() as events:
        kernels.conv2d_batch_norm_train(x, w)
        kernels.conv2d_batch_norm_train(x, w, **read_through(x, 0, "relu"))
    pair = ["conv2d", "batch_norm_train"]
    assert [event.operation for event in events] == [*pair, "batch_norm_apply", *pair]
    text = kernels.explain(kernels.conv2d_batch_norm_train, x, w)
    assert "cpu.apart      taken" in text
    assert "cuda.mma        for arrays on cuda" in text


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moments begin as NaN."""
    monkeypatch.setattr(host, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))


def check_moments(
    name: str,
    x: np.ndarray,
    w: np.ndarray,
    variant: str = "cuda.mma",
    through: dict[str, Any] | None = None,
    **how: Any,
) -> None:
    """z has the bits of the convolution of the image that is read, and the statistics are those of the very z that was
    written, whatever rounding went into it.
    """
    k = w.shape[0 if name == "conv2d" else 3]
    weight, bias = drawn((2, k), 7)
    y, z, mean, inverse_std, affine = on_emulator(name, x, w, weight, bias, variant=variant, **(through or {}), **how)
    plain = kernels.conv2d if name == "conv2d" else kernels.conv_transpose2d
    with cuda.launching(emulator.launch):
        image = x if through is None else normalized(x, through, "cuda.fused")
        np.testing.assert_array_equal(z, plain(image, w, variant=variant, **how))
    wide = z.astype(np.float64).reshape(-1, k)
    deviations = 1 / np.sqrt(wide.var(0) + 1e-5)
    eps = tolerances.EPS["float32"]
    np.testing.assert_allclose(mean, wide.mean(0), rtol=0, atol=eps * np.abs(wide).max())
    # Sums of float32 have eleven roundings; squares, of differences from a pixel that may lie two deviations from the
    # mean, are then five times the variance; and the root halves what remains.
    np.testing.assert_allclose(inverse_std, deviations, rtol=16 * eps)
    np.testing.assert_allclose(affine[0], weight * deviations, rtol=16 * eps, atol=1e-30)
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
@given(
    st.sampled_from(list(BLOCKS)),
    st.tuples(st.integers(1, 2), st.integers(1, 19), st.integers(2, 35)),
    st.sampled_from(((4, 4), (8, 36), (36, 4), (68, 68))),
    st.sampled_from((1, 2, 3, 4)),
    st.sampled_from((1, 2)),
    st.sampled_from(((1, 1), (0, 2), (2, 0))),
    st.sampled_from((None, "relu", "leaky_relu", "tanh", "sigmoid")),
    st.sampled_from(("cuda.mma", "cuda.mma_bf16")),
    st.integers(0, 2**31),
)
@example("conv2d", (1, 17, 19), (36, 68), 4, 2, (1, 2), "leaky_relu", "cuda.mma", 0)  # of images of 8 x 8
@example("conv2d", (1, 19, 37), (36, 68), 3, 1, (1, 1), "relu", "cuda.mma_bf16", 0)
@example("conv_transpose2d", (1, 11, 19), (36, 68), 4, 2, (1, 1), "sigmoid", "cuda.mma", 0)
@example("conv_transpose2d", (2, 1, 1), (68, 36), 4, 1, (0, 0), "relu", "cuda.mma", 0)
@settings(max_examples=16, deadline=None)
def test_reads_z_through_a_normalisation_as_the_passes_apart_write_it(
    name: str, image: tuple[int, int, int], channels: tuple[int, int], size: int, stride: int,
    pads: tuple[int, int], activation: str | None, variant: str, seed: int,
) -> None:  # fmt: skip
    x, w = drawn((*image, channels[0]), seed), drawn(weight_shape(name, size, *channels), seed + 1)
    grown = [(n - 1) * stride + size - sum(pads) for n in image[1:]]
    shrunk = [(n + sum(pads) - size) // stride + 1 for n in image[1:]]
    assume(min(shrunk if name == "conv2d" else grown) > 0 and image[0] * math.prod(shrunk) > 1)
    through = read_through(x, seed + 2, activation)
    check_moments(name, x, w, variant, through, stride=stride, padding=(pads, pads[::-1]))


@emulated
@pytest.mark.parametrize("tile", cuda_mma.TILES)
@pytest.mark.parametrize("name", BLOCKS)
def test_every_tile_reads_through_a_normalisation(
    name: str, tile: cuda_mma.Tile, monkeypatch: pytest.MonkeyPatch, poisoned: None
) -> None:
    """The rule that picks a tile is about speed; each is right for all."""
    monkeypatch.setattr(cuda_mma, "tile_for", lambda p, q, k: tile)
    for operation in (*OPERATIONS, CONV2D, CONV_TRANSPOSE2D):
        monkeypatch.setattr(operation, "_plans", {})
    for stride in (1, 2):
        x, w = drawn((1, 9, 19, 36), stride), drawn(weight_shape(name, 5, 36, 36), 1)
        check_moments(name, x, w, through=read_through(x, 2, "relu"), stride=stride, padding=2)


@emulated
@pytest.mark.parametrize("name", BLOCKS)
def test_without_y_there_is_one_launch_less(name: str, monkeypatch: pytest.MonkeyPatch, poisoned: None) -> None:
    x, w = drawn((1, 5, 6, 8), 0), drawn(weight_shape(name, 3, 8, 8), 1)
    launched: list[str] = []

    def launch(kernel: cuda.Kernel, *rest: Any) -> None:
        launched.append(kernel.name)
        emulator.launch(kernel, *rest)

    with cuda.launching(launch):
        y, *rest = BLOCKS[name](x, w, variant="cuda.mma", apply=False)
    assert y is None
    assert len(launched) == 2
    for ours, theirs in zip(rest, on_emulator(name, x, w)[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@emulated
def test_a_large_mean_does_not_harm_the_variance(poisoned: None) -> None:
    """Every result is about 4096, exactly representable in tf32, with a deviation of about 1."""
    x = drawn((2, 11, 21, 8), 3)
    x[..., 0] = 64.0
    w = drawn((6, 1, 1, 8), 4) / 2
    w[..., 0] = 64.0
    check_moments("conv2d", x, w)


def moved(array: np.ndarray) -> np.ndarray:
    """The same numbers, not at a multiple of 16 bytes."""
    elsewhere = np.empty(array.size + 1, np.float32)[1:].reshape(array.shape)
    elsewhere[:] = array
    return elsewhere


@emulated
@pytest.mark.parametrize("name", BLOCKS)
def test_arrays_that_begin_anywhere(name: str, poisoned: None) -> None:
    x, w = drawn((1, 5, 6, 8), 0), drawn(weight_shape(name, 3, 8, 8), 1)
    through = read_through(x, 2, "relu")
    elsewhere = {**through, "x_mean": moved(through["x_mean"]), "x_affine": moved(through["x_affine"])}
    results = on_emulator(name, x, w, **through), on_emulator(name, moved(x), w, **elsewhere)
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@emulated
def test_what_is_not_a_number_shows_in_its_channel_alone(poisoned: None) -> None:
    x, w = drawn((1, 9, 17, 4), 0), drawn((6, 1, 1, 4), 1)
    w[2] = np.nan
    y, _, mean, inverse_std, _ = on_emulator("conv2d", x, w)
    for array in (y.reshape(-1, 6), mean[None], inverse_std[None]):
        np.testing.assert_array_equal(np.isnan(array).all(0), np.arange(6) == 2)
        np.testing.assert_array_equal(np.isnan(array).any(0), np.arange(6) == 2)


@emulated
@pytest.mark.parametrize("activation", [None, "relu", "leaky_relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("name", BLOCKS)
def test_what_is_not_a_number_is_read_by_the_pixels_around_it_alone(
    name: str, activation: str | None, poisoned: None
) -> None:
    x, w = drawn((1, 7, 9, 4), 0), drawn(weight_shape(name, 3, 4, 4), 1)
    x[0, 3, 4, 2] = np.nan
    _, z, *_ = on_emulator(name, x, w, padding=1, **read_through(x, 2, activation))
    around = np.zeros(z.shape, bool)
    around[0, 2:5, 3:6] = True
    np.testing.assert_array_equal(np.isnan(z), around)


# What tells a broken kernel: each leaves z as it is.
MUTANTS = {
    "pixels outside are counted": ("own += inside[i];", "own += 1;"),
    "pixels outside are added": ("const float d = inside[m] ?", "const float d = true ?"),
    "the neighbour's channel": ("lane % 4 * 2 + i;", "lane % 4 * 2 + 1 - i;"),
    "a lane is left out": ("for (int mask = 4; mask < 32; mask *= 2)", "for (int mask = 4; mask < 16; mask *= 2)"),
    "one warp's place": ("+ first_pixel / WARP_PIXELS;", ";"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_epilogue_is_noticed(
    mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poisoned: None
) -> None:
    with broken(cuda_mma, MUTANTS[mutant], tmp_path, monkeypatch):
        check_moments("conv2d", drawn((1, 9, 19, 4), 0), drawn((6, 3, 3, 4), 1), padding=1)


# What tells a kernel whose prologue is broken: mistakes of memory by their kind, others by wrong values.
PROLOGUE_MUTANTS = {
    "padding is normalised": ("w < a.W && c < a.C;\n        Piece", "w < a.W || true;\n        Piece", "not equal"),
    "the last row is not": ("h < a.H && w >= 0 && w < a.W && c < a.C;\n        Piece",
                            "h < a.H - 1 && w >= 0 && w < a.W && c < a.C;\n        Piece", "not equal"),
    "the last column is not": ("w < a.W && c < a.C;\n        Piece", "w < a.W - 1 && c < a.C;\n        Piece",
                               "not equal"),
    "the first channels": ("/ PIECES, c = c0 + piece * 4;", "/ PIECES, c = piece * 4;", "not equal"),
    "channels run over": ("if (NORMALIZED && c < a.C) {", "if (NORMALIZED) {", "lie outside every array"),
    "scale for offset": ("offset = load_numbers<4>(a.x_affine + a.C + c);", "offset = load_numbers<4>(a.x_affine + c);",
                         "not equal"),
    "no wait": ("    wait_copies<0>();\n    u32 from", "    u32 from", "is on its way"),
    "of another thread": ("piece = threadIdx.x % PIECES, pixel", "piece = threadIdx.x / 8 % PIECES, pixel",
                          "is on its way|since the last barrier"),
    "at every tap": ("(NORMALIZED || BF16) && shift == 0", "NORMALIZED || BF16", "since the last barrier|not equal"),
    "the other buffer": ("BF16 ? arriving : current, current", "halo + (index + 1) % 2 * halo_bytes, current",
                         "nobody has written|not equal|since the last barrier"),
    "of the first phase": ("blockIdx.z : index % count);", "blockIdx.z : 0);", "not equal"),
    "a row left out": ("for (; row < rows; from", "for (; row < rows - 1; from", "not equal"),
    "rows miscounted": ("column >= columns; column -= columns)", "column > columns; column -= columns)",
                        "not equal|nobody has written"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", PROLOGUE_MUTANTS)
def test_a_broken_prologue_is_noticed(
    mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, poisoned: None
) -> None:
    x, w = drawn((1, 19, 37, 36), 0), drawn((6, 3, 3, 36), 1)
    with broken(cuda_mma, PROLOGUE_MUTANTS[mutant], tmp_path, monkeypatch):
        check_moments("conv2d", x, w, through=read_through(x, 2, "leaky_relu"), stride=2, padding=1)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", WITH_TENSOR_CORES)
@pytest.mark.parametrize(
    ("normalized", "activation"),
    [
        (False, None),
        (True, "relu"),
        pytest.param(True, "sigmoid", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("tile", cuda_mma.TILES)
@pytest.mark.parametrize("transposed", [False, True])
def test_compiles_without_spills(
    tile: cuda_mma.Tile,
    stride: int,
    bf16: bool,
    transposed: bool,
    normalized: bool,
    activation: str | None,
    architecture: str,
    record_property: Any,
) -> None:
    how: dict[str, Any] = {"normalized": normalized, "activation": activation, "moments": True}
    kernel = cuda_mma.kernel_for(tile, stride, input_gradient=transposed, bf16=bf16, **how)
    resources = compiled(kernel, architecture, record_property)
    assert 3 * kernel.threads * resources.registers <= 65536, "the blocks' registers fit a multiprocessor"


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
def test_what_follows_compiles_without_spills(architecture: str, record_property: Any) -> None:
    compiled(cuda_fused.finish_kernel("float32", centered=True), architecture, record_property)
