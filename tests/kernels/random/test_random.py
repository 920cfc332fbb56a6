"""The random streams: known answers, the definition, their distribution, and that nothing else shows in the bits."""

import inspect
import itertools
import math
import os
import subprocess
import sys

import numba
import numpy as np
import pytest
import tolerances
from hypothesis import given
from hypothesis import strategies as st
from tilegrad.kernels.random.philox import philox

from tilegrad import kernels

FLOATS = (np.float32, np.float64)
WORDS = st.integers(0, 2**64 - 1)

# Random123's kat_vectors, philox4x32 with 10 rounds: counter, key, block.
KNOWN = [
    ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN)
def test_philox_known_answers(counter, key, block):
    words = philox(*[np.uint64(word) for word in counter + key])
    assert [int(word) & 0xFFFFFFFF for word in words] == block


def test_seed_is_the_key_and_counter_the_counter():
    """Lower halves first; the upper half of Philox's counter stays zero."""
    seed, counter = 0x0123456789ABCDEF, 0xFFFFFFFF
    for draws in range(3):
        now = counter + draws
        words = philox(*map(np.uint64, (now & 0xFFFFFFFF, now >> 32, 0, 0, seed & 0xFFFFFFFF, seed >> 32)))
        expected = [(int(word) & 0xFFFFFFFF) >> 8 for word in words]
        values = kernels.random_uniform(4, seed=seed, counter=now)
        assert (values * 2.0**24).astype(np.int64).tolist() == expected


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("variant", ["vector", "naive"])
@given(n=st.integers(0, 40), seed=WORDS, counter=WORDS)
def test_equals_definition(dtype, variant, n, seed, counter):
    place = {"seed": seed, "counter": counter}
    name = np.dtype(dtype).name
    expected = kernels.random_uniform(n, **place, low=-2, high=5, dtype=dtype, variant="reference")
    found = kernels.random_uniform(n, **place, low=-2, high=5, dtype=dtype, variant=variant)
    np.testing.assert_allclose(found, expected, rtol=0, atol=5 * tolerances.EPS[name])
    expected = kernels.random_normal(n, **place, mean=1, std=2, dtype=dtype, variant="reference")
    found = kernels.random_normal(n, **place, mean=1, std=2, dtype=dtype, variant=variant)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerances.RANDOM_NORMAL[name])


@pytest.mark.parametrize("variant", ["vector", "naive"])
@given(n=st.integers(0, 50), seed=WORDS, counter=WORDS)
def test_permutation_equals_definition(variant, n, seed, counter):
    place = {"seed": seed, "counter": counter}
    expected = kernels.random_permutation(n, **place, variant="reference")
    found = kernels.random_permutation(n, **place, variant=variant)
    assert found.tolist() == expected.tolist()
    assert sorted(found.tolist()) == list(range(n))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_streams_continue(kind, dtype):
    """A call's blocks are consumed from the counter on, and no call depends on how the stream was cut."""
    draw = getattr(kernels, f"random_{kind}")
    whole = draw((4, 5000), seed=11, counter=2**32 - 7, dtype=dtype)
    at = 2**32 - 7
    for part in whole.reshape(4, 5000):
        np.testing.assert_array_equal(part, draw(5000, seed=11, counter=at, dtype=dtype))
        at += kernels.random_blocks(5000, kind, dtype)
    np.testing.assert_array_equal(whole.ravel()[:4999], draw(4999, seed=11, counter=2**32 - 7, dtype=dtype))


def test_no_two_calls_share_a_block():
    for kind, dtype in itertools.product(("uniform", "normal"), FLOATS):
        draw = getattr(kernels, f"random_{kind}")
        for n in range(1, 10):
            used = kernels.random_blocks(n, kind, dtype)
            values = draw(n + 8, seed=5, dtype=dtype)
            later = draw(8, seed=5, counter=used, dtype=dtype)
            assert not np.isin(values[:n], later).any()


@pytest.mark.parametrize("dtype", FLOATS)
def test_threads_do_not_show(dtype):
    before = numba.get_num_threads()
    draws = []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        draws.append(kernels.random_normal(300_001, seed=3, dtype=dtype))
    numba.set_num_threads(before)
    np.testing.assert_array_equal(*draws)


