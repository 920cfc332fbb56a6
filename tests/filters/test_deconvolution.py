"""Wiener's filter and Richardson and Lucy's iteration: against scikit-image, on blurs undone, on odd inputs."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tilegrad.filters.deconvolution import _fast_length
from tolerances import DECONVOLUTION

from tilegrad import filters

PSF = np.outer([1, 2, 1], [1, 3, 2, 1]) / 28.0
DTYPES = ("float16", "float32", "float64", "uint8")


def blurred(shape, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    image = np.cumsum(rng.random(shape), axis=-1)
    return (image / image.max() * (255 if dtype == "uint8" else 1)).astype(dtype)


@st.composite
def calls(draw):
    shape = draw(st.lists(st.sampled_from([4, 7, 16, 21]), min_size=1, max_size=3))
    sides = [draw(st.integers(1, 4)) for _ in shape]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    psf = rng.random(sides)
    psf[tuple(n // 2 for n in sides)] += psf.size  # no frequency is lost
    return blurred(shape, draw(st.sampled_from(DTYPES))), psf / psf.sum()


@pytest.mark.parity
@given(calls(), st.sampled_from([0.01, 1.0]), st.booleans(), st.booleans())
def test_wiener_equals_scikit_image(call, balance, is_real, clip):
    rival = pytest.importorskip("skimage.restoration")
    image, psf = call
    transfer = (*image.shape[:-1], image.shape[-1] // 2 + 1) if is_real else image.shape
    assume(psf.shape != transfer)  # scikit-image takes such a blur for a transfer function
    ours, theirs = (f(image, psf, balance, is_real=is_real, clip=clip) for f in (filters.wiener, rival.wiener))
    assert (ours.dtype, ours.shape) == (theirs.real.dtype, theirs.shape)
    scale = max(1.0, float(np.abs(theirs).max()))
    np.testing.assert_allclose(ours, theirs.real, rtol=0, atol=DECONVOLUTION[ours.dtype.name] * scale)


@pytest.mark.parity
@given(calls(), st.integers(0, 12), st.sampled_from([None, 0.2]), st.booleans())
def test_richardson_lucy_equals_scikit_image(call, steps, epsilon, clip):
    rival = pytest.importorskip("skimage.restoration")
    image, psf = call
    keywords = {"num_iter": steps, "filter_epsilon": epsilon, "clip": clip}
    ours, theirs = (f(image, psf, **keywords) for f in (filters.richardson_lucy, rival.richardson_lucy))
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    scale = max(1.0, float(np.abs(theirs).max()))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=DECONVOLUTION[ours.dtype.name] * scale)


def test_wiener_undoes_a_periodic_blur():
    image = blurred((13, 15))  # of even sizes the blur loses the highest frequency
    seen = np.fft.irfft2(np.fft.rfft2(image) * _transfer(image.shape), s=image.shape)
    np.testing.assert_allclose(filters.wiener(seen, PSF, 1e-12), image, rtol=0, atol=1e-6)


def _transfer(shape):
    padded = np.zeros(shape)
    padded[: PSF.shape[0], : PSF.shape[1]] = PSF
    return np.fft.rfft2(np.roll(padded, (-1, -2), (0, 1)))


def test_a_transfer_function_serves_like_its_response():
    image = blurred((12, 15))
    expected = filters.wiener(image, PSF, 0.1)
    np.testing.assert_allclose(filters.wiener(image, _transfer(image.shape), 0.1), expected, rtol=1e-12)
    laplacian = np.array([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]])
    np.testing.assert_allclose(filters.wiener(image, PSF, 0.1, reg=laplacian), expected, rtol=1e-12)
    np.testing.assert_allclose(filters.wiener(image, PSF, 0.1, is_real=False), expected, rtol=1e-12)


def test_richardson_lucy_sharpens_a_point():
    image = np.zeros((15, 16))
    image[6:9, 6:10] = PSF
    result = filters.richardson_lucy(image, PSF, num_iter=400)
    assert result[7, 7] > 3 * PSF.max()
    assert np.unravel_index(result.argmax(), result.shape) == (7, 7)


CALLS = {"wiener": {"balance": 0.1}, "richardson_lucy": {"num_iter": 4}}


def apply(name, image, psf=PSF, **keywords):
    return getattr(filters, name)(image, psf, **{**CALLS[name], **keywords})


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("channel", [None, -1, 1])
def test_a_batch_equals_its_images(name, channel):
    batch = blurred((2, 9, 8) if channel is None else (2, 3, 9, 8) if channel == 1 else (2, 9, 8, 3))
    together = apply(name, batch, batch_axes=1, channel_axis=channel)
    for image, result in zip(batch, together, strict=True):
        if channel is None:
            np.testing.assert_allclose(result, apply(name, image), rtol=1e-12)
            continue
        for plane, part in zip(np.moveaxis(image, channel and max(channel - 1, -1), 0),
                               np.moveaxis(result, channel and max(channel - 1, -1), 0), strict=True):  # fmt: skip
            np.testing.assert_allclose(part, apply(name, plane), rtol=1e-12)


@pytest.mark.parametrize("name", CALLS)
def test_inputs_of_every_kind(name):
    image = blurred((10, 12))
    expected = apply(name, image)
    image.flags.writeable = False
    np.testing.assert_array_equal(apply(name, image), expected)
    np.testing.assert_allclose(apply(name, image[::-1], PSF[::-1])[::-1], expected, rtol=1e-10)
    out = np.full((12, 10), np.nan).T
    assert apply(name, image, out=out) is out
    np.testing.assert_array_equal(out, expected)
    assert apply(name, np.empty((0, 5))).shape == (0, 5)
    assert np.isnan(apply(name, np.where(np.eye(10, 12) > 0, np.nan, image))).all()
    assert apply(name, np.full((1, 7), 0.5), np.ones((1, 3)) / 3).shape == (1, 7)


def test_a_blur_wider_than_the_image():
    assert filters.richardson_lucy(blurred((3, 4)), np.ones((9, 9)) / 81, num_iter=3).shape == (3, 4)


def test_lengths_that_transform_fast():
    for n in range(1, 300):
        best = _fast_length(n)
        rest = best
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        assert rest == 1
        assert best >= n
        assert all(_largest_factor(k) > 5 for k in range(n, best))


def _largest_factor(k):
    factor = 2
    while factor < k:
        k, factor = (k // factor, factor) if k % factor == 0 else (k, factor + 1)
    return k


IMAGE = np.ones((4, 5))


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("error", "image", "psf", "keywords", "message"),
    [
        (TypeError, IMAGE.tolist(), PSF, {}, "image expects a numpy.ndarray"),
        (TypeError, IMAGE.astype(complex), PSF, {}, "image expects real numbers"),
        (ValueError, IMAGE, PSF[0], {}, "psf expects 2 axes"),
        (ValueError, IMAGE, PSF, {"batch_axes": 2}, "image expects an axis beside"),
        (ValueError, IMAGE, PSF, {"out": np.empty((5, 4))}, "out expects a writeable float64 array"),
    ],
)
def test_refuses(name, error, image, psf, keywords, message):
    with pytest.raises(error, match=f"{name}: {message}"):
        apply(name, image, psf, **keywords)


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (ValueError, lambda: filters.wiener(IMAGE, np.ones((5, 5)), 1.0), r"psf expects 2 axes of at most \(4, 5\)"),
        (TypeError, lambda: filters.wiener(IMAGE, [[1.0]], 1.0), "psf expects an array of numbers but got list"),
        (ValueError, lambda: filters.wiener(IMAGE, np.ones((4, 5), complex), 1.0), "psf expects a transfer function"),
        (TypeError, lambda: filters.wiener(IMAGE, PSF, "1"), "balance expects a number"),
        (ValueError, lambda: filters.richardson_lucy(IMAGE, PSF, -1), "num_iter expects at least 0"),
        (TypeError, lambda: filters.richardson_lucy(IMAGE, PSF, 1.0), "num_iter expects an integer"),
    ],
)
def test_refuses_more(error, call, message):
    with pytest.raises(error, match=message):
        call()
