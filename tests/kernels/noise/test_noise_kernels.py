"""Noise drawn and added in one pass: what drawing first and adding then gives, on each variant."""

from collections.abc import Iterator

import emulator
import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from on_emulator import broken, emulated
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.random import cuda_blocks

from tilegrad import kernels

PLACES = [{"seed": 5}, {"seed": 2**64 - 1, "counter": 2**32 - 3}, {"seed": 0, "counter": 2**64 - 2}]


def drawn(x: np.ndarray, low: np.ndarray | None, spread: np.ndarray | None, high: float | None, **how) -> np.ndarray:
    """The definition by arrays; the product is rounded once, which float64 does here for float32."""
    noise = kernels.random_normal(x.shape, dtype=x.dtype, **how)
    wide = x + noise if spread is None else (spread.astype(np.float64) * noise + x.astype(np.float64)).astype(x.dtype)
    least = -np.inf if low is None else np.repeat(low, x.size // low.size).reshape(x.shape)
    return np.clip(wide, least, np.inf if high is None else x.dtype.type(high))


@given(
    images=st.integers(1, 9),
    each=st.integers(1, 70),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**64 - 1),
    counter=st.integers(0, 2**64 - 1),
    limited=st.booleans(),
    high=st.sampled_from([None, 0.25]),
)
def test_it_is_drawn_and_added(images, each, dtype, seed, counter, limited, high):
    """Images end anywhere in the steps of four numbers."""
    x = np.random.default_rng(0).normal(size=(images, each)).astype(dtype)
    low = np.linspace(-1, 0.2, images).astype(dtype) if limited else None
    how = {"seed": seed, "counter": counter, "mean": 0.1, "std": 0.5}
    out = np.full(x.shape, np.nan, dtype)
    assert kernels.add_noise(x, low, high=high, out=out, **how) is out
    np.testing.assert_array_equal(out, drawn(x, low, None, high, **how))
    spread = kernels.add_noise(x, low, x, high=high, **how)
    rounded = {"rtol": 0, "atol": 0} if dtype == "float32" else {"rtol": 1e-15, "atol": 1e-15}
    np.testing.assert_allclose(spread, drawn(x, low, x, high, **how), **rounded)


def test_longer_than_a_task():
    x = np.random.default_rng(0).normal(size=(7, 5003)).astype(np.float32)
    low, how = np.linspace(-1, 0, 7, dtype=np.float32), {"seed": 3, "std": 0.5}
    np.testing.assert_array_equal(kernels.add_noise(x, low, high=1, **how), drawn(x, low, None, 1, **how))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("amount", "salt"), [(0.3, 0.25), (1.0, 1.0), (0.0, 0.5), (1.0, 0.0)])
def test_replaced_numbers(amount, salt, dtype):
    """By the definition's words, which both types share."""
    x = np.random.default_rng(0).normal(size=(9, 401)).astype(dtype)
    low = np.linspace(-1, 0.2, 9).astype(dtype)
    how = {"seed": 7, "counter": 2**64 - 3, "amount": amount, "salt": salt}
    found = kernels.salt_and_pepper(x, low, **how)
    np.testing.assert_array_equal(found, kernels.salt_and_pepper(x, low, variant="reference", **how))
    wide = kernels.salt_and_pepper(x.astype(np.float64), low.astype(np.float64), **how)
    np.testing.assert_array_equal(found == x, wide == x)
    if 0 < amount < 1:
        replaced = found != x
        assert abs(replaced.mean() - amount) < 0.03
        assert abs((found[replaced] == 1).mean() - salt) < 0.05


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_that_stay_are_clipped(dtype):
    x = np.random.default_rng(0).normal(size=(9, 401)).astype(dtype)
    x[0, :3] = np.nan, np.inf, -np.inf
    low = np.linspace(-1, 0.2, 9).astype(dtype)
    how = {"seed": 7, "counter": 2**64 - 3, "amount": 0.3}
    found = kernels.salt_and_pepper(x, low, clip=True, **how)
    np.testing.assert_array_equal(found, np.clip(kernels.salt_and_pepper(x, low, **how), low[:, None], 1))
    np.testing.assert_array_equal(found, kernels.salt_and_pepper(x, low, clip=True, variant="reference", **how))


