"""Sample cases of all Numba CUDA variants, in the simulator; test_declarations_simulator.py runs this file.

The simulator takes about a tenth of a millisecond for a thread, so only sample cases of few numbers run, but at least
one of each operation, and small ones of odd sizes beside them. test_declarations_emulator.py runs them in CUDA C++.
"""

import importlib
import math
from pathlib import Path

import numpy as np
import pytest
import tolerances
from numba import config, cuda
from poison import poison, poisoned
from test_declarations import as_it_is, call, with_signs
from tilegrad.kernels import activation, elementwise
from tilegrad.kernels.contexts import operations
from tilegrad.kernels.reduction import cuda_coalesced as coalesced
from tilegrad.kernels.reduction import cuda_naive as reduction

from tilegrad import kernels

LARGEST_CASE = 110
"""Numbers in a result or argument of the sample cases that run."""


def cuda_variants(*, numba):
    """Operations and variants of one language: a host module of CUDA C++ has the name of its kernel.

    That stands beside it, or in the folder of a family whose kernel it shares.
    """

    def is_numba(operation, variant):
        package = Path(importlib.import_module(operation.package).__file__).parent
        return not any(package.parent.glob(f"*/{variant.module}.cu"))

    return [
        (operation.name, variant.name)
        for operation in operations.values()
        for variant in operation.variants
        if variant.device == "cuda" and not variant.composed and is_numba(operation, variant) == numba
    ]


NUMBA = cuda_variants(numba=True)

