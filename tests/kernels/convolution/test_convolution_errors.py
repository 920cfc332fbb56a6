"""What the convolutions refuse: the error says the operation, what it expects and what it got; nothing is written."""

import numpy as np
import pytest

from tilegrad import kernels


def ones(*shape, dtype="float32"):
    return np.ones(shape, dtype)


X, W = ones(2, 8, 9, 6), ones(4, 3, 3, 6)
SEEN = r"\(input \(2, 8, 9, 6\), weight \(4, 3, 3, 6\)\)"

CONV2D = [
    (ValueError, (X, ones(4, 3, 3, 5)), {}, "weight expects C_in // groups = 5 but input has C = 6 with groups = 1"),
    (ValueError, (X, W), {"groups": 2}, "weight expects C_in // groups = 6 but input has C = 6 with groups = 2"),
    (ValueError, (X, W), {"groups": 4}, f"groups = 4 must divide C = 6 and C_out = 4 {SEEN}"),
    (ValueError, (X, W), {"groups": 0}, "groups expects a positive integer but got 0"),
    (ValueError, (X, W), {"groups": 1.0}, "groups expects a positive integer but got 1.0"),
    (ValueError, (X[0], W), {}, r"input expects 4 axes \(N, H, W, C\) but got shape \(8, 9, 6\)"),
    (ValueError, (X, W[0]), {}, r"weight expects 4 axes \(C_out, KH, KW, C_in//groups\) but got shape \(3, 3, 6\)"),
    (ValueError, (X, ones(4, 0, 3, 6)), {}, "weight expects no empty axis"),
    (ValueError, (X, ones(0, 3, 3, 6)), {}, "weight expects no empty axis"),
    (ValueError, (X, ones(4, 9, 3, 6)), {}, "kernel covers 9 x 3 pixels but the padded input has 8 x 9"),
    (ValueError, (X, W), {"dilation": (1, 5)}, "kernel covers 3 x 11 pixels but the padded input has 8 x 9"),
    (ValueError, (ones(2, 0, 9, 6), W), {}, "kernel covers 3 x 3 pixels but the padded input has 0 x 9"),
    (TypeError, (X, W.astype("float64")), {}, "input and weight expect one dtype but got float32 and float64"),
    (TypeError, (X.astype(int), W.astype(int)), {}, "input expects float32 or float64 but got int64"),
    (TypeError, (X.astype("float16"), W), {}, "input expects float32 or float64 but got float16"),
    (TypeError, (X.astype(">f4"), W), {}, "expects numbers in this machine's byte order but got >f4"),
    (TypeError, (X, W.astype("complex64")), {}, "weight expects float32 or float64 but got complex64"),
    (TypeError, ([1.0], W), {}, "expects a numpy.ndarray or cupy.ndarray but got list"),
    (TypeError, (X, None), {}, "weight expects an array but got None"),
    (ValueError, (X, W, ones(3)), {}, r"bias expects \(4,\) float32 but got \(3,\) float32"),
    (ValueError, (X, W, ones(4, dtype="float64")), {}, r"bias expects \(4,\) float32 but got \(4,\) float64"),
    (ValueError, (X, W), {"stride": 0}, "stride expects values of at least 1 but got 0"),
    (TypeError, (X, W), {"stride": 1.5}, r"stride expects an integer or \(height, width\) but got 1.5"),
    (TypeError, (X, W), {"stride": (1, 2, 3)}, r"stride expects an integer or \(height, width\) but got \(1, 2, 3\)"),
    (TypeError, (X, W), {"stride": "2"}, r"stride expects an integer or \(height, width\) but got '2'"),
    (TypeError, (X, W), {"stride": (True, 1)}, r"stride expects an integer or \(height, width\) but got \(True, 1\)"),
    (ValueError, (X, W), {"dilation": (0, 1)}, r"dilation expects values of at least 1 but got \(0, 1\)"),
    (ValueError, (X, W), {"padding": -1}, "padding expects values of at least 0 but got -1"),
    (ValueError, (X, W), {"padding": ((0, -1), (0, 0))}, r"padding expects values of at least 0 but got \(0, -1\)"),
    (TypeError, (X, W), {"padding": "same"}, "padding expects an integer or .* but got 'same'"),
    (TypeError, (X, W), {"padding": ((1, 1), 1)}, r"padding expects an integer or .* but got \(\(1, 1\), 1\)"),
    (TypeError, (X, W), {"padding": (1, 1, 1, 1)}, r"padding expects an integer or .* but got \(1, 1, 1, 1\)"),
    (ValueError, (X, W), {"activation": "swish"}, "activation expects one of None, 'relu', .* but got 'swish'"),
    (ValueError, (X, W), {"variant": "magic"}, r'no variant "magic" for arrays on cpu \(there are: cpu\.'),
    (ValueError, (X, W), {"variant": "depthwise"}, 'variant "depthwise" needs groups = C = C_out'),
    (ValueError, (X, W), {"out": ones(2, 6, 7, 5)}, r"out expects \(2, 6, 7, 4\) float32 but got \(2, 6, 7, 5\)"),
    (ValueError, (X, W), {"out": ones(2, 6, 7, 4, dtype="float64")}, r"out expects .* but got .* float64"),
    (ValueError, (X, W), {"out": ones(4, 7, 6, 2).T}, "out expects a writeable C-contiguous array"),
    (TypeError, (X, W), {"out": [0.0]}, "expects a numpy.ndarray or cupy.ndarray but got list"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "arrays", "keywords", "message"), CONV2D)
