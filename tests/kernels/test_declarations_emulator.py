"""Every variant in CUDA C++ computes the small sample cases of its operation, without a GPU.

The emulator runs the sources of its kernels, and NVRTC compiles whatever kernels those calls launch.
"""

from collections.abc import Iterator
from typing import Any

import emulator
import numpy as np
import pytest
from declarations_in_simulator import cases_of, check, cuda_variants, with_nan
from on_emulator import GPUS, compiled, emulated
from poison import poison
from test_declarations import as_it_is, call, with_signs
from tilegrad.kernels.contexts import operations
from tilegrad.kernels.machine import cuda

CUDA_CPP = cuda_variants(numba=False)
LARGEST_CASE = 800
"""Numbers in an argument: the emulator is faster than the simulator, and the interpreted definition is the limit."""

# Sample cases have few channels, or more numbers than a definition is interpreted for; these kernels copy four at once.
_IMAGE, _WEIGHT, _RESULT = (2, 5, 6, 4), (8, 3, 3, 4), (2, 5, 6, 8)
FOURS: dict[str, list[dict[str, Any]]] = {
    "conv2d": [{"shapes": [_IMAGE, _WEIGHT, (8,)], "padding": 1, "activation": "relu"}],
    "conv2d_input_grad": [{"shapes": [_RESULT, _WEIGHT], "input_shape": _IMAGE, "padding": 1}],
    # Without padding: the kernel multiplies by its zeros, the definition leaves them out, and NaN tells.
    "conv2d_weight_grad": [{"shapes": [(2, 3, 4, 8), _IMAGE], "weight_shape": _WEIGHT}],
    "normalized_conv2d_weight_grad": [{"shapes": [(2, 3, 4, 8), _IMAGE, (4,), (2, 4)], "weight_shape": _WEIGHT}],
    "conv_transpose2d": [{"shapes": [_RESULT, _WEIGHT, (4,)], "padding": 1}],
}


@pytest.fixture(autouse=True)
def _poison(monkeypatch: pytest.MonkeyPatch) -> None:
    poison(monkeypatch)


def calls_of(name: str, dtype: str) -> Iterator[tuple[dict[str, Any], Any]]:
    """Sample cases, and what is done to the first array of each."""
    *most, last = [*cases_of(name, LARGEST_CASE), *FOURS.get(name, ())]
    yield from ((case, as_it_is) for case in most)
    yield last, with_signs
    if dtype == "float32":
        yield last, with_nan


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "variant"), CUDA_CPP)
def test_variant_computes_the_small_sample_cases(name: str, variant: str, dtype: str) -> None:
    operation, ran = operations[name], 0
    for case, change in calls_of(name, dtype):
        with cuda.launching(emulator.launch):
            found = call(operation, case, dtype, f"cuda.{variant}", change)
        if found is not None:
            ran += 1
            expected = call(operation, case, dtype, "reference", change)
            check(found, expected, dtype, f"{variant} {case} {change.__name__}", variant)
    if dtype == "float32":  # the type that every variant takes
        assert ran > 0


def kernels_of(name: str, variant: str, gpu: cuda.Gpu) -> list[cuda.Kernel]:
    """The kernels that the sample cases launch on a GPU; nothing runs."""
    launched: dict[cuda.Kernel, None] = {}

    def record(kernel: cuda.Kernel, *launch: Any) -> None:
        launched[kernel] = None

    with cuda.launching(record, gpu), np.errstate(all="ignore"):
        for dtype in ("float32", "float64"):
            for case, change in calls_of(name, dtype):
                call(operations[name], case, dtype, f"cuda.{variant}", change)
    return list(launched)


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", GPUS)
@pytest.mark.parametrize(("name", "variant"), CUDA_CPP)
def test_kernels_compile_without_spills(name: str, variant: str, architecture: str, record_property: Any) -> None:
    """Tensor cores stay unused before sm_80; everything else is launched on every GPU."""
    launched = kernels_of(name, variant, GPUS[architecture])
    if not launched:
        needs = {kernel.least_architecture for kernel in kernels_of(name, variant, GPUS["sm_80"])}
        assert max(needs) == cuda.TENSOR_CORES > GPUS[architecture].architecture
    for kernel in launched:
        resources = compiled(kernel, architecture, record_property)
        assert kernel.threads * resources.registers <= 65536, f"{kernel.name}: a block's registers fit"
