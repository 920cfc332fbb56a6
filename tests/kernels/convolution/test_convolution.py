"""Convolution and its gradients on the CPU: every variant against the definition, on drawn cases."""

import numpy as np
import pytest
from convolution_calls import OPERATIONS, TINY, VARIANTS, Call, assert_close, calls, guarded, largest_error
from hypothesis import assume, given, note
from hypothesis import strategies as st
from tilegrad.kernels import operation as operation_module
from tilegrad.kernels.convolution import cpu_depthwise, cpu_direct, cpu_direct_weight_grad, cpu_im2col
from tilegrad.kernels.machine import packing

from tilegrad import kernels

FLOATS = ("float32", "float64")


@pytest.fixture(scope="module", autouse=True)
def scratch_is_full_of_nan():
    """Whatever a variant reads of its scratch without having written it shows in the result."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (operation_module, cpu_depthwise, cpu_direct, cpu_direct_weight_grad, cpu_im2col, packing):
            patch.setattr(module, "empty", lambda shape, dtype: np.full(shape, np.nan, dtype))
        yield


def takes(variant, operation, call):
    """Whether the variant takes the call; a refusal says why."""
    if variant != "depthwise" or (call.groups > 1 and call.groups == call.x[3] == call.w[0]):
        return True
    with pytest.raises(ValueError, match=r'variant "depthwise" needs groups = C = C_out > 1 \(got groups = '):
        call.run(operation, call.arrays(operation), variant=variant)
    return False


def check(call, operation, variant, oracle):
    """One call into guarded, poisoned memory, number by number."""
    arrays = call.arrays(operation)
    before = [None if a is None else a.copy() for a in arrays]
    wide = [None if a is None else a.astype(np.float64) for a in arrays]
    expected = call.run(operation, wide, variant=oracle)
    out, untouched = guarded(call.result(operation), call.dtype)
    assert call.run(operation, arrays, variant=variant, out=out) is out
    assert_close(out, expected, largest_error(call, operation, arrays, expected))
    untouched()
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("operation", OPERATIONS)
@given(call=calls(**TINY), variant=st.sampled_from(["naive", *VARIANTS]))
def test_variants_equal_the_interpreted_definition(operation, call, variant):
    note(call.text(operation, variant=variant))
    assume(takes(variant, operation, call))
    check(call, operation, variant, "reference")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("variant", ["direct", "im2col"])
@given(call=calls())
def test_variants_equal_the_compiled_definition(variant, operation, call):
    note(call.text(operation, variant=variant))
    check(call, operation, variant, "naive")


@pytest.mark.parametrize("operation", OPERATIONS)
@given(call=calls(depthwise=True), variant=st.sampled_from(VARIANTS))
def test_depthwise(operation, call, variant):
    note(call.text(operation, variant=variant))
    check(call, operation, variant, "naive")


@pytest.mark.parametrize("operation", OPERATIONS)
@given(
    kernel=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    more=st.tuples(st.integers(0, 20), st.integers(0, 9)),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.integers(0, 4),
    channels=st.sampled_from([2, 15, 16, 33, 50, 64, 81]),
    bias=st.booleans(),
    activation=st.sampled_from([None, "relu", "leaky_relu", "tanh"]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_depthwise_pieces_and_strips(
    operation, kernel, more, stride, dilation, padding, channels, bias, activation, dtype
):
    """Kernels that are cut up, and channels beside whole vectors, of whole numbers: no rounding hides a lost tap."""
    h, w = (max(1, dilation * (k - 1) + 1 - 2 * padding) + m for k, m in zip(kernel, more, strict=True))
    call = Call(
        (2, h, w, channels), (channels, *kernel, 1), (stride, stride), ((padding, padding),) * 2,
        (dilation, dilation), channels, bias, activation, dtype,
    )  # fmt: skip
    note(call.text(operation, variant="depthwise"))
    check(call, operation, "depthwise", "naive")


# Where blocking and phases end: widths around one, two and four vectors, bands of rows, a narrower last band, and the
# layers of the models that this package trains.
SHAPES = [
    Call((1, 20, 300, 3), (5, 3, 3, 3), padding=((1, 1), (1, 1)), bias=True, activation="relu"),
    Call((1, 9, 3000, 24), (17, 3, 3, 24), padding=((1, 1), (1, 1))),  # wider than a band
    Call((2, 40, 40, 64), (64, 3, 3, 64), padding=((1, 1), (1, 1)), bias=True, activation="relu"),
    Call((2, 40, 40, 1), (64, 3, 3, 1), padding=((1, 1), (1, 1)), bias=True),
    Call((2, 40, 40, 64), (1, 3, 3, 64), padding=((1, 1), (1, 1)), bias=True),
    Call((3, 28, 28, 1), (64, 4, 4, 1), stride=(2, 2), padding=((1, 1), (1, 1)), activation="leaky_relu"),
    Call((3, 14, 14, 64), (128, 4, 4, 64), stride=(2, 2), padding=((1, 1), (1, 1))),
    Call((2, 7, 7, 128), (1, 7, 7, 128), activation="sigmoid"),
    Call((1, 33, 35, 3), (64, 9, 9, 3), padding=((4, 4), (4, 4)), bias=True, activation="tanh"),
    Call((1, 1, 1, 100), (512, 4, 4, 100), padding=((3, 3), (3, 3))),
    Call((1, 64, 70, 32), (32, 3, 3, 1), padding=((1, 1), (1, 1)), groups=32),
]


@pytest.mark.parametrize("operation", OPERATIONS[:3])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("call", SHAPES, ids=lambda c: f"{c.x}*{c.w}")
def test_layers(call, whole, dtype, operation):
    variant = "depthwise" if call.groups > 1 else "direct"
    check(call._replace(whole=whole, dtype=dtype), operation, variant, "naive")


@pytest.mark.parametrize("operation", OPERATIONS)
@given(call=calls(sizes=(1, 2, 3, 5)), data=st.data())
def test_any_strides(operation, call, data):
    """Reversed, transposed, broadcast, offset and read-only arrays give the bits that their copies give."""

    def seen(array):
        if array is None:
            return None
        view = data.draw(st.sampled_from(["reversed", "fortran", "broadcast", "read-only", "sliced", "unaligned"]))
        if view == "reversed":
            return array[::-1, ..., ::-1] if array.ndim > 1 else array[::-1]
        if view == "fortran":
            return np.asfortranarray(array)
        if view == "broadcast" and array.size:
            return np.broadcast_to(array[..., :1], array.shape)
        if view == "sliced":
            wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1] + 1), array.dtype)
            wide[..., 1::2] = array
            return wide[..., 1::2]
        if view == "unaligned":  # a number may begin at any address that its type allows, and at no vector's
            return np.concatenate([np.zeros(3, array.dtype), array.ravel()])[3:].reshape(array.shape)
        array.flags.writeable = False
        return array

    note(call.text(operation))
    views = [seen(a) for a in call.arrays(operation)]
    copies = [None if a is None else np.array(a, order="C") for a in views]
    np.testing.assert_array_equal(call.run(operation, views), call.run(operation, copies))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dtype", FLOATS)
@given(data=st.data())
def test_gradients_are_adjoint(dtype, variant, data):
    """``<conv(x, w), gy> = <x, input_grad(gy, w)> = <w, weight_grad(gy, x)>``: exact, on whole numbers."""
    call = data.draw(calls(depthwise=variant == "depthwise"))._replace(dtype=dtype, whole=True, bias=False)
    x, w, _ = call.arrays("conv2d")
    gy = np.random.default_rng(1).integers(-2, 3, call.y).astype(dtype)

    def inner(a, b):
        return float((a.astype(np.float64) * b).sum())

    note(call.text("conv2d", variant=variant))
    y = call.run("conv2d", [x, w, None], epilogue=False, variant=variant)
    gx = call.run("conv2d_input_grad", [gy, w, None], epilogue=False, variant=variant)
    gw = call.run("conv2d_weight_grad", [gy, x], variant=variant)
    assert inner(y, gy) == inner(x, gx) == inner(w, gw)


@pytest.mark.parametrize("operation", OPERATIONS)
@given(call=calls(), data=st.data())
def test_linear_in_both_arrays(operation, call, data):
    """Twice one array, plus another in its place, is twice the result plus the other's; whole numbers, no rounding."""
    call = call._replace(whole=True, bias=False, activation=None)
    which = data.draw(st.sampled_from([0, 1]))
    arrays, others = call.arrays(operation), call._replace(seed=call.seed + 1).arrays(operation)
    mixed, exchanged = list(arrays), list(arrays)
    mixed[which], exchanged[which] = 2 * arrays[which] + others[which], others[which]
    note(call.text(operation, variant="direct"))
    results = [call.run(operation, a, variant="direct") for a in (mixed, arrays, exchanged)]
    np.testing.assert_array_equal(results[0], 2 * results[1] + results[2])


