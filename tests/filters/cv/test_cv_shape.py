"""Outlines, moments and matchShapes against OpenCV, and shapes found in a picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.filters import cv

from tilegrad import filters

MODES = (cv.RETR_EXTERNAL, cv.RETR_LIST, cv.RETR_CCOMP, cv.RETR_TREE)


@pytest.mark.parity
@pytest.mark.parametrize("method", [cv.CHAIN_APPROX_NONE, cv.CHAIN_APPROX_SIMPLE])
@given(seed=st.integers(0, 2**32 - 1), smooth=st.booleans(), level=st.sampled_from([0.3, 0.5, 0.7]))
def test_find_contours_equals_opencv(method, seed, smooth, level):
    """Points, order and hierarchy."""
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(seed)
    image = rng.random(rng.integers(1, 45, 2))
    image = (filters.gaussian(image, 1.5) > 0.5 if smooth else image < level).astype(np.uint8) * 255
    for mode in MODES:
        found, hierarchy = cv.findContours(image, mode, method, offset=(3, -2))
        expected, links = cv2.findContours(image, mode, method, offset=(3, -2))
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert (hierarchy is None) == (links is None)
        if links is not None:
            np.testing.assert_array_equal(hierarchy, links)


def contour(rng, least=1):
    return rng.integers(0, 100, (rng.integers(least, 20), 1, 2)).astype(np.int32)


@pytest.mark.parity
@given(st.integers(0, 2**32 - 1))
def test_measures_of_contours_equal_opencv(seed):
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(seed)
    a, b = contour(rng), contour(rng, 3)
    ours, theirs = cv.moments(a), cv2.moments(a)
    assert list(ours) == list(theirs)
    scale = max(abs(v) for v in theirs.values()) or 1.0
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-7, abs=1e-12 * scale)
    for oriented in (False, True):
        assert cv.contourArea(a, oriented) == pytest.approx(cv2.contourArea(a, oriented))
        assert cv.arcLength(a, oriented) == pytest.approx(cv2.arcLength(a, oriented), rel=1e-5, abs=1e-5)
    assert cv.boundingRect(a) == tuple(cv2.boundingRect(a))
    for method in (1, 2, 3):
        assert cv.matchShapes(a, b, method) == pytest.approx(cv2.matchShapes(a, b, method, 0), rel=1e-6, abs=1e-9)


@pytest.mark.parity
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_moments_of_images_equal_opencv(dtype, binary):
    cv2 = pytest.importorskip("cv2")
    image = (np.random.default_rng(0).random((20, 30)) * 9).astype(dtype)
    ours, theirs = cv.moments(image, binary), cv2.moments(image, binary)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-8)
    np.testing.assert_allclose(cv.HuMoments(ours), cv2.HuMoments(theirs), rtol=1e-7, atol=1e-20)


def picture(shapes):
    """White shapes on black, each given by a test of points (x, y) in a square of side 2 that it is turned and scaled
    into."""
    image = np.zeros((140, 140 * len(shapes)))
    y, x = np.mgrid[:140, :140] - 69.5
    for k, (inside, scale, degrees) in enumerate(shapes):
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        u, v = (cosine * x + sine * y) / scale, (cosine * y - sine * x) / scale
        image[:, 140 * k : 140 * (k + 1)][inside(u, v)] = 1
    return image


def test_shapes_from_a_picture_are_known_by_their_outlines():
    """Threshold, outline, compare: turned and scaled copies are more like a shape than any other shape is."""

    def letter(u, v):
        """An L."""
        return (abs(u) < 1) & (abs(v) < 1) & ((u < -0.3) | (v > 0.3))

    def bar(u, v):
        return (abs(u) < 1) & (abs(v) < 0.25)

    def disc(u, v):
        return u * u + v * v < 1

    kinds = [letter, bar, disc]
    image = picture([(kind, 40, 0) for kind in kinds] + [(kind, 28, 35) for kind in kinds] + [(disc, 20, 0)])
    seen = filters.gaussian(image, 1.0) + 0.05 * np.random.default_rng(0).standard_normal(image.shape)
    outlines, _ = cv.findContours(filters.gaussian(seen, 1.0) > 0.5, cv.RETR_EXTERNAL, cv.CHAIN_APPROX_NONE)
    outlines = sorted((o for o in outlines if cv.contourArea(o) > 100), key=lambda o: cv.boundingRect(o)[0])
    assert len(outlines) == 7
    for method in (cv.CONTOURS_MATCH_I1, cv.CONTOURS_MATCH_I2, cv.CONTOURS_MATCH_I3):
        for k in range(3):
            distances = [cv.matchShapes(outlines[k], other, method) for other in outlines[3:6]]
            assert int(np.argmin(distances)) == k, (method, k, distances)
            assert cv.matchShapes(outlines[k], outlines[k], method) == 0
    level_lines = [line for line in filters.find_contours(filters.gaussian(seen, 1.0), 0.5) if len(line) > 40]
    assert len(level_lines) == 7


def test_nothing_in_an_image_and_nothing_in_a_contour():
    contours, hierarchy = cv.findContours(np.zeros((4, 5), np.uint8), cv.RETR_TREE, cv.CHAIN_APPROX_NONE)
    assert (contours, hierarchy) == ((), None)
    assert cv.findContours(np.empty((0, 4), np.uint8), cv.RETR_LIST, cv.CHAIN_APPROX_NONE)[0] == ()
    empty = np.empty((0, 1, 2), np.int32)
    assert cv.contourArea(empty) == 0
    assert cv.arcLength(empty, True) == 0
    assert cv.boundingRect(empty) == (0, 0, 0, 0)
    assert cv.moments(empty)["m00"] == 0
    reversed_image = np.eye(5, dtype=bool)[::-1]
    reversed_image.flags.writeable = False
    assert len(cv.findContours(reversed_image, cv.RETR_LIST, cv.CHAIN_APPROX_NONE)[0]) == 1


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (TypeError, lambda: cv.findContours(np.ones((3, 3)), 0, 1), "findContours: image expects uint8 or bool"),
        (ValueError, lambda: cv.findContours(np.ones(3, bool), 0, 1), "findContours: image expects two axes"),
        (ValueError, lambda: cv.findContours(np.ones((3, 3), bool), 4, 1), "findContours: mode expects RETR_EXTERNAL"),
        (ValueError, lambda: cv.findContours(np.ones((3, 3), bool), 0, 3), "findContours: method expects CHAIN_APPROX"),
        (ValueError, lambda: cv.contourArea(np.ones((3, 3))), r"contourArea: contour expects \(points, 1, 2\)"),
        (ValueError, lambda: cv.moments(np.ones((3, 3, 3))), "moments: array expects"),
        (ValueError, lambda: cv.matchShapes(np.ones((3, 3)), np.ones((3, 3)), 0), "matchShapes: method expects"),
    ],
)
def test_refuses(error, call, message):
    with pytest.raises(error, match=message):
        call()


def test_moments_of_a_batch_are_those_of_each_image():
    batch = np.random.default_rng(0).integers(0, 9, (2, 3, 5, 7)).astype(np.uint8)
    batch[1, 2] = 0
    found = cv.moments(batch, batch_axes=2)
    for place in np.ndindex(2, 3):
        one = cv.moments(batch[place])
        assert {name: float(values[place]) for name, values in found.items()} == pytest.approx(one, rel=1e-12)
    with pytest.raises(ValueError, match=r"array expects \(H, W\) behind 1 batch axes"):
        cv.moments(batch, batch_axes=1)

    each = np.stack([cv.HuMoments(cv.moments(image)) for image in batch.reshape(6, 5, 7)])
    np.testing.assert_allclose(cv.HuMoments(found), each.reshape(2, 3, 7, 1), rtol=1e-9, atol=1e-15)


def test_outlines_of_a_batch_are_those_of_each_image():
    batch = np.random.default_rng(0).random((2, 12, 13)) < 0.5
    found = cv.findContours(batch, cv.RETR_TREE, cv.CHAIN_APPROX_SIMPLE, offset=(1, 2), batch_axes=1)
    assert len(found) == 2
    for image, (contours, hierarchy) in zip(batch, found, strict=True):
        expected, links = cv.findContours(image, cv.RETR_TREE, cv.CHAIN_APPROX_SIMPLE, offset=(1, 2))
        assert len(contours) == len(expected) > 0
        assert all(np.array_equal(a, b) for a, b in zip(contours, expected, strict=True))
        np.testing.assert_array_equal(hierarchy, links)


def test_what_has_no_moments_is_refused_by_name():
    for m in ({}, np.zeros((4, 4)), None):
        with pytest.raises(TypeError, match=r"^HuMoments: m expects the dict that moments returns"):
            cv.HuMoments(m)
