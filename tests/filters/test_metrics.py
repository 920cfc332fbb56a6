"""The metrics: against scikit-image, against their definitions, and on the inputs that go wrong."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.filters.similarity_by_axes import similarity_by_axes
from tolerances import SSIM, SSIM_FLOAT32_RIVAL

from tilegrad import filters, kernels

DTYPES = ("uint8", "uint16", "int16", "float16", "float32", "float64")
METRICS = ("mean_squared_error", "normalized_root_mse", "peak_signal_noise_ratio", "structural_similarity")


def images(shape, dtype="float64", seed=0, noise=20):
    """Two images of values in [20, 220] that resemble each other."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(40, 200, shape)
    return x.astype(dtype), (x + rng.uniform(-noise, noise, shape)).astype(dtype)


def quietly(function, *args, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **keywords)


@st.composite
def pairs(draw, least=1, axes=3):
    shape = draw(st.lists(st.integers(least, 24), min_size=1, max_size=axes))
    return images(shape, draw(st.sampled_from(DTYPES)), draw(st.integers(0, 2**32 - 1)))


@st.composite
def similarity_calls(draw):
    x, y = draw(pairs(least=7))
    channel = draw(st.sampled_from([None, -1, 0])) if x.ndim > 1 else None
    keywords = {
        "channel_axis": channel,
        "data_range": 255 if x.dtype.kind == "f" else draw(st.sampled_from([None, 255])),
        "win_size": draw(st.sampled_from([None, 3, 7])),
        "gaussian_weights": draw(st.booleans()),
        "use_sample_covariance": draw(st.booleans()),
        "K1": draw(st.sampled_from([0.01, 0.05])),
        "K2": draw(st.sampled_from([0.03, 0.1])),
        "sigma": draw(st.sampled_from([0.5, 1.5])),
        "gradient": draw(st.booleans()),
        "full": draw(st.booleans()),
    }
    if keywords["gaussian_weights"] and keywords["win_size"] is None:
        keywords["sigma"] = 0.8  # 7 taps, which every drawn image holds
    return x, y, keywords


@pytest.mark.parity
@given(similarity_calls())
def test_structural_similarity_equals_scikit_image(call):
    rival = pytest.importorskip("skimage.metrics")
    x, y, keywords = call
    ours = quietly(filters.structural_similarity, x, y, **keywords)
    theirs = quietly(rival.structural_similarity, x, y, **keywords)
    atol = SSIM_FLOAT32_RIVAL if x.dtype in (np.float16, np.float32) else SSIM
    ours, theirs = [result if isinstance(result, tuple) else (result,) for result in (ours, theirs)]
    assert len(ours) == len(theirs)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=atol)
    for a, b in zip(ours[1:], theirs[1:], strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=0, atol=atol * max(1.0, np.abs(b).max()))


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("gaussian", [False, True])
@pytest.mark.parametrize("shape", [(5, 6, 5, 7), (5, 5, 6, 5, 5)])
def test_structural_similarity_of_more_than_three_axes_equals_scikit_image(shape, gaussian, dtype):
    rival = pytest.importorskip("skimage.metrics")
    x, y = images(shape, dtype)
    keywords = {"gaussian_weights": gaussian, "sigma": 0.5, "data_range": 255, "gradient": True, "full": True}
    keywords |= {} if gaussian else {"win_size": 3}
    ours, theirs = [module.structural_similarity(x, y, **keywords) for module in (filters, rival)]
    atol = SSIM_FLOAT32_RIVAL if dtype == "float32" else SSIM
    np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=atol)
    for a, b in zip(ours[1:], theirs[1:], strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=0, atol=atol * max(1.0, np.abs(b).max()))
    mssim, full = filters.structural_similarity(
        np.stack([y, x]), np.stack([y, y]), **{**keywords, "gradient": False, "batch_axes": 1}
    )
    np.testing.assert_allclose(mssim, [1, ours[0]], rtol=1e-12)
    np.testing.assert_allclose(full[1], ours[2], rtol=1e-6)


def test_the_kernel_and_axis_after_axis_compute_the_same():
    x, y = images((2, 6, 7, 8))
    x[1, 3, 3, 3] = np.nan
    how = {"c1": 6.5, "c2": 58.0, "scale": 1.1, "axes": 3, "margin": 1}
    for maps in (0, 1, 4):
        found = similarity_by_axes(x, y, np.array([0.25, 0.5, 0.25]), maps=maps, **how)
        expected = kernels.structural_similarity(x, y, [0.25, 0.5, 0.25], maps=maps, **how)
        for ours, theirs in zip(found, expected, strict=True):
            assert (ours is None) == (maps == 0 and theirs.size == 0)
            if ours is not None:
                np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    assert np.isnan(found[1][0]).sum() == 27


