"""Training pictures: where they come from, and patches that depend on their number alone."""

from pathlib import Path

import numpy as np
import pytest

from tilegrad.datasets import (
    HELD_OUT_PHOTOGRAPHS,
    TRAINING_PHOTOGRAPHS,
    Patches,
    average_down,
    folder_pictures,
    photographs,
)
from tilegrad.errors import TilegradError
from tilegrad.images import write_image

pytest.importorskip("PIL", reason="needs pillow")


def save_pictures(folder: Path, count: int, side: int = 24) -> None:
    for number in range(count):
        write_image(folder / f"{number:02}.png", np.full((side, side + number), number, np.uint8))


def test_the_photographs_are_gray_and_none_is_on_both_sides() -> None:
    pytest.importorskip("skimage", reason="needs scikit-image")
    pictures = photographs()
    assert len(pictures.training) == sum(map(len, TRAINING_PHOTOGRAPHS.values()))
    np.testing.assert_array_equal(pictures.training["rocket 1:2"], average_down(pictures.training["rocket"], 2))
    assert not pictures.training.keys() & pictures.held_out.keys()
    assert not TRAINING_PHOTOGRAPHS.keys() & HELD_OUT_PHOTOGRAPHS.keys()
    for picture in (*pictures.training.values(), *pictures.held_out.values()):
        assert picture.dtype == np.float32
        assert picture.ndim == 2
        assert min(picture.shape) >= 100
        assert 0 <= picture.min() < picture.max() <= 1


@pytest.mark.parametrize(("count", "held_out"), [(2, 1), (8, 1), (16, 2), (120, 12)])
def test_one_picture_in_eight_is_held_out(tmp_path: Path, count: int, held_out: int) -> None:
    save_pictures(tmp_path, count, side=16)
    pictures = folder_pictures(tmp_path, smallest=16, seed=3)
    assert len(pictures.held_out) == held_out
    assert len(pictures.training) == count - held_out
    assert not pictures.training.keys() & pictures.held_out.keys()
    assert folder_pictures(tmp_path, smallest=16, seed=3).held_out.keys() == pictures.held_out.keys()


def test_the_seed_chooses_what_is_held_out(tmp_path: Path) -> None:
    save_pictures(tmp_path, 9)
    assert len({tuple(folder_pictures(tmp_path, smallest=16, seed=s).held_out) for s in range(20)}) > 3


def test_small_pictures_are_left_out_by_name_and_other_files_passed_over(tmp_path: Path) -> None:
    save_pictures(tmp_path, 3)
    write_image(tmp_path / "icon.png", np.zeros((8, 100), np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "folder.png").mkdir()
    pictures = folder_pictures(tmp_path, smallest=16, seed=0)
    assert pictures.left_out == ("icon.png",)
    assert len(pictures.training) + len(pictures.held_out) == 3


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(TilegradError, match="no such folder"):
        folder_pictures(tmp_path / "none", smallest=16, seed=0)
    with pytest.raises(TilegradError, match="holds 0 pictures"):
        folder_pictures(tmp_path, smallest=16, seed=0)
    save_pictures(tmp_path, 1)
    with pytest.raises(TilegradError, match="holds 1 pictures of at least 16 x 16"):
        folder_pictures(tmp_path, smallest=16, seed=0)
    (tmp_path / "bad.png").write_bytes(b"no")
    with pytest.raises(TilegradError, match=r"bad\.png"):
        folder_pictures(tmp_path, smallest=16, seed=0)
    with pytest.raises(TilegradError, match="is not a folder"):
        folder_pictures(tmp_path / "bad.png", smallest=16, seed=0)


def test_averaging_down() -> None:
    image = np.arange(35, dtype=np.float32).reshape(5, 7)
    expected = [[image[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean() for j in range(3)] for i in range(2)]
    small = average_down(image, 2)
    assert small.dtype == np.float32
    np.testing.assert_array_equal(small, np.array(expected, np.float32))
    np.testing.assert_array_equal(average_down(image, 1), image)


def pictures_that_know_their_pixels() -> list[np.ndarray]:
    """Two pictures in which every pixel has a value of its own."""
    return [np.arange(70, dtype=np.float32).reshape(7, 10), 1000 + np.arange(48, dtype=np.float32).reshape(12, 4)]


def test_a_patch_depends_on_seed_and_number_alone() -> None:
    patches = Patches(pictures_that_know_their_pixels(), patch=3, seed=5)
    together = patches.take(0, 40)
    apart = np.concatenate([patches.take(number, 1) for number in reversed(range(40))])[::-1]
    np.testing.assert_array_equal(together, apart)
    np.testing.assert_array_equal(patches.take(17, 9), together[17:26])
    assert (Patches(pictures_that_know_their_pixels(), patch=3, seed=6).take(0, 40) != together).any()
    shifted = Patches(pictures_that_know_their_pixels(), patch=3, seed=5, counter=4)
    np.testing.assert_array_equal(shifted.take(0, 10), together[4:14])


def test_patches_are_squares_of_the_pictures_in_all_eight_positions() -> None:
    pictures = pictures_that_know_their_pixels()
    patches = Patches(pictures, patch=3, seed=0).take(0, 4000)[..., 0]
    seen = set()
    for patch in patches:
        corner = patch.min()
        picture = pictures[0] if corner < 1000 else pictures[1]
        top, left = (int(v[0]) for v in np.nonzero(picture == corner))
        square = picture[top : top + 3, left : left + 3]
        positions = [np.rot90(s, k) for s in (square, square.T) for k in range(4)]
        matches = [k for k, position in enumerate(positions) if np.array_equal(position, patch)]
        assert len(matches) == 1
        seen.add((picture.shape, top, left, matches[0]))
    assert len(seen) == 8 * (5 * 8 + 10 * 2)  # every place of both pictures, in every position
    share = (patches[:, 0, 0] < 1000).mean()
    assert abs(share - 70 / 118) < 0.04  # five standard deviations of a share of 4000 draws


def test_pictures_smaller_than_a_patch_are_refused() -> None:
    with pytest.raises(ValueError, match="patch = 5 does not fit"):
        Patches(pictures_that_know_their_pixels(), patch=5, seed=0)
    with pytest.raises(ValueError, match="at least one picture"):
        Patches([], patch=5, seed=0)
