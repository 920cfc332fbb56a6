"""How well holes are filled: ``python -m benchmarks.inpainting --out FOLDER``.

scikit-image's photographs are damaged in four ways and restored by patches (`filters.inpaint_exemplar`), by the
biharmonic equation and by Telea's method, all with their defaults. Three figures say how near a result is to the truth:

    PSNR        in the damaged pixels: how far each is from its true value. Where the truth cannot be known, the mean of
                all that is possible scores best, so that it rewards blur in what is random: texture, a large hole
    gradients   the distance between the histograms of gradient magnitudes there, from 0 to 2: whether it looks as rough
    spectrum    root mean square difference of the radial power spectra of square holes in dB: the same by scale

The table is printed, and a sheet of pictures is written to look at: figures do not see a seam.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tilegrad import filters
from tilegrad.errors import TilegradError
from tilegrad.extras import require
from tilegrad.files import make_folder

PICTURES = ("brick", "page", "camera", "coins", "astronaut", "coffee", "chelsea", "grass", "gravel")
SHOWN = (
    ("brick", "holes"), ("grass", "holes"), ("gravel", "tears"), ("coins", "holes"), ("page", "scratches"),
    ("camera", "text"), ("coffee", "tears"),
)  # fmt: skip
_SIDE = 256  # pixels of a picture that are used, from its middle
_HOLE = 40
_TILE = 128  # pixels of a picture that the sheet shows


class Score(NamedTuple):
    """PSNR in dB, distance of the gradients' histograms, distance of the spectra in dB (NaN without square holes)."""

    psnr: float
    gradients: float
    spectrum: float


