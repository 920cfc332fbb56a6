"""Every workload at a tiny size: it runs, its work is counted, and PyTorch agrees; a side that is wrong is caught."""

from collections.abc import Callable

import numpy as np
import pytest
from brief import ONCE
from tilegrad.benchmarks import rivals
from tilegrad.benchmarks.contestant import Arrays, Contestant, Prepared
from tilegrad.benchmarks.kinds import Convolution, FreshProcess, Work
from tilegrad.benchmarks.network_kinds import DCGAN, Network
from tilegrad.benchmarks.ours import OURS
from tilegrad.benchmarks.rows import measure
from tilegrad.benchmarks.table import LABEL
from tilegrad.benchmarks.workloads import WORKLOADS

# What takes minutes a step on a CPU is measured on GPUs only.
IN_PROCESS = [*[work for work in WORKLOADS if not isinstance(work, FreshProcess)], DCGAN(size=64)]
# One of each kind, with every pass of a layer and both uses of a network.
KINDS = {(type(w), w.label if isinstance(w, Convolution | Network) else ""): w for w in IN_PROCESS}
each = pytest.mark.parametrize("work", IN_PROCESS, ids=lambda work: work.name)


def test_names_are_unique_and_headings_fit() -> None:
    assert len({work.name for work in WORKLOADS}) == len(WORKLOADS)
    assert [work.section for work in WORKLOADS if len(work.section) > 120] == []
    assert [work.label for work in WORKLOADS if len(work.label) > LABEL - 3] == []


@each
def test_tilegrad_alone(work: Work) -> None:
    row = measure(work.tiny(), [], 1, ONCE)
    assert list(row.timings) == ["tilegrad"]
    assert row.timings["tilegrad"].samples >= 2
    assert row.operations >= 1
    assert row.flops > 0
    assert row.bytes_moved > 0
    assert row.limit in ("fma", "copy")
    assert row.errors == {}


@pytest.mark.parity
@each
def test_pytorch_agrees(work: Work) -> None:
    pytest.importorskip("torch", reason="needs PyTorch")
    contestants = rivals.installed(1)
    row = measure(work.tiny(), contestants, 1, ONCE)
    assert row.equal, row.errors
    assert [name for name in row.timings if name != "onnxruntime"] in (
        ["tilegrad", "channels_last", "NCHW"], ["tilegrad", "channels_last"],
    )  # fmt: skip
    assert row.errors.keys() == row.timings.keys() - {"tilegrad"}


def spoiled(spoil: Callable[[np.ndarray], np.ndarray]) -> Contestant:
    """tilegrad itself as a rival, but for what this does to the last array of each result."""

    def prepare(work: Work, arrays: Arrays) -> Prepared | None:
        prepared = OURS.prepare(work, arrays)
        assert prepared is not None

        def call() -> None:
            raise AssertionError("a side whose results differ was timed")

        def result() -> tuple[np.ndarray, ...]:
            *rest, last = prepared.result()
            return (*rest, spoil(last.copy()))

        return Prepared(call, result)

    return Contestant("wrong", "wrong 1.0", prepare, lambda work: None)


def _one_element(array: np.ndarray) -> np.ndarray:
    place = np.unravel_index(np.abs(array).argmax(), array.shape)
    array[place] *= 1.001
    return array


def _not_a_number(array: np.ndarray) -> np.ndarray:
    array.flat[0] = np.nan
    return array


SPOILERS = [_one_element, _not_a_number, lambda array: array[..., :0], lambda array: array * 0]


@pytest.mark.parametrize("spoil", SPOILERS, ids=["one element", "nan", "shape", "zeros"])
@pytest.mark.parametrize("work", KINDS.values(), ids=lambda work: work.name)
def test_a_wrong_result_is_caught_and_not_timed(work: Work, spoil: Callable[[np.ndarray], np.ndarray]) -> None:
    row = measure(work.tiny(), [spoiled(spoil)], 1, ONCE)
    assert not row.equal
    assert row.timings == {}
    assert row.errors["wrong"] > work.tolerance


def test_convolution_shapes_follow_the_layer() -> None:
    down = Convolution("a", "A", (2, 28, 28, 1), 64, 4, stride=2, padding=1)
    up = Convolution("b", "B", (2, 7, 7, 128), 64, 4, stride=2, padding=1, transposed=True)
    assert (down.output, down.weight) == ((2, 14, 14, 64), (64, 4, 4, 1))
    assert (up.output, up.weight) == ((2, 14, 14, 64), (128, 4, 4, 64))
