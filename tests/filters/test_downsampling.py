"""``downsample``: means of areas in the image's own type."""

import numpy as np
import pytest

from tilegrad import filters

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 256, (13, 20, 3)).astype(np.uint8)


def _means(x, size, axis):
    """By the definition: each pixel as many times as there are results, and means of as many as there are pixels."""
    repeated = np.moveaxis(np.repeat(x.astype(np.float64), size, axis=axis), axis, 0)
    return np.moveaxis(repeated.reshape(size, x.shape[axis], *repeated.shape[1:]).mean(axis=1), 0, axis)


@pytest.mark.parametrize("factor", [1, 1.3, 2, np.float32(2.5), 3, 40])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "float32", "float64"])
def test_is_the_mean_of_areas(dtype, factor):
    x = IMAGE.astype(dtype) / 100 if dtype.startswith("float") else IMAGE.astype(dtype)
    rows, columns = max(1, round(13 / factor)), max(1, round(20 / factor))
    found = filters.downsample(x, factor, channel_axis=-1)
    assert (found.dtype, found.shape) == (x.dtype, (rows, columns, 3))
    expected = _means(_means(x, rows, 0), columns, 1)
    # Values reach 2.55, of which float16 keeps 11 bits and float32 24; integers are rounded by half at most.
    bound = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-14}.get(dtype, 0.5 + 1e-9)
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound)


def test_halves_are_rounded_to_the_even_side_and_booleans_by_majority():
    np.testing.assert_array_equal(filters.downsample(np.array([[1, 2, 2, 3]], np.int16), 2), [[2, 2]])
    np.testing.assert_array_equal(filters.downsample(np.eye(4, dtype=bool)[[0, 0, 1, 2]], 2), [[False, False]] * 2)
    np.testing.assert_array_equal(filters.downsample(np.array([True, True, False]), 3), [True])


@pytest.mark.parity
@pytest.mark.parametrize("factor", [1.5, 2, 2.4, 3, 7])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_equals_opencv(dtype, factor):
    cv2 = pytest.importorskip("cv2")
    x = (RANDOM.random((61, 48, 3)) * {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]).astype(dtype)
    ours = filters.downsample(x, factor, channel_axis=-1)
    theirs = cv2.resize(x, ours.shape[1::-1], interpolation=cv2.INTER_AREA)
    # OpenCV rounds halves up at 2, and sums 16 bits in float32.
    bound = 2e-6 if dtype == "float32" else 0 if dtype == "uint8" and factor != 2 else 1
    np.testing.assert_allclose(ours.astype(np.float64), theirs, rtol=0, atol=bound)


def test_batches_volumes_and_out():
    batch = RANDOM.random((2, 3, 9, 8))
    out = np.empty((2, 3, 4, 8))[..., ::2]
    assert filters.downsample(batch, 2, batch_axes=2, out=out) is out
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(out[i], filters.downsample(batch[i], 2))
    assert filters.downsample(batch, 2, batch_axes=1).shape == (2, 2, 4, 4)
    assert filters.downsample(batch, 2, channel_axis=0).shape == (2, 2, 4, 4)
    unchanged = filters.downsample(batch, 1)
    assert not np.may_share_memory(unchanged, batch)
    np.testing.assert_array_equal(unchanged, batch)


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (TypeError, (IMAGE, "2"), "factor expects a number but got '2'"),
        (ValueError, (IMAGE, 0.5), "factor expects a finite number of at least 1 but got 0.5"),
        (ValueError, (IMAGE, float("nan")), "factor expects a finite number of at least 1 but got nan"),
        (ValueError, (IMAGE, float("inf")), "factor expects a finite number of at least 1 but got inf"),
        (ValueError, (IMAGE[:0], 2), r"image expects at least one pixel but got shape \(0, 20, 3\)"),
        (TypeError, ([[1, 2]], 2), "image expects a numpy.ndarray or cupy.ndarray but got list"),
        (TypeError, (IMAGE * 1j, 2), "image expects real numbers but got complex"),
    ],
)
def test_refuses(error, arguments, message):
    with pytest.raises(error, match=f"downsample: {message}"):
        filters.downsample(*arguments)
