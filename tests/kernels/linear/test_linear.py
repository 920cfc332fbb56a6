"""Matrix products: every variant against the definition, PyTorch, odd strides and bad input."""

import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from tilegrad.kernels.activation.epilogue import ACTIVATIONS
from tilegrad.kernels.linear import cpu_direct
from tilegrad.kernels.machine import packing
from tolerances import EPS

from tilegrad import kernels

FLOATS = ("float32", "float64")
SIZES = (0, 1, 2, 3, 5, 7, 13, 15, 16, 17, 23, 24, 25, 33, 48, 63, 64, 65, 96, 130)
SMALL = (0, 1, 2, 5, 17)


@pytest.fixture(scope="module", autouse=True)
def scratch_is_full_of_nan():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "empty", lambda shape, dtype: np.full(shape, np.nan, dtype))
        yield


def numbers(shape, dtype, whole, seed):
    rng = np.random.default_rng(seed)
    return (rng.integers(-3, 4, shape) if whole else rng.standard_normal(shape)).astype(dtype)


def poisoned(shape, dtype):
    """An output full of NaN, and the memory around it, which must stay as it is."""
    size = int(np.prod(shape))
    memory = np.full(size + 128, 7.0, dtype)
    memory[64 : 64 + size] = np.nan
    return memory[64 : 64 + size].reshape(shape), memory


def assert_beside_untouched(memory):
    assert (np.concatenate([memory[:64], memory[-64:]]) == 7).all(), "numbers beside the output were written"


def assert_within(found, expected, error):
    wrong = np.argwhere(~(np.abs(found - expected) <= error))
    assert not len(wrong), f"{tuple(wrong[0])}: {found[tuple(wrong[0])]} for {expected[tuple(wrong[0])]}"


def check_matmul(m, n, k, variant, oracle, transpose_a, transpose_b, dtype, whole, seed):
    a = numbers((k, m) if transpose_a else (m, k), dtype, whole, seed)
    b = numbers((n, k) if transpose_b else (k, n), dtype, whole, seed + 1)
    flags = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    wide = [x.astype(np.float64) for x in (a, b)]
    out, memory = poisoned((m, n), dtype)
    assert kernels.matmul(a, b, out=out, variant=variant, **flags) is out
    sizes = kernels.matmul(*map(np.abs, wide), variant="naive", **flags)
    error = 0 if whole else (k + 1) * EPS[dtype] * sizes
    assert_within(out, kernels.matmul(*wide, variant=oracle, **flags), error)
    assert_beside_untouched(memory)


FLAGS = {"transpose_a": st.booleans(), "transpose_b": st.booleans()}
DRAWN = {"dtype": st.sampled_from(FLOATS), "whole": st.booleans(), "seed": st.integers(0, 99)}


@given(
    m=st.sampled_from(SMALL), n=st.sampled_from(SMALL), k=st.sampled_from(SMALL),
    variant=st.sampled_from(["direct", "naive"]), **FLAGS, **DRAWN,
)  # fmt: skip
def test_matmul_equals_the_interpreted_definition(**call):
    note(f"check_matmul(oracle='reference', **{call})")
    check_matmul(oracle="reference", **call)


@given(
    m=st.sampled_from(SIZES), n=st.sampled_from(SIZES), k=st.sampled_from((*SIZES, 511, 513, 1100)), **FLAGS, **DRAWN
)
def test_matmul_equals_the_compiled_definition(**call):
    """Sizes around the band of rows, the block of columns and the chunk of the reduction."""
    note(f"check_matmul(variant='direct', oracle='naive', **{call})")
    check_matmul(variant="direct", oracle="naive", **call)


@given(
    leading=st.lists(st.sampled_from((0, 1, 2, 3, 5)), max_size=3),
    c_in=st.sampled_from((1, 2, 5, 17, 64, 513)),
    c_out=st.sampled_from((1, 3, 16, 17, 33, 65)),
    bias=st.booleans(),
    activation=st.sampled_from(ACTIVATIONS),
    variant=st.sampled_from(["direct", "naive"]),
    **DRAWN,
)
def test_linear_equals_the_definition(leading, c_in, c_out, bias, activation, variant, dtype, whole, seed):
    x, w = numbers((*leading, c_in), dtype, whole, seed), numbers((c_out, c_in), dtype, whole, seed + 1)
    b = numbers((c_out,), dtype, whole, seed + 2) if bias else None
    words = {"activation": activation, "negative_slope": 0.3}
    note(f"kernels.linear({x!r}, {w!r}, {b!r}, variant={variant!r}, **{words})")
    wide = [None if a is None else a.astype(np.float64) for a in (x, w, b)]
    expected = kernels.linear(*wide, variant="reference" if w.size * x.size < 5000 else "naive", **words)
    sizes = kernels.linear(*(None if a is None else np.abs(a) for a in wide), variant="naive")
    out, memory = poisoned((*leading, c_out), dtype)
    assert kernels.linear(x, w, b, out=out, variant=variant, **words) is out
    error = (0 if whole else (c_in + 2) * EPS[dtype]) * sizes
    if activation in ("leaky_relu", "tanh", "sigmoid"):
        error = error + 8 * EPS[dtype] * (1 + np.abs(expected))
    assert_within(out, expected, error)
    assert_beside_untouched(memory)


