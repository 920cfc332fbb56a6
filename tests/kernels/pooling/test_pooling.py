"""Pooling against its definition and PyTorch: windows of every kind, NaN, places, adjoints, bad input."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import SEPARABLE

from tilegrad import kernels

DTYPES = ["float32", "float64"]


def nhwc(tensor):
    return tensor.detach().permute(0, 2, 3, 1).numpy()


@st.composite
def windows(draw, dilated):
    """The shape of an image and a window that fits it: odd sizes, single rows and columns, few and many channels."""
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 4)))
    dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 2))) if dilated else (1, 1)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    h, w = (max(1, r - 2 * p) + draw(st.integers(0, 6)) for r, p in zip(reach, padding, strict=True))
    window = {
        "kernel_size": kernel,
        "stride": draw(st.sampled_from([None, 1, 2, (3, 1)])),
        "padding": padding,
        "ceil_mode": draw(st.booleans()),
    }
    if dilated:
        window["dilation"] = dilation
    else:
        window["count_include_pad"] = draw(st.booleans())
        window["divisor_override"] = draw(st.sampled_from([None, None, 3, -2]))
    return (draw(st.integers(0, 3)), h, w, draw(st.sampled_from([1, 2, 3, 16, 17, 67]))), window


def image(shape, dtype, seed=0, few=False):
    """Normal values, or a few numbers many times, so that maxima are tied."""
    random = np.random.default_rng(seed)
    return np.asarray(random.integers(0, 3, shape) if few else random.standard_normal(shape), dtype)


def sees_pixels(call):
    """Whether each window sees some, which is not so where dilation leads over a small image; that is refused."""
    shape, window = call
    if "dilation" not in window:
        return True
    try:
        kernels.max_pool2d(np.zeros(shape), **window)
    except ValueError:
        return False
    return True


@given(
    call=windows(dilated=True).filter(sees_pixels), dtype=st.sampled_from(DTYPES), few=st.booleans(), nan=st.booleans()
)
def test_max_pool2d_equals_the_definition(call, dtype, few, nan):
    (n, h, w, c), window = call
    x = image((min(n, 2), h, w, min(c, 17)), dtype, few=few)
    if nan:
        x.reshape(-1)[::5] = np.nan
    expected, places = kernels.max_pool2d(x, **window, return_indices=True, variant="naive")
    out = (np.full_like(expected, 9), np.full_like(places, -9))
    assert kernels.max_pool2d(x, **window, return_indices=True, out=out) == out
    np.testing.assert_array_equal(out[0], expected)
    np.testing.assert_array_equal(out[1], places)
    np.testing.assert_array_equal(kernels.max_pool2d(x, **window), expected)
    gy = image(expected.shape, dtype, 1)
    gx = kernels.max_pool2d_grad(gy, places, x.shape, **window, out=np.full_like(x, 9))
    definition = kernels.max_pool2d_grad(gy, places, x.shape, **window, variant="naive")
    np.testing.assert_allclose(gx, definition, rtol=SEPARABLE[dtype], atol=SEPARABLE[dtype] * 10)
    np.testing.assert_array_equal(kernels.take_pixels(x, places), expected)


@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    apart=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    more=st.tuples(st.integers(0, 7), st.integers(0, 7)),
    padded=st.booleans(),
    ceil_mode=st.booleans(),
    channels=st.sampled_from([1, 3, 16, 17, 67]),
    dtype=st.sampled_from(DTYPES),
)
def test_gradients_of_windows_apart_are_exact(kernel, apart, more, padded, ceil_mode, channels, dtype):
    """Each pixel takes one number or none: what lies between windows is zero, and NaN goes to its own place alone."""
    padding = tuple(k // 2 for k in kernel) if padded else (0, 0)
    h, w = (k - p + m for k, p, m in zip(kernel, padding, more, strict=True))
    window = {
        "kernel_size": kernel,
        "stride": tuple(k + a for k, a in zip(kernel, apart, strict=True)),
        "padding": padding,
        "ceil_mode": ceil_mode,
    }
    x = image((2, h, w, channels), dtype, few=True)
    places = kernels.max_pool2d(x, **window, return_indices=True)[1]
    places.reshape(-1)[::5] = image(places.reshape(-1)[::5].shape, "int32", 2, few=True)  # some are of other windows
    gy = image(places.shape, dtype, 1)
    gy.reshape(-1)[::4], gy.reshape(-1)[1::7] = np.nan, -np.inf
    gx = kernels.max_pool2d_grad(gy, places, x.shape, **window, out=np.full_like(x, 9))
    np.testing.assert_array_equal(gx, kernels.max_pool2d_grad(gy, places, x.shape, **window, variant="naive"))


@pytest.mark.parity
@given(
    call=windows(dilated=True).filter(sees_pixels), dtype=st.sampled_from(DTYPES), few=st.booleans(), nan=st.booleans()
)
def test_max_pool2d_equals_pytorch(call, dtype, few, nan):
    torch = pytest.importorskip("torch")
    shape, window = call
    x = image(shape, dtype, few=few)
    if not shape[0]:
        return
    if nan:
        x.reshape(-1)[::7] = np.nan
    leaf = torch.from_numpy(x).permute(0, 3, 1, 2).clone().requires_grad_()
    expected, places = torch.nn.functional.max_pool2d(leaf, **window, return_indices=True)
    y, indices = kernels.max_pool2d(x, **window, return_indices=True)
    np.testing.assert_array_equal(y, nhwc(expected))
    np.testing.assert_array_equal(indices, nhwc(places))
    gy = image(y.shape, dtype, 1)
    expected.backward(torch.from_numpy(gy).permute(0, 3, 1, 2))
    gx = kernels.max_pool2d_grad(gy, indices, x.shape, **window)
    np.testing.assert_allclose(gx, nhwc(leaf.grad), rtol=SEPARABLE[dtype], atol=SEPARABLE[dtype] * 10)


@pytest.mark.parity
@given(call=windows(dilated=False), dtype=st.sampled_from(DTYPES))
def test_avg_pool2d_equals_pytorch(call, dtype):
    torch = pytest.importorskip("torch")
    shape, window = call
    if not shape[0]:
        return
    x = image(shape, dtype)
    leaf = torch.from_numpy(x).permute(0, 3, 1, 2).clone().requires_grad_()
    expected = torch.nn.functional.avg_pool2d(leaf, **window)
    y = kernels.avg_pool2d(x, **window, out=np.full(nhwc(expected).shape, 9, dtype))
    tolerance = {"rtol": SEPARABLE[dtype], "atol": SEPARABLE[dtype] * 10}
    np.testing.assert_allclose(y, nhwc(expected), **tolerance)
    gy = image(y.shape, dtype, 1)
    expected.backward(torch.from_numpy(gy).permute(0, 3, 1, 2))
    np.testing.assert_allclose(kernels.avg_pool2d_grad(gy, x.shape, **window), nhwc(leaf.grad), **tolerance)


@given(call=windows(dilated=False), dtype=st.sampled_from(DTYPES))
def test_avg_pool2d_equals_the_definition(call, dtype):
    (n, h, w, c), window = call
    x = image((min(n, 2), h, w, min(c, 17)), dtype)
    expected = kernels.avg_pool2d(x, **window, variant="reference" if x.size < 300 else "naive")
    tolerance = {"rtol": SEPARABLE[dtype], "atol": SEPARABLE[dtype] * 10}
    np.testing.assert_allclose(kernels.avg_pool2d(x, **window), expected, **tolerance)
    definition = kernels.avg_pool2d_grad(expected, x.shape, **window, variant="naive")
    np.testing.assert_allclose(kernels.avg_pool2d_grad(expected, x.shape, **window), definition, **tolerance)


@pytest.mark.parity
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 16, 33])),
    size=st.tuples(st.integers(1, 11), st.integers(1, 11) | st.none()),
    dtype=st.sampled_from(DTYPES),
)
def test_adaptive_pooling_equals_pytorch(shape, size, dtype):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    x = image(shape, dtype)
    tolerance = {"rtol": SEPARABLE[dtype], "atol": SEPARABLE[dtype] * 10}
    leaf = torch.from_numpy(x).permute(0, 3, 1, 2).clone().requires_grad_()
    expected = functional.adaptive_avg_pool2d(leaf, size)
    y = kernels.adaptive_avg_pool2d(x, size)
    np.testing.assert_allclose(y, nhwc(expected), **tolerance)
    gy = image(y.shape, dtype, 1)
    expected.backward(torch.from_numpy(gy).permute(0, 3, 1, 2))
    np.testing.assert_allclose(kernels.adaptive_avg_pool2d_grad(gy, shape), nhwc(leaf.grad), **tolerance)
    leaf.grad = None
    expected, places = functional.adaptive_max_pool2d(leaf, size, return_indices=True)
    y, indices = kernels.adaptive_max_pool2d(x, size, return_indices=True)
    np.testing.assert_array_equal(y, nhwc(expected))
    np.testing.assert_array_equal(indices, nhwc(places))
    np.testing.assert_array_equal(kernels.adaptive_max_pool2d(x, size), y)
    expected.backward(torch.from_numpy(gy).permute(0, 3, 1, 2))
    np.testing.assert_allclose(kernels.adaptive_max_pool2d_grad(gy, indices, shape), nhwc(leaf.grad), **tolerance)


@given(call=windows(dilated=True).filter(sees_pixels), other=windows(dilated=False))
def test_gradients_are_adjoint(call, other):
    """``<A x, y> = <x, A' y>``, of averages, and of what max pooling does with places."""
    shape, window = other
    x = image(shape, "float64")
    y = kernels.avg_pool2d(x, **window)
    gy = image(y.shape, "float64", 1)
    assert np.vdot(y, gy) == pytest.approx(np.vdot(x, kernels.avg_pool2d_grad(gy, shape, **window)), abs=1e-10)
    shape, window = call
    x = image(shape, "float64")
    places = kernels.max_pool2d(x, **window, return_indices=True)[1]
    other, gy = image(shape, "float64", 2), image(places.shape, "float64", 1)
    put = kernels.max_pool2d_grad(gy, places, shape, **window)
    assert np.vdot(kernels.take_pixels(other, places), gy) == pytest.approx(np.vdot(other, put), abs=1e-10)


