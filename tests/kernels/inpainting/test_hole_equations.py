"""Biharmonic inpainting and fast marching: against their definitions and against OpenCV and scikit-image's equation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import BIHARMONIC, MARCHING_FLOAT

from tilegrad import kernels

METHODS = ("telea", "navier-stokes")


@st.composite
def volumes(draw):
    """Images, lines and volumes with a part of their pixels open."""
    spatial = draw(st.sampled_from([(9, 11), (1, 17), (13, 1), (2, 2), (3, 4, 5), (12,), (6, 7)]))
    n, c = draw(st.sampled_from([(1, 1), (2, 3)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.normal(size=(n, *spatial, c)).astype(draw(st.sampled_from(["float32", "float64"])))
    mask = (rng.random((n, *spatial)) < draw(st.sampled_from([0.1, 0.5, 0.9]))).astype(np.uint8)
    mask.reshape(n, -1)[:, rng.integers(mask[0].size)] = 0
    return x, mask


@given(volumes(), st.sampled_from([0.0, 0.05, 3.0]))
def test_biharmonic_equals_its_definition(case, tension):
    x, mask = case
    found = kernels.inpaint_biharmonic(x, mask, tension=tension)
    expected = kernels.inpaint_biharmonic(x.astype(np.float64), mask, tension=tension, variant="naive")
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=BIHARMONIC[x.dtype.name] * scale)
    np.testing.assert_array_equal(found[mask == 0], x[mask == 0])


def test_biharmonic_leaves_no_residual_in_a_large_hole():
    """The equation itself, by slices, in a hole that is dissected many times."""
    y, x = np.indices((90, 70))
    image = np.sin(y / 9) * np.cos(x / 7) + (x > 30)
    mask = (np.hypot(y - 44, x - 33) < 25).astype(np.uint8)
    found = kernels.inpaint_biharmonic(image[None, ..., None], mask[None])[0, ..., 0]

    def laplacian(u):
        padded = np.pad(u, 1, mode="edge")
        return 4 * u - padded[:-2, 1:-1] - padded[2:, 1:-1] - padded[1:-1, :-2] - padded[1:-1, 2:]

    residual = laplacian(laplacian(found))[mask == 1]
    assert np.abs(residual).max() < 1e-11


def test_tension_draws_the_surface_taut():
    """Between two edges that rise, bending overshoots and a membrane does not."""
    x = np.concatenate([np.arange(-5.0, 0), np.zeros(9), np.arange(-1.0, -6, -1)])
    mask = np.zeros(x.shape, np.uint8)
    mask[5:14] = 1
    highest = [
        kernels.inpaint_biharmonic(x[None, :, None], mask[None], tension=tension).max() for tension in (0.0, 0.1, 1e6)
    ]
    assert highest[0] > 1 > highest[1] > 0 > highest[2]


def test_a_nan_makes_nan_of_its_hole_alone():
    x = np.ones((1, 20, 20, 2))
    mask = np.zeros((1, 20, 20), np.uint8)
    mask[0, 3:6, 3:6] = mask[0, 12:15, 12:15] = 1
    x[0, 4, 7, 1] = np.nan
    found = kernels.inpaint_biharmonic(x, mask)
    assert np.isnan(found[0, 3:6, 3:6, 1]).all()
    np.testing.assert_allclose(found[0, 12:15, 12:15], 1, rtol=1e-12)
    np.testing.assert_allclose(found[..., 0], 1, rtol=1e-12)


@st.composite
def images(draw, least=1):
    """Images with open pixels, of OpenCV's types."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(least, 14)), draw(st.integers(least, 14))
    dtype, c = draw(st.sampled_from([("uint8", 1), ("uint8", 3), ("uint16", 1), ("float32", 1)]))
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    image = (rng.random((*shape, c)) * top).astype(dtype)
    mask = (rng.random(shape) < draw(st.sampled_from([0.05, 0.3, 0.7]))).astype(np.uint8)
    return image, mask


@pytest.mark.parity
@pytest.mark.parametrize("method", METHODS)
@given(images(least=2), st.integers(1, 6))
def test_marching_equals_opencv(method, case, radius):
    cv2 = pytest.importorskip("cv2")
    image, mask = case
    found = kernels.inpaint_marching(image[None], mask[None], radius=radius, method=method)[0]
    flag = cv2.INPAINT_TELEA if method == "telea" else cv2.INPAINT_NS
    theirs = cv2.inpaint(image if image.shape[2] == 3 else image[..., 0], mask, radius, flag)
    np.testing.assert_array_equal(found.reshape(theirs.shape), theirs)


