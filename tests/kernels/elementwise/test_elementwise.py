"""Arithmetic, number by number: shapes, strides, NumPy's results to the bit, errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tilegrad.kernels.contexts import operations
from tilegrad.kernels.elementwise.geometry import collapse
from tolerances import EPS, EXP_LOG_ULP, POWER

from tilegrad import kernels

BINARY = ["add", "subtract", "multiply", "divide", "maximum", "minimum"]
EXACT = ["negative", "absolute", "square", "sqrt"]
DTYPES = ["float32", "float64"]
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan]


def arranged(draw, shape, dtype):
    """An array of that shape with strides of any kind, a few of its numbers special."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["plain", "reversed", "every other", "fortran", "one number", "odd", "read-only"]))
    if kind == "one number":
        return np.broadcast_to(dtype.type(rng.standard_normal()), shape)
    if kind == "odd":  # a field of a record: strides that are no multiple of the item size
        records = np.zeros(shape, [("flag", "i1"), ("value", dtype)])
        records["value"] = rng.standard_normal(shape)
        return records["value"]
    doubled = tuple(2 * n for n in shape) if kind == "every other" else shape
    x = np.asarray(rng.standard_normal(doubled), dtype)
    if x.size:
        for value in draw(st.lists(st.sampled_from(SPECIAL), max_size=4)):
            x.flat[int(rng.integers(x.size))] = value
    if kind == "reversed":
        return x[(..., *[slice(None, None, -1)] * x.ndim)]
    if kind == "every other":
        return x[(..., *[slice(None, None, 2)] * x.ndim)]
    if kind == "fortran":
        return np.asfortranarray(x)
    x.flags.writeable = kind != "read-only"
    return x


@st.composite
def two_operands(draw):
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    side = draw(st.sampled_from([3, 7, 40]))
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=side, max_dims=4))
    return tuple(arranged(draw, shape, dtype) for shape in shapes.input_shapes)


@st.composite
def one_operand(draw):
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    return arranged(draw, draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=33)), dtype)


@given(operands=two_operands(), name=st.sampled_from(BINARY))
def test_binary_equals_numpy(operands, name):
    a, b = operands
    with np.errstate(all="ignore"):
        expected = np.asarray(getattr(np, name)(a, b))
    out = np.full(expected.shape, 77, a.dtype)
    assert getattr(kernels, name)(a, b, out=out) is out
    np.testing.assert_array_equal(out, expected, strict=True)


@given(x=one_operand(), name=st.sampled_from(EXACT))
def test_unary_equals_numpy(x, name):
    with np.errstate(all="ignore"):
        expected = np.asarray(getattr(np, name)(x))
    out = np.full(x.shape, 77, x.dtype)
    assert getattr(kernels, name)(x, out=out) is out
    np.testing.assert_array_equal(out, expected, strict=True)


@given(x=one_operand(), name=st.sampled_from(["exp", "log"]))
def test_exp_and_log_equal_the_definition(x, name):
    wide = np.float64 if x.dtype == np.float32 else np.longdouble
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x.astype(wide))
    np.testing.assert_allclose(
        getattr(kernels, name)(x), expected.astype(x.dtype), rtol=(EXP_LOG_ULP + 0.5) * EPS[x.dtype.name], atol=1e-300
    )


@given(x=one_operand(), exponent=st.sampled_from([0, 1, 2, 3, -1, -2, 0.5, -0.5, 1.7, -3.25, 2.0**60]))
def test_power_equals_numpy(x, exponent):
    with np.errstate(all="ignore"):
        expected = np.float_power(x.astype(np.float64), exponent).astype(x.dtype)
    np.testing.assert_allclose(kernels.power(x, exponent), expected, rtol=POWER[x.dtype.name])


@pytest.mark.parametrize("exponent", [2, 3, -1, -3, 0.5, -1.5, 2.5])
def test_a_float32_power_has_the_limits_of_a_float64_one(exponent):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0], np.float32)
    with np.errstate(all="ignore"):
        expected = np.array([np.float_power(float(v), exponent) for v in x], np.float32)
    y = kernels.power(x, exponent)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(np.signbit(y), np.signbit(np.where(np.isnan(y), y, expected)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shapes", [
    ((3, 40, 40, 3), (3,)), ((3,), (3, 40, 40, 3)), ((200, 83), (83,)), ((30000, 1), (1, 1)), ((60000,), ()),
    ((2, 90, 1, 5), (90, 40, 1)), ((7, 5000, 2), (7, 1, 2)),
])  # fmt: skip
def test_large_broadcasts_equal_numpy(shapes, dtype):
    rng = np.random.default_rng(3)
    a, b = (np.asarray(rng.standard_normal(shape), dtype) for shape in shapes)
    np.testing.assert_array_equal(kernels.subtract(a, b), a - b, strict=True)


