"""Template matching: every variant against the definition, and on the images that go wrong elsewhere."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import EPS, MATCH_SCORE

from tilegrad import kernels

DTYPES = ("float32", "float64", "uint8")


def filled(rng, shape, dtype):
    return (rng.random(shape) * (255 if dtype == "uint8" else 1)).astype(dtype)


def wide(*arrays):
    """The same numbers in float64, where the compiled definition is the oracle."""
    return [a.astype(np.float64) for a in arrays]


@st.composite
def calls(draw, smallest=1):
    """An image, and a template that is one of its windows or has nothing to do with it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, c = draw(st.integers(1, 2)), draw(st.sampled_from([1, 1, 2, 3]))
    r, s = draw(st.sampled_from([smallest, 2, 5, 9])), draw(st.sampled_from([smallest, 3, 8, 17]))
    p, q = draw(st.sampled_from([1, 2, 7, 20])), draw(st.sampled_from([1, 5, 16, 33]))
    dtype = draw(st.sampled_from(DTYPES))
    x = filled(rng, (n, p + r - 1, q + s - 1, c), dtype)
    template = x[0, p - 1 :, q - 1 :].copy() if draw(st.booleans()) else filled(rng, (r, s, c), dtype)
    return x, template


@given(calls())
def test_products_equal_the_definition(call):
    x, template = call
    expected = kernels.match_products(*wide(x, template), variant="naive")
    for variant in ("direct", None):
        out = np.full(expected.shape, *((np.nan, x.dtype) if x.dtype.kind == "f" else (7, np.int64)))
        assert kernels.match_products(x, template, out=out, variant=variant) is out
        if x.dtype == np.uint8:
            np.testing.assert_array_equal(out, expected)
        else:
            # In the frequency domain: a few eps times the lengths of the template and of the block.
            bound = 4 * EPS[x.dtype.name] * np.sqrt(np.square(template).sum()) * np.sqrt(np.square(x).sum())
            np.testing.assert_allclose(out, expected, rtol=template.size * EPS[x.dtype.name], atol=bound)


@pytest.mark.parametrize("size", [(2, 3), (20, 21)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_images_take_templates_of_their_own(size, dtype):
    rng = np.random.default_rng(0)
    x, templates = filled(rng, (6, 90, 80, 2), dtype), filled(rng, (3, *size, 2), dtype)
    for variant in ("direct", "fourier") if size == (20, 21) else ("direct",):
        found = kernels.match_products(x, templates, variant=variant)
        for n in range(6):
            alone = kernels.match_products(x[n : n + 1], templates[n % 3], variant=variant)
            np.testing.assert_array_equal(found[n : n + 1], alone)
    definition = kernels.match_products(*wide(x[:3], templates), variant="naive")
    np.testing.assert_allclose(found[:3], definition, rtol=100 * EPS["float32" if dtype == "float32" else "float64"])


@pytest.mark.parametrize("centre", ["channel", "all", "none"])
@given(call=calls())
def test_scores_equal_the_definition(centre, call):
    x, template = call
    expected = kernels.match_template(*wide(x, template), centre=centre, variant="naive")
    for variant in ("direct", None):
        out = np.full(expected.shape, np.nan, np.float64 if x.dtype == np.float64 else np.float32)
        assert kernels.match_template(x, template, centre=centre, out=out, variant=variant) is out
        atol = MATCH_SCORE[out.dtype.name] + rounding_of_flat_windows(x, template, centre)
        np.testing.assert_array_less(np.abs(out - expected), atol)


def rounding_of_flat_windows(x, template, centre):
    """What float64 leaves of a window's deviations, which are what remains of its squares when its mean's are gone."""
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), template.shape[:2], axis=(1, 2))
    axes = {"none": (), "channel": (4, 5), "all": (3, 4, 5)}[centre]
    means = windows.mean(axes, keepdims=True) if axes else 0.0
    squares, deviations = (np.square(w).sum((3, 4, 5)) for w in (windows, windows - means))
    return 4e-15 * squares / np.maximum(deviations, 1e-300)


