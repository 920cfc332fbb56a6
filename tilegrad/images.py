"""Pictures in files, and pictures as arrays of numbers between 0 and 1.

An image is ``(H, W)`` (gray) or ``(H, W, C)`` with C = 2 (gray, alpha), 3 (RGB) or 4 (RGB, alpha), uint8 or uint16.
PNG, JPEG and the like go through Pillow, which would drop half of a 16 bit colour PNG's bits: that goes through pypng.
TIFF goes through tifffile. Each is imported when a file of its kind is met.
"""

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from .errors import TilegradError
from .extras import require
from .files import replacing

READ_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm", ".gif")
WRITE_SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm")
_TIFF = (".tif", ".tiff")
_SIXTEEN_BITS = (".png", *_TIFF, ".pgm")

_BAND = 256  # rows of a picture that pass from Pillow to an array at once

_LUMA = np.array([0.2125, 0.7154, 0.0721])  # ITU-R BT.709, the weights of skimage.color.rgb2gray


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a picture as it is stored, turned upright where its EXIF orientation says so.

    Parameters
    ----------
    path : path
        PNG, JPEG, TIFF, BMP, WebP, PGM/PPM or GIF (its first picture).

    Returns
    -------
    ndarray
        ``(H, W)`` or ``(H, W, C)``, uint8 or uint16, C-contiguous. Palette and CMYK pictures come as RGB.

    Raises
    ------
    TilegradError
        If the file is missing, not an ordinary one, unreadable, damaged or cut short, holds other than 8 or 16 bit
        integers, or the package that reads it is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_image(Path(folder) / "a.png", np.array([[0, 65535]], np.uint16))
    ...     read_image(Path(folder) / "a.png")
    array([[    0, 65535]], dtype=uint16)
    """
    path = Path(path)
    if path.is_dir():
        raise TilegradError(f"{path}: is a folder, not a picture")
    if not path.exists():
        raise TilegradError(f"{path}: no such file")
    if not path.is_file():  # opening a pipe would wait for whoever writes into it
        raise TilegradError(f"{path}: is not an ordinary file")
    if not os.access(path, os.R_OK):
        raise TilegradError(f"{path}: no permission to read it")
    image = _read_tiff(path) if path.suffix.lower() in _TIFF else _read_pillow(path)
    if image.dtype not in (np.uint8, np.uint16):
        raise TilegradError(f"{path}: holds {image.dtype} numbers; pictures of 8 or 16 bit integers can be read")
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] > 4) or image.size == 0:
        raise TilegradError(f"{path}: is an array of shape {image.shape}, not one picture")
    return np.ascontiguousarray(image)


def _read_tiff(path: Path) -> np.ndarray:
    tifffile = require("tifffile", f"reading {path.name}")
    try:
        with tifffile.TiffFile(path) as file:
            pages, first = len(file.pages), file.pages[0]
            kind = first.photometric.name
            image = np.asarray(first.asarray())
            if first.planarconfig == 2 and image.ndim == 3:  # one plane after another
                image = np.moveaxis(image, 0, 2)
    except Exception as error:  # tifffile passes on whatever its decoders raise on damaged data
        raise TilegradError(f"{path}: cannot be read as a TIFF picture ({_first_line(error)})") from error
    if pages > 1:
        raise TilegradError(f"{path}: holds {pages} pages; one picture is expected")
    if kind not in ("MINISBLACK", "MINISWHITE", "RGB"):
        raise TilegradError(f"{path}: is a {kind.lower()} TIFF; gray and RGB can be read")
    image = image.astype(image.dtype.newbyteorder("="), copy=False)
    return np.invert(image) if kind == "MINISWHITE" and image.dtype.kind == "u" else image


def _read_pillow(path: Path) -> np.ndarray:
    if _is_deep_colour_png(path):
        return _read_deep_png(path)
    pil = require("PIL.Image", f"reading {path.name}")
    ops = require("PIL.ImageOps", f"reading {path.name}")
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures and refuses very large ones; people do have photographs of 100 megapixels.
            warnings.simplefilter("ignore")
            with pil.open(path) as opened:
                ops.exif_transpose(opened, in_place=True)
                return _pixels(opened, opened.format)
    except Exception as error:  # besides OSError, decoders raise SyntaxError, ValueError, struct.error, zlib.error ...
        raise TilegradError(f"{path}: cannot be read as a picture ({_first_line(error)})") from error


def _pixels(image: Any, file_format: str | None) -> np.ndarray:
    mode = image.mode
    if mode == "I" and file_format in ("PNG", "PPM"):  # how older Pillow shows 16 bit gray
        return np.asarray(image).astype(np.uint16)
    if mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    if mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif mode in ("L", "RGB") and "transparency" in image.info:
        image = image.convert("LA" if mode == "L" else "RGBA")
    elif mode == "1":
        image = image.convert("L")
    elif mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        image = image.convert("RGB")
    return _in_bands(image)


def _in_bands(image: Any) -> np.ndarray:
    """The pixels of a Pillow image, some rows at a time: all at once it would hold them three times."""
    width, height = image.size
    first = np.asarray(image.crop((0, 0, width, min(_BAND, height))))
    pixels = np.empty((height, *first.shape[1:]), first.dtype)
    pixels[:_BAND] = first
    for top in range(_BAND, height, _BAND):
        pixels[top : top + _BAND] = np.asarray(image.crop((0, top, width, min(top + _BAND, height))))
    return pixels


def _is_deep_colour_png(path: Path) -> bool:
    """Whether this is a PNG of 16 bits whose colour type is not gray (PNG specification, IHDR)."""
    with path.open("rb") as file:
        head = file.read(26)
    return (
        head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR" and head[24:25] == b"\x10" and head[25:26] != b"\0"
    )


def _read_deep_png(path: Path) -> np.ndarray:
    library = require("png", f"reading {path.name}")
    try:
        with path.open("rb") as file:
            width, height, rows, facts = library.Reader(file=file).asDirect()
            image = np.empty((height, width * facts["planes"]), np.uint16)
            for target, row in zip(image, rows, strict=True):
                target[...] = row
    except Exception as error:  # besides its own errors: zlib.error, ValueError, StopIteration ... on damaged data
        raise TilegradError(f"{path}: cannot be read as a picture ({_first_line(error)})") from error
    return image.reshape(height, width, facts["planes"])


def _write_deep_png(path: Path, image: np.ndarray) -> None:
    library = require("png", f"writing {path.name}")
    H, W, channels = image.shape
    writer = library.Writer(W, H, greyscale=channels == 2, alpha=channels in (2, 4), bitdepth=16)
    with path.open("wb") as file:
        writer.write_packed(file, (row.astype(">u2").tobytes() for row in image))


def check_format(path: str | os.PathLike[str], dtype: Any, channels: int = 1) -> None:
    """Raise now what `write_image` would raise because of the file's suffix.

    >>> check_format("out.jpg", np.uint16)
    Traceback (most recent call last):
    ...
    tilegrad.errors.TilegradError: out.jpg: .jpg holds 8 bits a pixel and the picture has 16; write .png or .tif
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITE_SUFFIXES:
        kind = f"a {suffix} file" if suffix else "a file without a suffix"
        raise TilegradError(f"{path}: cannot write {kind}; name one of {', '.join(WRITE_SUFFIXES)}")
    deep = np.dtype(dtype) == np.uint16
    if deep and suffix not in _SIXTEEN_BITS:
        raise TilegradError(f"{path}: {suffix} holds 8 bits a pixel and the picture has 16; write .png or .tif")
    if deep and channels > 1 and suffix not in (".png", *_TIFF):
        raise TilegradError(f"{path}: colour of 16 bits can be written to .png or .tif")
    if channels in (2, 4) and suffix not in (".png", *_TIFF):
        raise TilegradError(f"{path}: {suffix} has no alpha channel here; write .png or .tif")
    if channels > 1 and suffix == ".pgm":
        raise TilegradError(f"{path}: .pgm is gray; write .ppm")


