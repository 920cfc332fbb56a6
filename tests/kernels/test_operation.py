"""Declarations: how a call is checked, planned, explained and traced. The operation here is a toy."""

import asyncio
import sys
import threading
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest
from tilegrad.kernels import contexts
from tilegrad.kernels import operation as declarations
from tilegrad.kernels.operation import Operation, Variant

from tilegrad import kernels


class ToyGeometry(NamedTuple):
    factor: float
    outputs: tuple


def toy_definition(x, other, y, factor):
    flat, result = x.reshape(-1), y.reshape(-1)
    for i in range(flat.size):
        result[i] = factor * flat[i]


def toy_geometry(x, other, factor, sizes):
    if x.dtype.char not in "fd":
        raise TypeError(f"toy: x expects float32 or float64 but got {x.dtype}")
    return ToyGeometry(factor, ((x.shape, x.dtype),))


@pytest.fixture
def toy(monkeypatch):
    """An operation with two variants, of which the first takes even factors only, and a log of what was built."""
    built = []

    def variant(name, rejects):
        module = ModuleType(f"toy.{name}")

        def build(geometry):
            built.append((name, geometry))
            return lambda arrays, outputs: np.multiply(
                arrays[0], outputs[0].dtype.type(geometry.factor), out=outputs[0]
            )

        module.build, module.rejects = build, rejects
        monkeypatch.setitem(sys.modules, f"toy.{name}", module)

    variant("even", lambda g: None if g.factor % 2 == 0 else f"takes even factors, not {g.factor}")
    variant("any", lambda g: None)
    variant("lesson", lambda g: None)
    everything = dict(contexts.operations)
    for module in (contexts, declarations):
        monkeypatch.setattr(module, "operations", everything)
    made = Operation(
        "toy",
        package="toy",
        geometry=toy_geometry,
        variants=(
            Variant("lesson", "lesson", teaching=True),
            Variant("even", "even"),
            Variant("any", "any"),
            Variant("mma", "cuda_mma", device="cuda"),
        ),
        reference=toy_definition,
        reference_args=lambda g: (g.factor,),
        flops=lambda g: 10,
        bytes_moved=lambda g: 20,
    )
    made.built = built
    return made


X = np.arange(6, dtype=np.float32).reshape(2, 3)


def run(toy, factor=3, x=X, other=None, sizes=(), out=None, variant=None):
    return toy.run((x, other), (factor, sizes), out, variant)


def test_variants_are_tried_in_order(toy):
    np.testing.assert_array_equal(run(toy, 2), 2 * X)
    np.testing.assert_array_equal(run(toy, 3), 3 * X)
    assert [name for name, _ in toy.built] == ["even", "any"]


def test_a_plan_is_made_once(toy):
    for _ in range(3):
        run(toy)
    assert len(toy.built) == 1
    run(toy, 5)
    run(toy, x=X.astype(np.float64))
    run(toy, x=X[:1])
    run(toy, variant="lesson")
    run(toy, other=X)
    assert len(toy.built) == 6
    run(toy, x=np.asfortranarray(X))  # made contiguous before it is planned
    assert len(toy.built) == 6


def test_plans_are_bounded(toy, monkeypatch):
    monkeypatch.setattr(declarations, "_PLANS_KEPT", 4)
    for factor in range(10):
        run(toy, factor)
    assert len(toy._plans) == 4
    run(toy, 9)
    assert len(toy.built) == 10
    run(toy, 0)
    assert len(toy.built) == 11


def test_lists_are_as_good_as_tuples(toy):
    run(toy, sizes=(1, (2, 3)))
    run(toy, sizes=[1, [2, 3]])
    assert len(toy.built) == 1


@pytest.mark.parametrize("name", ["lesson", "any", "naive", "reference", "cpu.any"])
def test_variants_by_name(toy, name):
    np.testing.assert_array_equal(run(toy, 2, variant=name), 2 * X)
    assert toy._plans.popitem()[1].variant.name == name.removeprefix("cpu.")


def test_reference_rounds_once(toy):
    """The definition runs in float64: 1 / 3 of a float32 is the rounded product, not the product of a rounded third."""
    x = np.array([3.3333333, 1.1], np.float32)
    expected = (x.astype(np.float64) * 0.1).astype(np.float32)
    np.testing.assert_array_equal(run(toy, 0.1, x, variant="reference"), expected)


def test_a_named_variant_that_rejects_says_why(toy):
    with pytest.raises(ValueError, match='toy: variant "even" takes even factors, not 3'):
        run(toy, 3, variant="even")
    with pytest.raises(ValueError, match=r'toy: no variant "fast" for arrays on cpu \(there are: cpu.lesson, cpu.even'):
        run(toy, variant="fast")
    with pytest.raises(ValueError, match='toy: no variant "mma" for arrays on cpu'):
        run(toy, variant="mma")


def test_explain_says_what_and_why(toy):
    text = toy.explain((X, None), (3, ()))
    assert text.splitlines() == [
        "toy: 10 FLOP, at least 20 bytes",
        "  cpu.lesson     runs when named",
        "  cpu.even       takes even factors, not 3",
        "  cpu.any        taken",
        "  cuda.mma        for arrays on cuda",
        "  cpu.naive      runs when named",
        "  cpu.reference  runs when named",
    ]
    assert "cpu.any        would do" in toy.explain((X, None), (2, ()))
    assert toy.built == []


