"""Pictures come back from a file as they went in; what cannot be read or written says so and leaves no file."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from tilegrad.errors import TilegradError
from tilegrad.images import from_float, read_image, to_float, to_gray, write_image

PIL = pytest.importorskip("PIL.Image", reason="needs pillow")
tifffile = pytest.importorskip("tifffile", reason="needs tifffile")


def picture(shape: tuple[int, ...], dtype: type, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape)
    return values.astype(dtype)


@pytest.mark.parametrize(
    ("suffix", "dtype", "shape"),
    [
        *[(s, np.uint8, (5, 7)) for s in (".png", ".tif", ".tiff", ".bmp", ".pgm", ".ppm")],
        *[(s, np.uint8, (5, 7, 3)) for s in (".png", ".tif", ".bmp", ".ppm")],
        *[(s, np.uint8, (5, 7, c)) for s in (".png", ".tif") for c in (2, 4)],
        *[(s, np.uint16, (5, 7)) for s in (".png", ".tif", ".pgm")],
        *[(s, np.uint16, (5, 7, c)) for s in (".png", ".tif") for c in (2, 3, 4)],
        *[(s, np.uint16, (1, 1)) for s in (".png", ".tif")],
    ],
)
def test_round_trip_is_exact(tmp_path: Path, suffix: str, dtype: type, shape: tuple[int, ...]) -> None:
    image = picture(shape, dtype)
    write_image(tmp_path / f"a{suffix}", image)
    read = read_image(tmp_path / f"a{suffix}")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)
    assert [p.name for p in tmp_path.iterdir()] == [f"a{suffix}"]  # no temporary file is left


def test_other_programs_read_what_is_written(tmp_path: Path) -> None:
    image = picture((6, 4), np.uint16)
    write_image(tmp_path / "a.png", image)
    np.testing.assert_array_equal(np.asarray(PIL.open(tmp_path / "a.png")), image)
    write_image(tmp_path / "a.tif", image)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), image)


def test_jpeg_is_close(tmp_path: Path) -> None:
    image = np.add.outer(np.arange(32), np.arange(32)).astype(np.uint8) * 4
    write_image(tmp_path / "a.jpg", image)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - image).max() <= 4  # quality 95 on a ramp


def test_exif_orientation_is_applied_and_not_written_again(tmp_path: Path) -> None:
    stored = PIL.fromarray(picture((4, 6), np.uint8))
    exif = stored.getexif()
    exif[0x0112] = 6  # turn by 90 degrees to the right to show
    stored.save(tmp_path / "turned.png", exif=exif)
    read = read_image(tmp_path / "turned.png")
    np.testing.assert_array_equal(read, np.rot90(np.asarray(stored), -1))
    write_image(tmp_path / "out.png", read)
    assert not PIL.open(tmp_path / "out.png").getexif()


def test_palette_and_two_tone_pictures(tmp_path: Path) -> None:
    rgb = picture((8, 8, 3), np.uint8) // 128 * 255
    PIL.fromarray(rgb).convert("P", palette=PIL.Palette.ADAPTIVE, colors=8).save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_image(tmp_path / "p.png"), rgb)
    PIL.fromarray(rgb[:, :, 0]).convert("1").save(tmp_path / "one.png")
    np.testing.assert_array_equal(read_image(tmp_path / "one.png"), rgb[:, :, 0])


def test_tiff_that_counts_from_white_and_planes(tmp_path: Path) -> None:
    image = picture((5, 6), np.uint8)
    tifffile.imwrite(tmp_path / "white.tif", image, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "white.tif"), 255 - image)
    rgb = picture((5, 6, 3), np.uint16)
    tifffile.imwrite(tmp_path / "planes.tif", np.moveaxis(rgb, 2, 0), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(tmp_path / "planes.tif"), rgb)
    tifffile.imwrite(tmp_path / "big.tif", image.astype(">u2"), byteorder=">")
    assert read_image(tmp_path / "big.tif").dtype == np.uint16


def deep_colour_png() -> bytes:
    """The head of a 16 bit RGB PNG: signature, IHDR of 1 x 1, bit depth 16, colour type 2."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x10\x02\0\0\0" + bytes(40)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.png", b"not a picture", "cannot be read as a picture"),
        ("empty.png", b"", "cannot be read as a picture"),
        ("text.tif", b"not a picture", "cannot be read as a TIFF picture"),
        ("deep.png", deep_colour_png(), "cannot be read as a picture"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TilegradError, match=message) as failure:
        read_image(tmp_path / name)
    assert str(failure.value).startswith(str(tmp_path / name))
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_picture_cut_short_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, picture((64, 64), np.uint8))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(TilegradError, match="cannot be read"):
        read_image(path)


