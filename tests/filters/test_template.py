"""match_template and integral images in scikit-image's form: against scikit-image, and on the inputs that go wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import MATCH_SCORE, MATCH_SCORE_FLOAT32_RIVAL

from tilegrad import filters

DTYPES = ("uint8", "int16", "bool", "float16", "float32", "float64")


@st.composite
def calls(draw):
    """An image, a template that is one of its windows, and the keywords of a call."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    template = [draw(st.sampled_from([1, 2, 5, 9])), draw(st.sampled_from([2, 3, 8]))]
    image = [t + draw(st.sampled_from([0, 1, 6, 20])) for t in template]
    x = (rng.random(image) * 100).astype(draw(st.sampled_from(DTYPES)))
    keywords = {}
    if draw(st.booleans()):
        keywords = {
            "pad_input": True,
            "mode": draw(st.sampled_from(["constant", "edge", "mean", "linear_ramp", "wrap"])),
        }
        if keywords["mode"] == "constant":
            keywords["constant_values"] = draw(st.sampled_from([0, 3]))
    return x, x[-template[0] :, -template[1] :], keywords


@pytest.mark.parity
@given(calls())
def test_equals_skimage(call):
    feature = pytest.importorskip("skimage.feature")
    image, template, keywords = call
    # scikit-image's own float32 and float16 sums are held to its float64 ones; what it leaves above 1 is clipped.
    expected = np.clip(feature.match_template(image.astype(float), template.astype(float), **keywords), -1, 1)
    found = filters.match_template(image, template, **keywords)
    assert found.shape == expected.shape
    assert found.dtype == (np.float32 if image.dtype in (np.float16, np.float32) else np.float64)
    np.testing.assert_allclose(found, expected, rtol=0, atol=MATCH_SCORE_FLOAT32_RIVAL)


@pytest.mark.parity
def test_channels_count_together_as_in_a_volume_of_skimage():
    feature = pytest.importorskip("skimage.feature")
    image = np.random.default_rng(0).random((20, 30, 3))
    template = image[3:9, 4:9]
    expected = feature.match_template(image, template)[..., 0]
    np.testing.assert_allclose(filters.match_template(image, template, channel_axis=-1), expected, atol=1e-12)
    planes = np.moveaxis(image, -1, 0)
    batch = filters.match_template(
        np.stack([planes, planes[:, ::-1]]), np.moveaxis(template, -1, 0), channel_axis=1, batch_axes=1
    )
    np.testing.assert_allclose(batch[0], expected, atol=1e-12)
    np.testing.assert_allclose(
        batch[1], filters.match_template(image[::-1], template, channel_axis=2), atol=MATCH_SCORE["float64"]
    )


@pytest.mark.parity
@pytest.mark.parametrize("pad", [False, True])
def test_volumes_equal_skimage(pad):
    feature = pytest.importorskip("skimage.feature")
    image = np.random.default_rng(1).random((9, 12, 14))
    template = image[2:6, 3:6, 5:10]
    expected = feature.match_template(image, template, pad_input=pad)
    np.testing.assert_allclose(filters.match_template(image, template, pad_input=pad), expected, atol=1e-12)
    assert filters.match_template(np.stack([image] * 2), template, batch_axes=1).shape == (2, 6, 10, 10)


def test_a_faint_texture_on_a_high_level():
    """scikit-image finds 708 there, and OpenCV 0."""
    image = (0.01 * np.random.default_rng(2).random((80, 90)) + 1000).astype(np.float32)
    scores = filters.match_template(image, image[30:50, 40:60])
    assert abs(scores[30, 40] - 1) <= 1e-6
    assert np.abs(scores).max() <= 1
    tiny = (1e-20 * np.random.default_rng(3).random((40, 40))).astype(np.float64)
    assert abs(filters.match_template(tiny, tiny[5:10, 6:12])[5, 6] - 1) <= 1e-12


def test_constant_images_and_templates_score_nothing():
    image = np.full((10, 12), 7.3)
    assert (filters.match_template(image, image[:3, :4]) == 0).all()
    image[4:] = np.random.default_rng(4).random((6, 12))
    assert (filters.match_template(image, image[5:8, 2:6])[:2] == 0).all()


def test_not_a_number_reaches_its_windows_and_no_further():
    image = np.random.default_rng(5).random((40, 50), np.float32)
    template = image[:9, :9].copy()
    image[20, 30] = np.nan
    rows, columns = np.nonzero(np.isnan(filters.match_template(image, template)))
    assert (rows.min(), rows.max(), columns.min(), columns.max(), rows.size) == (12, 20, 22, 30, 81)


