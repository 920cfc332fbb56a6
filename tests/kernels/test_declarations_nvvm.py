"""Every variant in Numba CUDA compiles to PTX for its sample cases, without a GPU.

The simulator interprets: it takes any Python. What types Numba finds, and what it refuses, only its compiler shows.
"""

import importlib
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from declarations_in_simulator import cases_of, cuda_variants
from numba import cuda, typeof, types
from test_declarations import as_it_is, call
from tilegrad.kernels.contexts import operations
from tilegrad.kernels.machine import cuda_numba
from tilegrad.kernels.machine.products import times

NUMBA = cuda_variants(numba=True)
_LARGEST_CASE = 10_000
"""Numbers in an argument: kernels are not run, so sample cases may be larger than the simulator's."""
_LINE = {"shapes": [(1, 1, 40, 1), (1, 1, 40)], "integers": "uint8"}
_OTHER_TYPES = {
    "inpaint_exemplar": [{**_LINE, "below": {0: 256, 1: 2}, "patch_size": 3}],
    "inpaint_marching": [
        {**_LINE, "below": {1: 2}, "radius": 1, "method": method} for method in ("telea", "navier-stokes")
    ],
}
"""Of operations whose kernels are others for bytes and for floating point, the kind that their sample cases lack."""


def kind(argument: Any) -> types.Type:
    """What Numba takes an argument for; an array as CuPy's, which is never read-only."""
    if isinstance(argument, tuple):
        return types.Tuple([kind(member) for member in argument])
    found = typeof(argument)
    return types.Array(found.dtype, found.ndim, found.layout) if isinstance(argument, np.ndarray) else found


def launches_of(name: str, variant: str, monkeypatch: pytest.MonkeyPatch) -> set[Any]:
    """The kernels and types that the sample cases launch; nothing runs."""
    operation, launched = operations[name], set()

    def record(kernel: Any, grid: Any, block: Any, *arguments: Any) -> None:
        launched.add((kernel, tuple(map(kind, arguments))))

    module = next(v.module for v in operation.variants if v.name == variant and v.device == "cuda")
    importlib.import_module(f"{operation.package}.{module}")
    for module in list(sys.modules.values()):
        if getattr(module, "launch", None) is cuda_numba.launch and module is not cuda_numba:
            monkeypatch.setattr(module, "launch", record)
    monkeypatch.setattr(cuda_numba, "launch", record)
    for dtype in ("float32", "float64"):
        for case in [*cases_of(name, _LARGEST_CASE), *_OTHER_TYPES.get(name, ())]:
            call(operation, case, dtype, f"cuda.{variant}", as_it_is)
    return launched


@pytest.fixture
def _architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Device functions ask the driver for the architecture, which is given here."""
    pytest.importorskip("numba_cuda", reason="compiling needs numba-cuda, which takes the place of numba.cuda")
    dispatcher = importlib.import_module("numba.cuda.dispatcher")
    monkeypatch.setattr(dispatcher, "get_current_device", lambda: SimpleNamespace(compute_capability=(7, 5)))


def compiled(function: Any, signature: tuple[types.Type, ...]) -> str:
    ptx, _ = cuda.compile(function, signature, device=False, cc=(7, 5), output="ptx", abi="numba")
    return ptx


@pytest.mark.nvvm
@pytest.mark.usefixtures("_architecture")
@pytest.mark.parametrize(("name", "variant"), NUMBA)
def test_kernels_compile(name: str, variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    launched = launches_of(name, variant, monkeypatch)
    assert launched
    for kernel, signature in launched:
        assert ".visible .entry" in compiled(kernel.py_func, signature)


@pytest.mark.nvvm
@pytest.mark.usefixtures("_architecture")
@pytest.mark.parametrize(("number", "zero"), [(types.float32, "0f80000000"), (types.float64, "0d8000000000000000")])
def test_products_are_rounded_before_they_are_added_to_where_the_last_bit_decides(number: Any, zero: str) -> None:
    def sums_of_products(x, y):
        i = cuda.grid(1)
        y[i] += times(x[i], x[i + 1])

    lines = compiled(sums_of_products, (types.Array(number, 1, "C"),) * 2).splitlines()
    fused = [line for line in lines if "fma.rn" in line]
    assert len(fused) == 1
    assert zero in fused[0]  # -0 is added, and the sum is an instruction of its own
