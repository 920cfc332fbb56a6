"""A GPU before sm_80: every operation runs there, in the variants that it has the instructions and the memory for."""

import re
from typing import Any

import emulator
import numpy as np
import pytest
from on_emulator import GPUS, emulated
from tilegrad.kernels import operation as declaring
from tilegrad.kernels.chain import on_tensor_cores
from tilegrad.kernels.contexts import operations
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.optimizer.in_place import InPlaceOperation

from tilegrad import kernels

ON_CUDA = [
    name
    for name, declared in operations.items()
    if any(v.device == "cuda" for v in declared.variants) and not isinstance(declared, InPlaceOperation)
]
LACKS = "needs sm_80 for tensor cores of tf32 and bfloat16 but the GPU is sm_75"


@pytest.fixture
def _explained_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in main memory is explained as if it lay on a GPU."""
    monkeypatch.setattr(declaring, "device_of", lambda name, arrays: "cuda")


def nothing(*launch: Any) -> None:
    """A launcher."""


def explained(architecture: str, function: Any, *arrays: Any, **how: Any) -> dict[str, str]:
    """What is said of each variant on CUDA."""
    with cuda.launching(nothing, GPUS[architecture]):
        lines = kernels.explain(function, *arrays, **how).splitlines()[1:]
    found = dict(line.split(maxsplit=1) for line in lines)
    return {name.removeprefix("cuda."): found[name] for name in found if name.startswith("cuda.")}


@pytest.mark.usefixtures("_explained_on_cuda")
@pytest.mark.parametrize("name", ON_CUDA)
def test_some_variant_takes_every_sample_case(name: str) -> None:
    declared = operations[name]
    for case in declared.cases:
        arrays, keywords = declared.sample(case, "float32")
        for precision in ("float32", "bfloat16"):
            with kernels.precision(precision):
                assert "taken" in explained("sm_75", declared.function, *arrays, **keywords).values()


@pytest.mark.usefixtures("_explained_on_cuda")
def test_products_are_of_float32_in_every_precision() -> None:
    x, w = np.zeros((1, 8, 8, 4), np.float32), np.zeros((8, 3, 3, 4), np.float32)
    for precision in ("tf32", "bfloat16"):
        with kernels.precision(precision):
            found = explained("sm_75", kernels.conv2d, x, w)
            assert found["register"] == "taken"
            assert {found[name] for name in ("mma", "mma_bf16", "mma_gemm", "mma_gemm_bf16")} == {LACKS}
            assert "taken" in explained("sm_80", kernels.conv2d, x, w)["mma" if precision == "tf32" else "mma_bf16"]
            assert explained("sm_75", kernels.matmul, w[0, 0], w[0, 0], transpose_b=True)["register"] == "taken"


@pytest.mark.usefixtures("_explained_on_cuda")
def test_blocks_need_shared_memory() -> None:
    x, weights = np.zeros((64, 64), np.float32), np.ones(41)
    how: dict[str, Any] = {"c1": 1.0, "c2": 1.0}
    found = explained("sm_75", kernels.structural_similarity, x, x, weights, **how)
    assert re.fullmatch(r"needs \d+ bytes of shared memory for a block but the GPU has 65536", found["blocks"])
    assert found["naive"] == "taken"
    assert explained("sm_80", kernels.structural_similarity, x, x, weights, **how)["blocks"] == "taken"
    assert explained("sm_75", kernels.structural_similarity, x, x, weights[:35], **how)["blocks"] == "taken"


def test_a_plan_is_for_one_gpu() -> None:
    x, w = np.zeros((1, 8, 8, 4), np.float32), np.zeros((8, 3, 3, 4), np.float32)
    for _ in range(2):
        with cuda.launching(nothing):
            kernels.conv2d(x, w, variant="cuda.mma")
        with (
            cuda.launching(nothing, GPUS["sm_75"]),
            pytest.raises(ValueError, match=f'conv2d: variant "cuda.mma" {LACKS}'),
        ):
            kernels.conv2d(x, w, variant="cuda.mma")


def test_blocks_in_a_row_wait_for_tensor_cores() -> None:
    shapes, place = ((1, 12, 12, 8), (8, 3, 3, 8)), {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    for architecture, has in (("sm_75", False), ("sm_80", True), ("sm_75", False)):
        with cuda.launching(nothing, GPUS[architecture]):
            assert on_tensor_cores(*shapes, np.dtype("f4"), transposed=False, **place) == has


@emulated
def test_the_largest_window_is_computed_in_what_there_is() -> None:
    draw = np.random.default_rng(0)
    x, y, weights = draw.random((20, 70)), draw.random((20, 70)), np.full(35, 1 / 35)
    with cuda.launching(emulator.launch, GPUS["sm_75"]):
        means, _, _ = kernels.structural_similarity(x, y, weights, c1=0.01, c2=0.03, variant="cuda.blocks")
    expected, _, _ = kernels.structural_similarity(x, y, weights, c1=0.01, c2=0.03, variant="naive")
    np.testing.assert_allclose(means, expected, rtol=1e-9)
