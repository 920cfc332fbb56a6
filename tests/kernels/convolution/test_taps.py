"""The "taps" variant against the definition: many channels read, few written, by any stride, dilation and padding."""

import numpy as np
import pytest
from convolution_calls import Call, assert_close, calls, guarded, largest_error
from hypothesis import assume, given, note
from hypothesis import strategies as st
from tilegrad.kernels import operation as operation_module
from tilegrad.kernels.convolution import cpu_taps

from tilegrad import kernels

WHAT_READS_MANY = {"conv2d": "few out", "conv2d_input_grad": "few in", "conv_transpose2d": "few in"}
MANY, FEW = (16, 17, 31, 32, 33, 64, 70), (1, 2, 3, 4, 5)


@pytest.fixture(scope="module", autouse=True)
def scratch_is_full_of_nan():
    """Whatever is read of scratch and sums without having been written shows in the result."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (operation_module, cpu_taps):
            patch.setattr(module, "empty", lambda shape, dtype: np.full(shape, np.nan, dtype))
        yield


@st.composite
def thin_calls(draw, operation):
    """A call that the variant takes."""
    few_out = WHAT_READS_MANY[operation] == "few out"
    channels, out_channels = (MANY, FEW) if few_out else (FEW, MANY)
    call = draw(calls(channels=channels, out_channels=out_channels))
    c, k = call.x[3] // call.groups, call.w[0] // call.groups
    call = call._replace(x=(*call.x[:3], c), w=(k, *call.w[1:]), groups=1)
    assume(gains(call, operation))
    return call


def gains(call, operation):
    """Whether the vectors are wide enough for the variant to save multiplications."""
    few_out, (c, k) = WHAT_READS_MANY[operation] == "few out", (call.x[3], call.w[0])
    taps, (few, many) = call.w[1] * call.w[2], ((k, c) if few_out else (c, k))
    lanes = cpu_taps.lanes(np.dtype(call.dtype).itemsize)
    phases = call.stride[0] * call.stride[1] if few_out else 1
    return phases * -(-taps * few // (phases * lanes)) <= 0.75 * taps * -(-few // lanes) and many >= lanes


def check(call, operation):
    arrays = call.arrays(operation)
    wide = [None if a is None else a.astype(np.float64) for a in arrays]
    expected = call.run(operation, wide, variant="naive")
    out, untouched = guarded(call.result(operation), call.dtype)
    assert call.run(operation, arrays, variant="taps", out=out) is out
    assert_close(out, expected, largest_error(call, operation, arrays, expected))
    untouched()


@pytest.mark.parametrize("operation", WHAT_READS_MANY)
@given(data=st.data())
def test_it_equals_the_definition(operation, data):
    call = data.draw(thin_calls(operation))
    note(call.text(operation, variant="taps"))
    check(call, operation)


# Rows longer than a chunk, many bands, several blocks of columns, and the layers of the models that this package has.
FORWARD = [
    Call((1, 70, 300, 16), (1, 3, 3, 16), padding=((1, 1), (1, 1)), bias=True, activation="relu"),
    Call((16, 40, 40, 64), (1, 3, 3, 64), padding=((1, 1), (1, 1)), bias=True),
    Call((1, 33, 35, 64), (3, 9, 9, 64), padding=((4, 4), (4, 4)), bias=True, activation="tanh"),
    Call((2, 64, 64, 64), (3, 4, 4, 64), stride=(2, 2), padding=((1, 1), (1, 1)), activation="leaky_relu"),
    Call((1, 2, 2, 64), (1, 3, 3, 64), padding=((50, 50), (50, 50)), bias=True),
]
GRADIENTS = [
    Call((64, 28, 28, 1), (64, 4, 4, 1), stride=(2, 2), padding=((1, 1), (1, 1)), bias=True, activation="relu"),
    Call((1, 70, 300, 3), (16, 3, 3, 3), padding=((1, 1), (1, 1))),
    Call((1, 96, 96, 1), (64, 9, 9, 1), padding=((4, 4), (4, 4))),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("operation", "call"),
    [*(("conv2d", c) for c in FORWARD), *(("conv2d_input_grad", c) for c in GRADIENTS)],
    ids=lambda v: v if isinstance(v, str) else f"{v.x}*{v.w}",
)
def test_layers(operation, call, whole, dtype):
    call = call._replace(whole=whole, dtype=dtype)
    if not gains(call, operation):
        pytest.skip("vectors of this processor are too narrow for the variant to take this layer")
    check(call, operation)


@pytest.mark.parametrize(
    ("x", "w", "words", "reason"),
    [
        ((1, 8, 8, 64), (64, 3, 3, 64), {}, "needs many channels read for few written (got 64 for 64, by 3 x 3 taps)"),
        ((1, 8, 8, 1), (1, 3, 3, 1), {}, "needs many channels read for few written (got 1 for 1, by 3 x 3 taps)"),
        ((1, 8, 8, 64), (1, 1, 1, 64), {}, "needs many channels read for few written (got 64 for 1, by 1 x 1 taps)"),
        ((1, 8, 8, 64), (2, 3, 3, 32), {"groups": 2}, "needs one group (got groups = 2)"),
    ],
)
def test_what_it_does_not_take_is_said(x, w, words, reason):
    x, w = np.ones(x, np.float32), np.ones(w, np.float32)
    with pytest.raises(ValueError, match='variant "taps" needs') as error:
        kernels.conv2d(x, w, variant="taps", **words)
    assert reason in str(error.value)
    assert reason in kernels.explain(kernels.conv2d, x, w, **words)


def test_it_is_what_runs_where_it_can():
    wide, thin, w = np.ones((1, 8, 8, 64), "f4"), np.ones((1, 8, 8, 1), "f4"), np.ones((64, 3, 3, 1), "f4")
    with kernels.trace() as events:
        kernels.conv2d(wide, np.ones((1, 3, 3, 64), "f4"), padding=1)
        kernels.conv2d_input_grad(wide, w, thin.shape, padding=1)
        kernels.conv_transpose2d(wide, w, padding=1)
    assert [event.variant for event in events] == ["taps"] * 3
