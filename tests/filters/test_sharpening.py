"""Unsharp masking: against scikit-image, and its own rules."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import GAUSSIAN

from tilegrad import filters


@st.composite
def calls(draw):
    shape = draw(st.lists(st.sampled_from([1, 2, 5, 16]), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    image = rng.random(shape) * 100 - draw(st.sampled_from([0, 50]))
    dtype = draw(st.sampled_from(["uint8", "int8", "bool", "float16", "float32", "float64"]))
    image = (image / 100 if dtype.startswith("float") else image.clip(0 if dtype == "uint8" else -128)).astype(dtype)
    keywords = {
        "radius": draw(st.sampled_from([0.0, 0.5, 2.0])),
        "amount": draw(st.sampled_from([-1.0, 0.5, 5.0])),
        "preserve_range": draw(st.booleans()),
        # scikit-image 0.26 slices the first axis where the channels' is counted from the end.
        "channel_axis": draw(st.sampled_from([None, *range(len(shape))])) if len(shape) > 1 else None,
    }
    return image, keywords


@pytest.mark.parity
@given(calls())
def test_equals_scikit_image(call):
    rival = pytest.importorskip("skimage.filters")
    image, keywords = call
    ours, theirs = filters.unsharp_mask(image, **keywords), rival.unsharp_mask(image, **keywords)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    scale = (1 + 2 * abs(keywords["amount"])) * max(1.0, float(np.abs(image).max(initial=0)))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2 * GAUSSIAN[ours.dtype.name] * scale)


def test_each_image_of_a_batch_has_its_own_range():
    batch = np.random.default_rng(0).random((3, 9, 9, 2))
    batch[1] -= 0.5
    together = filters.unsharp_mask(batch, 1.0, 9.0, batch_axes=1, channel_axis=-1)
    for image, result in zip(batch, together, strict=True):
        np.testing.assert_allclose(result, filters.unsharp_mask(image, 1.0, 9.0, channel_axis=-1), atol=1e-12)
    assert together[1].min() == -1
    assert together[0].min() == 0


def test_out_and_not_a_number():
    image = np.ones((20, 20), np.float32)
    expected = filters.unsharp_mask(image)
    assert filters.unsharp_mask(image, out=image) is image
    np.testing.assert_array_equal(image, expected)
    image[10, 10] = np.nan
    assert np.isnan(filters.unsharp_mask(image)).sum() == 81
    assert filters.unsharp_mask(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("error", "keywords", "message"),
    [
        (TypeError, {"amount": "1"}, "unsharp_mask: amount expects a number"),
        (ValueError, {"amount": np.inf}, "unsharp_mask: amount expects a finite number"),
        (ValueError, {"radius": -1.0}, "unsharp_mask: radius expects finite values of at least 0"),
        (ValueError, {"channel_axis": 3}, "unsharp_mask: channel_axis expects"),
        (ValueError, {"out": np.empty((3, 4), int)}, "unsharp_mask: out expects a floating-point array"),
    ],
)
def test_refuses(error, keywords, message):
    with pytest.raises(error, match=message):
        filters.unsharp_mask(np.ones((3, 4)), **keywords)