def picture(name: str) -> np.ndarray:
    """The middle of one of scikit-image's photographs: (H, W, C), uint8."""
    data = require("skimage.data", "benchmarks.inpainting")
    image = getattr(data, name)()
    image = image if image.ndim == 3 else image[..., None]
    top, left = (max(0, (side - _SIDE) // 2) for side in image.shape[:2])
    return np.ascontiguousarray(image[top : top + _SIDE, left : left + _SIDE])


def holes(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """The corners of square holes, as many as leave enough of the picture to copy from."""
    return [(top, left) for top in range(28, shape[0] - _HOLE - 8, 88) for left in range(28, shape[1] - _HOLE - 8, 88)]


def _square_holes(shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for top, left in holes(shape):
        mask[top : top + _HOLE, left : left + _HOLE] = True
    return mask


def _text(shape: tuple[int, ...]) -> np.ndarray:
    """Writing: that of scikit-image's scanned page, twice as large and upside down."""
    page = require("skimage.data", "benchmarks.inpainting").page().astype(np.float64)
    dark = page < 0.8 * filters.gaussian(page, 8)
    height, width = shape[0] // 2 + 1, shape[1] // 2 + 1
    return np.kron(dark[20 : 20 + height, 30 : 30 + width], np.ones((2, 2), bool))[::-1, ::-1][: shape[0], : shape[1]]


def _scratches(shape: tuple[int, ...]) -> np.ndarray:
    """Ten straight lines of two to five pixels."""
    draw = np.random.default_rng(1)
    y, x = np.indices(shape)
    mask = np.zeros(shape, bool)
    for width in (2, 3, 4, 5, 2, 3, 4, 5, 2, 3):
        angle, offset = draw.uniform(0, np.pi), draw.uniform(-0.4, 0.4) * min(shape)
        across = (x - shape[1] / 2) * np.cos(angle) + (y - shape[0] / 2) * np.sin(angle)
        mask |= abs(across - offset) < width / 2
    return mask


def _tears(shape: tuple[int, ...]) -> np.ndarray:
    """Two gaps that wander down from the upper edge, five to seventeen pixels wide."""
    draw = np.random.default_rng(2)
    mask = np.zeros(shape, bool)
    for start in (0.3, 0.7):
        rows = np.arange(shape[0] * 3 // 4)
        middle = start * shape[1] + draw.normal(0, 1.2, rows.size).cumsum()
        half = 5.5 + 3 * np.sin(rows / 17)
        mask[: rows.size] |= abs(np.arange(shape[1]) - middle[:, None]) < half[:, None]
    return mask


DAMAGES: dict[str, Callable[[tuple[int, ...]], np.ndarray]] = {
    "text": _text,
    "scratches": _scratches,
    "tears": _tears,
    "holes": _square_holes,
}


def _exemplar(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return filters.inpaint_exemplar(image, mask, channel_axis=-1)


def _biharmonic(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.rint(filters.inpaint_biharmonic(image, mask, channel_axis=-1) * 255).astype(np.uint8)


def _telea(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return filters.cv.inpaint(image, mask.astype(np.uint8), 5, filters.cv.INPAINT_TELEA)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "exemplar": _exemplar,
    "biharmonic": _biharmonic,
    "telea": _telea,
}


def _roughness(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The distribution of the gradient's magnitude over the damaged pixels and channels, in steps of four levels."""
    wide = image.astype(np.float64)
    magnitude = np.hypot(np.diff(wide, axis=0)[:, :-1], np.diff(wide, axis=1)[:-1])[mask[:-1, :-1]]
    counts, _ = np.histogram(magnitude, bins=np.arange(0, 368, 4))
    return counts / counts.sum()


def _spectrum(image: np.ndarray) -> np.ndarray:
    """The power of the square holes in dB, by the distance of the frequency from 0."""
    window = np.hanning(_HOLE)[:, None] * np.hanning(_HOLE)
    power = np.zeros((_HOLE, _HOLE))
    for top, left in holes(image.shape[:2]):
        square = image[top : top + _HOLE, left : left + _HOLE].mean(axis=-1)
        power += abs(np.fft.fft2((square - square.mean()) * window)) ** 2
    frequency = np.fft.fftfreq(_HOLE, 1 / _HOLE)
    ring = np.rint(np.hypot(frequency[:, None], frequency)).astype(int)
    sums, counts = np.bincount(ring.ravel(), power.ravel()), np.bincount(ring.ravel())
    inside = slice(1, _HOLE // 2)
    return np.asarray(10 * np.log10(sums[inside] / counts[inside] + 1e-3))


def score(truth: np.ndarray, restored: np.ndarray, mask: np.ndarray, square: bool) -> Score:
    """What the three figures say of a restored picture."""
    psnr = filters.peak_signal_noise_ratio(truth[mask], restored[mask])
    gradients = np.abs(_roughness(truth, mask) - _roughness(restored, mask)).sum()
    spectra = np.nan
    if square:
        spectra = np.sqrt(np.mean((_spectrum(truth) - _spectrum(restored)) ** 2))
    return Score(float(psnr), float(gradients), float(spectra))


def restore(image: np.ndarray, mask: np.ndarray, method: str) -> tuple[np.ndarray, float]:
    """The picture without its damage, and the seconds that took; of the damaged pixels nothing is known."""
    damaged = np.where(mask[..., None], 0, image).astype(np.uint8)
    start = time.perf_counter()
    restored = METHODS[method](damaged, mask)
    return restored, time.perf_counter() - start


def table(names: Sequence[str], damages: Sequence[str], report: Callable[[str], Any]) -> None:
    """Report a line for each picture and damage: the three figures of each method."""
    width = 22
    report(" " * width + "".join(f"{method:>28}" for method in METHODS))
    report(f"{'picture':<10}{'damage':<12}" + "    PSNR  gradients  spectrum" * len(METHODS))
    for name in names:
        image = picture(name)
        for damage in damages:
            mask = DAMAGES[damage](image.shape[:2])
            cells = ""
            for method in METHODS:
                found = score(image, restore(image, mask, method)[0], mask, damage == "holes")
                spectrum = "" if np.isnan(found.spectrum) else f"{found.spectrum:.1f}"
                cells += f"{found.psnr:8.2f}{found.gradients:11.2f}{spectrum:>10}"
            report(f"{name:<10}{damage:<12}{cells}".rstrip())


def _colour(image: np.ndarray) -> np.ndarray:
    return np.broadcast_to(image, (*image.shape[:2], 3))


def sheet(shown: Sequence[tuple[str, str]]) -> Any:
    """A Pillow image of the original, the damage and all results, a row for each picture."""
    images, draw = require("PIL.Image", "benchmarks.inpainting"), require("PIL.ImageDraw", "benchmarks.inpainting")
    heads = ("original", "damaged", *METHODS)
    step = _TILE + 4
    page = np.full((16 + step * len(shown), step * len(heads) - 4, 3), 255, np.uint8)
    for row, (name, damage) in enumerate(shown):
        image = picture(name)
        mask = DAMAGES[damage](image.shape[:2])
        damaged = np.where(mask[..., None], np.array([255, 0, 160], np.uint8), _colour(image))
        tiles = [image, damaged, *(restore(image, mask, method)[0] for method in METHODS)]
        top, left = 0, min(28, image.shape[1] - _TILE)
        for column, tile in enumerate(tiles):
            cut = _colour(tile)[top : top + _TILE, left : left + _TILE]
            page[16 + row * step : 16 + row * step + _TILE, column * step : column * step + _TILE] = cut
    result = images.fromarray(page)
    pen = draw.Draw(result)
    for column, head in enumerate(heads):
        pen.text((column * step + 2, 2), head, fill=(0, 0, 0))
    return result.quantize(256, dither=images.Dither.NONE)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inpainting", description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "--out", metavar="FOLDER", help="also write the sheet of pictures, inpainting.png, into this folder"
    )
    parser.add_argument(
        "--only", nargs="+", choices=PICTURES, default=PICTURES, metavar="PICTURE", help="some pictures"
    )
    options = parser.parse_args(arguments)
    try:
        table(options.only, tuple(DAMAGES), lambda line: print(line, flush=True))
        if options.out:
            path = make_folder(options.out) / "inpainting.png"
            sheet(SHOWN).save(path, optimize=True)
            print(f"wrote {path}")
    except TilegradError as error:
        print(f"benchmarks.inpainting: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