def test_similarity_of_colours_in_four_axes_is_the_mean_over_them():
    x, y = images((4, 5, 4, 4, 3))
    found = filters.structural_similarity(x, y, win_size=3, data_range=255, channel_axis=-1)
    each = [filters.structural_similarity(x[..., c], y[..., c], win_size=3, data_range=255) for c in range(3)]
    np.testing.assert_allclose(found, np.mean(each), rtol=1e-12)
    quality = filters.psnr_and_ssim(x, y, win_size=3, data_range=255, channel_axis=-1)
    np.testing.assert_allclose(quality.ssim, found, rtol=1e-12)
    np.testing.assert_allclose(quality.psnr, filters.peak_signal_noise_ratio(x, y, data_range=255), rtol=1e-12)


@pytest.mark.parity
@given(pairs())
def test_errors_equal_scikit_image(pair):
    rival = pytest.importorskip("skimage.metrics")
    x, y = pair
    rtol = 1e-5 if x.dtype in (np.float16, np.float32) else 1e-12  # the rival squares in float32
    np.testing.assert_allclose(filters.mean_squared_error(x, y), rival.mean_squared_error(x, y), rtol=rtol)
    for normalization in ("euclidean", "min-max", "mean"):
        ours, theirs = [quietly(m.normalized_root_mse, x, y, normalization=normalization) for m in (filters, rival)]
        np.testing.assert_allclose(ours, theirs, rtol=rtol)
    data_range = 255 if x.dtype.kind == "f" else None
    ours, theirs = [quietly(m.peak_signal_noise_ratio, x, y, data_range=data_range) for m in (filters, rival)]
    np.testing.assert_allclose(ours, theirs, rtol=rtol)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "float32", "float64"])
def test_the_default_range_is_that_of_scikit_image(dtype):
    rival = pytest.importorskip("skimage.metrics")
    low = 0 if dtype in ("bool", "uint8") else -1
    x, y = np.array([low, 1, 0, 1]).astype(dtype), np.array([0, 1, 1, 1]).astype(dtype)
    for image in (x, np.abs(x)):
        ours, theirs = [m.peak_signal_noise_ratio(image, y) for m in (filters, rival)]
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_structural_similarity_of_one_window_is_the_formula():
    x, y = images((7, 7))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    (vx, vxy), (_, vy) = np.cov(x.ravel(), y.ravel())
    mx, my = x.mean(), y.mean()
    expected = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    ours = filters.structural_similarity(x, y, data_range=255)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_the_gradient_is_that_of_the_mean_far_from_the_border():
    x, y = images((25, 25))
    _, gradient, full = filters.structural_similarity(
        x, y, data_range=255, gradient=True, full=True, use_sample_covariance=False, win_size=5
    )
    step = 1e-4

    def mean(image):
        return filters.structural_similarity(
            x, image, data_range=255, full=True, use_sample_covariance=False, win_size=5
        )[1].mean()

    for pixel in ((12, 12), (9, 14)):
        up, down = y.copy(), y.copy()
        up[pixel] += step
        down[pixel] -= step
        np.testing.assert_allclose((mean(up) - mean(down)) / (2 * step), gradient[pixel], rtol=1e-5)
    assert full.shape == gradient.shape == x.shape


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_batch_equals_its_images(metric, dtype):
    x, y = images((2, 3, 9, 11, 3), dtype)
    keywords = {"data_range": 255} if metric in METRICS[2:] else {}
    channels = {"channel_axis": -1} if metric == "structural_similarity" else {}
    function = getattr(filters, metric)
    together = function(x, y, batch_axes=2, **keywords, **channels)
    assert together.shape == (2, 3)
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(together[i], function(x[i], y[i], **keywords, **channels), rtol=1e-14)


def test_maps_of_a_batch_keep_the_shape_of_the_images():
    x, y = images((2, 9, 3, 11), "float32")
    mssim, gradient, full = filters.structural_similarity(
        x, y, data_range=255, batch_axes=1, channel_axis=2, gradient=True, full=True
    )
    assert (mssim.shape, gradient.shape, full.shape) == ((2,), x.shape, x.shape)
    one = filters.structural_similarity(x[1, :, 2], y[1, :, 2], data_range=255, gradient=True, full=True)
    np.testing.assert_allclose(gradient[1, :, 2], one[1], rtol=1e-6)
    np.testing.assert_allclose(full[1, :, 2], one[2], rtol=1e-6)


