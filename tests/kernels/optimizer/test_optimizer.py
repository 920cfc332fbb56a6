"""Optimiser steps: the definition, PyTorch, bad input, and what is remembered of arrays."""

import gc
import itertools

import numba
import numpy as np
import pytest
import tolerances
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.optimizer import ADAM, SGD, SGD_MOMENTUM
from tilegrad.kernels.optimizer.in_place import CHUNK

from tilegrad import kernels

FLOATS = (np.float32, np.float64)
SHAPES = [(1,), (3, 5), (0, 4), (), (CHUNK - 19,), (2 * CHUNK + 1,), (2, 3, 3, 2)]


def lists(shapes, dtype, how_many, seed=0):
    """Parameters, gradients, and as many lists of positive numbers as are asked for besides."""
    draw = np.random.default_rng(seed)
    made = [[np.asarray(draw.standard_normal(shape), dtype) for shape in shapes] for _ in range(2)]
    return made + [[np.asarray(draw.random(shape), dtype) for shape in shapes] for _ in range(how_many - 2)]


def copies(arrays):
    return [[a.copy() for a in row] for row in arrays]


def assert_lists_close(found, expected, dtype):
    for ours, theirs in zip(itertools.chain(*found), itertools.chain(*expected), strict=True):
        bound = tolerances.OPTIMIZER_STEP[np.dtype(dtype).name]
        np.testing.assert_allclose(ours, theirs, rtol=bound, atol=bound)


ADAM_OPTIONS = [
    {},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "decoupled": True},
    {"betas": (0.5, 0.9), "eps": 1e-3, "step": 7},
]
SGD_OPTIONS = [
    {},
    {"weight_decay": 0.1},
    {"momentum": 0.9},
    {"momentum": 0.9, "first": True, "dampening": 0.5},
    {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.9, "nesterov": True, "first": True, "weight_decay": 0.1},
]
CALLS = [(kernels.adam_step, 4, {"step": 1, **options}) for options in ADAM_OPTIONS]
CALLS += [(kernels.sgd_step, 3, options) for options in SGD_OPTIONS]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("variant", ["fused", "naive"])
@pytest.mark.parametrize(("step", "how_many", "options"), CALLS)
def test_equals_definition(step, how_many, options, variant, dtype):
    shapes = SHAPES[:4] + SHAPES[-1:] if variant == "naive" else SHAPES
    found = lists(shapes, dtype, how_many)
    expected = copies(found)
    step(*found, lr=0.01, variant=variant, **options)
    step(*expected, lr=0.01, variant="reference", **options)
    assert_lists_close(found, expected, dtype)