@pytest.mark.parametrize("view", ["reversed", "fortran", "broadcast", "read-only", "sliced"])
def test_any_strides(view):
    a, b = numbers((20, 30), "float32", False, 0), numbers((30, 40), "float32", False, 1)
    if view == "read-only":
        a.flags.writeable = False
    seen = {
        "reversed": a[::-1, ::-1],
        "fortran": np.asfortranarray(a),
        "broadcast": np.broadcast_to(a[:, :1], a.shape),
        "read-only": a,
        "sliced": np.repeat(a, 2, axis=1)[:, ::2],
    }[view]
    copy = np.array(seen, order="C")
    np.testing.assert_array_equal(kernels.matmul(seen, b), kernels.matmul(copy, b))
    np.testing.assert_array_equal(kernels.linear(seen, b.T), kernels.linear(copy, np.array(b.T, order="C")))


@pytest.mark.parametrize("variant", ["direct", "naive"])
def test_nan_and_infinity(variant):
    a = np.ones((40, 60), np.float32)
    a[3, 59], a[7, 0], a[9, 5] = np.nan, np.inf, -np.inf
    expected = np.full((40, 70), 60.0, np.float32)
    expected[3], expected[7], expected[9] = np.nan, np.inf, -np.inf
    np.testing.assert_array_equal(kernels.matmul(a, np.ones((60, 70), np.float32), variant=variant), expected)
    expected[9] = 0
    w = np.ones((70, 60), np.float32)
    np.testing.assert_array_equal(kernels.linear(a, w, activation="relu", variant=variant), expected)


def test_no_terms_give_zero_or_the_bias():
    nothing = np.empty((5, 0), np.float32)
    np.testing.assert_array_equal(kernels.matmul(nothing, np.empty((0, 7), np.float32)), np.zeros((5, 7), np.float32))
    bias = np.array([-1.0, 2.0], np.float32)
    y = kernels.linear(nothing, np.empty((2, 0), np.float32), bias, activation="relu")
    np.testing.assert_array_equal(y, np.tile(np.array([0.0, 2.0], np.float32), (5, 1)))


@pytest.mark.parity
@given(m=st.sampled_from(SIZES[1:]), k=st.sampled_from(SIZES[1:]), n=st.sampled_from(SIZES[1:]), bias=st.booleans())
def test_linear_is_pytorchs(m, k, n, bias):
    torch = pytest.importorskip("torch")
    x, w, b = (numbers(s, "float64", False, i) for i, s in enumerate([(m, k), (n, k), (n,)]))
    theirs = torch.nn.functional.linear(*map(torch.from_numpy, (x, w)), torch.from_numpy(b) if bias else None)
    np.testing.assert_allclose(kernels.linear(x, w, b if bias else None), theirs.numpy(), rtol=1e-12, atol=1e-12)


def ones(*shape, dtype="float32"):
    return np.ones(shape, dtype)