def test_a_template_of_the_images_size_rows_and_empty_batches():
    image = np.random.default_rng(6).random((7, 9))
    np.testing.assert_allclose(filters.match_template(image, image), [[1]], atol=1e-12)
    assert filters.match_template(image[:1], image[:1, 2:5]).argmax() == 2
    assert filters.match_template(np.empty((0, 7, 9)), image[:2, :2], batch_axes=1).shape == (0, 6, 8)


def test_read_only_and_reversed_images_and_out():
    image = np.random.default_rng(7).random((20, 24))
    expected = filters.match_template(image, image[3:8, 4:9])
    out = np.full((16, 40), np.nan)[:, ::2]
    image.flags.writeable = False
    assert filters.match_template(image, image[3:8, 4:9], out=out) is out
    np.testing.assert_array_equal(out, expected)
    turned = filters.match_template(image[::-1, ::-1], image[3:8, 4:9][::-1, ::-1])
    np.testing.assert_allclose(turned[::-1, ::-1], expected, atol=1e-12)


IMAGE = np.random.default_rng(8).random((6, 7))


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (TypeError, (IMAGE.tolist(), IMAGE), {}, "image expects a numpy.ndarray or cupy.ndarray but got list"),
        (TypeError, (IMAGE, IMAGE.astype(complex)), {}, "template expects real numbers"),
        (ValueError, (IMAGE, np.ones((7, 2))), {}, "template expects to be at least one pixel and not larger"),
        (ValueError, (IMAGE, np.ones((0, 2))), {}, "template expects to be at least one pixel"),
        (ValueError, (IMAGE, np.ones(3)), {}, "template expects 2 axes"),
        (ValueError, (IMAGE[0], IMAGE[0]), {}, "image expects two or three axes"),
        (ValueError, (IMAGE, IMAGE), {"mode": "mirror"}, "mode expects one of 'constant'"),
        (TypeError, (IMAGE, IMAGE), {"constant_values": "0"}, "constant_values expects a number"),
        (ValueError, (IMAGE, IMAGE), {"out": np.empty((2, 2))}, "out expects a writeable float64 array of shape"),
        (ValueError, (IMAGE, IMAGE), {"batch_axes": 3}, "batch_axes expects"),
        (
            ValueError,
            (np.ones((5, 5, 3)), np.ones((2, 2, 2))),
            {"channel_axis": 2},
            "template expects the image's chan",
        ),
    ],
)
def test_match_template_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"match_template: {message}"):
        filters.match_template(*arguments, **keywords)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64", "bool"])
@pytest.mark.parametrize("shape", [(7,), (5, 6), (3, 4, 5), (1, 6), (0, 3)])
def test_integral_image_equals_skimage(shape, dtype):
    transform = pytest.importorskip("skimage.transform")
    image = (np.random.default_rng(9).random(shape) * 9).astype(dtype)
    found, expected = filters.integral_image(image), transform.integral_image(image)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(filters.integral_image(np.stack([image, image]), batch_axes=1)[1], found)
    np.testing.assert_array_equal(filters.integral_image(np.stack([image, image], -1), channel_axis=-1)[..., 1], found)


@pytest.mark.parity
def test_integrate_equals_skimage_and_the_sums_themselves():
    transform = pytest.importorskip("skimage.transform")
    image = np.random.default_rng(10).random((6, 7))
    total = filters.integral_image(image)
    starts, ends = [(0, 0), (2, 3), (5, 6), (-3, -4)], [(5, 6), (4, 3), (5, 6), (-1, -2)]
    found = filters.integrate(total, starts, ends)
    np.testing.assert_allclose(found, transform.integrate(total, starts, ends), rtol=1e-13)
    np.testing.assert_allclose(found, [image.sum(), image[2:5, 3].sum(), image[5, 6], image[3:6, 3:6].sum()])
    batch = np.stack([total, 2 * total, -total])
    np.testing.assert_allclose(
        filters.integrate(batch, starts, ends, batch_axes=1), [found, 2 * found, -found], rtol=1e-13
    )
    with pytest.raises(IndexError, match="greater or equal"):
        filters.integrate(total, (3, 3), (2, 3))
    with pytest.raises(IndexError, match="inside the image"):
        filters.integrate(total, (0, 0), (6, 3))
    with pytest.raises(ValueError, match="start and end expect 2 numbers"):
        filters.integrate(total, (0,), (1,))
    with pytest.raises(TypeError, match="expect integers"):
        filters.integrate(total, (0.5, 0), (1, 1))