def write_image(path: str | os.PathLike[str], image: np.ndarray) -> None:
    """Write a picture, whole or not at all, in the format of the suffix, without EXIF or other metadata.

    Parameters
    ----------
    path : path
        ``.png``, ``.tif``, ``.jpg`` (quality 95), ``.bmp``, ``.pgm`` or ``.ppm``. Its folder must exist.
    image : ndarray
        ``(H, W)`` or ``(H, W, C)`` with C = 2, 3 or 4, uint8 or uint16. 16 bits: ``.tif``, ``.png``, and gray ``.pgm``.

    Raises
    ------
    ValueError, TypeError
        For another shape or dtype.
    TilegradError
        If the format cannot hold the picture, the folder is missing or the disk refuses.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_image(Path(folder) / "a.tif", np.zeros((2, 3, 3), np.uint16))
    ...     read_image(Path(folder) / "a.tif").shape
    (2, 3, 3)
    """
    image = np.asarray(image)
    if image.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"write_image: image expects dtype uint8 or uint16 but has {image.dtype}")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (2, 3, 4)) or image.size == 0:
        raise ValueError(f"write_image: image expects shape (H, W) or (H, W, 2 | 3 | 4) but has {image.shape}")
    channels = 1 if image.ndim == 2 else image.shape[2]
    check_format(path, image.dtype, channels)
    suffix = Path(path).suffix.lower()
    deep = image.dtype == np.uint16 and channels > 1 and suffix not in _TIFF
    library = require("tifffile" if suffix in _TIFF else "PIL.Image", f"writing {Path(path).name}")
    image = np.ascontiguousarray(image)
    try:
        with replacing(path) as temporary:
            if suffix in _TIFF:
                photometric = "rgb" if channels >= 3 else "minisblack"
                extra = ["unassalpha"] if channels in (2, 4) else None
                library.imwrite(
                    temporary, image, photometric=photometric, planarconfig="contig" if channels > 1 else None,
                    extrasamples=extra, metadata=None, software=False,
                )  # fmt: skip
            elif deep:
                _write_deep_png(temporary, image)
            else:
                options = {"quality": 95} if suffix in (".jpg", ".jpeg") else {}
                library.fromarray(image).save(temporary, **options)
    except OSError as error:
        raise TilegradError(f"{path}: cannot be written ({error.strerror or _first_line(error)})") from error