def test_conv2d(error, arrays, keywords, message):
    with pytest.raises(error, match=f"^conv2d: .*{message}"):
        kernels.conv2d(*arrays, **keywords)


GY = ones(2, 6, 7, 4)
INPUT_GRAD = [
    (ValueError, (GY, W, (2, 9, 9, 6)), {}, r"gy expects shape \(2, 7, 7, 4\) but got \(2, 6, 7, 4\) \(input_shape"),
    (ValueError, (GY, W, (2, 8, 9)), {}, r"input_shape expects \(N, H, W, C\) but got \(2, 8, 9\)"),
    (ValueError, (GY, W, (2, 8, -9, 6)), {}, r"input_shape expects \(N, H, W, C\) but got \(2, 8, -9, 6\)"),
    (TypeError, (GY, W, (2, 8, 9.0, 6)), {}, "input_shape expects a tuple of integers but got"),
    (TypeError, (GY, W, 6), {}, "input_shape expects a tuple of integers but got 6"),
    (ValueError, (GY, W, (2, 8, 9, 5)), {}, "weight expects C_in // groups = 6 but input has C = 5"),
    (ValueError, (GY, W, (2, 8, 9, 6)), {"bias": ones(4)}, r"bias expects \(6,\) float32 but got \(4,\) float32"),
    (ValueError, (GY, W, (2, 8, 9, 6)), {"out": ones(2, 8, 9, 5)}, r"out expects \(2, 8, 9, 6\) float32"),
    (TypeError, (GY.astype(int), W, (2, 8, 9, 6)), {}, "gy expects float32 or float64 but got int64"),
]


@pytest.mark.parametrize(("error", "arguments", "keywords", "message"), INPUT_GRAD)
def test_conv2d_input_grad(error, arguments, keywords, message):
    with pytest.raises(error, match=f"^conv2d_input_grad: .*{message}"):
        kernels.conv2d_input_grad(*arguments, **keywords)


WEIGHT_GRAD = [
    (ValueError, (GY, X, (4, 3, 4, 6)), {}, r"gy expects shape \(2, 6, 6, 4\) but got \(2, 6, 7, 4\) .*weight_shape"),
    (ValueError, (GY, X, (4, 3, 3)), {}, r"weight_shape expects \(C_out, KH, KW, C_in//groups\) but got \(4, 3, 3\)"),
    (TypeError, (GY, X, None), {}, "weight_shape expects a tuple of integers but got None"),
    (TypeError, (GY, X.astype("f8"), (4, 3, 3, 6)), {}, "gy and input expect one dtype but got float32 and float64"),
    (ValueError, (GY, X, (4, 3, 3, 6)), {"out": ones(4, 3, 3, 5)}, r"out expects \(4, 3, 3, 6\) float32"),
]