def bits() -> str:
    """A hash of numbers of every kind; a program of its own, which other processors are asked to run."""
    import hashlib

    import numpy as np

    from tilegrad import kernels

    digest = hashlib.sha256()
    for dtype in (np.float32, np.float64):
        digest.update(kernels.random_normal(100_003, seed=2**63 + 9, counter=2**32 - 100, dtype=dtype).tobytes())
        digest.update(kernels.random_uniform(1003, seed=1, low=-3, high=7, dtype=dtype).tobytes())
    digest.update(kernels.random_permutation(1000, seed=7).tobytes())
    return digest.hexdigest()


# Taken once: every machine and every later version gives these bits, or seeds lose their meaning.
KNOWN_BITS = "c569e8d0da007f0a329504adaac8bd5a77cb7152ee095781b22b1b25cb5206bd"


def test_bits_are_the_same_as_ever():
    assert bits() == KNOWN_BITS


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["x86-64-v3", "haswell", "skylake-avx512", "x86-64"])
def test_bits_are_the_same_on_other_processors(processor, tmp_path):
    """AVX2, AVX-512, and no fma instruction at all."""
    target = numba.core.registry.cpu_target.target_context.codegen().magic_tuple()
    if "x86" not in target[0] or (processor == "skylake-avx512" and "+avx512f" not in target[2]):
        pytest.skip(f"this machine does not run code for {processor}")
    environment = {**os.environ, "NUMBA_CPU_NAME": processor, "TILEGRAD_CACHE_DIR": str(tmp_path)}
    program = f"{inspect.getsource(bits)}\nprint(bits())"
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == KNOWN_BITS


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_moments(dtype):
    """The first six moments within five standard errors, for each of the four places in a block."""
    n = 1 << 20
    values = kernels.random_normal((n // 4, 4), seed=77, dtype=dtype).astype(np.float64)
    for column in values.T:
        for power, moment in enumerate((1, 0, 1, 0, 3, 0, 15)):
            spread = math.prod(range(2 * power - 1, 0, -2)) - moment**2  # variance of z**power
            error = abs((column**power).mean() - moment)
            assert error <= 5 * math.sqrt(spread / column.size)


@pytest.mark.parity
@pytest.mark.parametrize("dtype", FLOATS)
def test_distributions_by_kolmogorov_and_smirnov(dtype):
    stats = pytest.importorskip("scipy.stats")
    normal = kernels.random_normal(1 << 18, seed=5, mean=-2, std=3, dtype=dtype)
    uniform = kernels.random_uniform(1 << 18, seed=5, low=-2, high=3, dtype=dtype)
    assert stats.kstest(normal, "norm", args=(-2, 3)).pvalue > 1e-3
    assert stats.kstest(uniform, "uniform", args=(-2, 5)).pvalue > 1e-3


def test_tails():
    """Values past four standard deviations come as often as they should."""
    values = kernels.random_normal(1 << 24, seed=1)
    expected = math.erfc(4 / math.sqrt(2)) * values.size
    assert abs((abs(values) > 4).sum() - expected) < 5 * math.sqrt(expected)
    assert abs(values).max() > 5


def test_places_counters_and_seeds_are_uncorrelated():
    n = 1 << 18
    values = kernels.random_normal((n, 4), seed=9).astype(np.float64)
    others = kernels.random_normal((n, 4), seed=10).astype(np.float64)
    apart = kernels.random_normal((n, 4), seed=9, counter=1 << 32).astype(np.float64)
    columns = np.concatenate([values, others, apart, np.roll(values, 1, axis=0)], axis=1)
    correlation = np.corrcoef(columns.T) - np.eye(columns.shape[1])
    assert abs(correlation).max() < 5 / math.sqrt(n)
    squares = np.corrcoef(columns.T**2) - np.eye(columns.shape[1])
    assert abs(squares).max() < 5 / math.sqrt(n)


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_stays_below_high(dtype):
    """Rounding would carry the largest values up to ``high`` where it is coarse against ``high - low``."""
    low, high = 1e6, 1e6 + 1
    values = kernels.random_uniform(100_000, seed=2, low=low, high=high, dtype=dtype)
    assert values.min() >= low
    assert values.max() < high
    assert kernels.random_uniform(1 << 20, seed=2, dtype=dtype).max() < 1


def test_permutations_of_four_are_alike():
    """All 24 orders equally often: chi-squared with 23 degrees of freedom, whose 1 in 10**5 quantile is 64."""
    counts: dict[tuple[int, ...], int] = {}
    for seed in range(4800):
        order = tuple(kernels.random_permutation(4, seed=seed).tolist())
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    assert sum((count - 200) ** 2 / 200 for count in counts.values()) < 64


def test_blocks():
    assert kernels.random_blocks(0, "normal") == 0
    assert [kernels.random_blocks(n, "uniform") for n in (1, 4, 5)] == [1, 1, 2]
    assert [kernels.random_blocks(n, "normal", np.float64) for n in (1, 2, 3)] == [1, 1, 2]
    with pytest.raises(ValueError, match="random_blocks: kind expects"):
        kernels.random_blocks(1, "gamma")
    with pytest.raises(ValueError, match="random_blocks: n expects at least 0 but got -1"):
        kernels.random_blocks(-1, "normal")
    with pytest.raises(TypeError, match="random_blocks: dtype expects float32 or float64 but got int64"):
        kernels.random_blocks(1, "normal", np.int64)


def test_shapes_and_out():
    assert kernels.random_normal((), seed=0).shape == ()
    assert kernels.random_normal([2, 3], seed=0).shape == (2, 3)
    assert kernels.random_normal((2, 0, 3), seed=0).size == 0
    out = np.full((3, 5), np.nan)
    assert kernels.random_uniform((3, 5), seed=4, dtype=np.float64, out=out) is out
    np.testing.assert_array_equal(out, kernels.random_uniform((3, 5), seed=4, dtype=np.float64))


def test_no_word_is_written_behind_the_last():
    for dtype in FLOATS:
        for n in range(12):
            poisoned = np.full(n + 4, 7, dtype)
            kernels.random_uniform(n, seed=4, dtype=dtype, out=poisoned[:n])
            assert (poisoned[n:] == 7).all()
            assert (poisoned[:n] != 7).all()


BAD = [
    (ValueError, "random_normal: seed expects 0 <= seed < 2\\*\\*64 but got -1", {"seed": -1}),
    (ValueError, "random_normal: counter expects 0 <= counter", {"counter": 2**64}),
    (TypeError, "random_normal: seed expects an integer but got 1.5", {"seed": 1.5}),
    (TypeError, "random_normal: dtype expects float32 or float64 but got int32", {"dtype": np.int32}),
    (TypeError, "random_normal: shape expects an integer or a tuple of integers", {"shape": 2.5}),
    (ValueError, "random_normal: shape expects no negative extent", {"shape": (2, -1)}),
    (ValueError, "random_normal: std expects a value of at least 0 but got -1", {"std": -1}),
    (ValueError, "random_normal: mean expects a finite number but got nan", {"mean": math.nan}),
    (TypeError, "random_normal: std expects a number but got 'wide'", {"std": "wide"}),
    (ValueError, "random_normal: out expects", {"out": np.empty(3)}),
]


@pytest.mark.parametrize(("error", "message", "args"), BAD, ids=[message for _, message, _ in BAD])
def test_bad_input(error, message, args):
    with pytest.raises(error, match=message):
        kernels.random_normal(**{"shape": 2, "seed": 0, **args})


def test_bad_ranges():
    for low, high in ((1, 1), (2, 1), (0, math.inf), (-3e38, 3e38), (1, 1 + 1e-9)):
        with pytest.raises(ValueError, match=r"random_uniform: "):
            kernels.random_uniform(2, seed=0, low=low, high=high)
    with pytest.raises(ValueError, match="random_permutation: n expects"):
        kernels.random_permutation(-1, seed=0)
    with pytest.raises(TypeError):
        kernels.random_permutation(2.0, seed=0)