def test_explain_checks_but_does_not_run():
    x, w = np.ones((1, 4, 4, 2), np.float32), np.ones((3, 3, 3, 2), np.float32)
    out = np.full((1, 2, 2, 3), 7, np.float32)
    assert kernels.explain(kernels.conv2d, x, w, out=out).startswith("conv2d: 432 FLOP")
    assert (out == 7).all()
    with pytest.raises(ValueError, match="conv2d: weight expects"):
        kernels.explain(kernels.conv2d, x, w[..., :1])
    with pytest.raises(TypeError, match="explain: memory_report is not an operation of kernels"):
        kernels.explain(kernels.memory_report)
    assert kernels.conv2d(x, w).shape == (1, 2, 2, 3)  # and calls run again


def test_use_variant_nests(toy):
    def taken(factor=2):
        with kernels.trace() as events:
            run(toy, factor)
        return events[0].variant

    with kernels.use_variant(toy="any"):
        assert taken() == "any"
        with kernels.use_variant(toy="naive", conv2d="naive"):
            assert taken() == "naive"
            run(toy, variant="lesson")
            assert toy.built[-1][0] == "lesson"  # the call's own word weighs more
        assert taken() == "any"
        with pytest.raises(RuntimeError, match="inside"), kernels.use_variant(toy="naive"):
            raise RuntimeError("inside")
        assert taken() == "any"
    assert taken() == "even"
    with (
        pytest.raises(ValueError, match="use_variant: no operation 'conv3d'"),
        kernels.use_variant(conv3d="naive"),
    ):
        pass


def test_use_variant_and_trace_are_the_threads_own(toy):
    seen = []

    def elsewhere():
        with kernels.trace() as events:
            run(toy, 2)
        seen.extend(event.variant for event in events)

    with kernels.trace() as here, kernels.use_variant(toy="naive"):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert seen == ["even"]
    assert here == []


def test_tasks_do_not_see_each_others_variants(toy):
    async def one(name):
        with kernels.use_variant(toy=name), kernels.trace() as events:
            await asyncio.sleep(0)
            run(toy, 2)
        return events[0].variant

    async def both():
        return await asyncio.gather(one("any"), one("naive"))

    assert asyncio.run(both()) == ["any", "naive"]


def test_trace_records_calls_in_order(toy):
    with kernels.trace() as events:
        run(toy, 2)
        with kernels.trace() as inner:
            run(toy, 3, other=X)
        run(toy, 4)
    run(toy, 5)
    assert [event.variant for event in inner] == ["any"]
    assert [(e.operation, e.variant, e.shapes, e.flops, e.bytes_moved) for e in events] == [
        ("toy", "even", ((2, 3),), 10, 20),
        ("toy", "any", ((2, 3), (2, 3)), 10, 20),
        ("toy", "even", ((2, 3),), 10, 20),
    ]
    assert all(event.seconds > 0 for event in events)


def test_out_is_returned(toy):
    out = np.full((2, 3), np.nan, np.float32)
    assert run(toy, out=out) is out
    np.testing.assert_array_equal(out, 3 * X)


def read_only():
    array = np.zeros((2, 3), np.float32)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("error", "message", "out"),
    [
        (ValueError, r"toy: out expects \(2, 3\) float32 but got \(3, 2\) float32", np.zeros((3, 2), np.float32)),
        (ValueError, r"toy: out expects \(2, 3\) float32 but got \(2, 3\) float64", np.zeros((2, 3))),
        (ValueError, "toy: out expects a writeable C-contiguous array", read_only()),
        (ValueError, "toy: out expects a writeable C-contiguous array", np.zeros((3, 2), np.float32).T),
        (ValueError, "toy: out expects 1 arrays but got 2", (np.zeros((2, 3)), np.zeros((2, 3)))),
        (ValueError, "toy: out shares memory with an input", X),
        (TypeError, "toy: .*expects a numpy.ndarray .*but got list", [0.0]),
    ],
)
def test_out_is_checked(toy, error, message, out):
    before = X.copy()
    with pytest.raises(error, match=message):
        run(toy, out=out)
    np.testing.assert_array_equal(X, before)


class OnDevice:
    """As much of a cupy.ndarray as planning looks at."""

    __module__ = "cupy"
    shape, dtype, strides, flags = X.shape, X.dtype, X.strides, X.flags


def test_arrays_on_two_devices(toy):
    with pytest.raises(TypeError, match=r"toy: arrays lie on different devices \(cpu, cuda\)"):
        run(toy, other=OnDevice())


def test_what_is_no_array(toy):
    with pytest.raises(TypeError, match=r"toy: expects a numpy.ndarray or cupy.ndarray but got list"):
        run(toy, x=[1.0, 2.0])
    with pytest.raises(TypeError, match="toy: x expects float32 or float64 but got int64"):
        run(toy, x=np.arange(3))


def test_eight_threads_plan_one_call(toy):
    results = []
    threads = [threading.Thread(target=lambda: results.append(run(toy, 2))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all((result == 2 * X).all() for result in results)
    assert len(toy._plans) == 1


@pytest.mark.parametrize("call", [
    lambda x: kernels.interpolate(x, size=10**9),
    lambda x: kernels.pad2d(x, 10**9),
    lambda x: kernels.adaptive_avg_pool2d(x, 2 * 10**7),
])  # fmt: skip
def test_results_that_memory_cannot_hold_are_refused_at_once(call):
    with pytest.raises(MemoryError, match=r"(interpolate|pad2d|avg_pool2d): cannot get .* bytes of memory"):
        call(np.zeros((1, 4, 4, 1), np.float32))