@given(
    images=st.integers(1, 5),
    each=st.integers(1, 70),
    dtype=st.sampled_from(["uint8", "uint16"]),
    limited=st.booleans(),
    variant=st.sampled_from(["vector", "naive"]),
)
def test_integers_are_fractions_of_their_largest(images, each, dtype, limited, variant):
    """To the bit what a picture of fractions gives; an odd start lets images begin anywhere in a register."""
    largest = np.iinfo(dtype).max
    x = np.random.default_rng(each).integers(0, largest, images * each + 1, dtype, endpoint=True)[1:]
    x = x.reshape(images, each)
    fractions, low = x * (1.0 / largest), np.linspace(0, 0.4, images)
    limits = {"low": low, "high": 0.9} if limited else {}
    how = {"seed": 3, "counter": 2**32 - 2, "variant": variant}
    for spread in (False, True):
        found, expected = (
            kernels.add_noise(y, spread=y if spread else None, std=0.3, **limits, **how) for y in (x, fractions)
        )
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, expected)
    found, expected = (kernels.salt_and_pepper(y, low, amount=0.3, clip=limited, **how) for y in (x, fractions))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("variant", ["naive", "reference"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_variants_agree(dtype, variant):
    x = np.random.default_rng(0).uniform(0.5, 1, (3, 5, 7)).astype(dtype)
    low, how = np.array([0.0, 0.5, 0.75], dtype), {"seed": 2**63 + 5, "counter": 2**64 - 3, "high": 1}
    found = kernels.add_noise(x, low, x, variant=variant, **how)
    # The definition takes the mathematics library's functions; terms of up to 4 may cancel.
    np.testing.assert_allclose(found, kernels.add_noise(x, low, x, **how), rtol=0, atol=8 * np.finfo(dtype).eps)


def test_not_a_number_stays():
    x = np.full(9, np.nan, np.float32)
    assert np.isnan(kernels.add_noise(x, np.zeros(1, np.float32), high=1, seed=1)).all()
    assert np.isnan(kernels.salt_and_pepper(x, np.zeros(1, np.float32), amount=0, seed=1)).all()


def test_nothing_depends_on_the_number_of_threads():
    x, low = np.ones((300, 1001), np.float32), np.zeros(3, np.float32)
    before, results = numba.get_num_threads(), []
    try:
        for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
            numba.set_num_threads(threads)
            results.append((kernels.add_noise(x, seed=9), kernels.salt_and_pepper(x, low, amount=0.5, seed=9)))
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(*results)


def test_empty_arrays():
    x = np.empty((0, 4), np.float32)
    assert kernels.add_noise(x, np.zeros(1, np.float32), seed=1).shape == (0, 4)
    assert kernels.salt_and_pepper(x, np.zeros(1, np.float32), amount=0.5, seed=1).shape == (0, 4)


def test_bad_input_is_refused():
    x, low = np.ones(6, np.float32), np.zeros(2, np.float32)
    with pytest.raises(TypeError, match="add_noise: x expects float32, float64, uint8 or uint16 but got int64"):
        kernels.add_noise(np.ones(3, int), seed=1)
    with pytest.raises(ValueError, match="add_noise: std expects a value of at least 0 but got -1"):
        kernels.add_noise(x, std=-1, seed=1)
    with pytest.raises(ValueError, match="add_noise: low expects one number for each of some equal parts of x"):
        kernels.add_noise(x, np.zeros(4, np.float32), seed=1)
    with pytest.raises(TypeError, match="add_noise: low expects the result's float32 but got float64"):
        kernels.add_noise(x, np.zeros(2), seed=1)
    with pytest.raises(ValueError, match="add_noise: x and spread expect one shape and dtype"):
        kernels.add_noise(x, low, x[:3], seed=1)
    with pytest.raises(TypeError, match="salt_and_pepper: low expects an array but got None"):
        kernels.salt_and_pepper(x, None, amount=0.5, seed=1)
    with pytest.raises(ValueError, match=r"salt_and_pepper: amount expects a share in \[0, 1\] but got 1\.5"):
        kernels.salt_and_pepper(x, low, amount=1.5, seed=1)
    with pytest.raises(TypeError, match="salt_and_pepper: clip expects True or False but got 1"):
        kernels.salt_and_pepper(x, low, amount=0.5, clip=1, seed=1)
    with pytest.raises(ValueError, match="add_noise: x and spread expect one shape and dtype"):
        kernels.add_noise(np.ones(6, np.uint8), spread=np.ones(6), seed=1)
    with pytest.raises(ValueError, match=r"salt_and_pepper: seed expects 0 <= seed < 2\*\*64 but got -1"):
        kernels.salt_and_pepper(x, low, amount=0.5, seed=-1)


@pytest.fixture
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


@emulated
@pytest.mark.usefixtures("on_the_emulator")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("offset", [0, 1])
def test_cuda_gives_the_bits_of_the_cpu(offset, place, dtype):
    """Images end inside a thread's block, and arrays begin where four numbers cannot be loaded at once."""
    x = np.random.default_rng(0).normal(size=3 * 1367 + offset).astype(dtype)[offset:]
    x[7:12] = np.nan, np.inf, -np.inf, 0.0, -0.0
    low = np.array([-1, 0, 0.5], dtype)
    for how in ({}, {"low": low, "high": 1}, {"low": low, "spread": x, "high": 1}, {"spread": x}):
        with np.errstate(invalid="ignore"):
            found, expected = (
                kernels.add_noise(x, mean=0.1, std=0.5, variant=v, **how, **place) for v in ("cuda.blocks", "vector")
            )
        np.testing.assert_array_equal(found, expected)
    for amount, salt in ((0.3, 0.25), (1.0, 1.0), (0.0, 0.5)):
        found, expected = (
            kernels.salt_and_pepper(x, low, amount=amount, salt=salt, clip=salt == 0.25, variant=v, **place)
            for v in ("cuda.blocks", "vector")
        )
        np.testing.assert_array_equal(found, expected)


def compare_integers(dtype, offset):
    x = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, 3 * 367 + offset, dtype, endpoint=True)[offset:]
    low, place = np.array([0, 0.25, 0.5]), PLACES[1]
    for how in ({}, {"low": low, "spread": x, "high": 1}):
        found, expected = (kernels.add_noise(x, std=0.5, variant=v, **how, **place) for v in ("cuda.blocks", "vector"))
        np.testing.assert_array_equal(found, expected)
    for clip in (False, True):
        found, expected = (
            kernels.salt_and_pepper(x, low, amount=0.3, clip=clip, variant=v, **place)
            for v in ("cuda.blocks", "vector")
        )
        np.testing.assert_array_equal(found, expected)


@emulated
@pytest.mark.usefixtures("on_the_emulator")
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("offset", [0, 1])
def test_cuda_takes_integers_as_the_cpu_does(offset, dtype):
    compare_integers(dtype, offset)


MUTANTS = {
    "integers stay what they are": (
        "if constexpr (INPUT >= 2) return rounded_product(static_cast<Real>(x), a.unit);",
        "",
    ),
    "nothing is clipped": ("if constexpr (MODE == REPLACED) return x;", "if constexpr (MODE >= REPLACED) return x;"),
}


@emulated
@pytest.mark.usefixtures("on_the_emulator")
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant, tmp_path, monkeypatch):
    with broken(cuda_blocks, MUTANTS[mutant], tmp_path, monkeypatch):
        compare_integers("uint8", 0)