@pytest.mark.parametrize("method", METHODS)
@given(images(), st.integers(1, 4))
def test_marching_equals_its_definition(method, case, radius):
    image, mask = case
    image = image / np.float64(np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1)
    found = kernels.inpaint_marching(image[None], mask[None], radius=radius, method=method)[0]
    expected = kernels.inpaint_marching(image[None], mask[None], radius=radius, method=method, variant="naive")[0]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found[mask == 0], image[mask == 0])


@pytest.mark.parametrize("method", METHODS)
@given(images(), st.integers(1, 4))
def test_marching_of_other_types_is_within_a_rounding_of_its_definition(method, case, radius):
    """In holes of one pixel: in larger ones a half that falls on the other side turns the directions filled later."""
    image, mask = case
    apart = np.zeros_like(mask)
    apart[::6, ::6] = mask[::6, ::6]
    found = kernels.inpaint_marching(image[None], apart[None], radius=radius, method=method)[0]
    expected = kernels.inpaint_marching(image[None], apart[None], radius=radius, method=method, variant="naive")[0]
    differences = np.abs(found.astype(np.float64) - expected)
    assert differences.max() <= (1 if image.dtype.kind == "u" else MARCHING_FLOAT)
    np.testing.assert_array_equal(found[apart == 0], image[apart == 0])


@pytest.mark.parametrize("method", METHODS)
def test_an_even_surface_is_filled_evenly(method):
    x = np.full((1, 30, 30, 1), 0.25, np.float32)
    mask = np.zeros((1, 30, 30), np.uint8)
    mask[0, 5:25, 4:20] = 1
    damaged = np.where(mask[..., None] != 0, np.float32(np.nan), x)
    np.testing.assert_allclose(kernels.inpaint_marching(damaged, mask, radius=4, method=method), x, rtol=1e-5)


def test_without_a_hole_it_is_a_copy_and_an_empty_image_stays_empty():
    x, mask = np.ones((1, 4, 5, 2), np.float32), np.zeros((1, 4, 5), np.uint8)
    for found in (kernels.inpaint_biharmonic(x, mask), kernels.inpaint_marching(x, mask, radius=3)):
        np.testing.assert_array_equal(found, x)
        assert not np.may_share_memory(found, x)
    for shape in ((0, 4, 5, 2), (1, 0, 5, 2), (1, 4, 5, 0)):
        empty, whole = np.empty(shape, np.float32), np.ones(shape[:3], np.uint8)
        assert kernels.inpaint_biharmonic(empty, whole).shape == shape
        assert kernels.inpaint_marching(empty, whole, radius=3).shape == shape


def test_of_an_image_without_anything_known():
    x, mask = np.ones((1, 4, 5, 1), np.float32), np.ones((1, 4, 5), np.uint8)
    np.testing.assert_array_equal(kernels.inpaint_marching(x, mask, radius=3), x)  # as in OpenCV
    with pytest.raises(ValueError, match="mask of image 0 leaves no pixel known"):
        kernels.inpaint_biharmonic(x, mask)


X, MASK = np.ones((1, 4, 5, 1)), np.zeros((1, 4, 5), np.uint8)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (X.astype(np.uint8), MASK), {}, "x expects float32 or float64 but got uint8"),
        (ValueError, (X[0, 0], MASK), {}, r"x expects \(N, \[D, \[H,\]\] W, C\) but got shape"),
        (ValueError, (X, MASK[0]), {}, r"mask expects shape \(1, 4, 5\) but got \(4, 5\)"),
        (TypeError, (X, MASK.astype(bool)), {}, "mask expects uint8 but got bool"),
        (ValueError, (X, MASK), {"tension": -1}, "tension expects a finite number of at least 0"),
        (TypeError, (X, MASK), {"tension": "1"}, "tension expects a number"),
    ],
)
def test_biharmonic_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"inpaint_biharmonic: {message}"):
        kernels.inpaint_biharmonic(*arguments, **keywords)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (X.astype(np.int16), MASK), {"radius": 3}, "x expects uint8, uint16, float32 or float64"),
        (ValueError, (X[0], MASK), {"radius": 3}, r"x expects \(N, H, W, C\) but got shape"),
        (ValueError, (X, MASK[0]), {"radius": 3}, r"mask expects shape \(1, 4, 5\)"),
        (ValueError, (X, MASK), {"radius": 0}, r"radius expects a value in \[1, 100\] but got 0"),
        (TypeError, (X, MASK), {"radius": 3.0}, "radius expects an integer"),
        (ValueError, (X, MASK), {"radius": 3, "method": "fast"}, 'method expects "telea" or "navier-stokes"'),
    ],
)
def test_marching_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"inpaint_marching: {message}"):
        kernels.inpaint_marching(*arguments, **keywords)