_GROUPED = {"stride": (2, 1), "padding": ((1, 0), (0, 2)), "dilation": (1, 2), "groups": 2}
_CHANNEL = (5,)
_PIXELS = (2, 3, 2, 5)
_CORNER = ((1, 0, 0, 1), (0, 1, 1, 0))
_BYTES = {"below": {0: 256}, "integers": "uint8"}
_IN_256THS = {"below": {0: 256, 1: 30, 2: 30}, "integers": "uint8"}
_WINDOWS = (
    ((2, 3, 4, 3), (3, 4), {"mode": "mirror", "origin": (1, -1)}),
    ((1, 5, 7, 2), (2, 5), {"mode": "wrap", "origin": (-1, 2)}),
    ((1, 4, 3, 1), (7, 8), {"mode": "reflect"}),
    ((1, 5, 4, 1), (3, 3), {"mode": "constant"}),
)
_EXTREMES = [
    {"shapes": [(1, 3, 5, 3)], "footprint": (3, 2), "mode": "wrap", "origin": (0, -1)},
    {"shapes": [(2, 4, 5, 1)], "footprint": (5, 7), "mode": "constant", "cval": 90.0, **_BYTES},
    {"shapes": [(1, 4, 5, 2)], "footprint": _CORNER, "mode": "mirror", "origin": (-1, 1)},
]
_PADDED = (
    ((1, 6, 9, 2), (1, 3, 4, 2), {"padding": ((0, 3), (4, 1)), "mode": "circular"}),
    ((1, 9, 10, 1), (1, 3, 4, 1), {"padding": 3, "mode": "symmetric"}),
    ((1, 9, 8, 3), (1, 1, 4, 3), {"padding": (4, 2), "mode": "replicate"}),
    ((2, 4, 5, 1), (2, 2, 3, 1), {"padding": 1, "mode": "constant"}),
)
_RESIZED = (
    ((1, 11, 3, 3), (1, 6, 1, 3), {"size": (11, 3), "mode": "bilinear", "align_corners": True}),
    ((1, 3, 9, 2), (1, 5, 4, 2), {"size": (3, 9), "mode": "lanczos4", "border": "wrap"}),
)
ODD = {
    "add": [{"shapes": [(0, 3), (3,)]}, {"shapes": [(), ()]}, {"shapes": [(3, 1, 5), (4, 1)]}],
    "matmul": [{"shapes": [(2, 0), (0, 3)]}, {"shapes": [(17, 18), (18, 2)]},
               {"shapes": [(18, 2), (17, 18)], "transpose_a": True, "transpose_b": True}],
    "linear": [{"shapes": [(2, 3, 5), (17, 5), (17,)], "activation": "tanh"}],
    "conv2d_input_grad": [{"shapes": [(1, 3, 5, 6), (6, 3, 2, 2)], "input_shape": (1, 6, 5, 4), **_GROUPED}],
    "conv2d_weight_grad": [{"shapes": [(1, 3, 5, 6), (1, 6, 5, 4)], "weight_shape": (6, 3, 2, 2), **_GROUPED}],
    "conv_transpose2d": [{"shapes": [(1, 2, 3, 4), (4, 3, 2, 2), (4,)], "stride": (3, 2), "groups": 2,
                          "output_padding": (2, 1), "activation": "leaky_relu"}],
    "embedding": [{"shapes": [(10, 4), (3, 5)], "below": {1: 10}}],
    "embedding_grad": [{"shapes": [(3, 5, 4), (3, 5)], "below": {1: 10}, "rows": 12}],
    "sum": [{"shapes": [(0, 3)], "axis": 0}, {"shapes": [(3, 2, 5, 2)], "axis": (0, 2)}],
    "mean": [{"shapes": [(3, 0)], "axis": 1}, {"shapes": [(1, 131)], "axis": 1, "keepdims": True}],
    "cross_entropy_and_grad": [{"shapes": [(7, 5), (7,), (5,)], "below": {1: 5}, "ignore_index": 2,
                                "label_smoothing": 0.1, "reduction": "sum"}],
    "adaptive_avg_pool2d_grad": [{"shapes": [(1, 3, 4, 2)], "input_shape": (1, 7, 5, 2)}],
    "max_pool2d": [{"shapes": [(1, 5, 7, 2)], "kernel_size": 3, "stride": 2, "padding": 1}],
    "adaptive_max_pool2d": [{"shapes": [(1, 7, 5, 2)], "output_size": (3, 4)}],
    "adaptive_avg_pool2d": [{"shapes": [(1, 3, 3, 2)], "output_size": (5, 2)}],
    "adaptive_max_pool2d_indices": [{"shapes": [(1, 7, 5, 2)], "output_size": (3, 4), "return_indices": True}],
    "adaptive_max_pool2d_grad": [{"shapes": [(1, 3, 4, 2)] * 2, "below": {1: 35}, "integers": "int32",
                                  "input_shape": (1, 7, 5, 2)}],
    "take_pixels": [{"shapes": [(1, 5, 4, 3), (1, 2, 3, 3)], "below": {1: 20}, "integers": "int32"}],
    "avg_pool2d_grad": [
        {"shapes": [(1, 5, 5, 2)], "input_shape": (1, 5, 4, 2), "kernel_size": (3, 2), "stride": 1, "padding": 1,
         "count_include_pad": False},
        {"shapes": [(1, 3, 2, 2)], "input_shape": (1, 6, 5, 2), "kernel_size": 3, "stride": 2, "ceil_mode": True,
         "divisor_override": 2},
    ],
    "rank_filter2d": [
        {"shapes": [(2, 4, 5, 1)], "footprint": (3, 5), "rank": 7, "mode": "constant", "cval": 90.0, **_BYTES},
        {"shapes": [(1, 3, 4, 2)], "footprint": (2, 9), "rank": -3, "mode": "wrap", "below": {0: 4},
         "integers": "int64"},
        {"shapes": [(1, 4, 5, 2)], "footprint": _CORNER, "rank": 1, "mode": "mirror", "origin": (-1, 1)},
    ],
    "rank_filter_nd": [
        {"shapes": [(2, 3, 3, 4, 1)], "footprint": (2, 3, 3), "rank": 7, "mode": "constant", "cval": 90.0, **_BYTES},
        {"shapes": [(1, 2, 2, 4, 2)], "footprint": [_CORNER, _CORNER], "rank": 1, "mode": "mirror"},
        {"shapes": [(1, 3, 4, 4, 1)], "footprint": [_CORNER, _CORNER], "rank": -1, "mode": "constant", "cval": 1.0},
    ],
    "min_filter2d": _EXTREMES,
    "max_filter2d": _EXTREMES,
    "window_places": [
        {"shapes": [(2, 3, 6, 2), (2, 2, 3, 2)], "footprint": _CORNER, "below": {0: 3, 1: 3}, "integers": "float32"},
        {"shapes": [(1, 5, 3, 1), (1, 3, 2, 1)], "footprint": (3, 2), "below": {0: 6, 1: 6}, "integers": "float64"},
    ],
    "box2d": [
        {"shapes": [(1, 4, 5, 2)], "axis": 1, "size": (3, 4), "mode": "mirror", "origin": (1, -1)},
        {"shapes": [(5, 7)], "size": (2, 9), "mode": "wrap", "mean": False, "below": {0: 256}, "integers": "uint8",
         "dtype": "uint16"},
        {"shapes": [(6, 5)], "size": 3, "mode": "constant", "cval": 7, "offset": 4, "dtype": "uint8", **_BYTES},
        {"shapes": [(4, 5)], "size": (2, 3), "mode": "nearest", "below": {0: 9}, "integers": "int16", "dtype": "int16"},
    ],
    "halve": [{"shapes": [(2, 4, 6, 2)], "below": {0: 32768}, "integers": "int16"},
              {"shapes": [(1, 2, 14, 3)], **_BYTES}],
    "integral": [{"shapes": [(2, 3, 5, 2)], "dtype": "float32"},
                 {"shapes": [(1, 4, 3, 1)], "dtype": "int32", **_BYTES}],
    "derivative2d": [
        {"shapes": [(2, 3, 5, 3), (2,), (5,)], "axis": 1, "mode": "wrap", "below": {0: 256, 1: 40, 2: 40},
         "integers": "uint8"},
        {"shapes": [(7, 5)], "column": (-1, 0, 1), "row": (3, 10, 3), "mode": "constant", "cval": 9, **_BYTES},
    ],
    "gradient_magnitude2d": [{"shapes": [(2, 3, 5, 3), (2,), (2,)], "axis": 1, "mode": "constant", "cval": 2.0},
                             {"shapes": [(1, 4, 7), (5,), (5,)], "mode": "mirror"}],
    "correlate1d": [{"shapes": [(2, 3, 7), (4,)], "axis": 1, "mode": "wrap", "origin": -1},
                    {"shapes": [(3, 5, 4), (9,)], "axis": -1, "mode": "constant", "cval": 2.0}],
    "correlate_fixed2d": [
        {"shapes": [(2, 3, 5, 3), (3,), (4,)], "axis": 1, "mode": "constant", "cval": 200, **_IN_256THS},
        {"shapes": [(4, 5), (5,), (7,)], "mode": "wrap", **_IN_256THS},
    ],
    "correlate2d": [
        *({"shapes": [x, w], "cval": 2.0, "delta": 0.5, **call} for x, w, call in _WINDOWS),
        {"shapes": [(2, 3, 4, 1), (3, 3)], "delta": -1.5, "below": {0: 256}, "integers": "int16", "dtype": "int16"},
        {"shapes": [(1, 4, 6, 2), (2, 3)], "dtype": "uint8", **_BYTES},
    ],
    "correlate2d_input_grad": [{"shapes": [x, w], **call} for x, w, call in _WINDOWS],
    "correlate2d_weight_grad": [{"shapes": [x, x], "weight_shape": w, "cval": 2.0, **call} for x, w, call in _WINDOWS],
    "smoothed_edges": [
        {"shapes": [(2, 6, 7), (3,), (1,)], "below": {0: 256}, "integers": "uint8", "scale": 1 / 255, "low": 0.5,
         "high": (1.0, 1.5), "mode": "constant", "cval": 0.25},
        {"shapes": [(1, 5, 9), (3,), (5,)], "stage": "norms", "mode": "mirror"},
        {"shapes": [(1, 6, 6), (1,), (3,)], "low": 0.5, "high": 1.5, "mode": "wrap"},
    ],
    "match_template": [
        {"shapes": [(2, 4, 5, 2), (3, 2, 2)], "centre": "all"},
        {"shapes": [(1, 5, 4, 3), (2, 3, 3)], "centre": "none"},
        {"shapes": [(1, 6, 7, 2), (3, 4, 2)], "below": {0: 256, 1: 256}, "integers": "uint8"},
        {"shapes": [(1, 5, 4, 2), (2, 3, 2)], "measure": "products"},
        {"shapes": [(1, 5, 4, 2), (2, 3, 2)], "centre": "none", "measure": "differences"},
        {"shapes": [(1, 5, 4, 2), (2, 3, 2)], "centre": "none", "measure": "normed_differences"},
    ],
    "window_sums": [{"shapes": [(1, 4, 5, 3)], "size": (4, 2)}, {"shapes": [(2, 3, 7, 1)], "size": (2, 3), **_BYTES}],
    "threshold": [
        {"shapes": [(9, 40), ()], "below": {0: 256, 1: 256}, "integers": "uint8", "top": 255},
        *({"shapes": [(2, 5, 7), (2,)], "rule": rule, "batch_axes": 1}
          for rule in ("binary", "binary_inv", "trunc", "tozero", "tozero_inv")),
    ],
    "total_variation": [{"shapes": [(2, 3, 4)], "weight": 0.2, "eps": 0.05, "steps": 12},
                        {"shapes": [(3, 2)], "weight": 0.5, "eps": 0.0, "steps": 7}],
    "jpeg": [
        {"shapes": [(1, 5, 3, 3)], "quality": 20, "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(1, 2, 5, 3)], "quality": 20, "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(2, 3, 4, 3)], "quality": 100, "subsampling": "4:2:2", "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(1, 3, 9, 3)], "quality": 50, "subsampling": "4:4:4", "below": {0: 256}, "integers": "uint8"},
        {"shapes": [(1, 3, 5, 3)], "quality": 90},
    ],
    "distance_transform": [
        {"shapes": [(2, 5, 7)], "below": {0: 8}, "integers": "int8", "sampling": (2.0, 0.5), "indices": True},
        {"shapes": [(9, 5)], "below": {0: 3}, "integers": "int8", "sampling": (0.5, 2.0), "indices": True},  # ties
        {"shapes": [(4, 3)], "below": {0: 5}, "integers": "int8"},
    ],
    "label_components": [
        {"shapes": [(2, 6, 7)], "below": {0: 2}, "integers": "int8", "connectivity": 1},
        {"shapes": [(5, 9)], "below": {0: 3}, "integers": "int8", "background": 2},
        {"shapes": [(3, 4, 5)], "below": {0: 3}, "integers": "int8", "axes": 3, "equal": False},
    ],
    "measure_components": [{"shapes": [(2, 5, 7)], "below": {0: 5}, "integers": "int32", "components": 4}],
    "count_values": [{"shapes": [(2, 5, 7)], "below": {0: 9}, "integers": "uint8", "bins": 5, "low": 2,
                      "batch_axes": 1}],
    "count_between": [{"shapes": [(2, 40)], "edges": ((0.5, 1.0, 1.5), (0.6, 0.9, 1.4)), "batch_axes": 1}],
    "look_up": [{"shapes": [(2, 30), (2, 9)], "below": {0: 9}, "integers": "uint8", "batch_axes": 1}],
    "piecewise_linear": [{"shapes": [(50,)], "xp": (-1.0, 0.75, 1.0, 1.25), "fp": (0.0, 2.0, -1.0, 1.0)}],
    "tile_maps": [
        {"shapes": [(1, 7, 9)], "below": {0: 8}, "integers": "uint8", "tile": (4, 5), "grid": (2, 2), "bins": 8,
         "limit": limit, "top": 7, "rule": rule, "map_dtype": "uint8"}
        for rule in ("opencv", "skimage") for limit in (0, 3)
    ],
    "blend_tile_maps": [
        {"shapes": [(1, 7, 9), (1, 2, 2, 8)], "below": {0: 8, 1: 100}, "integers": "uint8", "tile": (4, 5),
         "rule": rule}
        for rule in ("opencv", "skimage")
    ],
    "mean_squared_error": [{"shapes": [(2, 5, 7)] * 2, "batch_axes": 1}],
    "structural_similarity": [
        {"shapes": [(2, 5, 6), (2, 5, 6), (3,)], "c1": 0.01, "c2": 0.03, "margin": 1, "maps": 4},
        {"shapes": [(3, 4, 3), (3, 4, 3), (3,)], "axes": 3, "c1": 0.01, "c2": 0.03, "maps": 1},
    ],
    **{
        name: [{"shapes": [(1, 4, 5, 2)], "border": "reflect"},
               {"shapes": [(2, 3, 7, 1)], "degree": 5, "border": "wrap"}]
        for name in ("spline_filter2d", "spline_filter2d_grad")
    },
    "warp2d": [{"shapes": [(2, 4, 5, 2), (2, 3, 3)], "mode": "spline3", "border": "mirror", "size": (3, 4)}],
    "warp2d_grad": [{"shapes": [(2, 3, 4, 2), (2, 3, 3)], "input_shape": (2, 4, 5, 2), "mode": "bicubic",
                     "border": "reflect"}],
    "hysteresis": [
        {"shapes": [(2, 6, 7)], "below": {0: 3}, "integers": "uint8", "connectivity": 1},
        {"shapes": [(3, 4, 5)], "below": {0: 3}, "integers": "uint8", "axes": 3, "connectivity": 2},
    ],
    "canny_of_gradient": [
        {"shapes": [(2, 6, 7)] * 2, "below": {0: 300, 1: 300}, "integers": "int16", "low": 200, "high": 400},
        {"shapes": [(1, 5, 9)] * 2, "below": {0: 300, 1: 300}, "integers": "int16", "low": 4e4, "high": 8e4,
         "norm": "l2"},
    ],
    "pad2d": [{"shapes": [image], **how} for _, image, how in _PADDED],
    "pad2d_grad": [{"shapes": [padded], "input_shape": image, **how} for padded, image, how in _PADDED],
    "interpolate": [{"shapes": [image], **how} for _, image, how in _RESIZED],
    "interpolate_grad": [{"shapes": [resized], "input_shape": image, **how} for resized, image, how in _RESIZED],
    "batch_norm": [{"shapes": [_PIXELS, *[_CHANNEL] * 4], "activation": "sigmoid"}],
    "batch_norm_train": [{"shapes": [_PIXELS, _CHANNEL, _CHANNEL], "activation": "leaky_relu"}],
    "batch_norm_apply": [{"shapes": [_PIXELS, _CHANNEL, (2, 5)], "activation": "tanh"}],
    "batch_norm_grad": [{"shapes": [_PIXELS, _PIXELS, *[_CHANNEL] * 3, (2, 5)], "activation": "leaky_relu"}],
    "inpaint_biharmonic": [
        {"shapes": [(2, 11, 3), (2, 11)], "below": {1: 2}, "integers": "uint8", "tension": 0.25},
        {"shapes": [(2, 3, 5, 2), (2, 3, 5)], "below": {1: 2}, "integers": "uint8", "tension": 3.0},
    ],
    "inpaint_marching": [
        {"shapes": [(2, 4, 5, 2), (2, 4, 5)], "below": {0: 256, 1: 2}, "integers": "uint8", "radius": 2,
         "method": method}
        for method in ("telea", "navier-stokes")
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _poison(monkeypatch):
    poison(monkeypatch)


def is_small(case, largest):
    named = [case[name] for name in ("shape", "input_shape", "weight_shape") if name in case]
    return all(math.prod(shape) <= largest for shape in [*case.get("shapes", ()), *named, (case.get("n", 1),)])


def cases_of(name, largest=LARGEST_CASE):
    found = [*[case for case in operations[name].cases if is_small(case, largest)], *ODD.get(name, ())]
    if name in (*activation.__all__, *elementwise.__all__):
        found.insert(0, {**operations[name].cases[0], "shapes": [(3, 7)] * len(operations[name].cases[0]["shapes"])})
    return found


def with_nan(array):
    """NaN in the middle of an array of numbers."""
    if isinstance(array, np.ndarray) and array.dtype.kind == "f" and array.size:
        array = array.copy()
        array.reshape(-1)[array.size // 2] = np.nan
    return array


def check(found, expected, dtype, message="", variant=None):
    """Arrays are alike as far as the table says of the variant."""
    bound = tolerances.DECLARED.get(variant, tolerances.DECLARED[None])[dtype]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        if ours.dtype.kind != "f":
            np.testing.assert_array_equal(ours, theirs, err_msg=message)
            continue
        largest = np.abs(theirs[np.isfinite(theirs)]).max(initial=1.0)
        np.testing.assert_allclose(ours, theirs, rtol=bound, atol=bound * largest, err_msg=message)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "variant"), NUMBA)
def test_variant_computes_the_small_sample_cases(name, variant, dtype):
    assert config.ENABLE_CUDASIM
    operation, ran = operations[name], 0
    *most, last = cases_of(name)
    calls = [*[(case, as_it_is) for case in most], (last, with_signs)]
    if dtype == "float32":
        calls.append((last, with_nan))
    for case, change in calls:
        found = call(operation, case, dtype, f"cuda.{variant}", change)
        if found is not None:
            ran += 1
            expected = call(operation, case, dtype, "reference", change)
            check(found, expected, dtype, f"{variant} {case} {change.__name__}")
    assert ran > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("draw", "how"), [(kernels.random_uniform, {"low": -1.3, "high": 0.7}),
                                           (kernels.random_normal, {"mean": -1.3, "std": 0.7})])  # fmt: skip
