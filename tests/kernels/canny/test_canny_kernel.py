"""Canny on integers: against its definition, and bit for bit against OpenCV."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.canny.reference import TAN_22, sixteenth

from tilegrad import kernels

SIZES = (1, 2, 3, 5, 17, 31, 32, 33, 63, 64, 65, 130)
UNIT = {3: 1, 5: 12, 7: 160}  # the gradient of a step of 1, relative to aperture 3


def image(rng, shape):
    """Noise, smooth, quantised, both, or blocks: with ties, with long edges, or neither."""
    kind = rng.integers(5)
    x = rng.integers(0, 256, shape).astype(np.float64)
    if kind in (1, 3):
        for axis in (0, 1):
            for _ in range(3):
                x = (x + np.roll(x, 1, axis) + np.roll(x, -1, axis)) / 3
        x = (x - x.min()) / max(np.ptp(x), 1) * 255
    if kind in (2, 3):
        x = x // 32 * 32
    if kind == 4:
        x = np.kron(x[: -(-shape[0] // 4), : -(-shape[1] // 4)], np.ones((4, 4, 1)))[: shape[0], : shape[1]]
    return x.astype(np.uint8)


def thresholds(rng, aperture):
    """Whole and fractional, zero, in either order."""
    low, high = rng.choice([0, 10, 33.3, 50, 100, 150.5, 200, 255, 400, -5, 1e6], 2) * UNIT[aperture]
    return float(low), float(high)


@st.composite
def calls(draw):
    """A batch of images and the other arguments of a call."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    h, w, c = draw(st.sampled_from(SIZES)), draw(st.sampled_from(SIZES)), draw(st.sampled_from([1, 2, 3]))
    aperture = draw(st.sampled_from([3, 5, 7]))
    x = np.stack([image(rng, (h, w, c)) for _ in range(draw(st.sampled_from([1, 3])))])
    return x, sorted(thresholds(rng, aperture)), {"aperture": aperture, "norm": draw(st.sampled_from(["l1", "l2"]))}


@given(calls())
def test_rows_equal_the_definition(call):
    x, (low, high), keywords = call
    out = np.full(x.shape[:3], 7, np.uint8)
    assert kernels.canny(x, low, high, out=out, **keywords) is out
    np.testing.assert_array_equal(out, kernels.canny(x, low, high, variant="naive", **keywords))


@given(st.integers(0, 2**32 - 1), st.sampled_from(SIZES), st.sampled_from(SIZES), st.sampled_from(["l1", "l2"]))
def test_given_gradients_equal_the_definition(seed, h, w, norm):
    rng = np.random.default_rng(seed)
    largest = rng.choice([3, 300, 32767])
    dx, dy = rng.integers(-largest - 1, largest + 1, (2, 2, h, w)).astype(np.int16)
    low, high = sorted(rng.uniform(0, largest, 2))
    out = np.full(dx.shape, 7, np.uint8)
    kernels.canny_of_gradient(dx, dy, low, high, norm=norm, out=out)
    np.testing.assert_array_equal(out, kernels.canny_of_gradient(dx, dy, low, high, norm=norm, variant="naive"))


@pytest.mark.parity
@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("aperture", [3, 5, 7])
def test_equals_opencv(aperture, norm):
    """5,000 images in aperture 3. Beyond, OpenCV's vector code decides some directions in floating point."""
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng((aperture, norm == "l2"))
    optimised = cv2.useOptimized()
    cv2.setUseOptimized(aperture == 3)
    try:
        for _ in range(2500 if aperture == 3 else 300):
            h, w, c = rng.choice(SIZES), rng.choice(SIZES), rng.choice([1, 1, 3, 4])
            x = image(rng, (h, w, c))
            first, second = thresholds(rng, aperture)
            expected = cv2.Canny(x, first, second, apertureSize=aperture, L2gradient=norm == "l2")
            found = kernels.canny(x[None], min(first, second), max(first, second), aperture=aperture, norm=norm)[0]
            where = f"{(h, w, c)}, thresholds {first}, {second}"
            np.testing.assert_array_equal(found, expected, err_msg=where)
    finally:
        cv2.setUseOptimized(optimised)