MEASURES = (
    ("products", "none"), ("products", "channel"), ("products", "all"),
    ("differences", "none"), ("normed_differences", "none"),
)  # fmt: skip


@pytest.mark.parametrize(("measure", "centre"), MEASURES)
@given(call=calls(), level=st.sampled_from([0, 1000]))
def test_other_measures_equal_the_definition(measure, centre, call, level):
    x, template = call
    x, template = (x, template) if x.dtype == np.uint8 else (x + x.dtype.type(level), template + x.dtype.type(level))
    expected = kernels.match_template(*wide(x, template), centre=centre, measure=measure, variant="naive")
    # In the frequency domain: a few eps of float64 times the lengths of the template and of the block.
    length = np.linalg.norm(wide(template)[0])
    bound = 4 * EPS["float64"] * max(np.linalg.norm(wide(x)[0]) / length, 1) * length**2
    if measure == "normed_differences":  # 1 wherever one length is more than 2.7 times the other
        bound *= 4 / length**2
    for variant in ("direct", None):
        out = np.full(expected.shape, np.nan, np.float64 if x.dtype == np.float64 else np.float32)
        assert kernels.match_template(x, template, centre=centre, measure=measure, out=out, variant=variant) is out
        np.testing.assert_allclose(out, expected, rtol=template.size * EPS[out.dtype.name], atol=bound)


@given(calls())
def test_window_sums_equal_the_definition(call):
    x, template = call
    expected = kernels.window_sums(*wide(x), template.shape[:2], variant="naive")
    kind = np.int64 if x.dtype == np.uint8 else np.float64
    outs = tuple(np.full(e.shape, 7, kind) for e in expected)
    kernels.window_sums(x, template.shape[:2], out=outs)
    for found, wanted in zip(outs, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-14 if x.dtype.kind == "f" else 0)


@pytest.mark.parametrize("shape", [(1, 300, 400, 1), (2, 70, 530, 1), (1, 90, 100, 3)])
@pytest.mark.parametrize("size", [(9, 9), (40, 33), (64, 64), (60, 100)])
def test_large_images_in_many_blocks_and_large_templates_in_parts(shape, size):
    rng = np.random.default_rng(1)
    for dtype in DTYPES:
        x = filled(rng, shape, dtype)
        template = x[0, 3 : 3 + size[0], : size[1]].copy()
        products = kernels.match_products(x, template, variant="direct")
        found = kernels.match_products(x, template, variant="fourier")
        scores = kernels.match_template(x, template, variant="fourier")
        assert abs(scores[0, 3, 0] - 1) <= MATCH_SCORE[scores.dtype.name]
        expected = kernels.match_template(x, template, variant="direct")
        np.testing.assert_allclose(scores, expected, rtol=0, atol=MATCH_SCORE[scores.dtype.name])
        if dtype == "uint8":
            np.testing.assert_array_equal(found, products)
        else:
            np.testing.assert_allclose(found, products, rtol=100 * EPS[dtype])  # of long sums in another order


def test_a_template_larger_than_a_block_is_cut_into_parts():
    x = filled(np.random.default_rng(2), (1, 300, 420, 1), "uint8")
    template = x[0, 4:294, 7:410].copy()
    products = kernels.match_products(x, template)
    np.testing.assert_array_equal(products, kernels.match_products(x, template, variant="direct"))
    assert kernels.match_template(x, template)[0].argmax() == 4 * products.shape[2] + 7