def test_a_window_of_minus_infinity_has_the_first_place():
    x = np.full((1, 2, 2, 3), -np.inf, np.float32)
    y, places = kernels.max_pool2d(x, 2, return_indices=True)
    np.testing.assert_array_equal(y, -np.inf)
    np.testing.assert_array_equal(places, 0)


def test_a_nan_stays_and_the_last_one_has_the_place():
    x = np.array([1.0, np.nan, 3.0, np.nan, 5.0, 6.0], np.float32).reshape(1, 2, 3, 1)
    y, places = kernels.adaptive_max_pool2d(x, 1, return_indices=True)
    assert np.isnan(y.item())
    assert places.item() == 3


def test_averages_of_ones_are_ones():
    x = np.ones((1, 12, 12, 17), np.float32)
    for size in range(1, 8):
        np.testing.assert_array_equal(kernels.avg_pool2d(x, size), 1)
        np.testing.assert_array_equal(kernels.avg_pool2d(x, size, padding=size // 2, count_include_pad=False), 1)


def test_nothing_depends_on_the_number_of_threads():
    x, threads = image((4, 30, 31, 33), "float32"), numba.get_num_threads()
    calls = [
        lambda: kernels.avg_pool2d(x, 5, stride=3, padding=2),
        lambda: kernels.avg_pool2d_grad(x, (4, 32, 33, 33), 3, stride=1),
        lambda: kernels.max_pool2d(x, 3, stride=2, return_indices=True)[1],
    ]
    many = [call() for call in calls]
    numba.set_num_threads(1)
    try:
        for call, expected in zip(calls, many, strict=True):
            np.testing.assert_array_equal(call(), expected)
    finally:
        numba.set_num_threads(threads)


X = np.ones((2, 4, 5, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.max_pool2d(X, 6), r"max_pool2d: window covers 6 x 6 pixels but the padded input has 4 x 5"),
        (
            lambda: kernels.avg_pool2d(X, 2, padding=2),
            r"avg_pool2d: padding expects at most half of kernel_size \(1, 1\)",
        ),
        (lambda: kernels.max_pool2d(X, 0), "max_pool2d: kernel_size expects values of at least 1 but got 0"),
        (lambda: kernels.max_pool2d(X, 2, stride=0), "max_pool2d: stride expects values of at least 1 but got 0"),
        (lambda: kernels.max_pool2d(X, 2, padding=-1), "max_pool2d: padding expects values of at least 0 but got -1"),
        (lambda: kernels.max_pool2d(X, 2, dilation=0), "max_pool2d: dilation expects values of at least 1 but got 0"),
        (lambda: kernels.max_pool2d(X[0], 2), r"max_pool2d: x expects 4 axes \(N, H, W, C\) but got shape"),
        (lambda: kernels.max_pool2d(X[:, :0], 1), "max_pool2d: window covers 1 x 1 pixels but the padded input has 0"),
        (lambda: kernels.max_pool2d(X[:, :2], 2, dilation=3, padding=1), "max_pool2d: a window lies in the padding"),
        (lambda: kernels.avg_pool2d(X, 2, divisor_override=0), "avg_pool2d: divisor_override expects an integer other"),
        (lambda: kernels.adaptive_avg_pool2d(X, 0), "adaptive_avg_pool2d: output_size expects values of at least 1"),
        (lambda: kernels.adaptive_max_pool2d(X[:, :0], 1), "adaptive_max_pool2d: x expects at least one pixel"),
        (
            lambda: kernels.avg_pool2d_grad(X, X.shape, 2),
            r"avg_pool2d_grad: gy expects \(2, 2, 2, 3\) but got \(2, 4, ",
        ),
        (
            lambda: kernels.adaptive_max_pool2d_grad(X, np.zeros((2, 4, 5, 1), "i4"), X.shape),
            r"adaptive_max_pool2d_grad: indices expects \(2, 4, 5, 3\) but got \(2, 4, 5, 1\)",
        ),
        (
            lambda: kernels.take_pixels(X, np.full(X.shape, 20, "i4")),
            r"take_pixels: indices expects values in \[0, 20\)",
        ),
        (lambda: kernels.take_pixels(X, np.full((1, 4, 5, 3), 1, "i4")), r"take_pixels: indices expects \(N = 2, P, Q"),
    ],
)
def test_wrong_sizes_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.max_pool2d(X.astype(int), 2), "max_pool2d: x expects float32 or float64 but got int64"),
        (lambda: kernels.avg_pool2d(X, 2.0), "avg_pool2d: kernel_size expects an integer or"),
        (lambda: kernels.avg_pool2d(X, 2, divisor_override=1.5), "avg_pool2d: divisor_override expects an integer or"),
        (lambda: kernels.take_pixels(X, np.zeros(X.shape, int)), "take_pixels: indices expects int32 but got int64"),
        (lambda: kernels.adaptive_avg_pool2d([1.0], 1), "adaptive_avg_pool2d: expects a numpy.ndarray"),
    ],
)
def test_wrong_types_are_refused(call, message):
    with pytest.raises(TypeError, match=message):
        call()