@st.composite
def with_one_odd_value(draw, operation, places):
    """A tiny call, its arrays of ones with NaN or an infinity at one place, and a variant."""
    call = draw(calls(**TINY))
    arrays = [None if a is None else np.ones_like(a) for a in call.arrays(operation)]
    which, value = draw(st.sampled_from(places)), draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    assume(arrays[which].size)
    at = draw(st.integers(0, arrays[which].size - 1))
    arrays[which].flat[at] = value
    variant = draw(st.sampled_from(["naive", *VARIANTS]))
    note(f"{call.text(operation, variant=variant)}  # with ones but for a[{which}].flat[{at}] = {value}")
    assume(takes(variant, operation, call))
    return call, arrays, variant


IMAGES = {"conv2d": 0, "conv2d_input_grad": 0, "conv2d_weight_grad": 1, "conv_transpose2d": 0}


@pytest.mark.parametrize("operation", OPERATIONS)
@given(data=st.data())
def test_nan_and_infinity_in_an_image_reach_what_reads_them_and_no_other(operation, data):
    call, arrays, variant = data.draw(with_one_odd_value(operation, [IMAGES[operation]]))
    found, expected = (call.run(operation, arrays, variant=v) for v in (variant, "reference"))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("operation", OPERATIONS)
@given(data=st.data())
def test_nan_and_infinity_in_the_other_array_are_not_lost(operation, data):
    """A weight that is not finite meets the zeros of the border, and a variant may or may not multiply them.

    So a result is the definition's, or NaN beside the border; and it is the definition's where no border is.
    """
    call, arrays, variant = data.draw(with_one_odd_value(operation, [1 - IMAGES[operation]]))
    found, expected = (call.run(operation, arrays, variant=v) for v in (variant, "reference"))
    same = np.isclose(found, expected, rtol=1e-6, atol=1e-6, equal_nan=True)
    assert (same | np.isnan(found)).all()
    if operation == "conv2d" and call.padding == ((0, 0), (0, 0)):
        assert same.all()


