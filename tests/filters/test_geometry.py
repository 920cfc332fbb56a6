"""Resizing, warping, pyramids, cropping, padding: against scikit-image and NumPy, and on the inputs that go wrong."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import GEOMETRY

from tilegrad import filters

MODES = ("constant", "edge", "symmetric", "reflect", "wrap")


def close(ours, theirs, bound=GEOMETRY):
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=1.0) if theirs.dtype.kind == "f" else 0
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=bound * scale)


def image(shape, dtype="float64", seed=0):
    values = np.random.default_rng(seed).random(shape)
    scale = {"b": 1, "f": 1}.get(np.dtype(dtype).kind, 200)
    return np.rint(values * scale).astype(dtype) if np.dtype(dtype).kind != "f" else values.astype(dtype)


@st.composite
def resizings(draw):
    shape = draw(st.lists(st.sampled_from([9, 12, 17]), min_size=1, max_size=3))
    sizes = [draw(st.sampled_from([n, 1, 5, 12, 23])) for n in shape]
    x = image(shape, draw(st.sampled_from(["float64", "uint8", "int16"])), draw(st.integers(0, 99)))
    return x, sizes, {
        "order": draw(st.sampled_from([None, 0, 1, 2, 3])),
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0, 0.3])),
        "clip": draw(st.booleans()),
        "preserve_range": draw(st.booleans()),
        "anti_aliasing": draw(st.sampled_from([None, False])),
    }  # fmt: skip


@pytest.mark.parity
@given(resizings())
def test_resize_equals_scikit_image(call):
    transform = pytest.importorskip("skimage.transform")
    x, sizes, keywords = call
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        close(filters.resize(x, sizes, **keywords), transform.resize(x, sizes, **keywords))


@pytest.mark.parity
@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("mode", MODES)
def test_warp_and_rotate_equal_scikit_image(order, mode):
    transform = pytest.importorskip("skimage.transform")
    x = image((15, 19))
    keywords = {"order": order, "mode": mode, "cval": 0.2}
    affine = transform.AffineTransform(scale=(1.2, 0.8), rotation=0.3, shear=0.1, translation=(-2, 3.1))
    projective = np.array([[1, 0.1, 0.2], [0.05, 0.9, 1.1], [0.002, 0.003, 1]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what scikit-image says of order 2
        for inverse_map in (affine, projective):
            ours = filters.warp(x, inverse_map, output_shape=(12, 20), **keywords)
            close(ours, transform.warp(x, inverse_map, output_shape=(12, 20), **keywords))
        for resize in (False, True):
            close(filters.rotate(x, 33, resize, **keywords), transform.rotate(x, 33, resize, **keywords))


@pytest.mark.parity
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    scale=st.tuples(*[st.sampled_from([1, -1, 0.5, 2])] * 2),
    shift=st.tuples(*[st.integers(-30, 30)] * 2),
    mode=st.sampled_from(MODES),
)
def test_the_nearest_of_two_pixels_is_scikit_images(shape, scale, shift, mode):
    """Places halfway between pixels, inside and on every side."""
    transform = pytest.importorskip("skimage.transform")
    x = image(shape)
    inverse_map = np.array([[scale[1], 0, shift[1] / 2], [0, scale[0], shift[0] / 2], [0, 0, 1]])
    keywords = {"order": 0, "mode": mode, "cval": 9, "output_shape": (12, 13)}
    np.testing.assert_array_equal(filters.warp(x, inverse_map, **keywords), transform.warp(x, inverse_map, **keywords))


@pytest.mark.parity
@pytest.mark.parametrize("order", [2, 4, 5])
@pytest.mark.parametrize("mode", MODES)
def test_splines_far_outside_are_scikit_images(order, mode):
    transform = pytest.importorskip("skimage.transform")
    x = image((24, 26))
    inverse_map = np.array([[1.1, 0.2, -40], [-0.1, 1.2, -30], [-1e-3, 2e-3, 1]])
    keywords = {"order": order, "mode": mode, "cval": 0.3, "output_shape": (90, 100), "clip": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what scikit-image says of order 2
        close(filters.warp(x, inverse_map, **keywords), transform.warp(x, inverse_map, **keywords))


@pytest.mark.parity
@pytest.mark.parametrize("grid_mode", [True, False])
@pytest.mark.parametrize("size", [(7, 5), (20, 40), (15, 3), (1, 1)])
def test_local_means_equal_scikit_image(grid_mode, size):
    transform = pytest.importorskip("skimage.transform")
    x = image((15, 19))
    close(filters.resize_local_mean(x, size, grid_mode), transform.resize_local_mean(x, size, grid_mode))
    factors = tuple(max(1, n // m) for n, m in zip(x.shape, size, strict=True))
    close(filters.downscale_local_mean(x, factors, 0.5), transform.downscale_local_mean(x, factors, 0.5))


@pytest.mark.parity
@pytest.mark.parametrize("mode", ["reflect", "constant", "wrap"])  # scikit-image fails with the others
@pytest.mark.parametrize("name", ["reduce", "expand", "gaussian", "laplacian"])
def test_pyramids_equal_scikit_image(name, mode):
    transform = pytest.importorskip("skimage.transform")
    x = image((20, 24, 3), "uint8")
    function = f"pyramid_{name}"
    ours, theirs = (getattr(one, function)(x, mode=mode, channel_axis=-1) for one in (filters, transform))
    if name in ("gaussian", "laplacian"):
        for one, other in zip(list(ours), list(theirs), strict=True):
            close(one, other)
    else:
        close(ours, theirs)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_batches_and_channels_equal_single_planes(order):
    x = image((2, 3, 9, 12))
    whole = filters.resize(x, (5, 20), order, "edge", channel_axis=1, batch_axes=1)
    warped = filters.rotate(x, 20, order=order, mode="edge", channel_axis=1, batch_axes=1, clip=False)
    assert whole.shape == (2, 3, 5, 20)
    for n, c in np.ndindex(2, 3):
        alone = filters.resize(x[n, c], (5, 20), order, "edge", clip=False)
        low, high = x[n].min(), x[n].max()
        np.testing.assert_allclose(whole[n, c], alone.clip(low, high), atol=GEOMETRY)
        np.testing.assert_allclose(warped[n, c], filters.rotate(x[n, c], 20, order=order, mode="edge", clip=False))


@pytest.mark.parametrize(("mode", "cval"), [("edge", 0.5), ("constant", 0.5), ("constant", 7.0), ("constant", np.nan)])
def test_each_image_of_a_batch_is_clipped_to_its_own_range(mode, cval):
    x = np.stack([image((9, 12)), 5 + image((9, 12)), np.full((9, 12), np.nan), image((9, 12))])
    x[3, 4, 4] = np.nan
    free, clipped = (
        filters.rotate(x, 20, order=3, mode=mode, cval=cval, clip=clip, batch_axes=1) for clip in (False, True)
    )
    for one, before, after in zip(x, free, clipped, strict=True):
        values = one[~np.isnan(one)]
        expected = before
        if values.size:  # the corners of the result have cval
            limits = [values.min(), values.max(), *([cval] if mode == "constant" and not np.isnan(cval) else [])]
            expected = before.clip(min(limits), max(limits))
        np.testing.assert_array_equal(after, expected)
    assert (free[:2] != clipped[:2]).any(axis=(1, 2)).all()


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool", "float16", "float32", "float64"])
def test_types(dtype):
    x = image((8, 9), dtype)
    kept = "float32" if dtype == "float16" else dtype
    assert filters.resize(x, (4, 4), 0).dtype == filters.rotate(x, 10, order=0).dtype == kept
    if dtype != "bool":
        wide = "float32" if dtype in ("float16", "float32") else "float64"
        assert filters.resize(x, (4, 4)).dtype == filters.rotate(x, 10).dtype == wide
    assert filters.downscale_local_mean(x, 2).dtype == (dtype if x.dtype.kind == "f" else "float64")


def test_integers_of_any_size_are_copied_exactly():
    x = np.array([[2**62 + 1, 2**62 + 3]])
    np.testing.assert_array_equal(filters.resize(x, (1, 4), order=0), np.repeat(x, 2, axis=1))


def test_strides_and_read_only_images():
    x = image((10, 12))
    x.flags.writeable = False
    for view in (x[::-1, ::-2], x.T, np.broadcast_to(x[0], (4, 12))):
        plain = np.array(view, order="C")
        np.testing.assert_array_equal(filters.resize(view, (5, 7)), filters.resize(plain, (5, 7)))
        np.testing.assert_array_equal(filters.rotate(view, 30), filters.rotate(plain, 30))


def test_the_result_is_a_new_array_even_where_nothing_changes():
    x = image((4, 5))
    for result in (
        filters.resize(x, (4, 5)), filters.resize_local_mean(x, (4, 5)), filters.downscale_local_mean(x, 1),
        filters.pad(x, 0), filters.warp(x, np.eye(3)), next(filters.pyramid_gaussian(x)),
    ):  # fmt: skip
        np.testing.assert_array_equal(result, x)
        assert not np.may_share_memory(result, x)


def test_out():
    x = image((8, 9)).astype(np.float32)
    out = np.full((9, 16), np.nan, np.float32).T[::4]  # strided
    for function in (filters.resize, filters.resize_local_mean):
        expected = function(x, (4, 9))
        assert function(x, (4, 9), out=out) is out
        np.testing.assert_array_equal(out, expected)
    assert filters.rotate(x, 5, out=x) is x
    padded = np.full((10, 11), 7, np.float32)
    assert filters.pad(x, 1, "edge", out=padded) is padded
    np.testing.assert_array_equal(padded, np.pad(x, 1, mode="edge"))


def test_a_nan_reaches_those_that_take_it_and_does_not_clip():
    x = np.ones((9, 9))
    x[4, 4] = np.nan
    y = filters.resize(x, (18, 18), anti_aliasing=False)
    rows, columns = np.nonzero(np.isnan(y))
    assert (rows.min(), rows.max(), columns.min(), columns.max(), rows.size) == (7, 10, 7, 10, 16)
    assert np.nanmax(y) == np.nanmin(y) == 1
    assert np.isnan(filters.resize(np.full((3, 3), np.nan), (5, 5))).all()


@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    mode=st.sampled_from(MODES),
    before=st.integers(0, 12),
    after=st.integers(0, 12),
)
def test_pad_equals_numpy(shape, mode, before, after):
    x = image(shape, "int16")
    width = [(before, after)] * (len(shape) - 1) + [(after, 0)]
    outside = {"constant_values": 3} if mode == "constant" else {}
    np.testing.assert_array_equal(filters.pad(x, width, mode, **outside), np.pad(x, width, mode, **outside))


@pytest.mark.parametrize("channel", [None, -1, 1])
def test_borders_are_those_of_each_image(channel):
    """Widths are of axes that are neither of the batch nor of the channels."""
    x = image((2, 6, 7) if channel is None else (2, 6, 7, 3) if channel == -1 else (2, 3, 6, 7))
    rows, columns = (1, 2) if channel != 1 else (2, 3)
    for width in (1, (1, 2), ((1, 2), (3, 0))):
        wide = np.zeros((x.ndim, 2), int)
        wide[[rows, columns]] = width
        where = {"batch_axes": 1, "channel_axis": channel}
        np.testing.assert_array_equal(filters.pad(x, width, "edge", **where), np.pad(x, wide, mode="edge"))
        padded = np.pad(x, wide)
        np.testing.assert_array_equal(filters.crop(padded, width, **where), x)
    with pytest.raises(ValueError, match="pad: pad_width expects an integer, a pair, or 2 pairs"):
        filters.pad(x, ((1, 1),) * 3, **where)


def test_crop_takes_from_the_edges():
    x = image((6, 7, 2))
    np.testing.assert_array_equal(filters.crop(x, ((1, 2), (0, 3), (0, 0))), x[1:4, :4])
    np.testing.assert_array_equal(filters.crop(x, ((1, 1),)), x[1:-1, 1:-1, 1:-1])
    assert filters.crop(x, ((3, 3), (0, 0), (0, 0))).shape == (0, 7, 2)
    assert np.may_share_memory(filters.crop(x, ((1, 1), (1, 1), (0, 0))), x)
    assert filters.crop(x, ((1, 1), (1, 1), (0, 0)), copy=True, order="F").flags.f_contiguous


X = np.ones((4, 5))


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (TypeError, lambda: filters.resize(X.tolist(), (2, 2)), "resize: image expects a numpy.ndarray"),
        (ValueError, lambda: filters.resize(X, (2,) * 0), "resize: output_shape expects 2 sizes"),
        (ValueError, lambda: filters.resize(X, (0, 2)), "resize: output_shape expects sizes of at least 1"),
        (TypeError, lambda: filters.resize(X, (2.5, 2)), "resize: output_shape expects a sequence of integers"),
        (TypeError, lambda: filters.resize(X, 3), "resize: output_shape expects a sequence of integers"),
        (ValueError, lambda: filters.resize(X[:0], (2, 2)), "resize: image expects at least one pixel"),
        (ValueError, lambda: filters.resize(X, (2, 2), 6), r"resize: order expects a value in \[0, 5\]"),
        (ValueError, lambda: filters.resize(X > 0, (2, 2), 1), "resize: order expects 0 for an image of booleans"),
        (ValueError, lambda: filters.resize(X > 0, (2, 2), anti_aliasing=True), "resize: anti_aliasing expects False"),
        (ValueError, lambda: filters.resize(X, (2, 2), mode="nearest"), "resize: mode expects one of 'constant'"),
        (ValueError, lambda: filters.resize(X, (2, 2), anti_aliasing_sigma=-1), "resize: anti_aliasing_sigma expects"),
        (ValueError, lambda: filters.resize(X, (2, 3), channel_axis=-1), "resize: output_shape expects 5 channels"),
        (ValueError, lambda: filters.resize(X, (2, 2), out=np.empty((2, 3))), "resize: out expects"),
        (ValueError, lambda: filters.rescale(X, (1, 2, 3)), "rescale: scale expects a number or one for each of 2"),
        (ValueError, lambda: filters.rescale(X, -1), "rescale: scale expects positive numbers"),
        (ValueError, lambda: filters.downscale_local_mean(X, 0), "downscale_local_mean: factors expects integers"),
        (TypeError, lambda: filters.warp(X, lambda place: place), "warp: inverse_map expects a .* but got function"),
        (TypeError, lambda: filters.warp(X, np.zeros((2, 4, 5))), r"warp: inverse_map expects a .* shape \(2, 4, 5\)"),
        (TypeError, lambda: filters.warp(X, np.eye(3), {}), "warp: map_args expects None"),
        (ValueError, lambda: filters.warp(X[:0], np.eye(3)), "warp: image expects at least one pixel"),
        (ValueError, lambda: filters.warp(X, np.eye(3), output_shape=(3, 4.5)), "warp: output_shape expects"),
        (ValueError, lambda: filters.rotate(X, 3, center=(1,)), "rotate: center expects"),
        (ValueError, lambda: filters.rescale(X[:0], 0.5), "rescale: image expects at least one pixel"),
        (ValueError, lambda: filters.pyramid_reduce(X[:0]), "pyramid_reduce: image expects at least one pixel"),
        (ValueError, lambda: filters.pyramid_expand(X[:0]), "pyramid_expand: image expects at least one pixel"),
        (ValueError, lambda: filters.pyramid_gaussian(X[:0]), "pyramid_gaussian: image expects at least one pixel"),
        (ValueError, lambda: filters.pyramid_laplacian(X[:0]), "pyramid_laplacian: image expects at least one pixel"),
        (ValueError, lambda: filters.pyramid_reduce(X, 1), "pyramid_reduce: downscale expects a number over 1"),
        (ValueError, lambda: filters.pyramid_laplacian(X, mode="mirror").__next__(), "pyramid_laplacian: mode expects"),
        (ValueError, lambda: filters.crop(X, ((3, 2), (0, 0))), "crop: crop_width takes 3 . 2 of 4"),
        (ValueError, lambda: filters.crop(X, -1), "crop: crop_width expects integers of at least 0"),
        (ValueError, lambda: filters.pad(X, ((1, 1),) * 3), "pad: pad_width expects an integer, a pair, or 2 pairs"),
        (ValueError, lambda: filters.pad(X, 1, "mean"), "pad: mode expects one of 'constant'"),
        (ValueError, lambda: filters.pad(X[:0], 1, "edge"), 'pad: mode "edge" expects a value along axis 0'),
    ],
)
def test_refuses(error, call, message):
    with pytest.raises(error, match=message):
        call()


def test_rotate_names_itself_in_what_it_refuses():
    image = np.ones((4, 5))
    for wrong, message in (
        ({"mode": "mirror"}, "rotate: mode expects"),
        ({"order": 9}, "rotate: order expects"),
    ):
        with pytest.raises(ValueError, match=message):
            filters.rotate(image, 30, **wrong)
    with pytest.raises(ValueError, match="rotate: image expects at least one pixel"):
        filters.rotate(image[:0], 30)


@pytest.mark.parametrize("order", [2, 4, 5])
def test_splines_pass_through_the_pixels_of_short_axes(order):
    image = np.random.default_rng(0).random((2, 5))
    found = filters.warp(image, np.eye(3), order=order, mode="symmetric", clip=False)
    np.testing.assert_allclose(found, image, rtol=0, atol=1e-13)