@pytest.mark.parametrize("variant", ["naive", "reference"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*BINARY, *EXACT, "exp", "log", "power"])
def test_variants_equal_the_definition(name, dtype, variant):
    function, args = getattr(kernels, name), (1.5,) if name == "power" else ()
    for case in operations[name].cases[:4]:
        rng = np.random.default_rng(1)
        arrays = [np.abs(rng.standard_normal(shape)).astype(dtype) for shape in case["shapes"]]
        expected = function(*arrays, *args)
        out = np.full_like(expected, np.nan)
        function(*arrays, *args, out=out, variant=variant)
        np.testing.assert_allclose(out, expected, rtol=4 * EPS[dtype], atol=EPS[dtype], err_msg=str(case))


@pytest.mark.parametrize("name", ["divide", "log", "exp", "power", "sqrt"])
def test_definitions_have_the_limits_of_ieee_arithmetic(name):
    x = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 800.0])
    args = {"divide": (np.array([[0.0], [-0.0], [np.inf]]),), "power": (2,)}.get(name, ())
    function = getattr(kernels, name)
    with np.errstate(all="ignore"):
        expected = function(x, *args, variant="reference")
    np.testing.assert_allclose(function(x, *args), expected, rtol=1e-15)


@pytest.mark.parametrize("name", BINARY)
def test_a_number_takes_the_dtype_of_the_array(name):
    x = np.linspace(-2, 2.5, 7, dtype=np.float32)
    function, expected = getattr(kernels, name), getattr(np, name)
    for number in (2, 0.1, np.float64(0.1), np.int64(3)):
        like = np.float32(number)
        np.testing.assert_array_equal(function(x, number), expected(x, like), strict=True)
        np.testing.assert_array_equal(function(number, x), expected(like, x), strict=True)


@pytest.mark.parametrize("size", [5, 100_000])
def test_out_may_be_an_input(size):
    a, b = np.arange(size, dtype=np.float32), np.full(size, 2, np.float32)
    kernels.add(a, b, out=a)
    np.testing.assert_array_equal(a, np.arange(size, dtype=np.float32) + 2)
    kernels.subtract(a, a[:], out=a[:])  # the same array through another view
    np.testing.assert_array_equal(a, 0)
    kernels.exp(a, out=a)
    np.testing.assert_array_equal(a, 1)


def test_out_that_overlaps_an_input_otherwise_is_refused():
    a = np.zeros(9, np.float32)
    for call in (lambda: kernels.add(a[1:], 1, out=a[:-1]), lambda: kernels.negative(a[::-1], out=a)):
        with pytest.raises(ValueError, match=r"\w+: out shares memory with an input"):
            call()


@pytest.mark.parametrize("name", BINARY)
def test_bad_operands_are_refused(name):
    function, x = getattr(kernels, name), np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match=rf"{name}: expects shapes that broadcast .* a \(2, 3\) and b \(4,\)"):
        function(x, np.ones(4, np.float32))
    with pytest.raises(TypeError, match=f"{name}: a and b expect one dtype but got float32 and float64"):
        function(x, np.ones(3))
    for bad in (np.ones(3, np.int32), np.ones(3, np.float16), np.ones(3, ">f4"), np.ones(3, complex)):
        with pytest.raises(TypeError, match=rf"{name}: (b )?expects"):
            function(x, bad)
    for bad in ([1.0], "1", None):
        with pytest.raises(TypeError, match=name):
            function(x, bad)
    with pytest.raises(TypeError, match=name):
        function(1.0, 2.0)


@pytest.mark.parametrize("name", [*EXACT, "exp", "log"])
def test_bad_arrays_are_refused(name):
    function = getattr(kernels, name)
    for bad in (np.ones(3, np.int32), np.ones(3, ">f8"), [1.0], 1.0):
        with pytest.raises(TypeError, match=name):
            function(bad)
    x = np.ones((2, 3), np.float32)
    for out in (np.ones((3, 2), np.float32), np.ones((2, 3)), np.ones((3, 2), np.float32).T):
        with pytest.raises(ValueError, match=f"{name}: out expects"):
            function(x, out=out)


def test_bad_exponents_are_refused():
    x = np.ones(3)
    with pytest.raises(TypeError, match="power: exponent expects a number"):
        kernels.power(x, "2")
    with pytest.raises(ValueError, match="power: exponent expects a finite number"):
        kernels.power(x, np.inf)


@given(shape=hnp.array_shapes(min_dims=0, max_dims=5, min_side=1, max_side=4), data=st.data())
def test_a_collapsed_nest_walks_the_same_elements(shape, data):
    x = np.arange(np.prod(shape, dtype=int), dtype=np.int32).reshape(shape)
    x = x.transpose(data.draw(st.permutations(range(len(shape)))))
    x = x[(..., *[slice(None, None, data.draw(st.sampled_from([1, -1]))) for _ in shape])]
    extents, (strides,) = collapse(x.shape, [tuple(s // x.itemsize for s in x.strides)])
    walked = np.lib.stride_tricks.as_strided(x, extents, tuple(s * x.itemsize for s in strides))
    np.testing.assert_array_equal(walked.ravel(), x.ravel())
    assert len(extents) == 1 or 1 not in extents
