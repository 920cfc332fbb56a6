"""Bilateral filter, non-local means and total variation: against scikit-image, the formulas, and on odd inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import NL_MEANS_RIVAL, TOTAL_VARIATION, WEIGHTED_MEANS

from tilegrad import filters

FILTERS = {
    "denoise_bilateral": {"win_size": 5, "sigma_color": 0.2},
    "denoise_nl_means": {"patch_size": 3, "patch_distance": 3, "h": 0.2},
    "denoise_tv_chambolle": {"weight": 0.1, "max_num_iter": 20},
}
PAD_MODES = ("constant", "edge", "symmetric", "reflect", "wrap")
sides = st.sampled_from([3, 8, 17, 33])


def picture(shape, dtype="float64", seed=0):
    """A step and a slope along the second axis, with noise, in [0, 1] or up to 255."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0.1, 0.5, shape[1]) + 0.4 * (np.arange(shape[1]) > shape[1] // 2)
    x = ramp.reshape(-1, *[1] * (len(shape) - 2)) + rng.normal(0, 0.05, shape)
    return (np.clip(x, 0, 1) * (255 if np.dtype(dtype).kind == "u" else 1)).astype(dtype)


def apply(name, image, **keywords):
    return getattr(filters, name)(image, **{**FILTERS[name], **keywords})


@st.composite
def nl_means_calls(draw):
    channels = draw(st.sampled_from([None, 3]))
    shape = (draw(sides), draw(sides), *([] if channels is None else [channels]))
    keywords = {
        "patch_size": draw(st.sampled_from([2, 3, 5, 7])),
        "patch_distance": draw(st.integers(1, 6)),
        "h": draw(st.sampled_from([0.05, 0.3])),
        "fast_mode": draw(st.booleans()),
        "sigma": draw(st.sampled_from([0.0, 0.05])),
        "channel_axis": None if channels is None else -1,
    }
    dtype = draw(st.sampled_from(["uint8", "float32", "float64"]))
    return picture(shape, dtype, draw(st.integers(0, 2**32 - 1))), keywords


@pytest.mark.parity
@given(nl_means_calls())
def test_nl_means_equals_scikit_image(call):
    rival = pytest.importorskip("skimage.restoration")
    image, keywords = call
    ours, theirs = filters.denoise_nl_means(image, **keywords), rival.denoise_nl_means(image, **keywords)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=NL_MEANS_RIVAL["fast" if keywords["fast_mode"] else "slow"])


@pytest.mark.parity
@pytest.mark.parametrize("channel_axis", [None, -1, 0])
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_total_variation_equals_scikit_image(dtype, channel_axis):
    rival = pytest.importorskip("skimage.restoration")
    image = picture({None: (40, 50), -1: (40, 50, 3), 0: (3, 50, 40)}[channel_axis], dtype)
    for weight, steps in ((0.1, 200), (0.5, 7)):
        keywords = {"weight": weight, "max_num_iter": steps, "channel_axis": channel_axis}
        ours, theirs = (f(image, **keywords) for f in (filters.denoise_tv_chambolle, rival.denoise_tv_chambolle))
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOTAL_VARIATION[ours.dtype.name])


@given(st.integers(1, 9), st.sampled_from(PAD_MODES), st.booleans())
@settings(max_examples=20)
def test_bilateral_equals_the_formula(size, mode, colored):
    image = picture((9, 12, 3) if colored else (9, 12))
    ours = filters.denoise_bilateral(
        image, size, 0.2, 1.5, mode=mode, cval=0.3, channel_axis=-1 if colored else None
    )  # fmt: skip
    radius, (h, w) = (size - 1) // 2, image.shape[:2]
    planes = image.reshape(h, w, -1)
    extra = {"constant_values": 0.3} if mode == "constant" else {}
    padded = np.pad(planes, ((radius, radius), (radius, radius), (0, 0)), mode=mode, **extra)
    total, sums = 0.0, 0.0
    for i in range(2 * radius + 1):
        for j in range(2 * radius + 1):
            there = padded[i : i + h, j : j + w]
            space = (i - radius) ** 2 + (j - radius) ** 2
            weight = np.exp(-np.square(there - planes).sum(2) / (2 * 0.2**2) - space / (2 * 1.5**2))[..., None]
            total, sums = total + weight, sums + weight * there
    np.testing.assert_allclose(ours, (sums / total).reshape(image.shape), rtol=0, atol=WEIGHTED_MEANS["float64"])