@pytest.mark.parametrize(("error", "arguments", "keywords", "message"), WEIGHT_GRAD)
def test_conv2d_weight_grad(error, arguments, keywords, message):
    with pytest.raises(error, match=f"^conv2d_weight_grad: .*{message}"):
        kernels.conv2d_weight_grad(*arguments, **keywords)


TRANSPOSED = [
    (ValueError, (GY, W[:3]), {}, "weight expects C_in = 3 but input has C = 4"),
    (ValueError, (GY[0], W), {}, r"input expects 4 axes \(N, H, W, C_in\) but got shape \(6, 7, 4\)"),
    (ValueError, (GY, W), {"output_padding": 1}, "output_padding expects less than the stride but got 1"),
    (ValueError, (GY, W), {"output_padding": (0, 2), "stride": 2}, r"less than the stride but got \(0, 2\) .*\(2, 2\)"),
    (ValueError, (GY, W), {"output_padding": 1, "dilation": 2}, "output_padding expects less than the stride but got"),
    (ValueError, (GY, W), {"output_padding": -1}, "output_padding expects values of at least 0 but got -1"),
    (TypeError, (GY, W), {"output_padding": "1"}, "output_padding expects an integer"),
    (ValueError, (GY, W, ones(4)), {}, r"bias expects \(6,\) float32 but got \(4,\) float32"),
    (ValueError, (GY, W), {"padding": 5}, "padding 5 .*leaves no output"),
    (ValueError, (GY, W), {"groups": 3}, "groups expects a divisor of C_in = 4 but got 3"),
    (TypeError, ([1.0], W), {}, "expects a numpy.ndarray or cupy.ndarray but got list"),
    (TypeError, (GY, W.astype("f8")), {}, "expect one dtype but got float32 and float64"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "arguments", "keywords", "message"), TRANSPOSED)
def test_conv_transpose2d(error, arguments, keywords, message):
    """Its errors bear its own name and that of its own arguments."""
    with pytest.raises(error, match=f"^conv_transpose2d: .*{message}"):
        kernels.conv_transpose2d(*arguments, **keywords)


def test_out_must_not_overlap_an_input():
    memory = ones(4096)
    x, y = memory[: 2 * 8 * 9 * 6].reshape(X.shape), memory[100 : 100 + GY.size].reshape(GY.shape)
    before = memory.copy()
    with pytest.raises(ValueError, match="conv2d: out shares memory with an input"):
        kernels.conv2d(x, W, out=y)
    np.testing.assert_array_equal(memory, before)


def test_a_refused_call_writes_nothing():
    out = np.full((2, 6, 7, 4), 7.0, np.float32)
    for keywords in ({"stride": 2}, {"activation": "swish"}, {"variant": "magic"}, {"groups": 4}):
        with pytest.raises(ValueError, match="conv2d"):
            kernels.conv2d(X, W, out=out, **keywords)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out expects a writeable"):
        kernels.conv2d(X, W, out=out)
    assert (out == 7).all()


def test_lists_and_numpy_integers_are_arguments_too():
    expected = kernels.conv2d(X, W, stride=(2, 1), padding=((1, 0), (2, 1)))
    found = kernels.conv2d(X, W, stride=[np.int32(2), np.int64(1)], padding=[[1, 0], [2, 1]])
    np.testing.assert_array_equal(found, expected)
    same = kernels.conv2d_weight_grad(GY, X, [4, np.int64(3), 3, 6])
    np.testing.assert_array_equal(same, kernels.conv2d_weight_grad(GY, X, W.shape))