def test_the_direction_in_16_bits_is_that_in_32():
    """For all derivatives that aperture 5 can have, the largest of the three, beside both bounds."""
    x = np.arange(12241)[:, None]
    q = (2 * x * TAN_22) >> 16
    beside = np.arange(-2, 3)
    for y in (np.maximum(q + beside, 0), np.maximum(q + 2 * x + beside, 0)):
        some = (x > 0) | (y > 0)
        assert (((y << 15) < x * TAN_22) == (y <= q))[some].all()
        assert (((y << 15) > x * TAN_22 + (x << 16)) == (y - 2 * x > q))[some].all()


def test_sixteenths_round_halves_to_even():
    values = np.arange(-1000, 1000)
    np.testing.assert_array_equal(sixteenth(values), np.rint(values / 16))


def test_edges_join_across_bands():
    """One long line, strong at a single place, through many bands of rows."""
    x = np.zeros((1, 400, 40, 1), np.uint8)
    x[:, :, 20:] = 30
    x[:, 200:203, 20:] = 90
    edges = kernels.canny(x, 100, 300)[0]
    assert (edges[:, 19:21].max(axis=1) == 255).all()
    x[:, 200:203, 20:] = 30
    assert not kernels.canny(x, 100, 300).any()


@pytest.mark.parametrize("shape", [(0, 4, 5, 1), (2, 0, 5, 1), (2, 4, 0, 3)])
def test_empty_images_stay_empty(shape):
    assert kernels.canny(np.empty(shape, np.uint8), 1, 2).shape == shape[:3]
    gradient = np.empty(shape[:3], np.int16)
    assert kernels.canny_of_gradient(gradient, gradient, 1, 2).shape == shape[:3]


def test_any_strides():
    x = np.random.default_rng(0).integers(0, 256, (2, 30, 40, 3)).astype(np.uint8)
    x.flags.writeable = False
    for view in (x, x[::-1, ::-1], x.transpose(0, 2, 1, 3), x[:, ::2, 1::3], np.broadcast_to(x[:1], x.shape)):
        np.testing.assert_array_equal(kernels.canny(view, 200, 400), kernels.canny(np.array(view, order="C"), 200, 400))


IMAGE, GRADIENT = np.ones((1, 4, 5, 1), np.uint8), np.ones((1, 4, 5), np.int16)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (IMAGE.astype(np.int16), 1, 2), {}, "x expects uint8 but got int16"),
        (ValueError, (IMAGE[0], 1, 2), {}, r"x expects shape \(N, H, W, C\)"),
        (ValueError, (IMAGE[..., :0], 1, 2), {}, r"x expects shape .* with a channel at least"),
        (ValueError, (IMAGE, 2, 1), {}, "low expects a number of at most high = 1 but got 2"),
        (ValueError, (IMAGE, float("nan"), 1), {}, "low expects a number but got nan"),
        (TypeError, (IMAGE, 1, "2"), {}, "high expects a number but got '2'"),
        (ValueError, (IMAGE, 1, 2), {"aperture": 4}, "aperture expects 3, 5 or 7 but got 4"),
        (TypeError, (IMAGE, 1, 2), {"aperture": 3.0}, "aperture expects an integer"),
        (ValueError, (IMAGE, 1, 2), {"norm": "max"}, "norm expects"),
        (TypeError, (IMAGE, 1, 2), {"norm": 2}, "norm expects a string"),
    ],
)
def test_canny_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"canny: {message}"):
        kernels.canny(*arguments, **keywords)


@pytest.mark.parametrize(
    ("error", "dx", "dy", "message"),
    [
        (TypeError, IMAGE[..., 0], GRADIENT, "dx expects int16 but got uint8"),
        (ValueError, GRADIENT, GRADIENT[:, 1:], "dx and dy expect one shape"),
    ],
)
def test_canny_of_gradient_refuses(error, dx, dy, message):
    with pytest.raises(error, match=f"canny_of_gradient: {message}"):
        kernels.canny_of_gradient(dx, dy, 1, 2)