@pytest.mark.parametrize("size", [(5, 6), (20, 21)])
@pytest.mark.parametrize(("amplitude", "offset"), [(1, 0), (1, 100), (0.01, 1000), (0.01, -3e4), (1e-25, 0), (1e25, 0)])
def test_faint_textures_on_high_levels(size, amplitude, offset):
    x = (amplitude * np.random.default_rng(3).random((1, 80, 90, 1)) + offset).astype(np.float32)
    template = x[0, 30 : 30 + size[0], 40 : 40 + size[1]].copy()
    scores = kernels.match_template(x, template)
    assert abs(scores[0, 30, 40] - 1) <= 1e-6
    # The truth: the same numbers in float64, centred exactly enough.
    low = float(x.mean(dtype=np.float64))
    centred = [(a - low) / amplitude for a in wide(x, template)]
    expected = kernels.match_template(*centred, variant="naive")
    np.testing.assert_allclose(scores, expected, rtol=0, atol=MATCH_SCORE["float32"])


def test_a_faint_texture_beside_a_bright_one_is_found_in_float64():
    """Float32 blocks round everything to the precision of their largest numbers."""
    rng = np.random.default_rng(4)
    x = rng.random((1, 120, 200, 1), np.float32)
    x[:, :, 100:] = 1e3 + 1e3 * x[:, :, 100:]
    template = x[0, 50:70, 30:50].copy()
    scores = kernels.match_template(x, template)
    expected = kernels.match_template(*wide(x, template), variant="naive")
    np.testing.assert_allclose(scores, expected, rtol=0, atol=MATCH_SCORE["float32"])
    assert abs(scores[0, 50, 30] - 1) <= 1e-6


