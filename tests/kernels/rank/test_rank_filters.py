"""Rank filters: every variant against the definition, and against SciPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tilegrad.kernels.rank import networks

from tilegrad import kernels

MODES = ("reflect", "mirror", "nearest", "wrap", "constant")
DTYPES = ("uint8", "uint16", "float32")


def images(shape, dtype, seed=0, few=False):
    """Random images; of few different numbers, so that there are ties."""
    numbers = np.random.default_rng(seed).normal(100, 2 if few else 60, shape)
    return numbers.astype(dtype) if dtype[0] == "f" else numbers.clip(*_ends(dtype)).astype(dtype)


def _ends(dtype):
    return np.iinfo(dtype).min, np.iinfo(dtype).max


def poisoned(x):
    """An output that holds what no result does."""
    return np.full(x.shape, np.nan if x.dtype.kind == "f" else 7, x.dtype)


def by_definition(name, x, *args, **keywords):
    """The definition, compiled as it stands."""
    return getattr(kernels, name)(x, *args, variant="naive", **keywords)


@st.composite
def calls(draw):
    """Images, a window, and the keywords of a call."""
    shape = draw(
        st.tuples(st.integers(1, 2), st.integers(1, 12), st.sampled_from([1, 2, 7, 20, 70]), st.sampled_from([1, 3]))
    )
    x = images(shape, draw(st.sampled_from(DTYPES)), draw(st.integers(0, 2**32 - 1)), draw(st.booleans()))
    rows, columns = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    footprint = (rows, columns)
    if draw(st.booleans()):
        chosen = np.random.default_rng(draw(st.integers(0, 99))).random(footprint) < 0.6
        footprint = chosen if chosen.any() else np.ones(footprint)
    keywords = {
        "mode": draw(st.sampled_from(MODES)),
        "cval": draw(st.sampled_from([0.0, 120.5, -3.0])),
        "origin": (
            draw(st.integers(-(rows // 2), (rows - 1) // 2)),
            draw(st.integers(-(columns // 2), (columns - 1) // 2)),
        ),
    }
    return x, footprint, keywords


@given(calls(), st.integers(0, 48))
def test_rank_filter2d_equals_the_definition(call, rank):
    x, footprint, keywords = call
    size = footprint[0] * footprint[1] if isinstance(footprint, tuple) else int(footprint.sum())
    out = poisoned(x)
    assert kernels.rank_filter2d(x, footprint, rank % size, out=out, **keywords) is out
    np.testing.assert_array_equal(out, by_definition("rank_filter2d", x, footprint, rank % size, **keywords))


@pytest.mark.parametrize("name", ["min_filter2d", "max_filter2d"])
@given(calls(), st.sampled_from(["separable", "taps"]))
def test_extremes_equal_the_definition(name, call, variant):
    x, footprint, keywords = call
    if not isinstance(footprint, tuple):
        variant = "taps"
    out = poisoned(x)
    assert getattr(kernels, name)(x, footprint, out=out, variant=variant, **keywords) is out
    np.testing.assert_array_equal(out, by_definition(name, x, footprint, **keywords))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64"])
def test_extremes_of_3x3_in_registers(dtype, channels):
    """Rows that end anywhere in a vector, blocks of rows that are not full, all borders."""
    vector = 64 // np.dtype(dtype).itemsize  # or a whole number of vectors, of the narrower ones
    for width, height, mode in itertools.product((3 * vector // channels, 2 * vector + 5, 150), (1, 2, 7), MODES):
        x = np.random.default_rng(width).integers(*_ends(dtype), (2, height, width, channels), dtype, endpoint=True)
        for name in ("min_filter2d", "max_filter2d"):
            if dtype == "int64" and width * channels < 2 * vector + channels:
                continue
            out = poisoned(x)
            getattr(kernels, name)(x, (3, 3), mode=mode, cval=99.0, out=out, variant="extremes3")
            expected = by_definition(name, x, (3, 3), mode=mode, cval=99.0)
            np.testing.assert_array_equal(out, expected, err_msg=f"{x.shape} {mode}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("side", [3, 5])
def test_networks_equal_the_definition(side, dtype):
    """Rows shorter and longer than a vector, edges, blocks of rows that are not full, several tiles."""
    for shape, mode in itertools.product(
        [(1, 1, 1, 1), (2, 3, 2, 1), (1, 7, 40, 1), (1, 6, 23, 7), (1, 5, 3, 40), (1, 35, 1100, 1)], MODES
    ):
        x = images(shape, dtype, few=shape[1] == 7)
        out = poisoned(x)
        rank = side * side // 2
        kernels.rank_filter2d(x, (side, side), rank, mode=mode, cval=99.0, out=out, variant=f"network{side}")
        expected = by_definition("rank_filter2d", x, (side, side), rank, mode=mode, cval=99.0)
        np.testing.assert_array_equal(out, expected, err_msg=f"{shape} {mode}")


@settings(max_examples=10)
@given(st.integers(0, 2**25 - 1))
def test_a_median_of_25_bits(bits):
    """A network that is right for zeros and ones is right for all numbers (Knuth's zero-one principle)."""
    numbers = [bits >> i & 1 for i in range(25)]
    assert median_by_network(numbers, 5) == sorted(numbers)[12]


def test_all_medians_of_9_bits():
    for numbers in itertools.product((0, 1), repeat=9):
        assert median_by_network(numbers, 3) == sorted(numbers)[4]


def median_by_network(numbers, side):
    """As the workers do it: rows sorted, then columns but for the last row, which is put in."""
    rows = [networks.sort(numbers[r * side : (r + 1) * side], min, max) for r in range(side)]
    kept = {}
    for line, rank in networks.candidates(side):
        shared = networks.sort([row[line] for row in rows[:-1]], min, max)
        kept[line, rank] = networks.insert(rows[-1][line], shared, rank, min, max)
    return networks.forgotten(kept, min, max)


@pytest.mark.parametrize("rank", [0, 3, 262, -1])
def test_histograms_equal_selection(rank):
    for shape, footprint, mode in [
        ((1, 9, 11, 3), (25, 21), "wrap"),
        ((1, 150, 90, 1), (21, 25), "nearest"),
        ((1, 25, 600, 1), (21, 25), "constant"),
    ]:
        x = images(shape, "uint8")
        out = poisoned(x)
        keywords = {"mode": mode, "cval": 90.0, "origin": (2, -3)}
        kernels.rank_filter2d(x, footprint, rank, variant="histogram", out=out, **keywords)
        expected = kernels.rank_filter2d(x, footprint, rank, variant="selection", **keywords)
        np.testing.assert_array_equal(out, expected, err_msg=str(shape))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("footprint", [(9, 8), (8, 33), (1, 64), (40, 1)])
def test_large_windows_of_extremes(footprint, dtype):
    x = images((1, 37, 130, 2), dtype)
    for name, mode in itertools.product(("min_filter2d", "max_filter2d"), ("reflect", "constant")):
        found = getattr(kernels, name)(x, footprint, mode=mode, cval=100.0, variant="separable")
        expected = getattr(kernels, name)(x, footprint, mode=mode, cval=100.0, variant="taps")
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parity
@pytest.mark.parametrize("side", [3, 5, 7, 15, 31, 63, 255])
@pytest.mark.parametrize("dtype", DTYPES)
def test_medians_equal_scipy(dtype, side):
    ndimage = pytest.importorskip("scipy.ndimage")
    # SciPy reflects wrongly where a window is many times as large as the image (1.17); it continues the edge rightly.
    x, mode = (images((11, 40), dtype), "reflect") if side < 30 else (images((9, 7), dtype), "nearest")
    found = kernels.rank_filter2d(x[None, ..., None], (side, side), side * side // 2, mode=mode)[0, ..., 0]
    np.testing.assert_array_equal(found, ndimage.median_filter(x, side, mode=mode))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_window_many_times_as_large_as_the_image(dtype):
    x = images((1, 3, 9, 1), dtype)
    padded = np.pad(x[0, ..., 0], 63, mode="symmetric")
    expected = [[np.sort(padded[r : r + 127, c : c + 127].ravel())[127 * 63] for c in range(9)] for r in range(3)]
    np.testing.assert_array_equal(kernels.rank_filter2d(x, (127, 127), 127 * 63)[0, ..., 0], expected)


@pytest.mark.parametrize("side", [2**31, 2**31 + 1, 2**62])
@pytest.mark.parametrize("name", ["min_filter2d", "max_filter2d"])
def test_extremes_of_windows_without_end(name, side):
    """They are those of a window that reaches every pixel, or, of one that only reaches back, those up to a pixel."""
    x = images((2, 4, 9, 1), "float32")
    extreme = np.min if name == "min_filter2d" else np.max
    for mode in MODES[:4]:
        found = getattr(kernels, name)(x, (side, side), mode=mode)
        np.testing.assert_array_equal(found, np.broadcast_to(extreme(x, axis=(1, 2), keepdims=True), x.shape))
    outside = getattr(kernels, name)(x, (side, 3), mode="constant", cval=-1e9 if extreme is np.min else 1e9)
    assert (np.abs(outside) == 1e9).all()
    back = getattr(kernels, name)(x, (side, 1), mode="nearest", origin=((side - 1) // 2, 0))
    until = np.minimum.accumulate if name == "min_filter2d" else np.maximum.accumulate
    np.testing.assert_array_equal(back, until(x, axis=1))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_longer_windows_are_shortened_to_ones_that_give_the_same(n, mode):
    """Against windows as they are, which a footprint that is not full leaves."""
    x = images((1, n, 7, 1), "float32", n)
    for before, behind in itertools.product((0, 1, n - 1, n, 2 * n, 2 * n + 1, 5 * n + 2), repeat=2):
        tall = before + 1 + behind
        how = {"mode": mode, "cval": 100.0, "origin": (before - tall // 2, 0)}
        window = np.ones((tall, 3), bool)
        window[:, 2] = False
        found, expected = kernels.min_filter2d(x, (tall, 2), **how), kernels.min_filter2d(x, window, **how)
        np.testing.assert_array_equal(found, expected, err_msg=f"{before} {behind}")


@pytest.mark.parametrize("dtype", ["int8", "int16", "int64", "float64"])
def test_other_types(dtype):
    x = images((1, 12, 15, 1), dtype) - (120 if dtype != "int8" else 0)
    x[0, 3, 3:6] = np.inf if dtype == "float64" else np.iinfo(dtype).min
    for footprint in (((0, 1), (1, 1)), (7, 6)):
        found = kernels.rank_filter2d(x, footprint, 1)
        np.testing.assert_array_equal(found, by_definition("rank_filter2d", x, footprint, 1))


@pytest.mark.parametrize("variant", ["network3", "network5", "selection"])
def test_not_a_number_reaches_the_windows_that_hold_it(variant):
    side = 5 if variant == "network5" else 3
    x = images((1, 21, 140, 2), "float32")
    x[np.random.default_rng(3).random(x.shape) < 0.01] = np.nan
    x[0, 0, 0, 0] = -np.nan
    x[0, 9, 5:9] = np.inf
    for mode in ("wrap", "constant"):
        found = kernels.rank_filter2d(x, (side, side), side * side // 2, mode=mode, variant=variant)
        expected = by_definition("rank_filter2d", x, (side, side), side * side // 2, mode=mode)
        np.testing.assert_array_equal(found, expected)
        assert 0 < np.isnan(found).mean() < 1


@pytest.mark.parametrize("footprint", [(3, 3), (9, 10), ((1, 0), (0, 1))])
@pytest.mark.parametrize("name", ["min_filter2d", "max_filter2d"])
def test_not_a_number_is_least_and_greatest(name, footprint):
    x = images((1, 11, 90, 1), "float32")
    x[0, 4, 30:33] = np.nan
    np.testing.assert_array_equal(getattr(kernels, name)(x, footprint), by_definition(name, x, footprint))


def test_not_a_number_in_tiles_that_are_sorted():
    x = images((1, 25, 150, 1), "float32")
    x[0, 12, 70] = np.nan
    found = kernels.rank_filter2d(x, (9, 7), 20)
    np.testing.assert_array_equal(found, by_definition("rank_filter2d", x, (9, 7), 20))
    assert np.isnan(found).sum() == 63


def test_a_border_that_is_not_a_number():
    x = images((1, 5, 6, 1), "float32")
    found = kernels.rank_filter2d(x, (3, 3), 4, mode="constant", cval=np.nan)[0, ..., 0]
    assert np.isnan(found).sum() == 18
    assert not np.isnan(found[1:-1, 1:-1]).any()


@pytest.mark.parametrize("shape", [(0, 4, 5, 1), (1, 0, 5, 1), (1, 4, 0, 1), (1, 4, 5, 0)])
def test_empty_images_stay_empty(shape):
    x = np.empty(shape, np.uint8)
    assert kernels.rank_filter2d(x, (3, 3), 4).shape == shape
    assert kernels.rank_filter2d(x, (4, 3), 4).shape == shape
    assert kernels.max_filter2d(x, (3, 3)).shape == shape
    assert kernels.min_filter2d(x, ((0, 1), (1, 0))).shape == shape


@pytest.mark.parametrize("view", ["reversed", "fortran", "broadcast", "read-only", "sliced"])
def test_any_strides(view):
    x = images((2, 6, 8, 3), "uint8")
    x.flags.writeable = view != "read-only"
    seen = {
        "reversed": x[:, ::-1, ::-1],
        "fortran": np.asfortranarray(x),
        "broadcast": np.broadcast_to(x[:1, :1], x.shape),
        "read-only": x,
        "sliced": x[:, 1:, ::2],
    }[view]
    expected = kernels.rank_filter2d(np.array(seen, order="C"), (3, 3), 4)
    np.testing.assert_array_equal(kernels.rank_filter2d(seen, (3, 3), 4), expected)


def test_integers_take_a_constant_within_their_range():
    x = np.full((1, 1, 1, 1), 100, np.uint8)
    for cval, least, greatest in [(-5.0, 0, 100), (1e9, 100, 255), (99.9, 99, 100), (np.inf, 100, 255)]:
        assert kernels.min_filter2d(x, (3, 3), mode="constant", cval=cval).item() == least
        assert kernels.max_filter2d(x, (3, 3), mode="constant", cval=cval).item() == greatest


@given(st.integers(1, 3), st.integers(1, 5), st.integers(0, 99))
def test_window_places_equal_the_definition(rows, columns, seed):
    random = np.random.default_rng(seed)
    x = random.integers(0, 4, (2, 3 + rows, 15 + columns, 3)).astype(np.float32)
    y = random.integers(0, 5, (2, 4, 16, 3)).astype(np.float32)
    x[x == 3] = np.nan
    y[y == 3] = np.nan
    footprint = random.random((rows, columns)) < 0.7
    footprint[random.integers(rows), random.integers(columns)] = True
    out = np.full(y.shape, 7, np.int32)
    assert kernels.window_places(x, y, footprint, out=out) is out
    np.testing.assert_array_equal(out, kernels.window_places(x, y, footprint, variant="reference"))


def test_other_shapes_compile_nothing():
    from tilegrad.kernels.machine.compile import compiled_kernels

    for side in (3, 5, 7, 21):
        kernels.rank_filter2d(images((1, 40, 50, 1), "uint8"), (side, side), side * side // 2)
    before = len(compiled_kernels)
    kernels.rank_filter2d(images((3, 9, 150, 3), "uint8"), (3, 3), 4)
    kernels.rank_filter2d(images((1, 70, 20, 2), "uint8"), (5, 5), 12)
    kernels.rank_filter2d(images((1, 70, 20, 2), "uint8"), ((1, 0), (0, 1)), 1)
    kernels.rank_filter2d(images((1, 10, 20, 2), "uint8"), (31, 29), 100)
    assert len(compiled_kernels) == before


X = np.ones((1, 4, 5, 1), np.float32)


@pytest.mark.parametrize(
    ("error", "arguments", "keywords", "message"),
    [
        (ValueError, (X[0], (3, 3), 0), {}, r"x expects \(N, H, W, C\) but got shape"),
        (TypeError, (X.astype(np.float16), (3, 3), 0), {}, "x expects integers, float32 or float64 but got float16"),
        (TypeError, (X.astype(complex), (3, 3), 0), {}, "x expects integers"),
        (ValueError, (X, (0, 3), 0), {}, "footprint expects sizes of at least 1"),
        (ValueError, (X, np.zeros((2, 2)), 0), {}, "footprint expects a pixel"),
        (ValueError, (X, np.ones((1, 2, 2)), 0), {}, r"footprint expects \(rows, columns\) or an array of two axes"),
        (ValueError, (X, (3, 3), 9), {}, r"rank expects a value in \[-9, 9\) for 9 pixels but got 9"),
        (TypeError, (X, (3, 3), 1.0), {}, "rank expects an integer"),
        (ValueError, (X, (3, 3), 1), {"mode": "symmetric"}, "mode expects one of 'constant'"),
        (TypeError, (X, (3, 3), 1), {"cval": "0"}, "cval expects a number"),
        (ValueError, (X.astype(int), (3, 3), 1), {"cval": np.nan}, "cval expects a number that int64 holds"),
        (ValueError, (X, (3, 4), 1), {"origin": (0, 2)}, r"origin expects values in \[-2, 1\] for 4 pixels"),
        (TypeError, (X, (3, 4), 1), {"origin": 0.5}, "origin expects an integer or 2 of them"),
        (ValueError, (X, (2**31, 2**31 + 1), 1), {}, "footprint expects at most 16777216 pixels"),
        (ValueError, (X, (3, 3), 1), {"out": X}, "out shares memory with an input"),
        (ValueError, (X, (3, 3), 1), {"variant": "network3"}, "takes medians of 3x3 pixels"),
        (ValueError, (X, (7, 7), 24), {"variant": "network5"}, "takes medians of 5x5 pixels"),
        (ValueError, (X, (31, 31), 24), {"variant": "histogram"}, "takes full windows of uint8 images"),
        (ValueError, (X.astype(np.uint8), (7, 7), 24), {"variant": "histogram"}, "takes windows of 361 to 65535"),
    ],
)  # fmt: skip
def test_rank_filter2d_refuses(error, arguments, keywords, message):
    with pytest.raises(error, match=f"rank_filter2d: .*{message}"):
        kernels.rank_filter2d(*arguments, **keywords)


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (TypeError, (X.astype(np.uint8), X, (1, 1)), "x expects float32 or float64 but got uint8"),
        (TypeError, (X, X.astype(float), (1, 1)), "y expects float32 but got float64"),
        (ValueError, (X, X, (2, 3)), r"y expects \(1, 3, 3, 1\) but got \(1, 4, 5, 1\)"),
    ],
)
def test_window_places_refuses(error, arguments, message):
    with pytest.raises(error, match=f"window_places: {message}"):
        kernels.window_places(*arguments)