@pytest.mark.parity
def test_bilateral_equals_scikit_image_where_its_table_is_right():
    """Weights in space that are all alike, and steps of colour that are small."""
    rival = pytest.importorskip("skimage.restoration")
    image = picture((30, 31))
    keywords = {"win_size": 5, "sigma_color": 0.1, "sigma_spatial": 1e6, "mode": "edge"}
    ours, theirs = filters.denoise_bilateral(image, **keywords), rival.denoise_bilateral(image, bins=10**6, **keywords)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_bilateral_of_integers_is_that_of_the_scaled_image(dtype):
    """Where all colours are alike, scikit-image's result for unsigned integers is that, too, but for rounding."""
    rival, util = pytest.importorskip("skimage.restoration"), pytest.importorskip("skimage.util")
    image = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (20, 24), dtype, endpoint=True)
    keywords = {"win_size": 5, "sigma_color": 0.2, "sigma_spatial": 1e6, "mode": "edge"}
    ours, scaled = filters.denoise_bilateral(image, **keywords), util.img_as_float(image)
    np.testing.assert_array_equal(ours, filters.denoise_bilateral(scaled, **keywords))
    np.testing.assert_allclose(ours, rival.denoise_bilateral(scaled, bins=10**6, **keywords), rtol=0, atol=1e-5)
    blind = {**keywords, "sigma_color": 1e9}  # weights in space are within 1e-11 of 1
    ours, theirs = (one.denoise_bilateral(image, **blind) for one in (filters, rival))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-11)
    if dtype == "uint16":  # by default its colours are blind
        np.testing.assert_allclose(rival.denoise_bilateral(image, **keywords), ours, rtol=0, atol=1e-11)


def test_bilateral_takes_each_images_own_deviation():
    batch = picture((2, 12, 13)) * np.array([1, 0.3])[:, None, None]
    together = filters.denoise_bilateral(batch, batch_axes=1)
    for image, result in zip(batch, together, strict=True):
        expected = filters.denoise_bilateral(image, sigma_color=image.std())
        np.testing.assert_allclose(result, expected, rtol=0, atol=WEIGHTED_MEANS["float64"])


def test_a_constant_image_stays_as_it_is():
    image = np.full((6, 7), 0.3)
    np.testing.assert_array_equal(filters.denoise_bilateral(image), image)
    for name in ("denoise_nl_means", "denoise_tv_chambolle"):
        np.testing.assert_allclose(apply(name, image), image, rtol=1e-14)


def test_a_patch_of_one_pixel_is_that_pixel():
    image = np.array([[0.0, 1.0, 0.0, 1.0]])
    for fast in (True, False):
        y = filters.denoise_nl_means(image, patch_size=1, patch_distance=3, h=0.1, fast_mode=fast)
        np.testing.assert_allclose(y, image, rtol=0, atol=1e-40)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("channel", [None, -1, 2])
def test_a_batch_equals_its_images(name, channel):
    shape = (2, 3, 7, 8) if channel is None else (2, 3, 2, 7, 8) if channel == 2 else (2, 3, 7, 8, 2)
    batch = np.random.default_rng(1).random(shape).astype(np.float32)
    together = apply(name, batch, batch_axes=2, channel_axis=channel)
    assert together.flags.c_contiguous
    inside = channel if channel is None or channel < 0 else channel - 2
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[i], apply(name, batch[i], channel_axis=inside))


@pytest.mark.parametrize("name", FILTERS)
def test_types_and_scaling(name):
    image = picture((12, 13), "uint8")
    assert apply(name, image).dtype == np.float64
    np.testing.assert_allclose(apply(name, image), apply(name, image / 255.0), rtol=1e-12)
    assert apply(name, image.astype(np.float16)).dtype == np.float32
    assert apply(name, image > 128).dtype == np.float64


def test_the_range_is_preserved_where_asked_for():
    image = picture((12, 13), "uint8")
    kept = apply("denoise_nl_means", image, preserve_range=True, h=51.0)
    np.testing.assert_allclose(kept, 255 * apply("denoise_nl_means", image), rtol=1e-12)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("case", ["same", "strided", "itself"])