@pytest.mark.parametrize(
    ("error", "arrays", "keywords", "message"),
    [
        (ValueError, (ones(2, 3), ones(4, 5)), {}, r"a has 3 columns but b has 4 rows \(a \(2, 3\), .* b \(4, 5\)"),
        (ValueError, (ones(2, 3), ones(3, 5)), {"transpose_a": True}, "a has 2 columns but b has 3 rows"),
        (ValueError, (ones(3), ones(3, 5)), {}, r"expects two matrices but got shapes \(3,\) and \(3, 5\)"),
        (TypeError, (ones(2, 3), ones(3, 5, dtype="f8")), {}, "a and b expect one dtype but got float32 and float64"),
        (TypeError, (ones(2, 3, dtype="i4"), ones(3, 5)), {}, "a expects float32 or float64 but got int32"),
        (TypeError, (ones(2, 3), ones(3, 5, dtype="f2")), {}, "b expects float32 or float64 but got float16"),
        (TypeError, (ones(2, 3), None), {}, "b expects an array but got None"),
        (TypeError, ([[1.0]], ones(1, 5)), {}, "expects a numpy.ndarray or cupy.ndarray but got list"),
        (TypeError, (ones(2, 3).astype(">f4"), ones(3, 5).astype(">f4")), {}, "this machine's byte order but got >f4"),
        (ValueError, (ones(2, 3), ones(3, 5)), {"out": ones(5, 2)}, r"out expects \(2, 5\) float32 but got \(5, 2\)"),
        (ValueError, (ones(2, 3), ones(3, 5)), {"out": ones(5, 2).T}, "out expects a writeable C-contiguous array"),
        (ValueError, (ones(2, 3), ones(3, 5)), {"variant": "tiled"}, 'no variant "tiled"'),
    ],
)
def test_matmul_refuses(error, arrays, keywords, message):
    with pytest.raises(error, match=f"^matmul: .*{message}"):
        kernels.matmul(*arrays, **keywords)


@pytest.mark.parametrize(
    ("error", "arrays", "keywords", "message"),
    [
        (ValueError, (ones(2, 3), ones(5, 4)), {}, r"weight expects C_in = 4 but input has C = 3 \(input \(2, 3\)"),
        (ValueError, (ones(2, 3), ones(3)), {}, r"expects input \(..., C_in\) and weight \(C_out, C_in\)"),
        (ValueError, (ones(), ones(5, 1)), {}, r"expects input \(..., C_in\) and weight \(C_out, C_in\)"),
        (ValueError, (ones(2, 3), ones(5, 3), ones(4)), {}, r"bias expects \(5,\) float32 but got \(4,\) float32"),
        (ValueError, (ones(2, 3), ones(5, 3)), {"activation": "gelu"}, "activation expects one of None, 'relu'"),
        (TypeError, (ones(2, 3, dtype="i8"), ones(5, 3)), {}, "input expects float32 or float64 but got int64"),
        (TypeError, (ones(2, 3), ones(5, 3, dtype="f8")), {}, "input and weight expect one dtype"),
        (TypeError, (None, ones(5, 3)), {}, "input expects an array but got None"),
    ],
)
def test_linear_refuses(error, arrays, keywords, message):
    with pytest.raises(error, match=f"^linear: .*{message}"):
        kernels.linear(*arrays, **keywords)


def test_out_must_not_overlap_an_input():
    a = ones(4, 4)
    with pytest.raises(ValueError, match="matmul: out shares memory with an input"):
        kernels.matmul(a, a.copy(), out=a)
    assert (a == 1).all()


def test_blocks_are_what_the_sizes_above_are_around():
    """The drawn sizes stand on both sides of the lowest band, of what is thin, and of the chunk."""
    assert {band + 1 for band in cpu_direct._BANDS[-1:]} | {cpu_direct._THIN + 1} <= set(SIZES)
    assert {*cpu_direct._BANDS, cpu_direct._THIN} <= set(SIZES)
    assert {cpu_direct._CHUNK - 1, cpu_direct._CHUNK + 1} <= {511, 513}


@pytest.mark.parametrize("shape", [(130, 40, 1040), (200, 33, 530), (97, 600, 1030)])
def test_bands_of_every_height(shape):
    """So many columns that bands are as high as they may be, or half."""
    m, k, n = shape
    draw = np.random.default_rng(3)
    a, b = draw.standard_normal((m, k)), draw.standard_normal((k, n))
    y = kernels.matmul(a, b, out=np.full((m, n), np.nan))
    np.testing.assert_allclose(y, np.einsum("mk,kn->mn", a, b), atol=1e-12 * k)


def test_rungs_on_cuda_refuse_grids_that_no_gpu_launches():
    tall, wide = np.empty((65535 * 16 + 1, 1), np.float32), np.empty((1, 65535 * 8 + 1), np.float32)
    with pytest.raises(ValueError, match=r'variant "cuda\.tiled" takes at most 1048560 rows but got 1048561'):
        kernels.matmul(tall, wide[:, :1], variant="cuda.tiled")
    with pytest.raises(ValueError, match=r'variant "cuda\.register" takes at most 524280 columns but got 524281'):
        kernels.matmul(tall[:1], wide, variant="cuda.register")