def test_missing_file_folder_and_pages(tmp_path: Path) -> None:
    with pytest.raises(TilegradError, match="no such file"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(TilegradError, match="is a folder"):
        read_image(tmp_path)
    tifffile.imwrite(tmp_path / "pages.tif", np.zeros((3, 8, 8), np.uint8), photometric="minisblack")
    with pytest.raises(TilegradError, match="holds 3 pages"):
        read_image(tmp_path / "pages.tif")
    tifffile.imwrite(tmp_path / "float.tif", np.zeros((8, 8), np.float32))
    with pytest.raises(TilegradError, match="float32"):
        read_image(tmp_path / "float.tif")


@pytest.mark.parametrize(
    ("name", "image", "message"),
    [
        ("a.jpg", np.zeros((4, 4), np.uint16), "holds 8 bits"),
        ("a.ppm", np.zeros((4, 4, 3), np.uint16), "holds 8 bits"),
        ("a.bmp", np.zeros((4, 4, 4), np.uint8), "alpha"),
        ("a.pgm", np.zeros((4, 4, 3), np.uint8), "gray"),
        ("a.xyz", np.zeros((4, 4), np.uint8), "cannot write a .xyz file"),
        ("a", np.zeros((4, 4), np.uint8), "without a suffix"),
        ("none/a.png", np.zeros((4, 4), np.uint8), "does not exist"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(tmp_path: Path, name: str, image: np.ndarray, message: str) -> None:
    with pytest.raises(TilegradError, match=message):
        write_image(tmp_path / name, image)
    assert list(tmp_path.iterdir()) == []


def test_wrong_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="write_image: image expects dtype uint8 or uint16 but has float64"):
        write_image(tmp_path / "a.png", np.zeros((4, 4)))
    for shape in ((4,), (4, 4, 5), (0, 4), (1, 4, 4, 1)):
        with pytest.raises(ValueError, match="write_image: image expects shape"):
            write_image(tmp_path / "a.png", np.zeros(shape, np.uint8))
    with pytest.raises(TypeError, match="from_float: dtype"):
        from_float(np.zeros((2, 2)), np.int32)
    with pytest.raises(ValueError, match="NaN"):
        from_float(np.array([[np.nan]]), np.uint8)
    with pytest.raises(TypeError, match="to_float: image"):
        to_float(np.zeros((2, 2)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_integer_survives_the_way_to_float_and_back(dtype: type) -> None:
    every = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    as_float = to_float(every)
    assert as_float.dtype == np.float32
    assert as_float[0] == 0.0
    assert as_float[-1] == 1.0
    np.testing.assert_array_equal(from_float(as_float, dtype), every)


@given(stn.arrays(np.float64, st.integers(1, 20), elements=st.floats(-2, 3)))
def test_from_float_is_the_nearest_integer(values: np.ndarray) -> None:
    clipped = np.clip(values, 0, 1)
    assert (np.abs(from_float(values, np.uint8) - clipped * 255.0) <= 0.5).all()
    assert (np.abs(from_float(values, np.uint16) - clipped * 65535.0) <= 0.5).all()


@pytest.mark.parity
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_is_that_of_scikit_image(dtype: type) -> None:
    color = pytest.importorskip("skimage.color")
    image = picture((9, 7, 3), dtype)
    np.testing.assert_allclose(to_gray(image), color.rgb2gray(image), rtol=0, atol=1e-7)  # float32 against float64
    alpha = np.dstack([image, np.zeros((9, 7), dtype)])
    np.testing.assert_array_equal(to_gray(alpha), to_gray(image))
    np.testing.assert_array_equal(to_gray(image[:, :, :2]), to_float(image[:, :, 0]))


@pytest.mark.parametrize(("mode", "key", "channels"), [("L", 7, 2), ("RGB", (9, 9, 9), 4)])
def test_a_transparent_colour_becomes_an_alpha_channel(tmp_path: Path, mode: str, key: object, channels: int) -> None:
    image = PIL.new(mode, (4, 3), key)
    image.putpixel((0, 0), 200 if mode == "L" else (200, 0, 0))
    image.save(tmp_path / "a.png", transparency=key)
    read = read_image(tmp_path / "a.png")
    assert read.shape == (3, 4, channels)
    assert read[..., -1].tolist() == [[255, 0, 0, 0], [0] * 4, [0] * 4]