@pytest.mark.parametrize("variant", ["naive", "direct", "im2col"])
@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (None, [-np.inf, np.inf, np.nan]),
        ("relu", [0.0, np.inf, np.nan]),
        ("leaky_relu", [-np.inf, np.inf, np.nan]),
        ("tanh", [-1.0, 1.0, np.nan]),
        ("sigmoid", [0.0, 1.0, np.nan]),
    ],
)
def test_activations_of_infinity_and_nan(activation, expected, variant):
    x = np.array([-np.inf, np.inf, np.nan], np.float32).reshape(1, 1, 3, 1)
    y = kernels.conv2d(x, np.ones((1, 1, 1, 1), np.float32), activation=activation, variant=variant)
    np.testing.assert_array_equal(y.ravel(), np.array(expected, np.float32))


def test_a_huge_padding_gives_the_bias():
    x, w = np.ones((1, 2, 2, 3), np.float32), np.ones((2, 3, 3, 3), np.float32)
    y = kernels.conv2d(x, w, np.array([1.0, -2.0], np.float32), padding=50)
    assert y.shape == (1, 100, 100, 2)
    assert (y[0, :40] == np.array([1.0, -2.0], np.float32)).all()
    assert y[0, :, :, 0].sum() == 10_000 + 4 * 9 * 3


