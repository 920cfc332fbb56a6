"""`tilegrad filter`: every filter of the list runs, says what it takes, and does what the function does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command import Ended

from tilegrad import filters
from tilegrad.filter_file import _FILTERS
from tilegrad.filter_options import FILTERS
from tilegrad.images import from_float, read_image, to_float, write_image

pytest.importorskip("PIL", reason="needs pillow")
RANDOM = np.random.default_rng(0)
Y, X = np.mgrid[:48, :56]
GRAY = (127 + 90 * np.sin(X / 5) * np.cos(Y / 7) + RANDOM.integers(-9, 10, X.shape)).astype(np.uint8)
COLOUR = np.dstack([GRAY, GRAY[::-1], GRAY[:, ::-1]])
NEEDED = {
    "match-histogram": ("--reference", "other.png"),
    "inpaint": ("--mask", "mask.png"),
    "resize": ("--scale", "0.5"),
    "rotate": ("--angle", "30"),
    "match-template": ("--template", "small.png"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    mask = np.zeros(GRAY.shape, np.uint8)
    mask[20:26, 30:37] = 255
    write_image(tmp_path / "gray.png", GRAY)
    write_image(tmp_path / "deep.png", GRAY.astype(np.uint16) * 257)
    write_image(tmp_path / "colour.png", COLOUR)
    write_image(tmp_path / "alpha.png", np.dstack([COLOUR, GRAY]))
    write_image(tmp_path / "other.png", GRAY // 2)
    write_image(tmp_path / "mask.png", mask)
    write_image(tmp_path / "small.png", GRAY[10:19, 20:31])
    return tmp_path


def test_the_list_and_what_is_done_are_one() -> None:
    assert set(FILTERS) == set(_FILTERS)


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_takes_gray_pictures_of_8_and_16_bits(here: Callable[..., Ended], folder: Path, name: str) -> None:
    for source in ("gray.png", "deep.png"):
        if source == "deep.png" and name == "inpaint":
            continue
        done = here("filter", name, source, "out.png", *NEEDED.get(name, ()))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        out = read_image(folder / "out.png")
        assert out.dtype == (np.uint16 if source == "deep.png" else np.uint8)
        assert out.ndim == 2
        if name not in ("resize", "otsu", "canny"):
            assert out.shape == GRAY.shape
            assert len(np.unique(out)) > 1


@pytest.mark.parametrize("name", ["gaussian", "median", "sobel", "erosion", "bilateral", "inpaint", "clahe"])
def test_colour_and_alpha_stay(here: Callable[..., Ended], folder: Path, name: str) -> None:
    assert here("filter", name, "colour.png", "c.png", *NEEDED.get(name, ())).returncode == 0
    assert here("filter", name, "alpha.png", "a.png", *NEEDED.get(name, ())).returncode == 0
    colour, alpha = read_image(folder / "c.png"), read_image(folder / "a.png")
    assert colour.shape == COLOUR.shape
    np.testing.assert_array_equal(alpha[..., :3], colour)
    np.testing.assert_array_equal(alpha[..., 3], GRAY)


@pytest.mark.parametrize("name", ["resize", "rotate"])
def test_alpha_moves_with_the_colours(here: Callable[..., Ended], folder: Path, name: str) -> None:
    for source, target in (("gray.png", "g.png"), ("colour.png", "c.png"), ("alpha.png", "a.png")):
        assert here("filter", name, source, target, *NEEDED[name]).returncode == 0
    moved = read_image(folder / "a.png")
    np.testing.assert_array_equal(moved[..., :3], read_image(folder / "c.png"))
    np.testing.assert_array_equal(moved[..., 3], read_image(folder / "g.png"))


def test_results_are_those_of_the_functions(here: Callable[..., Ended], folder: Path) -> None:
    assert here("filter", "gaussian", "gray.png", "g.png", "--sigma", "2", "--border", "wrap").returncode == 0
    expected = filters.gaussian(to_float(GRAY), 2.0, mode="wrap")
    np.testing.assert_array_equal(read_image(folder / "g.png"), from_float(expected, np.uint8))
    assert here("filter", "median", "gray.png", "m.png", "--size", "5").returncode == 0
    expected = filters.median(GRAY, np.ones((5, 5), bool))
    np.testing.assert_array_equal(read_image(folder / "m.png"), expected)
    assert here("filter", "dilation", "gray.png", "d.png", "--size", "5", "--shape", "diamond").returncode == 0
    window = np.abs(np.arange(-2, 3))[:, None] + np.abs(np.arange(-2, 3)) <= 2
    np.testing.assert_array_equal(read_image(folder / "d.png"), filters.dilation(GRAY, window))
    assert here("filter", "canny", "gray.png", "c.png", "--sigma", "1.5").returncode == 0
    expected = filters.canny(to_float(GRAY), 1.5, 0.1, 0.2)
    np.testing.assert_array_equal(read_image(folder / "c.png"), np.where(expected, 255, 0))
    assert here("filter", "resize", "gray.png", "r.png", "--width", "28").returncode == 0
    assert read_image(folder / "r.png").shape == (24, 28)


def test_slopes_lie_around_the_middle_and_may_be_stretched(here: Callable[..., Ended], folder: Path) -> None:
    assert here("filter", "sobel", "gray.png", "s.png", "--direction", "right").returncode == 0
    assert read_image(folder / "s.png").mean() == pytest.approx(127.5, abs=8)
    assert here("filter", "laplace", "gray.png", "l.png", "--stretch").returncode == 0
    stretched = read_image(folder / "l.png")
    assert (stretched.min(), stretched.max()) == (0, 255)


def test_the_place_of_a_template_is_white(here: Callable[..., Ended], folder: Path) -> None:
    assert here("filter", "match-template", "gray.png", "t.png", "--template", "small.png").returncode == 0
    scores = read_image(folder / "t.png")
    assert np.unravel_index(scores.argmax(), scores.shape) == (14, 25)
    assert scores.max() == 255


@pytest.mark.parametrize("name", FILTERS)
def test_help_names_every_option(here: Callable[..., Ended], name: str) -> None:
    done = here("filter", name, "--help")
    assert done.returncode == 0
    for option in FILTERS[name].options:
        assert f"--{option.name} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("filter", "median", "gray.png", "o.png", "--size", "4"), 2, "--size: expects an odd number but is '4'"),
        (("filter", "percentile", "gray.png", "o.png", "--percentile=-20"), 2, "expects a number from 0 to 100 but is"),
        (("filter", "percentile", "gray.png", "o.png", "--percentile", "101"), 2, "expects a number from 0 to 100 but"),
        (("filter", "blurr", "gray.png", "o.png"), 2, "invalid choice: 'blurr'"),
        (("filter", "rotate", "gray.png", "o.png"), 2, "--angle"),
        (("filter", "resize", "gray.png", "o.png"), 2, "name either --scale, or --width, --height or both"),
        (("filter", "resize", "gray.png", "o.png", "--scale", "2", "--width", "9"), 2, "name either --scale"),
        (("filter", "inpaint", "gray.png", "o.png", "--mask", "small.png"), 1, "small.png: is 11 x 9 pixels"),
        (("filter", "match-histogram", "colour.png", "o.png", "--reference", "gray.png"), 1, "gray or in colour"),
        (("filter", "gaussian", "none.png", "o.png"), 1, "none.png: no such file"),
        (("filter", "gaussian", "gray.png", "no/o.png"), 1, "no/o.png: the folder no does not exist"),
        (("filter", "canny", "gray.png", "o.png", "--low", "0.5"), 2, "gray.png: canny: "),
    ],
)
def test_refuses(
    here: Callable[..., Ended], folder: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = here(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert not (folder / "o.png").exists()
