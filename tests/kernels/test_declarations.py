"""Every declaration holds: its sample cases run in every variant and equal the definition, and it is documented."""

import doctest
import itertools

import numpy as np
import pytest
import tolerances
from tilegrad.kernels.contexts import operations

from tilegrad import kernels

NAMES = sorted(operations)


def variants(operation):
    """Names of the variants that compute on arrays in main memory, but for the definition itself."""
    return [v.name for v in operation.variants if v.device == "cpu" and v.name != "reference"]


def numbers(result, arrays):
    """All arrays of a result; of an operation in place, its arguments."""
    if result is None:
        return list(itertools.chain(*arrays))
    return list(result) if isinstance(result, tuple) else [result]


def with_signs(value):
    """Every third number of an array, or of each array of a list, with a minus; unsigned ones have none."""
    if isinstance(value, list):
        return [with_signs(v) for v in value]
    if value.dtype.kind == "u":
        return value
    signed = value.copy()
    signed.reshape(-1)[::3] *= -1
    return signed


def as_it_is(array):
    return array


def call(operation, case, dtype, variant, change):
    """A sample call in one variant, its first array changed, or None where the variant does not take it."""
    arrays, keywords = operation.sample(case, dtype)
    if arrays:
        arrays[0] = change(arrays[0])
    try:
        with np.errstate(all="ignore"):  # logarithms of negative numbers
            result = operation.function(*arrays, variant=variant, **keywords)
    except ValueError as refused:  # what a variant says then is for its own tests
        if f'{operation.name}: variant "{variant}" ' not in str(refused):
            raise
        return None
    return numbers(result, arrays)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_every_variant_computes_the_sample_cases(name, dtype):
    """Compared where a plain sum of the definition's size would allow the difference: see tolerances.py."""
    operation = operations[name]
    ran = set()
    for case in operation.cases:
        heavy = sum(int(np.prod(shape)) for shape in case.get("shapes", ())) > 5_000
        for change in (as_it_is, with_signs):
            # Interpreting the definition of a large case takes minutes: there its compiled text stands for it.
            expected = call(operation, case, dtype, "naive" if heavy else "reference", change)
            for variant in variants(operation):
                found = call(operation, case, dtype, variant, change)
                if found is None:
                    continue
                ran.add(variant)
                for ours, theirs in zip(found, expected, strict=True):
                    assert ours.dtype == theirs.dtype
                    assert ours.shape == theirs.shape
                    if ours.dtype.kind != "f":
                        np.testing.assert_array_equal(ours, theirs)
                        continue
                    finite = np.abs(theirs[np.isfinite(theirs)])
                    bound = tolerances.DECLARED.get(variant, tolerances.DECLARED[None])[dtype]
                    np.testing.assert_allclose(
                        ours, theirs, rtol=bound, atol=bound * finite.max(initial=1.0), err_msg=f"{variant} {case}"
                    )
    if dtype == "float32":  # the type that every variant takes
        assert ran == set(variants(operation))


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_is_a_public_function_with_an_example(name):
    operation = operations[name]
    function = operation.function
    assert getattr(kernels, function.__name__) is function
    assert function.__name__ in kernels.__all__
    assert doctest.DocTestParser().get_examples(function.__doc__)
    assert function.__doc__.splitlines()[0].rstrip().endswith((".", "``."))
    assert "variant" in function.__kwdefaults__


@pytest.mark.parametrize("name", NAMES)
def test_the_work_of_a_call_is_known(name):
    """A trace carries it, and the benchmarks put it beside the physical limit."""
    operation = operations[name]
    assert operation.cases
    for case in operation.cases:
        arrays, keywords = operation.sample(case, "float32")
        with kernels.trace() as events:
            operation.function(*arrays, **keywords)
        text = kernels.explain(operation.function, *operation.sample(case, "float32")[0], **keywords)
        assert text.startswith(f"{name}: ")
        taken = next(v for v in operation.variants if f"cpu.{v.name:<10} taken" in text)
        if taken.composed:  # its parts are traced
            assert len(events) > 1
            assert f"{sum(event.flops for event in events):.3g} FLOP" in text
            continue
        event = events[-1]  # before it may stand operations that it is made of
        assert event.operation == name
        assert event.bytes_moved > 0
        assert event.flops > 0 or name == "random_permutation"
        assert f"cpu.{event.variant} " in text


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_runs_on_both_devices(name):
    assert {variant.device for variant in operations[name].variants} == {"cpu", "cuda"}


def test_nothing_public_is_undeclared():
    """What kernels exports is an operation, or one of the functions that are about operations."""
    about = {"asarray", "explain", "memory_report", "memory_trim", "precision", "random_blocks", "to_device", "trace"}
    about |= {"use_variant", "warmup"}
    assert set(kernels.__all__) == {o.function.__name__ for o in operations.values()} | about
    assert sorted(kernels.__all__) == list(kernels.__all__)
