"""Exemplar inpainting of Numba CUDA in the simulator; test_exemplar_simulator.py runs this file.

Blocks are smaller than on a GPU, so that small images have several, whose threads take several pixels each.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from poison import poison, poisoned
from tilegrad.kernels.exemplar import INPAINT_EXEMPLAR, cpu_refine, cuda_fill, cuda_refine, prepare
from tilegrad.kernels.exemplar.rules import CANDIDATES
from tilegrad.kernels.machine import cuda_numba
from tolerances import EXEMPLAR

from tilegrad import kernels


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    poison(monkeypatch)
    monkeypatch.setattr(cuda_fill, "THREADS", 8)


def image(shape, dtype, *holes):
    """A smooth random image, whose patches resemble each other, and its mask."""
    x = np.random.default_rng(0).random(shape)
    for axis in (1, 2):
        x = x + np.roll(x, 1, axis) + np.roll(x, 2, axis)
    mask = np.zeros(shape[:3], np.uint8)
    for hole in holes:
        mask[hole] = 1
    return (x / 9 * 200).astype(dtype), mask


def filled(x, mask, source=None, variant="cuda.naive", **how):
    return kernels.inpaint_exemplar(x, mask, source, variant=variant, **{"patch_size": 3, **how})


@pytest.mark.parametrize(
    ("shape", "dtype", "holes"),
    [
        ((2, 9, 10, 2), "uint8", [np.s_[1, 3:6, 4:7]]),  # the first has no hole
        ((2, 8, 7, 1), "float32", [np.s_[0, :3, 4:], np.s_[1, 7:, :2], np.s_[1, 2, 2]]),
        ((1, 3, 15, 3), "float64", [np.s_[0, :, 6:9]]),
        ((1, 20, 1, 1), "uint16", [np.s_[0, :4], np.s_[0, 12:15]]),
    ],
)
def test_what_is_copied_has_the_bits_of_the_cpu(shape, dtype, holes):
    """Holes in the middle, in corners and across the image; sums of float32 round, in one order."""
    x, mask = image(shape, dtype, *holes)
    source = np.ones_like(mask)
    source[0, -3:, -2:] = 0
    if x.dtype.kind == "f":
        x[0, -1, -1, 0] = np.nan
    found, expected = (filled(x, mask, source, variant, refinements=0) for variant in ("cuda.naive", "patches"))
    assert found.tobytes() == expected.tobytes()
    np.testing.assert_array_equal(found[mask == 0], x[mask == 0])


@pytest.mark.parametrize(("first", "threads"), [(0, 8), (3, 8), (7, 8), (21, 8), (7, 2)])
def test_of_equals_the_first_in_raster_order_is_copied(first, threads, monkeypatch):
    """Two patches look like what surrounds the hole and differ in its middle; in one block, in two, in two of many."""
    monkeypatch.setattr(cuda_fill, "THREADS", threads)
    x, mask = 100 + np.arange(40, dtype=np.uint8).reshape(1, 1, 40, 1), np.zeros((1, 1, 40), np.uint8)
    for place, middle in ((first, 10), (first + 3, 20), (36, 99)):
        x[0, 0, place : place + 3, 0] = 5, middle, 7
    mask[0, 0, 37] = 1
    assert filled(x, mask, refinements=0)[0, 0, 37, 0] == 10


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_of_pixels_of_one_priority_the_first_comes_first(threads, monkeypatch):
    """Both ends of the hole are alike: from the left 5 goes on with 1 and 2, which end in 5 from the right."""
    monkeypatch.setattr(cuda_fill, "THREADS", threads)
    x = np.array([5, 1, 2, 5, 30, 60, 5, 5, 0, 0, 0, 5, 5], np.uint8).reshape(1, 1, 13, 1)
    mask = (x == 0).astype(np.uint8)[..., 0]
    found, expected = (filled(x, mask, None, variant, refinements=0) for variant in ("cuda.naive", "patches"))
    np.testing.assert_array_equal(found, expected)
    assert found[0, 0, 8:10, 0].tolist() == [1, 2]


def test_targets_begin_with_the_sources_of_the_cpu():
    """Where pixels were copied from at random, patches would begin outside the image, and some again and again."""
    rng, shape = np.random.default_rng(0), (2, 6, 5)
    x, hole, whole = np.zeros((*shape, 1)), rng.random(shape) < 0.5, (rng.random(shape) < 0.8).astype(np.uint8)
    g = INPAINT_EXEMPLAR.plan((x, whole, whole), (3, 1), "cuda.naive").geometry
    whole[:, g.h - g.r + 1 :] = whole[:, :, g.w - g.s + 1 :] = 0
    origin = np.where(hole, rng.integers(0, 30, shape), -1)
    targets = prepare.targets_of(g, hole, ~hole).places
    found = poisoned((targets.size, CANDIDATES), np.int64)
    flat = origin.reshape(2, 30), whole.reshape(2, 30)
    cuda_numba.launch_each(cuda_refine.exemplar_first, targets.size, *flat, targets, found, (6, 5, 3, 3))
    expected = cpu_refine._first_sources(g, SimpleNamespace(hole=hole, whole=whole), origin, targets)
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique((found >= 0).sum(axis=1))) > 2


@pytest.mark.parametrize(
    ("shape", "dtype", "holes", "refinements"),
    [
        ((2, 8, 9, 2), "float64", [np.s_[1, 2:5, 3:6]], 2),
        ((1, 9, 8, 1), "uint8", [np.s_[0, :3, 5:]], 2),
        ((1, 1, 24, 1), "float64", [np.s_[0, 0, 9:14]], 3),
    ],
)
def test_rounds_and_fit_equal_their_definition(shape, dtype, holes, refinements):
    x, mask = image(shape, dtype, *holes)
    found, expected = (filled(x, mask, None, v, refinements=refinements) for v in ("cuda.naive", "naive"))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1 if dtype == "uint8" else EXEMPLAR * 200)
    np.testing.assert_array_equal(found[mask == 0], x[mask == 0])


def test_a_hole_in_a_random_texture_equals_its_definition():
    """Nothing in it can be known, so that all steps of the fit take part; a pixel beside it is no number."""
    x, mask = image((1, 11, 12, 1), "float64", np.s_[0, 4:8, 4:9])
    x = x / 50 + np.random.default_rng(5).random(x.shape)
    x[0, 3, 6] = np.nan
    found, expected, rough = (
        filled(x, mask, None, variant, refinements=rounds)
        for variant, rounds in (("cuda.naive", 1), ("naive", 1), ("naive", 0))
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=5 * EXEMPLAR)
    assert np.abs(found - rough)[mask == 1].max() > 0.1


def test_without_a_hole_it_is_a_copy_and_an_empty_image_stays_empty():
    x, mask = image((1, 5, 6, 1), "uint8")
    np.testing.assert_array_equal(filled(x, mask), x)
    for shape in ((0, 5, 6, 1), (2, 0, 6, 1), (2, 5, 0, 1), (2, 5, 6, 0)):
        assert filled(np.empty(shape), np.ones(shape[:3], np.uint8)).shape == shape


def test_images_without_a_patch_are_refused():
    x, mask = image((2, 6, 6, 1), "float32", np.s_[1])
    with pytest.raises(ValueError, match="inpaint_exemplar: image 1 has no patch of 3 x 3 pixels"):
        filled(x, mask)
    x, mask = image((1, 6, 6, 1), "float32", np.s_[0, 2, 2])
    with pytest.raises(ValueError, match="inpaint_exemplar: image 0 has no patch of 3 x 3 pixels"):
        filled(x, mask, np.zeros_like(mask))


def test_an_image_without_a_number_and_without_a_hole_stays_beside_one_that_is_filled():
    x, mask = image((2, 7, 7, 1), "float64", np.s_[1, 4:6, 4:6])
    x[0] = np.nan
    found = filled(x, mask, refinements=1)
    np.testing.assert_array_equal(found[mask == 0], x[mask == 0])
    assert np.isfinite(found[1]).all()