def test_an_empty_batch_has_a_gradient_of_zeros():
    gy, x = np.ones((0, 6, 6, 4), np.float32), np.ones((0, 8, 8, 2), np.float32)
    for variant in ("direct", "im2col", "naive"):
        gw = kernels.conv2d_weight_grad(gy, x, (4, 3, 3, 2), variant=variant)
        np.testing.assert_array_equal(gw, np.zeros((4, 3, 3, 2), np.float32))


def test_a_transposed_convolution_grows_as_documented():
    x, w = np.ones((1, 5, 4, 2), np.float32), np.ones((2, 4, 3, 6), np.float32)
    y = kernels.conv_transpose2d(
        x, w, stride=(3, 2), padding=((1, 0), (2, 1)), output_padding=(2, 1), dilation=(1, 2), groups=2
    )
    assert y.shape == (1, (5 - 1) * 3 - 1 + 3 + 2 + 1, (4 - 1) * 2 - 3 + 2 * 2 + 1 + 1, 12)


def test_explain_names_the_variant_and_the_reasons():
    x, w = np.ones((1, 8, 8, 16), np.float32), np.ones((16, 5, 5, 16), np.float32)
    text = kernels.explain(kernels.conv2d, x, w, padding=2)
    assert text.splitlines()[0] == "conv2d: 8.19e+05 FLOP, at least 3.38e+04 bytes"
    assert "  cpu.depthwise  needs groups = C = C_out > 1 (got groups = 1, C = 16, C_out = 16)" in text
    assert "  cpu.direct     taken" in text
    assert "  cpu.im2col     runs when named" in text
    depthwise = kernels.explain(kernels.conv2d, x, np.ones((16, 3, 3, 1), np.float32), groups=16)
    assert "  cpu.depthwise  taken" in depthwise
    assert "  cpu.direct     would do" in depthwise
    for operation in OPERATIONS[1:]:
        call = Call((1, 8, 8, 16), (4, 5, 5, 16))
        arrays = call.arrays(operation)
        rest = [call.x] if operation == "conv2d_input_grad" else [call.w] if operation == "conv2d_weight_grad" else []
        assert f"{operation}: " in kernels.explain(getattr(kernels, operation), *arrays[:2], *rest)


def test_explain_checks_the_call_and_runs_nothing():
    with pytest.raises(ValueError, match="conv2d: groups expects a positive integer"):
        kernels.explain(kernels.conv2d, np.ones((1, 8, 8, 16), "f4"), np.ones((4, 5, 5, 16), "f4"), groups=0)
    out = np.full((1, 4, 4, 4), 7, np.float32)
    kernels.explain(kernels.conv2d, np.ones((1, 8, 8, 16), "f4"), np.ones((4, 5, 5, 16), "f4"), out=out)
    assert (out == 7).all()


def test_variants_by_name_and_in_a_trace():
    call = Call((1, 6, 6, 4), (3, 3, 3, 4))
    arrays = call.arrays("conv2d")
    with kernels.trace() as events, kernels.use_variant(conv2d="naive"):
        call.run("conv2d", arrays)
        call.run("conv2d", arrays, variant="im2col")  # what a call names goes before
        call.run("conv2d_weight_grad", call.arrays("conv2d_weight_grad"))
    ours = [(e.operation, e.variant) for e in events if e.operation != "matmul"]
    assert ours[:2] == [("conv2d", "naive"), ("conv2d", "im2col")]
    ((last, variant),) = ours[2:]
    assert last == "conv2d_weight_grad"
    assert variant != "naive"  # which one it is depends on the processor
    assert events[0].shapes == ((1, 6, 6, 4), (3, 3, 3, 4))
    assert events[0].flops == 2 * 16 * 3 * 36
    assert events[0].bytes_moved == 4 * (144 + 108 + 48)
    with pytest.raises(ValueError, match="use_variant: no operation 'conv3d'"), kernels.use_variant(conv3d="naive"):
        pass