def split_alpha(image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Gray (H, W) or RGB (H, W, 3), and the alpha channel (H, W) of a picture that has one.

    >>> colours, alpha = split_alpha(np.zeros((4, 5, 2), np.uint8))
    >>> colours.shape, alpha.shape
    ((4, 5), (4, 5))
    """
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels not in (2, 4):
        return image, None
    return (image[:, :, 0] if channels == 2 else image[:, :, :3]), image[:, :, -1]


def join_alpha(colours: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """The inverse of `split_alpha`."""
    return colours if alpha is None else np.dstack([colours, alpha])


def to_float(image: np.ndarray) -> np.ndarray:
    """Integers to float32 in [0, 1]: divided by 255 (uint8) or 65535 (uint16); shape unchanged.

    >>> to_float(np.array([0, 255], np.uint8))
    array([0., 1.], dtype=float32)
    """
    if image.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"to_float: image expects dtype uint8 or uint16 but has {image.dtype}")
    return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)


def from_float(image: np.ndarray, dtype: Any) -> np.ndarray:
    """Numbers in [0, 1] to uint8 or uint16: clipped, scaled by 255 or 65535, rounded to nearest (ties to even).

    ``from_float(to_float(image), image.dtype)`` is ``image``, bit for bit. NaN is refused with a ValueError.

    >>> from_float(np.array([-0.1, 0.5, 1.2]), np.uint8)
    array([  0, 128, 255], dtype=uint8)
    """
    dtype = np.dtype(dtype)
    if dtype not in (np.uint8, np.uint16):
        raise TypeError(f"from_float: dtype expects uint8 or uint16 but is {dtype}")
    if np.isnan(image).any():
        raise ValueError(f"from_float: image expects numbers but has NaN (shape {image.shape})")
    return np.rint(np.clip(image, 0.0, 1.0) * np.float64(np.iinfo(dtype).max)).astype(dtype)


def to_gray(image: np.ndarray) -> np.ndarray:
    """The luma of an image as float32 in [0, 1], shape (H, W): 0.2125 R + 0.7154 G + 0.0721 B; alpha is left out.

    >>> to_gray(np.full((1, 1, 3), 255, np.uint8))
    array([[1.]], dtype=float32)
    """
    if image.ndim == 3 and image.shape[2] in (3, 4):
        peak = float(np.iinfo(image.dtype).max)
        return np.asarray((image[:, :, :3] @ _LUMA / peak).astype(np.float32))
    return to_float(image[:, :, 0] if image.ndim == 3 else image)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
