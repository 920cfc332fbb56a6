"""JPEG's loss: bit for bit that of files written and read by Pillow."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilegrad import kernels

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")


def through_a_file(image, quality, subsampling):
    pil = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    pil.fromarray(image).save(file, "JPEG", quality=quality, subsampling=SUBSAMPLINGS.index(subsampling))
    return np.asarray(pil.open(file))


@st.composite
def images(draw):
    """Noise, smooth slopes, or few levels: (H, W, C)."""
    h, w = draw(st.integers(1, 40)), draw(st.integers(1, 50))
    c = draw(st.sampled_from([1, 3, 3]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["noise", "smooth", "levels"]))
    if kind == "noise":
        return random.integers(0, 256, (h, w, c), dtype=np.uint8)
    if kind == "levels":
        return (random.integers(0, 2, (h, w, c)) * 255).astype(np.uint8)
    y, x = np.mgrid[:h, :w]
    waves = [np.sin(y / random.uniform(2, 9) + x / random.uniform(2, 9)) for _ in range(c)]
    return (127 + 120 * np.stack(waves, axis=2)).astype(np.uint8)


@pytest.mark.parity
@given(images(), st.integers(1, 100), st.sampled_from(SUBSAMPLINGS))
def test_equals_pillow_bit_for_bit(image, quality, subsampling):
    theirs = through_a_file(image if image.shape[2] == 3 else image[..., 0], quality, subsampling)
    out = np.full((1, *image.shape), 7, np.uint8)
    ours = kernels.jpeg(image[None], quality, subsampling=subsampling, out=out)
    assert ours is out
    np.testing.assert_array_equal(ours[0], theirs.reshape(image.shape))


@pytest.mark.parity
def test_equals_pillow_on_every_quality_of_a_photograph():
    data = pytest.importorskip("skimage.data")
    image = np.ascontiguousarray(data.astronaut()[60:157, 180:291])
    for quality in range(1, 101):
        theirs = through_a_file(image, quality, "4:2:0")
        np.testing.assert_array_equal(kernels.jpeg(image[None], quality)[0], theirs, err_msg=str(quality))


@given(images(), st.sampled_from([3, 50, 97]), st.sampled_from(SUBSAMPLINGS))
def test_equals_the_definition(image, quality, subsampling):
    keywords = {"quality": quality, "subsampling": subsampling}
    expected = kernels.jpeg(image[None], **keywords, variant="naive")
    np.testing.assert_array_equal(kernels.jpeg(image[None], **keywords), expected)


@given(images(), st.sampled_from(["float32", "float64"]), st.sampled_from([3, 50, 97]), st.sampled_from(SUBSAMPLINGS))
def test_numbers_are_rounded_to_levels_and_back(image, dtype, quality, subsampling):
    """Halves between two levels, numbers a last place beside them, and what no file can hold."""
    real, random = np.dtype(dtype).type, np.random.default_rng(int(image.sum()))
    x = (image.astype(dtype) + random.choice([0, 0.5, 0.3, -0.5], image.shape).astype(dtype)) / real(255)
    x = np.where(random.random(image.shape) < 0.5, x, np.nextafter(x, random.choice([real(-9), real(9)], image.shape)))
    odd = random.random(image.shape)
    x[odd < 0.05] = random.choice([np.nan, np.inf, -np.inf, -0.25, 3.0, -0.0, 1.0], np.count_nonzero(odd < 0.05))
    levels = np.rint(np.nan_to_num(np.clip(x, 0, 1)) * real(255)).astype(np.uint8)
    expected = kernels.jpeg(levels[None], quality, subsampling=subsampling).astype(dtype) / real(255)
    for variant in (None, "naive"):
        found = kernels.jpeg(x[None], quality, subsampling=subsampling, variant=variant)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)


def test_every_level_stays_itself_when_nothing_is_lost():
    """A plain block keeps its level at the highest quality, and 0 / 255, ..., 255 / 255 are its numbers."""
    for dtype in (np.float32, np.float64):
        x = np.broadcast_to(np.arange(256).reshape(256, 1, 1, 1), (256, 8, 8, 1)).astype(dtype) / dtype(255)
        np.testing.assert_array_equal(kernels.jpeg(x, 100), x)


def test_a_batch_is_its_images():
    batch = np.random.default_rng(0).integers(0, 256, (3, 19, 33, 3), dtype=np.uint8)
    together = kernels.jpeg(batch, 40)
    for image, ours in zip(batch, together, strict=True):
        np.testing.assert_array_equal(kernels.jpeg(image[None], 40)[0], ours)


@pytest.mark.parametrize("shape", [(0, 8, 8, 3), (1, 0, 8, 1), (2, 8, 0, 3)])
def test_empty_images_stay_empty(shape):
    assert kernels.jpeg(np.empty(shape, np.uint8)).shape == shape


def test_strides_are_no_matter():
    image = np.random.default_rng(1).integers(0, 256, (1, 20, 30, 3), dtype=np.uint8)
    image.flags.writeable = False
    for view in (image[:, ::-1, ::-1], image[:, ::2], image.transpose(0, 2, 1, 3)):
        np.testing.assert_array_equal(kernels.jpeg(view), kernels.jpeg(view.copy()))


@pytest.mark.parametrize(
    ("error", "x", "keywords", "message"),
    [
        (TypeError, np.ones((1, 8, 8, 1), int), {}, "x expects uint8, float32 or float64 but got int64"),
        (ValueError, np.ones((8, 8, 3), np.uint8), {}, r"x expects \(N, H, W, C\) with C = 1 or 3 but got shape"),
        (ValueError, np.ones((1, 8, 8, 2), np.uint8), {}, r"x expects .* but got shape \(1, 8, 8, 2\)"),
        (ValueError, np.ones((1, 8, 8, 1), np.uint8), {"quality": 0}, "quality expects 1 to 100 but got 0"),
        (TypeError, np.ones((1, 8, 8, 1), np.uint8), {"quality": 50.0}, "quality expects an integer"),
        (ValueError, np.ones((1, 8, 8, 1), np.uint8), {"subsampling": "4:1:1"}, "subsampling expects one of 4:4:4"),
    ],
)
def test_refuses(error, x, keywords, message):
    with pytest.raises(error, match=f"jpeg: {message}"):
        kernels.jpeg(x, **keywords)
