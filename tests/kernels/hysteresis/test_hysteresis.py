"""Hysteresis: the flood against the definition, against labels, and where its stack is too short."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.machine.threads import num_threads

from tilegrad import kernels


@st.composite
def calls(draw):
    """Classes of pixels, many of them weak, and the keywords of a call."""
    axes = draw(st.integers(1, 3))
    sizes = {1: (1, 2, 63, 64, 65, 200), 2: (1, 2, 5, 62, 65, 130), 3: (1, 2, 3, 7, 66)}[axes]
    shape = draw(st.lists(st.sampled_from(sizes), min_size=axes, max_size=axes))
    if axes == 3:
        shape = [shape[0], *(min(size, 7) for size in shape[1:])]
    batch = draw(st.sampled_from([(), (1,), (3,)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weak = draw(st.sampled_from([0.2, 0.5, 0.7, 0.95]))
    x = rng.choice(3, size=(*batch, *shape), p=[0.98 - weak * 0.98, weak * 0.98, 0.02]).astype(np.uint8)
    return x, {"axes": axes, "connectivity": draw(st.integers(1, axes))}


@given(calls())
def test_the_flood_equals_the_definition(call):
    x, keywords = call
    out = np.ones(x.shape, bool)
    assert kernels.hysteresis(x, out=out, **keywords) is out
    np.testing.assert_array_equal(out, kernels.hysteresis(x, variant="naive", **keywords))


@pytest.mark.parity
@given(calls())
def test_kept_pixels_are_components_that_hold_a_strong_one(call):
    ndimage = pytest.importorskip("scipy.ndimage")
    x, keywords = call
    structure = ndimage.generate_binary_structure(keywords["axes"], keywords["connectivity"])
    ours = kernels.hysteresis(x, **keywords).reshape(-1, *x.shape[x.ndim - keywords["axes"] :])
    for image, kept in zip(x.reshape(ours.shape), ours, strict=True):
        labels, _ = ndimage.label(image > 0, structure)
        np.testing.assert_array_equal(kept, (image > 0) & np.isin(labels, labels[image == 2]))


def spiral(n):
    """One path of weak pixels, as long as an image allows, with a strong one at its inner end."""
    x = np.zeros((n, n), np.uint8)
    p, q, down, right = 0, 0, 0, 1
    for _ in range(n * n):
        x[p, q] = 1
        for _ in range(2):
            a, b = p + down, q + right
            c, d = a + down, b + right
            inside = 0 <= a < n and 0 <= b < n and x[a, b] == 0
            if inside and not (0 <= c < n and 0 <= d < n and x[c, d]):
                p, q = a, b
                break
            down, right = right, -down
        else:
            break
    x[p, q] = 2
    return x


def test_a_path_through_all_bands_is_followed():
    x = spiral(301)
    assert (x == 1).sum() > 40_000
    np.testing.assert_array_equal(kernels.hysteresis(x, connectivity=1), x > 0)
    x[x == 2] = 1
    assert not kernels.hysteresis(x, connectivity=1).any()


@pytest.mark.parametrize("place", [(0, 0), (350, 3), (699, 799)])
def test_what_a_full_stack_drops_is_found_again(place):
    """A plane of weak pixels needs far more places than the stack has."""
    x = np.ones((700, 800), np.uint8)
    x[place] = 2
    x[:, 400] = 0
    kept = kernels.hysteresis(x)
    assert kept.sum() == 700 * (400 if place[1] < 400 else 399)


def test_the_number_of_threads_changes_nothing():
    numba = pytest.importorskip("numba")
    x = np.random.default_rng(3).choice(3, size=(2, 300, 257), p=[0.4, 0.59, 0.01]).astype(np.uint8)
    before = num_threads()
    together = kernels.hysteresis(x)
    try:
        numba.set_num_threads(1)
        np.testing.assert_array_equal(kernels.hysteresis(x), together)
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 4, 4), (3, 0, 0)])
def test_empty_images_stay_empty(shape):
    assert kernels.hysteresis(np.empty(shape, np.uint8)).shape == shape


@pytest.mark.parametrize(
    ("error", "x", "keywords", "message"),
    [
        (TypeError, np.ones((4, 4)), {}, "x expects uint8 classes but got float64"),
        (TypeError, [[1]], {}, "expects a numpy.ndarray"),
        (ValueError, np.ones(4, np.uint8), {}, r"x expects at least axes = 2 axes but got shape \(4,\)"),
        (ValueError, np.ones((4, 4), np.uint8), {"axes": 4}, r"axes expects a value in \[1, 3\] but got 4"),
        (ValueError, np.ones((4, 4), np.uint8), {"connectivity": 3}, r"connectivity expects a value in \[1, 2\]"),
        (TypeError, np.ones((4, 4), np.uint8), {"connectivity": True}, "connectivity expects an integer"),
        (ValueError, np.ones((4, 4), np.uint8), {"out": np.ones((4, 4))}, "out expects"),
    ],
)
def test_refuses(error, x, keywords, message):
    with pytest.raises(error, match=f"hysteresis: {message}"):
        kernels.hysteresis(x, **keywords)