def test_random_numbers_have_the_bits_of_the_cpu(draw, how, dtype):
    for seed, counter in ((1, 0), (2**64 - 1, 2**64 - 5)):
        here = draw(39, seed=seed, counter=counter, dtype=dtype, variant="vector", **how)
        there = draw(39, seed=seed, counter=counter, dtype=dtype, variant="cuda.naive", **how)
        np.testing.assert_array_equal(there, here)


def test_dropout_drops_the_numbers_that_the_cpu_drops():
    x = np.linspace(1, 2, 39, dtype=np.float32)
    here, there = (kernels.dropout(x, p=0.3, seed=5, counter=9, variant=v) for v in ("vector", "cuda.naive"))
    np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_has_the_bits_of_the_cpu(dtype):
    x, low = np.linspace(-1, 1, 39, dtype=dtype), np.array([-0.5, 0, 0.25], dtype)
    for seed, counter in ((1, 0), (2**64 - 1, 2**64 - 5)):
        place = {"seed": seed, "counter": counter}
        for how in ({}, {"low": low, "spread": x, "high": 1}):
            here, there = (kernels.add_noise(x, variant=v, **how, **place) for v in ("vector", "cuda.naive"))
            np.testing.assert_array_equal(there, here)
        for clip in (False, True):
            here, there = (
                kernels.salt_and_pepper(x, low, amount=0.4, clip=clip, variant=v, **place)
                for v in ("vector", "cuda.naive")
            )
            np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_noise_on_integers_has_the_bits_of_the_cpu(dtype):
    x, low = np.linspace(0, np.iinfo(dtype).max, 39).astype(dtype), np.array([0, 0.25, 0.5])
    for how in ({}, {"low": low, "spread": x, "high": 1}):
        here, there = (kernels.add_noise(x, seed=1, std=0.3, variant=v, **how) for v in ("vector", "cuda.naive"))
        np.testing.assert_array_equal(there, here)
    here, there = (kernels.salt_and_pepper(x, low, amount=0.4, seed=1, variant=v) for v in ("vector", "cuda.naive"))
    np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize(("variant", "module"), [("naive", reduction), ("coalesced", coalesced)])
