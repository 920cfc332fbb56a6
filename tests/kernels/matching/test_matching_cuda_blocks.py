"""Template matching in CUDA C++ in the emulator: all measures, across seams of blocks and bands."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emulator
import numpy as np
import pytest
import tolerances
from on_emulator import SHARED_BYTES, broken, compiled, emulated
from tilegrad.kernels.machine import cuda
from tilegrad.kernels.matching import cuda_blocks

from tilegrad import kernels

MEASURES = [
    ("channel", "score"), ("all", "score"), ("none", "score"), ("channel", "products"), ("all", "products"),
    ("none", "products"), ("none", "differences"), ("none", "normed_differences"),
]  # fmt: skip
SHAPES = [
    ((1, 1, 1, 1), (1, 1, 1)),
    ((2, 18, 69, 2), (3, 5, 2)),
    ((1, 40, 85, 1), (17, 9, 1)),
    ((1, 36, 20, 1), (34, 12, 1)),
    ((1, 16, 64, 3), (1, 2, 3)),
    ((1, 9, 70, 1), (9, 70, 1)),
]


@pytest.fixture(scope="module", autouse=True)
def on_the_emulator() -> Iterator[None]:
    with cuda.launching(emulator.launch):
        yield


def drawn(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.random.default_rng(sum(shape)).uniform(0, 256, shape).astype(dtype)


def alike(x: np.ndarray, template: np.ndarray, centre: str, measure: str) -> np.ndarray:
    found, expected = (
        kernels.match_template(x, template, centre=centre, measure=measure, variant=variant)
        for variant in ("cuda.blocks", "naive")
    )
    assert found.dtype == expected.dtype
    # Both are float64 sums in their own order, rounded once.
    bound = tolerances.MATCH_SCORE["float64"] + tolerances.EPS[found.dtype.name]
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=1.0)
    np.testing.assert_allclose(found, expected, rtol=bound, atol=bound * largest)
    return expected


@emulated
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
@pytest.mark.parametrize(("shape", "window"), SHAPES)
def test_blocks_and_bands_meet(shape: tuple[int, ...], window: tuple[int, ...], dtype: str) -> None:
    for centre, measure in MEASURES:
        alike(drawn(shape, dtype), drawn(window, dtype), centre, measure)


@emulated
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
@pytest.mark.parametrize(("shape", "window"), SHAPES)
def test_products(shape: tuple[int, ...], window: tuple[int, ...], dtype: str) -> None:
    x, template = drawn(shape, dtype), drawn(window, dtype)
    found, expected = (kernels.match_products(x, template, variant=variant) for variant in ("cuda.blocks", "naive"))
    assert found.dtype == expected.dtype
    # Positive products, each added with a rounding at most.
    np.testing.assert_allclose(found, expected, rtol=0 if dtype == "uint8" else template.size * tolerances.EPS[dtype])


@emulated
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
def test_images_take_templates_of_their_own(dtype: str) -> None:
    x, templates = drawn((6, 20, 72, 2), dtype), drawn((3, 4, 5, 2), dtype)
    found, expected = (kernels.match_products(x, templates, variant=variant) for variant in ("cuda.blocks", "naive"))
    np.testing.assert_allclose(found, expected, rtol=0 if dtype == "uint8" else 40 * tolerances.EPS[dtype])


@emulated
def test_the_largest_bytes_are_exact() -> None:
    x = np.full((1, 181, 182, 1), 255, np.uint8)
    found = kernels.match_products(x, x[0, :, :181], variant="cuda.blocks")
    np.testing.assert_array_equal(found, np.full((1, 1, 2), 181 * 181 * 255 * 255))


@emulated
def test_bytes_begin_anywhere() -> None:
    """Lines of odd widths, in arrays at any address, have fours that begin between two words; the emulator checks."""
    for shape, window in (((2, 9, 131, 1), (3, 5, 1)), ((1, 1, 70, 1), (1, 9, 1)), ((1, 5, 1, 1), (2, 1, 1))):
        for offset in range(4):
            room = drawn((int(np.prod(shape)) + offset,), "uint8")
            x, template = room[offset:].reshape(shape), drawn(window, "uint8")
            found, expected = (kernels.match_products(x, template, variant=v) for v in ("cuda.blocks", "naive"))
            np.testing.assert_array_equal(found, expected)


@emulated
@pytest.mark.parametrize(("offset", "words"), [(0, 620), (1, 2 * 620)])
def test_loads_of_a_block_of_bytes(offset: int, words: int) -> None:
    """What one block more loads: its fours, in one word or two, and the template."""
    made = []
    for width in (207, 271):  # of 3 and 4 blocks
        x = np.zeros(31 * (width + 1) + offset, np.uint8)[offset:].reshape(1, 31, width + 1, 1)
        kernels.match_products(x, x[0, :16, :17], variant="cuda.blocks")
        made.append(emulator.loads(cuda_blocks.kernel_for("uint8", "int64", differ=False)))
    assert made[1] - made[0] == words + 16 * 17


@emulated
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_faint_textures_on_a_high_level(dtype: str) -> None:
    x = 1000 + drawn((1, 30, 70, 2), dtype) / 25600
    for centre in ("channel", "all"):
        found = kernels.match_template(x, x[0, 4:12, 9:20], centre=centre, variant="cuda.blocks")
        assert abs(found[0, 4, 9] - 1) < 1e-6
        assert np.unravel_index(found.argmax(), found.shape) == (0, 4, 9)


@emulated
@pytest.mark.parametrize("dtype", cuda_blocks.TYPES)
def test_what_has_no_contrast(dtype: str) -> None:
    """Flat windows beside others, and a flat template; all zero where lengths are those of the numbers themselves."""
    x = drawn((1, 20, 72, 2), dtype)
    x[:, :, 20:60] = 77
    for centre in ("channel", "all"):
        assert (alike(x, drawn((4, 5, 2), dtype), centre, "score")[0, :, 20:55] == 0).all()
        assert (alike(x, np.full((4, 5, 2), 3, dtype), centre, "score") == 0).all()
    x[:, :, 20:60] = 0
    assert (alike(x, drawn((4, 5, 2), dtype), "none", "score")[0, :, 20:55] == 0).all()
    assert (alike(x, drawn((4, 5, 2), dtype), "none", "normed_differences")[0, :, 20:55] == 1).all()
    assert (alike(x, np.zeros((4, 5, 2), dtype), "none", "normed_differences") == 1).all()


@emulated
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_reaches_its_windows_alone(number: float) -> None:
    for column in (0, 33, 66, 71):
        x, template = drawn((1, 20, 72, 1), "float32"), drawn((3, 7, 1), "float32")
        x[0, 9, column] = number
        spoilt = np.zeros((1, 18, 66), bool)
        spoilt[:, 7:10, max(column - 6, 0) : column + 1] = True
        for centre, measure in MEASURES:
            np.testing.assert_array_equal(np.isnan(alike(x, template, centre, measure)), spoilt)
        template[1, 2] = number
        for centre, measure in MEASURES:
            assert np.isnan(alike(drawn((1, 20, 72, 1), "float32"), template, centre, measure)).all()


def test_templates_must_fit() -> None:
    x = np.zeros((1, 190, 600, 1), np.uint8)
    with pytest.raises(ValueError, match=r"needs [0-9]+ bytes of shared memory for a block but the GPU has 101376"):
        kernels.match_template(x, x[0, :2, :590], variant="cuda.blocks")
    with pytest.raises(ValueError, match="takes templates of bytes of up to 33025 pixels but got 38000"):
        kernels.match_template(x, x[0, :190, :200], variant="cuda.blocks")


# What tells a broken kernel.
MUTANTS = {
    "rows of other blocks": ("const int p = p0 + r0 + static_cast<int>(i)", "const int p = r0 + static_cast<int>(i)"),
    "pixels behind the line": ("if (p < a.height && q + along < a.width)", "if (p < a.height)"),
    "words at the ends of a line": ("in_words(q, 4, a.width)", "q + 4 <= a.width"),
    "bytes turned round": ("bytes >> 8 * along", "bytes >> 24 - 8 * along"),
    "vectors in one plane": ("from + i * plane);", "from);"),
    "bands begin again": ("static_cast<long long>(r0 + r) * S", "static_cast<long long>(r) * S"),
    "no barrier before a band": ("BAND;\n            __syncthreads();", "BAND;"),
    "no barrier behind a band": ("    __syncthreads();\n\n            for (int i = 0; i <=", "for (int i = 0; i <="),
    "the lower place takes the upper row": ("numbers - padded * SIZE + e * SIZE", "numbers + e * SIZE"),
    "the last row is left out": ("i <= band; i++", "i < band; i++"),
    "ends are not asked": ("if (WHOLE || (", "if (true || ("),
    "middles begin early": ("e >= 4 && e + 4 <= S", "e + 4 <= S"),
    "middles end late": ("e >= 4 && e + 4 <= S", "e >= 4"),
    "levels of other images": ("static_cast<long long>(image) * C * a.count + i", "i + 0ll"),
    "infinity has a level": ("if (!(value <= LARGEST && value >= -LARGEST)) continue;", ""),
    "windows without contrast": ("own <= 1e-26 * raw || length <= 1e-14 * squares", "false"),
    "means are of one channel": ("a.centre == ALL ? 0 : channel));", "channel));"),
    "sums are not centred": ("(places * product - one * number_sum) / places", "product"),
}  # fmt: skip


@emulated
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_kernel_is_noticed(mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(cuda_blocks, MUTANTS[mutant], tmp_path, monkeypatch):
        holds()


def holds() -> None:
    x, template = drawn((2, 36, 69, 2), "float64"), drawn((18, 10, 2), "float64")
    x[1] += 1e7
    x[0, :20, 40:] = 3
    x[0, 35, 68] = np.inf
    template[..., 1] -= 500
    for centre in ("channel", "all"):
        alike(x, template, centre, "score")
    test_bytes_begin_anywhere()


@pytest.mark.nvrtc
@pytest.mark.parametrize("architecture", SHARED_BYTES)
@pytest.mark.parametrize("differ", [False, True])
@pytest.mark.parametrize(
    ("dtype", "result"), [("float32", "float32"), ("float64", "float64"), ("uint8", "float32"), ("uint8", "int64")]
)
def test_compiles_without_spills(
    dtype: str, result: str, differ: bool, architecture: str, record_property: Any
) -> None:
    compiled(cuda_blocks.kernel_for(dtype, result, differ=differ), architecture, record_property)
    compiled(cuda_blocks.levels_kernel_for("float32"), architecture, record_property)