def test_equal_images():
    x, _ = images((9, 9), "uint8")
    assert filters.mean_squared_error(x, x) == 0
    assert filters.peak_signal_noise_ratio(x, x) == math.inf
    assert filters.structural_similarity(x, x) == pytest.approx(1, abs=1e-14)


def test_not_a_number_propagates():
    x, y = images((9, 9))
    x[4, 4] = np.nan
    for metric in METRICS:
        keywords = {"data_range": 255} if metric in METRICS[2:] else {}
        assert np.isnan(getattr(filters, metric)(x, y, **keywords)), metric


def test_strides_and_read_only_images():
    x, y = images((20, 24), "float32")
    x.flags.writeable = False
    for metric in METRICS:
        keywords = {"data_range": 255} if metric in METRICS[2:] else {}
        function = getattr(filters, metric)
        seen = function(x[::-1, ::2], y[::-1, ::2], **keywords)
        assert seen == function(x[::-1, ::2].copy(), y[::-1, ::2].copy(), **keywords)


def test_guessed_ranges_warn():
    x, y = images((9, 9), "int16")
    with pytest.warns(UserWarning, match=r"Setting data_range based on im1.dtype, int16, to 65535; pass it to be sure"):
        filters.structural_similarity(x, y)
    with pytest.warns(UserWarning, match=r"Setting data_range based on im1.dtype, uint8, to 255, while im2 is int16"):
        filters.structural_similarity(x.astype(np.uint8), y)
    with pytest.warns(UserWarning, match="Inputs have mismatched dtype, uint8 and int16") as record:
        filters.peak_signal_noise_ratio(x.astype(np.uint8), y)
    assert record[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        filters.peak_signal_noise_ratio(x.astype(np.uint8), y, data_range=255)
        filters.peak_signal_noise_ratio(x, y)


A = np.ones((9, 9))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (A, A.tolist()), {}, "expects a numpy.ndarray or cupy.ndarray but got list"),
        (TypeError, (A.astype(complex), A), {}, "expects real numbers but got complex128"),
        (ValueError, (A, A[:8]), {}, r"expect one shape but got \(9, 9\) and \(8, 9\)"),
        (ValueError, (A, A), {"batch_axes": 3}, r"batch_axes expects a value in \[0, 2\]"),
        (TypeError, (A, A), {"batch_axes": None}, "batch_axes expects an integer"),
        (ValueError, (A[:0], A[:0]), {}, "(at least one number|exceeds the image)"),
    ],
)
def test_metrics_refuse(metric, error, arguments, keywords, message):
    with pytest.raises(error, match=f"{metric}: .*{message}"):
        getattr(filters, metric)(*arguments, **keywords)


@pytest.mark.parametrize(
    ("error", "keywords", "message"),
    [
        (ValueError, {"data_range": None}, "data_range expects a number for floating-point images"),
        (ValueError, {"data_range": 0}, "data_range expects a positive number"),
        (TypeError, {"data_range": "255"}, "data_range expects a number"),
        (ValueError, {"win_size": 4}, "win_size expects a positive odd number but got 4"),
        (ValueError, {"win_size": 11}, r"win_size = 11 exceeds the image \(shape \(9, 9\)"),
        (TypeError, {"win_size": 7.0}, "win_size expects an integer"),
        (ValueError, {"win_size": 1}, "use_sample_covariance expects a window of more than one pixel"),
        (ValueError, {"gaussian_weights": True}, "win_size = 11 exceeds the image"),
        (ValueError, {"K1": -1.0}, "K1 expects a number of at least 0"),
        (ValueError, {"K2": float("nan")}, "K2 expects a number of at least 0"),
        (ValueError, {"sigma": -1.0}, "sigma expects a number of at least 0"),
        (ValueError, {"channel_axis": 5}, "channel_axis expects a value in"),
        (ValueError, {"batch_axes": 2}, "im1 and im2 expect an axis beside those of the batch"),
    ],
)
def test_structural_similarity_refuses(error, keywords, message):
    with pytest.raises(error, match=f"structural_similarity: {message}"):
        filters.structural_similarity(A, A, **{"data_range": 1.0, **keywords})


def test_errors_refuse_unknown_ranges_and_units():
    with pytest.raises(ValueError, match=r"peak_signal_noise_ratio: image_true expects values in \[-1, 1\]"):
        filters.peak_signal_noise_ratio(2 * A, A)
    with pytest.raises(ValueError, match="peak_signal_noise_ratio: data_range expects a positive number"):
        filters.peak_signal_noise_ratio(A, A, data_range=-1)
    with pytest.raises(ValueError, match="normalized_root_mse: normalization expects 'euclidean'"):
        filters.normalized_root_mse(A, A, normalization="max")
