"""Every CUDA variant computes the sample cases of its operation on a GPU, small and large ones.

For memory errors and races: ``compute-sanitizer --tool memcheck python -m pytest -n0 -m gpu tests/kernels``, and the
same with ``racecheck``. Arrays have allocations of their own here, whose bounds it knows: of CuPy's pool it sees the
whole blocks alone.
"""

import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from declarations_in_simulator import check, with_nan
from gpu import from_gpu, needs_gpu, to_gpu
from test_declarations import as_it_is, call, numbers, with_signs
from tilegrad.kernels.contexts import operations
from tilegrad.kernels.machine import cuda

CUDA = [(o.name, v.name) for o in operations.values() for v in o.variants if v.device == "cuda"]


IN_MAIN_MEMORY = {"nl_means": (1,), "structural_similarity": (2,)}
"""Arguments that lie there whatever the device: weights of a window."""


@pytest.fixture(autouse=True)
def _without_a_pool() -> Iterator[None]:
    with importlib.import_module("cupy").cuda.using_allocator(None):
        yield


def call_there(name: str, case: dict[str, Any], dtype: str, variant: str, change: Any) -> Any:
    """A sample call on the GPU, or None where the variant does not take it."""
    operation = operations[name]
    arrays, keywords = operation.sample(case, dtype)
    if arrays:
        arrays[0] = change(arrays[0])
    kept = IN_MAIN_MEMORY.get(name, ())
    there = [array if place in kept else to_gpu(array) for place, array in enumerate(arrays)]
    if not arrays:  # random numbers: where to write says where to draw
        keywords["out"] = to_gpu(np.empty(keywords.get("shape", keywords.get("n")), keywords.get("dtype", np.int64)))
    try:
        result = operation.function(*there, variant=variant, **keywords)
    except ValueError as refused:
        if f'{name}: variant "{variant}" ' not in str(refused):
            raise
        return None
    return from_gpu(numbers(result, there))


@needs_gpu
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "variant"), CUDA)
def test_variant_computes_the_sample_cases(name: str, variant: str, dtype: str) -> None:
    operation, ran = operations[name], 0
    for case in operation.cases:
        heavy = sum(int(np.prod(shape)) for shape in case.get("shapes", ())) > 5_000
        for change in (as_it_is, with_signs, with_nan):
            found = call_there(name, case, dtype, variant, change)
            if found is not None:
                ran += 1
                expected = call(operation, case, dtype, "naive" if heavy else "reference", change)
                check(found, expected, dtype, f"{variant} {case} {change.__name__}", variant)
    if dtype == "float32" and cuda.gpu().architecture >= cuda.TENSOR_CORES:
        assert ran > 0
