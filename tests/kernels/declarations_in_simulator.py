"""Sample cases of all Numba CUDA variants, in the simulator; test_declarations_simulator.py runs this file.

The simulator takes about a tenth of a millisecond for a thread, so only cases of few numbers run, but at least one of
each operation.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import tolerances
from numba import config
from test_declarations import call
from tilegrad import kernels
from tilegrad.kernels import arrays as arrays_module
from tilegrad.kernels import operation as operation_module
from tilegrad.kernels.contexts import operations

LARGEST_CASE = 400
"""Numbers in a result or argument of the cases that run."""

NUMBA = [
    (operation.name, variant.name)
    for operation in operations.values()
    for variant in operation.variants
    if variant.device == "cuda" and variant.module != "cuda_mma"
]


def poisoned(shape, dtype=np.float64):
    """An array of NaN, or of a large negative integer: what a kernel leaves unwritten shows."""
    dtype = np.dtype(dtype)
    return np.full(shape, np.nan if dtype.kind == "f" else np.iinfo(dtype).max // 3, dtype)


@pytest.fixture(autouse=True)
def _poison(monkeypatch):
    monkeypatch.setattr(operation_module, "empty", poisoned)
    monkeypatch.setattr(arrays_module, "np", SimpleNamespace(**{**vars(np), "empty": poisoned}))  # their scratch


def is_small(case):
    named = [case[name] for name in ("shape", "input_shape", "weight_shape") if name in case]
    return all(math.prod(shape) <= LARGEST_CASE for shape in [*case.get("shapes", ()), *named, (case.get("n", 1),)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "variant"), NUMBA)
def test_variant_computes_the_small_sample_cases(name, variant, dtype):
    assert config.ENABLE_CUDASIM
    operation, ran = operations[name], 0
    for case in operation.cases:
        if not is_small(case):
            continue
        for signs in (False, True):
            expected = call(operation, case, dtype, "reference", signs)
            found = call(operation, case, dtype, f"cuda.{variant}", signs)
            if found is None:
                continue
            ran += 1
            for ours, theirs in zip(found, expected, strict=True):
                assert ours.dtype == theirs.dtype
                assert ours.shape == theirs.shape
                if ours.dtype.kind != "f":
                    np.testing.assert_array_equal(ours, theirs)
                    continue
                finite = np.abs(theirs[np.isfinite(theirs)])
                bound = tolerances.DECLARED[None][dtype]
                np.testing.assert_allclose(
                    ours, theirs, rtol=bound, atol=bound * finite.max(initial=1.0), err_msg=f"{variant} {case}"
                )
    assert ran > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("draw", "how"), [(kernels.random_uniform, {"low": -1.3, "high": 0.7}),
                                           (kernels.random_normal, {"mean": -1.3, "std": 0.7})])  # fmt: skip
def test_random_numbers_have_the_bits_of_the_cpu(draw, how, dtype):
    for seed, counter in ((1, 0), (2**64 - 1, 2**64 - 5)):
        here = draw(101, seed=seed, counter=counter, dtype=dtype, variant="vector", **how)
        there = draw(101, seed=seed, counter=counter, dtype=dtype, variant="cuda.naive", **how)
        np.testing.assert_array_equal(there, here)