@given(sizes=st.lists(st.integers(0, 3 * CHUNK), max_size=6), dtype=st.sampled_from(FLOATS))
def test_every_element_is_updated_once(sizes, dtype):
    """With gradients of ones and lr = 1 a parameter of zeros becomes minus one, wherever tasks are cut."""
    parameters = [np.zeros(size, dtype) for size in sizes]
    kernels.sgd_step(parameters, [np.ones(size, dtype) for size in sizes], lr=1.0)
    assert all((p == -1).all() for p in parameters)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adam_is_pytorchs(weight_decay, decoupled, dtype):
    torch = pytest.importorskip("torch")
    parameters, _, averages, squares = lists(SHAPES, dtype, 4)
    for a in averages + squares:
        a[...] = 0
    theirs = [torch.nn.Parameter(torch.tensor(p)) for p in parameters]
    options = {"lr": 0.01, "betas": (0.8, 0.99), "weight_decay": weight_decay}
    optimizer = (torch.optim.AdamW if decoupled else torch.optim.Adam)(theirs, **options)
    for step in range(1, 6):
        grads = lists(SHAPES, dtype, 2, seed=step)[1]
        for p, g in zip(theirs, grads, strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
        kernels.adam_step(parameters, grads, averages, squares, step=step, decoupled=decoupled, **options)
    assert_lists_close([parameters], [[p.detach().numpy() for p in theirs]], dtype)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("options", [options for options in SGD_OPTIONS if "first" not in options])
def test_sgd_is_pytorchs(options, dtype):
    torch = pytest.importorskip("torch")
    parameters, _, buffers = lists(SHAPES, dtype, 3)
    theirs = [torch.nn.Parameter(torch.tensor(p)) for p in parameters]
    optimizer = torch.optim.SGD(theirs, lr=0.01, **options)
    for step in range(5):
        grads = lists(SHAPES, dtype, 2, seed=step)[1]
        for p, g in zip(theirs, grads, strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
        kernels.sgd_step(parameters, grads, buffers, lr=0.01, first=step == 0, **options)
    assert_lists_close([parameters], [[p.detach().numpy() for p in theirs]], dtype)


def test_the_first_step_ignores_what_buffers_held():
    parameters, grads, buffers = lists([(5,)], np.float32, 3)
    buffers[0][...] = np.nan
    kernels.sgd_step(parameters, grads, buffers, lr=0.1, momentum=0.9, first=True)
    np.testing.assert_array_equal(buffers[0], grads[0])
    assert np.isfinite(parameters[0]).all()


def test_nan_and_infinity_stay_where_they_are():
    parameters, grads, averages, squares = lists([(64,)], np.float32, 4)
    grads[0][3], grads[0][5] = np.nan, np.inf
    kernels.adam_step(parameters, grads, averages, squares, step=1, lr=0.1)
    assert np.flatnonzero(~np.isfinite(parameters[0])).tolist() == [3, 5]


def test_threads_do_not_show():
    before, results = numba.get_num_threads(), []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        made = lists([(300_000,), (7,)], np.float32, 4)
        kernels.adam_step(*made, step=1, lr=0.1)
        results.append(made)
    numba.set_num_threads(before)
    for one, two in zip(itertools.chain(*results[0]), itertools.chain(*results[1]), strict=True):
        np.testing.assert_array_equal(one, two)


def test_gradients_of_any_strides_and_read_only():
    parameters, grads = lists([(4, 6), (3,)], np.float64, 2)
    expected = copies([parameters])[0]
    kernels.sgd_step(expected, grads, lr=0.1)
    awkward = [np.asfortranarray(grads[0]), grads[1].copy()]
    awkward[1].flags.writeable = False
    kernels.sgd_step(parameters, awkward, lr=0.1)
    assert_lists_close([parameters], [expected], np.float64)


def test_no_parameters():
    kernels.adam_step([], [], [], [], step=1, lr=0.1)
    kernels.sgd_step([], [], lr=0.1)


def test_traces_explains_and_obeys_use_variant():
    made = lists([(3,), (2, 2)], np.float32, 4)
    with kernels.trace() as events, kernels.use_variant(sgd_momentum_step="naive"):
        kernels.adam_step(*made, step=1, lr=0.1)
        kernels.sgd_step(*made[:3], lr=0.1, momentum=0.9)
    assert [(e.operation, e.variant) for e in events] == [("adam_step", "fused"), ("sgd_momentum_step", "naive")]
    assert events[0].shapes == ((3,), (2, 2))
    assert events[0].bytes_moved == 7 * 7 * 4
    before = copies(made)
    text = kernels.explain(kernels.adam_step, *made, step=1, lr=0.1)
    assert "cpu.fused      taken" in text
    assert_lists_close(made, before, np.float32)
    with pytest.raises(ValueError, match='adam_step: no variant "tiled"'):
        kernels.adam_step(*made, step=1, lr=0.1, variant="tiled")


def test_declared_cases_run():
    for operation in (ADAM, SGD, SGD_MOMENTUM):
        for case in operation.cases:
            found, options = operation.sample(case, "float64")
            expected = copies(found)
            with kernels.trace() as events:
                operation.function(*found, **options)
            assert events[0].operation == operation.name
            operation.function(*expected, variant="reference", **options)
            assert_lists_close(found, expected, np.float64)


def test_arrays_are_forgotten_when_they_die():
    made = lists([(3,), (4,)], np.float32, 4)
    before = len(ADAM._groups)
    kernels.adam_step(*made, step=1, lr=0.1)
    assert len(ADAM._groups) == before + 1
    kernels.adam_step(*made, step=2, lr=0.1)
    assert len(ADAM._groups) == before + 1
    del made[3][1]  # one of the eight is enough
    gc.collect()
    assert len(ADAM._groups) == before


def test_an_array_at_a_dead_ones_address_is_another():
    """Identities are used again; what was known of the dead array must not be."""
    for size in (3, 5, 3, 7):
        for _ in range(20):
            p = np.zeros(size, np.float32)
            kernels.sgd_step([p], [np.ones(size, np.float32)], lr=1.0)
            assert (p == -1).all()
            del p


def test_gradients_are_checked_at_every_step():
    made = lists([(3,), (4,)], np.float32, 4)
    kernels.adam_step(*made, step=1, lr=0.1)
    made[1][1] = np.zeros(5, np.float32)
    with pytest.raises(ValueError, match=r"adam_step: grads\[1\] expects shape \(4,\) but got \(5,\)"):
        kernels.adam_step(*made, step=2, lr=0.1)


def spoil(place, array):
    def change(made):
        made[place[0]][place[1]] = array(made)

    return change


def read_only(made):
    array = made[2][0].copy()
    array.flags.writeable = False
    return array


SPOILT = [
    (ValueError, r"grads expects as many as parameters, 2, but got 1", lambda made: made[1].pop()),
    (ValueError, r"exp_avgs expects as many as parameters, 2, but got 1", lambda made: made[2].pop()),
    (ValueError, r"exp_avg_sqs\[1\] expects shape \(2, 2\)", spoil((3, 1), lambda _: np.zeros(4, np.float32))),
    (TypeError, r"grads\[0\] expects float32", spoil((1, 0), lambda _: np.zeros(3))),
    (TypeError, r"parameters\[1\] expects float32, as", spoil((0, 1), lambda _: np.zeros((2, 2)))),
    (TypeError, r"parameters\[0\] expects float32 or", spoil((0, 0), lambda _: np.zeros(3, np.int32))),
    (TypeError, r"expects a numpy.ndarray or cupy.ndarray but got list", spoil((2, 0), lambda _: [0.0, 0.0, 0.0])),
    (TypeError, r"grads\[0\] expects a numpy.ndarray but got list", spoil((1, 0), lambda _: [0.0, 0.0, 0.0])),
    (TypeError, r"grads\[0\] expects a numpy.ndarray but got NoneType", spoil((1, 0), lambda _: None)),
    (ValueError, r"exp_avgs\[0\] expects a writeable", spoil((2, 0), read_only)),
    (ValueError, r"parameters\[1\] expects a writeable", spoil((0, 1), lambda made: made[0][1].T)),
    (ValueError, r"share memory", spoil((3, 0), lambda made: made[2][0])),
]


@pytest.mark.parametrize(("error", "message", "change"), SPOILT, ids=[message for _, message, _ in SPOILT])
def test_bad_lists_change_nothing(error, message, change):
    made = lists([(3,), (2, 2)], np.float32, 4)
    before = [(a, a.copy()) for row in made for a in row]
    change(made)
    with pytest.raises(error, match=f"adam_step: .*{message}"):
        kernels.adam_step(*made, step=1, lr=0.1)
    for array, value in before:
        np.testing.assert_array_equal(array, value)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("step expects at least 1 but got 0", {"step": 0}),
        ("lr expects 0 <= lr", {"lr": -1}),
        ("lr expects 0 <= lr", {"lr": float("nan")}),
        ("eps expects", {"eps": -1e-8}),
        ("weight_decay expects", {"weight_decay": -1}),
        (r"betas\[0\] expects 0 <= betas\[0\] < 1.0 but got 1.0", {"betas": (1.0, 0.9)}),
        (r"betas\[1\] expects", {"betas": (0.9, -0.1)}),
    ],
)
def test_bad_ranges(message, options):
    made = lists([(3,)], np.float32, 4)
    with pytest.raises(ValueError, match=f"adam_step: {message}"):
        kernels.adam_step(*made, **{"step": 1, "lr": 0.1, **options})


def test_bad_momentum():
    made = lists([(3,)], np.float32, 3)
    with pytest.raises(ValueError, match="sgd_step: nesterov expects a momentum and no dampening"):
        kernels.sgd_step(*made, lr=0.1, nesterov=True)
    with pytest.raises(ValueError, match="sgd_step: nesterov expects a momentum and no dampening"):
        kernels.sgd_step(*made, lr=0.1, momentum=0.9, dampening=0.1, nesterov=True)
    with pytest.raises(TypeError, match="sgd_step: momentum_buffers expects a list"):
        kernels.sgd_step(*made[:2], lr=0.1, momentum=0.9)
    with pytest.raises(ValueError, match="sgd_step: momentum expects"):
        kernels.sgd_step(*made, lr=0.1, momentum=-0.9)
