"""Losses in CUDA C++ in the emulator: many blocks, a rest after the last group, alignment, targets that are numbers."""

from collections.abc import Iterator

import emulator
import numpy as np
import pytest
from on_emulator import emulated
from tilegrad.kernels import loss
from tilegrad.kernels.loss import cuda_fused
from tilegrad.kernels.machine import cuda

from tilegrad import kernels


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    """Partial sums start as NaN."""
    with cuda.launching(emulator.launch), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cuda_fused, "new_like", lambda beside, shape, dtype: np.full(shape, np.nan, dtype))
        yield


@emulated
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("size", [0, 3, 4096 + 1030])
def test_sums_over_blocks_of_arrays_that_begin_anywhere(size: int, offset: int) -> None:
    rng = np.random.default_rng(size)
    x, weight = (rng.normal(size=size + offset).astype(np.float32)[offset:] for _ in range(2))
    for target in (rng.normal(size=size).astype(np.float32), 0.25):
        how = {"weight": weight, "reduction": "sum"}
        y, gx = kernels.bce_with_logits_and_grad(x, target, variant="cuda.fused", **how)
        expected, slopes = kernels.bce_with_logits_and_grad(x, target, variant="vector", **how)
        np.testing.assert_allclose(y, expected, rtol=1e-6, atol=2e-7 * size)
        np.testing.assert_allclose(gx, slopes, rtol=1e-5, atol=1e-6)


@emulated
def test_a_mean_of_nothing_is_nan() -> None:
    assert np.isnan(kernels.mse_loss(np.zeros((0, 3)), np.zeros((0, 3)), variant="cuda.fused"))


def test_every_loss_has_a_place_in_the_kernel() -> None:
    assert set(cuda_fused.LOSSES) == set(loss.reference.DEFINITIONS)


@emulated
@pytest.mark.parametrize("name", cuda_fused.LOSSES)
def test_numbers_at_the_edges(name: str) -> None:
    edges = np.array([0.0, 1.0, -1.0, 0.5, 2.0, -40.0, 100.0, -100.0, np.inf, -np.inf, np.nan])
    function = getattr(kernels, f"{name}_and_grad")
    for target in (0.0, 1.0):
        with np.errstate(all="ignore"):
            found = function(edges, target, reduction="none", variant="cuda.fused")
            expected = function(edges, target, reduction="none", variant="naive")
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-14, atol=0)