def test_long_sums_are_cut_into_chunks(variant, module, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 4)
    for neighbours in (2, 35):  # 5 chunks, of which the last has 2 rows; then 2, then 1
        x = np.random.default_rng(0).uniform(0.5, 1.5, (1, 18, neighbours))
        found = kernels.sum(x, axis=1, variant=f"cuda.{variant}")
        np.testing.assert_allclose(found, x.sum(axis=1), rtol=tolerances.SUM["float64"])


@pytest.mark.parametrize(("size", "how"), [
    ((2, 11, 19, 17), {"kernel_size": 3, "stride": 2, "padding": 1}),
    ((1, 6, 9, 3), {"kernel_size": (2, 3), "stride": 1, "dilation": (2, 1), "ceil_mode": True}),
])  # fmt: skip
def test_tiles_of_pooling_meet(size, how):
    x = np.random.default_rng(0).normal(size=size).astype(np.float32)
    x[0, 2, 3], x[0, 4:, 5:] = np.nan, -np.inf
    found, expected = (kernels.max_pool2d(x, variant=v, **how) for v in ("cuda.tiled", "naive"))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings("ignore:invalid value")  # of the threads of the simulator
@pytest.mark.parametrize("variant", ["naive", "coalesced"])
def test_rows_with_what_is_not_a_number(variant):
    x = np.random.default_rng(0).normal(size=(5, 9))
    x[0, 3], x[1, 8], x[2, 0], x[3] = np.nan, np.inf, -np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        for function in (kernels.softmax, kernels.log_softmax):
            found, expected = (function(x, variant=v) for v in (f"cuda.{variant}", "naive"))
            np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("stage", ["smoothed", "norms", "classes"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_edges_in_a_mask_of_smoothed_images_that_are_divided_have_the_bits_of_the_cpu(dtype, stage):
    draw = np.random.default_rng(0)
    x, kind = draw.integers(0, 256, (2, 7, 6)).astype(dtype), np.float32 if dtype == "float32" else np.float64
    how = {"divisor": draw.uniform(0.5, 1, (1, 3, 6)).astype(kind), "inside": draw.random((2, 7, 6)) < 0.8,
           "low": (30.0, 60.0), "high": 420.0, "scale": 1.1, "stage": stage}  # fmt: skip
    weights = ([0.25, 0.5, 0.25], [0.1, 0.2, 0.4, 0.2, 0.1])
    found, expected = (
        kernels.smoothed_edges(x, *weights, variant=variant, **how) for variant in ("cuda.naive", "rows")
    )
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) > 2  # of classes: all three


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # infinity less infinity
@pytest.mark.parametrize(("centre", "factor"), [("channel", 8), ("all", 16)])
def test_a_window_is_flat_beside_what_lies_between_it_and_the_mean_of_its_image(centre, factor):
    """Its squared deviations are 1.4e-14 and 0.7e-14 of its distance from the mean of two images."""
    ripple = 1e-4 * (-1.0) ** np.add.outer(np.arange(4), np.arange(8))
    x = np.stack([1 + ripple] * 2)[..., None].repeat(2, axis=3)
    for image, part in zip(x, (1.4e-14, 0.7e-14), strict=True):
        image[:, 4:, 0] = 1 + 1e-4 * math.sqrt(factor / part)  # which lifts one channel's mean by the half
    x[:, 0, 0, 0], x[:, 0, 7, 0] = np.inf, np.nan  # which do not count, and leave the mean where it is
    found, expected = (
        kernels.match_template(x, x[0, 2:, :2], centre=centre, variant=variant)
        for variant in ("cuda.naive", "reference")
    )
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    np.testing.assert_allclose(np.abs(found[:, 1:, :3]), np.broadcast_to([[[1.0]], [[0.0]]], (2, 2, 3)), rtol=1e-7)


def test_a_nan_makes_nan_of_its_hole_alone_and_full_masks_are_refused():
    x, mask = np.ones((2, 12, 1)), np.zeros((2, 12), np.uint8)
    x[0, 5], mask[0, [2, 3, 9, 10]] = np.nan, 1
    x[1], mask[1] = x[0, ::-1], mask[0, ::-1]
    found = kernels.inpaint_biharmonic(x, mask, variant="cuda.naive")
    expected = [1, 1, *[np.nan] * 2, 1, np.nan, *[1] * 6]
    np.testing.assert_allclose(found[..., 0], [expected, expected[::-1]], rtol=1e-14)
    with pytest.raises(ValueError, match="inpaint_biharmonic: mask of image 1 leaves no pixel known"):
        kernels.inpaint_biharmonic(np.ones((2, 1, 1)), np.array([[0], [1]], np.uint8), variant="cuda.naive")


def test_operands_of_any_strides():
    x = np.random.default_rng(0).uniform(0.5, 1.5, (4, 6, 3))
    a, b = x[::-1, ::2], x.T[:, 3:, 0]
    for variant in ("cuda.naive", "reference"):
        np.testing.assert_array_equal(kernels.multiply(a, b, variant=variant), a * b)
    out = np.array(a)
    kernels.subtract(out, 1.0, out=out, variant="cuda.naive")
    np.testing.assert_array_equal(out, a - 1.0)


def test_scalars_of_a_step_may_lie_on_the_device():
    scalars, results = np.array((0.1, 0.9, 0.2, 0.3, 0.5, 1e-3, 0.7)), []
    for place in (cuda.to_device, np.asarray):
        lists = [[np.linspace(0.5, 1.5, 5) + i] for i in range(4)]
        operations["adam_step"].run((*lists, place(scalars)), (1,), variant="cuda.naive")
        results.append(np.concatenate([a for arrays in lists for a in arrays]))
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("target", [0.25, np.linspace(0, 1, 6).reshape(2, 3)])
def test_weights_of_a_loss(target):
    x, weight, positive = np.random.default_rng(0).uniform(0.5, 1.5, (3, 2, 3))
    how = {"weight": weight, "pos_weight": positive[0], "reduction": "sum"}
    found, expected = (
        kernels.bce_with_logits_and_grad(x, target, variant=variant, **how) for variant in ("cuda.naive", "reference")
    )
    check(found, expected, "float64")


def test_a_class_that_does_not_exist_gives_nan_and_not_what_lies_behind():
    """Public functions look at classes on the CPU; on a GPU they are not read before."""
    operation = operations["cross_entropy_and_grad"]
    x, target, y, gx = np.ones((3, 2)), np.array([0, 2, 1]), poisoned((3,)), poisoned((3, 2))
    operation.plan((x, target, None), ("none", 0.0, -100), "cuda.naive").run((x, target, None), (y, gx))
    np.testing.assert_array_equal(np.isnan(y), [False, True, False])
    np.testing.assert_array_equal(np.isnan(gx[:, 0]), [False, True, False])
