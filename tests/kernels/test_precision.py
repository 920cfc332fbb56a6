"""Which variants `kernels.precision` allows."""

import threading

import numpy as np
import pytest
from tilegrad.kernels.contexts import arithmetic, operations
from tilegrad.kernels.operation import Operation, Variant

from tilegrad import kernels


class OnDevice:
    """As much of a cupy.ndarray as planning looks at."""

    __module__ = "cupy"

    def __init__(self, *shape: int) -> None:
        array = np.empty(shape, np.float32)
        self.shape, self.dtype, self.strides, self.flags = array.shape, array.dtype, array.strides, array.flags


@pytest.fixture
def ladder(monkeypatch):
    """An operation with a variant of each precision, the coarsest first."""
    monkeypatch.setitem(operations, "sum", operations["sum"])
    return Operation(
        "sum",
        package="tilegrad.kernels.reduction",
        geometry=operations["sum"].geometry,
        variants=(
            Variant("coarse", "cuda_naive", device="cuda", precision="bfloat16"),
            Variant("middle", "cuda_naive", device="cuda", precision="tf32"),
            Variant("nearly", "cuda_naive", device="cuda", precision="3xtf32"),
            Variant("fine", "cuda_naive", device="cuda"),
        ),
        reference=operations["sum"].reference,
        reference_args=operations["sum"].reference_args,
        flops=operations["sum"].flops,
        bytes_moved=operations["sum"].bytes_moved,
    )


def taken(operation, variant=None):
    return operation.plan((OnDevice(2, 3),), (None, False), variant).variant.name


def test_a_call_takes_the_first_variant_that_is_fine_enough(ladder):
    names = {}
    for name in ("float32", "3xtf32", "tf32", "bfloat16", "float32"):  # the last finds a plan that was kept
        with kernels.precision(name):
            names[name] = taken(ladder)
    assert names == {"float32": "fine", "3xtf32": "nearly", "tf32": "middle", "bfloat16": "coarse"}
    assert taken(ladder) == "fine"


def test_a_variant_that_is_named_runs_whatever_the_precision(ladder):
    assert taken(ladder, "coarse") == "coarse"
    with kernels.use_variant(sum="middle"):
        assert taken(ladder) == "middle"


def test_explain_says_where_a_coarser_variant_would_run(ladder):
    lines = ladder.explain((OnDevice(2, 3),), (None, False)).splitlines()
    assert lines[1].endswith('cuda.coarse     runs when named, or under precision("bfloat16")')
    assert lines[3].endswith('cuda.nearly     runs when named, or under precision("3xtf32")')
    assert lines[4].endswith("cuda.fine       taken")


def test_the_block_speaks_for_its_own_thread():
    seen = []
    with kernels.precision("tf32"):
        thread = threading.Thread(target=lambda: seen.append(arithmetic.get()))
        thread.start()
        thread.join()
        assert arithmetic.get() == "tf32"
    assert seen == ["float32"]
    assert arithmetic.get() == "float32"


def test_an_unknown_precision_is_an_error():
    with pytest.raises(ValueError, match="precision: expects one of float32, 3xtf32, tf32, bfloat16 but got 'float16'"):
        kernels.precision("float16").__enter__()