@pytest.mark.parametrize("size", [(3, 3), (12, 10)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_windows_with_what_is_no_number_give_nan_and_no_others(dtype, value, size):
    x = np.random.default_rng(5).random((1, 60, 70, 1)).astype(dtype)
    template = x[0, 10 : 10 + size[0], 5 : 5 + size[1]].copy()
    clean = kernels.match_template(x, template)
    x[0, 30, 40] = value
    scores = kernels.match_template(x, template)
    spoilt = np.zeros(scores.shape, bool)
    spoilt[0, 31 - size[0] : 31, 41 - size[1] : 41] = True
    np.testing.assert_array_equal(np.isnan(scores), spoilt)
    np.testing.assert_allclose(scores[~spoilt], clean[~spoilt], rtol=0, atol=MATCH_SCORE[dtype])
    products = kernels.match_products(x, template)
    np.testing.assert_array_equal(~np.isfinite(products), spoilt)
    assert np.isnan(kernels.match_template(x, np.full_like(template, np.nan))).all()
    for measure, centre in MEASURES:
        found = kernels.match_template(x, template, measure=measure, centre=centre)
        np.testing.assert_array_equal(np.isnan(found), spoilt)
        template_of_nan = np.full_like(template, np.nan)
        assert np.isnan(kernels.match_template(x, template_of_nan, measure=measure, centre=centre)).all()
    coloured = x.repeat(2, axis=3)
    for image in (x, coloured):
        for centre in ("none", "channel", "all"):
            scores = kernels.match_template(image, image[0, 10 : 10 + size[0], 5 : 5 + size[1]].copy(), centre=centre)
            np.testing.assert_array_equal(np.isnan(scores), spoilt)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [(2, 3), (9, 9)])
def test_no_contrast_scores_nothing(dtype, size):
    rng = np.random.default_rng(6)
    x = filled(rng, (1, 30, 40, 1), dtype)
    x[:, :, :20] = 77 if dtype == "uint8" else 0.3
    template = x[0, 3 : 3 + size[0], 25 : 25 + size[1]].copy()
    scores = kernels.match_template(x, template)
    assert (scores[:, :, : 21 - size[1]] == 0).all()
    assert (scores[:, :, 20:] != 0).any()
    assert (kernels.match_template(x, np.full_like(template, 5)) == 0).all()


def test_results_do_not_depend_on_threads_or_batch():
    x = np.random.default_rng(7).random((2, 300, 310, 1), np.float32)
    template = x[0, :20, :20].copy()
    before = numba.get_num_threads()
    scores = kernels.match_template(x, template)
    try:
        numba.set_num_threads(1)
        np.testing.assert_array_equal(kernels.match_template(x, template), scores)
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(kernels.match_template(x[1:], template)[0], scores[1])


@pytest.mark.parametrize("view", ["reversed", "fortran", "broadcast", "read-only", "sliced"])
def test_any_strides(view):
    x = np.random.default_rng(8).random((1, 24, 30, 1))
    x.flags.writeable = view != "read-only"
    seen = {
        "reversed": x[:, ::-1, ::-1],
        "fortran": np.asfortranarray(x),
        "broadcast": np.broadcast_to(x[:, :, :1], (1, 24, 30, 1)),
        "read-only": x,
        "sliced": x[:, 1:, ::2],
    }[view]
    template = seen[0, 4:9, 5:8]
    expected = kernels.match_template(seen.copy(order="C"), template.copy(order="C"))
    np.testing.assert_array_equal(kernels.match_template(seen, template), expected)


def test_other_shapes_compile_nothing():
    from tilegrad.kernels.machine.compile import compiled_kernels

    x = np.random.default_rng(9).random((1, 300, 300, 1), np.float32)
    kernels.match_template(x, x[0, :9, :9])
    kernels.match_template(x, x[0, :3, :3])
    before = len(compiled_kernels)
    y = np.random.default_rng(9).random((3, 40, 70, 2), np.float32)
    kernels.match_template(y, y[0, :30, :12])
    kernels.match_template(y, y[0, :1, :2])
    assert len(compiled_kernels) == before


def test_an_empty_batch_gives_an_empty_result():
    assert kernels.match_template(np.empty((0, 20, 20, 1)), np.ones((9, 9, 1))).shape == (0, 12, 12)
    assert kernels.match_products(np.empty((0, 20, 20, 1)), np.ones((2, 2, 1))).shape == (0, 19, 19)
    assert kernels.window_sums(np.empty((0, 20, 20, 1)), (2, 2))[0].shape == (0, 19, 19, 1)


X, T = np.ones((1, 5, 6, 2)), np.ones((2, 3, 2))


@pytest.mark.parametrize(
    ("error", "call", "message"),
    [
        (
            TypeError,
            lambda: kernels.match_products(X.astype(int), T),
            "image expects float32, float64 or uint8 but got",
        ),
        (TypeError, lambda: kernels.match_products(X, T.astype(np.float32)), "expect one dtype but got float64 and"),
        (ValueError, lambda: kernels.match_products(X[0], T), r"image expects 4 axes \(N, H, W, C\)"),
        (ValueError, lambda: kernels.match_products(X, T[0]), r"template expects 4 axes \(T, R, S, C\)"),
        (ValueError, lambda: kernels.match_products(X, np.stack([T] * 2)), "as many as divide the 1 images, but got 2"),
        (ValueError, lambda: kernels.match_products(X, T[..., :1]), "template expects C = 2 channels but has 1"),
        (ValueError, lambda: kernels.match_products(X[:, :1], T), "a window of 2 x 3 pixels expects to lie inside"),
        (ValueError, lambda: kernels.match_products(X, T[:0]), "a window of 0 x 3 pixels"),
        (ValueError, lambda: kernels.match_products(X[..., :0], T[..., :0]), "at least one channel"),
        (ValueError, lambda: kernels.match_products(X, T, out=np.empty((1, 4, 5))), "out expects"),
        (ValueError, lambda: kernels.match_products(X, T, variant="fourier"), "takes templates of at least 64 numbers"),
        (ValueError, lambda: kernels.match_template(X, T, centre="image"), "centre expects one of 'none', 'channel'"),
        (TypeError, lambda: kernels.window_sums(X, 3), "size expects two integers"),
        (TypeError, lambda: kernels.window_sums(X, (3, 2.0)), "size expects two integers"),
        (ValueError, lambda: kernels.window_sums(X, (6, 2)), "a window of 6 x 2 pixels"),
    ],
)
def test_refuses(error, call, message):
    with pytest.raises(error, match=message):
        call()