def test_out(name, case):
    image = picture((8, 9), "float32")
    expected = apply(name, image)
    out = {"strided": np.full((9, 16), np.nan, np.float32).T[::2], "itself": image}.get(
        case, np.full((8, 9), np.nan, np.float32)
    )
    assert apply(name, image, out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("name", FILTERS)
def test_strides_and_read_only_images(name):
    image = picture((10, 12))
    image.flags.writeable = False
    for view in (image, image[::-1, ::-2], image.T, np.broadcast_to(image[0], (4, 12))):
        np.testing.assert_array_equal(apply(name, view), apply(name, np.array(view, order="C")))


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 20), (20, 1), (2, 3)])
def test_windows_may_exceed_the_image(name, shape):
    for mode in PAD_MODES if name == "denoise_bilateral" else (None,):
        keywords = {} if mode is None else {"mode": mode, "cval": 0.5}
        np.testing.assert_allclose(apply(name, np.full(shape, 0.5), **keywords), 0.5, rtol=1e-13)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("shape", [(0, 5), (4, 0)])
def test_an_empty_image_stays_empty(name, shape):
    assert apply(name, np.empty(shape, np.uint8)).shape == shape
    assert getattr(filters, name)(np.empty(shape)).shape == shape


def test_not_a_number_reaches_the_window_and_no_further():
    image = picture((30, 31))
    image[15, 15] = np.nan
    for name, reach in (("denoise_bilateral", 2), ("denoise_nl_means", 3)):
        rows, columns = np.nonzero(np.isnan(apply(name, image)))
        extent = (15 - reach, 15 + reach)
        assert (rows.min(), rows.max(), columns.min(), columns.max()) == extent * 2


IMAGE = np.ones((4, 5))


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(
    ("error", "image", "keywords", "message"),
    [
        (TypeError, IMAGE.tolist(), {}, "image expects a numpy.ndarray or cupy.ndarray but got list"),
        (TypeError, IMAGE.astype(complex), {}, "image expects real numbers"),
        (ValueError, IMAGE[0], {}, "image expects two axes beside those"),
        (ValueError, np.ones((3, 4, 5)), {}, "image expects two axes beside those"),
        (ValueError, IMAGE, {"channel_axis": 2}, r"channel_axis expects a value in \[-2, 2\)"),
        (ValueError, IMAGE, {"batch_axes": 3}, r"batch_axes expects a value in \[0, 2\]"),
        (ValueError, IMAGE, {"out": np.empty((5, 4))}, "out expects a writeable float64 array"),
        (ValueError, IMAGE, {"out": np.empty((4, 5), np.float32)}, "out expects a writeable float64 array"),
    ],
)
def test_refuses_what_does_not_fit(name, error, image, keywords, message):
    with pytest.raises(error, match=f"{name}: {message}"):
        apply(name, image, **keywords)


@pytest.mark.parametrize(
    ("name", "error", "keywords", "message"),
    [
        ("denoise_bilateral", ValueError, {"mode": "nearest"}, "mode expects one of 'constant', 'edge'"),
        ("denoise_bilateral", ValueError, {"win_size": 0}, "win_size expects at least 1"),
        ("denoise_bilateral", TypeError, {"win_size": 5.0}, "win_size expects an integer"),
        ("denoise_bilateral", ValueError, {"sigma_color": -1}, "sigma_color expects a finite number of at least 0"),
        ("denoise_bilateral", ValueError, {"sigma_spatial": 0}, "sigma_spatial expects a finite number above 0"),
        ("denoise_nl_means", ValueError, {"h": 0}, "h expects a finite number above 0"),
        ("denoise_nl_means", TypeError, {"h": "0"}, "h expects a number"),
        ("denoise_nl_means", ValueError, {"patch_size": 0}, "patch_size expects at least 1"),
        ("denoise_nl_means", ValueError, {"patch_distance": -1}, "patch_distance expects at least 0"),
        ("denoise_nl_means", ValueError, {"sigma": float("nan")}, "sigma expects a finite number"),
    ],
)
def test_refuses_numbers_out_of_range(name, error, keywords, message):
    with pytest.raises(error, match=f"{name}: {message}"):
        apply(name, IMAGE, **keywords)
