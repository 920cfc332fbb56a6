"""The convolutions beside PyTorch's, in float64: forward, both gradients, and the transposed convolution."""

import numpy as np
import pytest
from convolution_calls import SLOPE, Call, calls
from hypothesis import given, note
from hypothesis import strategies as st

from tilegrad import kernels

pytestmark = pytest.mark.parity

NCHW, NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="needs PyTorch")


def theirs(torch, array, requires_grad=False):
    """An NHWC image or OHWI weight as PyTorch's NCHW or OIHW, whose copy in memory is like ours."""
    return torch.from_numpy(array).permute(NCHW).requires_grad_(requires_grad)


def ours(tensor):
    return tensor.detach().permute(NHWC).numpy()


def activated(torch, y, name):
    functional = torch.nn.functional
    if name == "leaky_relu":
        return functional.leaky_relu(y, SLOPE)
    return y if name is None else getattr(torch, name)(y)


def assert_same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-11)


@given(call=calls(batches=(1, 2)))
def test_forward_and_gradients(torch, call):
    """PyTorch pads both sides alike: the padding is its own operation here."""
    call = call._replace(dtype="float64", whole=False)
    note(call.text("conv2d"))
    x, w, bias = call.arrays("conv2d")
    tx, tw = theirs(torch, x, True), theirs(torch, w, True)
    (top, bottom), (left, right) = call.padding
    y = torch.nn.functional.conv2d(
        torch.nn.functional.pad(tx, (left, right, top, bottom)), tw, None if bias is None else torch.from_numpy(bias),
        stride=call.stride, dilation=call.dilation, groups=call.groups,
    )  # fmt: skip
    assert_same(call.run("conv2d", [x, w, bias]), ours(activated(torch, y, call.activation)))
    gy = np.random.default_rng(call.seed + 1).standard_normal(call.y)
    y.backward(theirs(torch, gy))
    assert_same(call.run("conv2d_input_grad", [gy, w, None], epilogue=False), ours(tx.grad))
    assert_same(call.run("conv2d_weight_grad", [gy, x]), ours(tw.grad))


@given(
    n=st.integers(1, 2), h=st.integers(1, 7), w=st.integers(1, 7), groups=st.sampled_from((1, 1, 2, 3)),
    c_in=st.sampled_from((1, 2, 5, 17)), c_out=st.sampled_from((1, 2, 16, 17)),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)), stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)), bias=st.booleans(), data=st.data(),
)  # fmt: skip
def test_transposed_convolution(torch, n, h, w, groups, c_in, c_out, kernel, stride, dilation, bias, data):
    reach = [dilation[i] * (kernel[i] - 1) for i in (0, 1)]
    output_padding = tuple(data.draw(st.integers(0, stride[i] - 1)) for i in (0, 1))
    sizes = [((h, w)[i] - 1) * stride[i] + reach[i] + output_padding[i] + 1 for i in (0, 1)]
    padding = tuple(data.draw(st.integers(0, min(reach[i], (sizes[i] - 1) // 2))) for i in (0, 1))
    rng = np.random.default_rng(n + h + w)
    x = rng.standard_normal((n, h, w, c_in * groups))
    weight = rng.standard_normal((c_in * groups, *kernel, c_out))
    b = rng.standard_normal(c_out * groups) if bias else None
    words = {
        "stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation, "groups": groups,
    }  # fmt: skip
    note(f"kernels.conv_transpose2d(np.ones({x.shape}), np.ones({weight.shape}), **{words})")
    y = torch.nn.functional.conv_transpose2d(
        theirs(torch, x), theirs(torch, weight), None if b is None else torch.from_numpy(b), **words
    )
    assert_same(kernels.conv_transpose2d(x, weight, b, **words), ours(y))


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_float32_is_as_near_to_float64_as_pytorch_is(torch, activation):
    """On a layer of 64 channels; four times PyTorch's own distance leaves room for another order of summation."""
    call = Call(
        (2, 20, 20, 64), (64, 3, 3, 64), padding=((1, 1), (1, 1)), bias=True, activation=activation, whole=False
    )
    x, w, bias = call.arrays("conv2d")
    exact = call.run("conv2d", [a.astype(np.float64) for a in (x, w, bias)], variant="naive")
    y = torch.nn.functional.conv2d(theirs(torch, x), theirs(torch, w), torch.from_numpy(bias), padding=1)
    distance = np.abs(ours(activated(torch, y, activation)) - exact).max()
    assert np.abs(call.run("conv2d", [x, w, bias], variant="direct") - exact).max() <= 4 * distance
