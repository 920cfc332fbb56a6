"""How well noise is removed: ``python -m benchmarks.restoration --data FOLDER [--out FOLDER]``.

The pictures of a folder, in gray, get Gaussian noise of sigma 25, rounded to bytes, or 20 % of salt and pepper.
tilegrad, scikit-image and OpenCV restore the same bytes by the same methods; each has that point of a grid of
parameters, the same for all pictures, where its mean PSNR is highest. Results are rounded to bytes before they are
scored, since some of OpenCV's methods give nothing else.

Per method: the grid, what each library took of it, and PSNR (dB) and SSIM of each picture. At the end a line for each
method with the mean PSNR; "not below" says whether ours, in the better of its two forms, reaches both rivals.
"""

import argparse
import itertools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tilegrad import __version__, filters
from tilegrad.errors import TilegradError
from tilegrad.files import make_folder, replacing
from tilegrad.images import READ_SUFFIXES, from_float, read_image, to_gray

from .filter_kinds import OPENCV, SKIMAGE
from .rivals import FILTER_RIVALS, missing

_SIGMA = 25
_LOST = 0.2
_EQUAL = 0.005  # dB: half of the last digit that papers print


class Pair(NamedTuple):
    """A picture and what noise made of it: (H, W), uint8."""

    clean: np.ndarray
    noisy: np.ndarray


def gaussian_noise(clean: np.ndarray, seed: int) -> np.ndarray:
    """The picture with noise of sigma 25, as bytes."""
    noise = np.random.default_rng(seed).standard_normal(clean.shape)
    return np.rint(clean + _SIGMA * noise).clip(0, 255).astype(np.uint8)


def salt_and_pepper(clean: np.ndarray, seed: int) -> np.ndarray:
    """The picture with a tenth of the pixels black and a tenth white."""
    draw = np.random.default_rng(seed).uniform(size=clean.shape)
    return np.where(draw < _LOST / 2, 0, np.where(draw < _LOST, 255, clean)).astype(np.uint8)


GAUSSIAN, SALT = "Gaussian noise, sigma 25", "salt and pepper, 20 %"
DAMAGES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {GAUSSIAN: gaussian_noise, SALT: salt_and_pepper}


def _median(median: Callable[..., Any], image: np.ndarray, size: int) -> Any:
    return median(image, np.ones((size, size), np.uint8))


def _nl_means(nl_means: Callable[..., Any], image: np.ndarray, h: float, patch: int) -> Any:
    return nl_means(image, patch, 10, h / 255, sigma=_SIGMA / 255)


def _fast_nl_means(nl_means: Callable[..., Any], image: np.ndarray, h: float, patch: int) -> Any:
    return nl_means(image, None, h, patch, 21)


def _bilateral(
    bilateral: Callable[..., Any], image: np.ndarray, size: int, color: float, space: float, mode: str
) -> Any:
    return bilateral(image, size, color / 255, space, mode=mode)


def _bilateral_filter(
    bilateral: Callable[..., Any], image: np.ndarray, d: int, color: float, space: float, border: str
) -> Any:
    return bilateral(image, d, color, space, borderType=getattr(filters.cv, f"BORDER_{border}"))


def _denoise_tvl1(tvl1: Callable[..., Any], image: np.ndarray, lambda_: float, steps: int) -> Any:
    restored = np.empty_like(image)
    tvl1([image], restored, lambda_, steps)
    return restored


class Method(NamedTuple):
    """A method in the form of one rival: ``call(function, image, **parameters)`` with a point of the grid."""

    name: str
    damage: str
    form: str
    function: str
    call: Callable[..., Any]
    grid: Mapping[str, Sequence[Any]]


_COLOR, _SPACE = (38, 51, 57, 64, 69, 77), (1.2, 1.4, 1.6, 8.0)
METHODS = (
    Method("median", SALT, SKIMAGE, "median", _median, {"size": (3, 5, 7)}),
    Method("median", SALT, OPENCV, "medianBlur", lambda median, image, size: median(image, size), {"size": (3, 5, 7)}),
    Method(
        "non-local means", GAUSSIAN, SKIMAGE, "denoise_nl_means", _nl_means,
        {"h": (10, 12.5, 15, 17.5, 20), "patch": (3, 5, 7)},
    ),
    Method(
        "non-local means", GAUSSIAN, OPENCV, "fastNlMeansDenoising", _fast_nl_means,
        {"h": (20, 22, 24, 26, 28, 30), "patch": (3, 5, 7)},
    ),
    Method(
        "bilateral", GAUSSIAN, SKIMAGE, "denoise_bilateral", _bilateral,
        {"size": (6, 7, 9), "color": _COLOR, "space": _SPACE, "mode": ("constant", "edge")},
    ),
    Method(
        "bilateral", GAUSSIAN, OPENCV, "bilateralFilter", _bilateral_filter,
        {"d": (5, 7, 9), "color": _COLOR, "space": _SPACE, "border": ("REFLECT_101", "REPLICATE")},
    ),
    Method(
        "total variation", GAUSSIAN, SKIMAGE, "denoise_tv_chambolle",
        lambda variation, image, weight: variation(image, weight), {"weight": (0.06, 0.065, 0.07, 0.075, 0.08)},
    ),
    # Not the same problem: the sum of absolute differences to the noisy picture, where the others take squares.
    Method(
        "total variation", GAUSSIAN, OPENCV, "denoise_TVL1", _denoise_tvl1,
        {"lambda_": (1.0, 1.2, 1.4, 1.6, 1.8), "steps": (30, 100, 300)},
    ),
)  # fmt: skip


class Found(NamedTuple):
    """What one library reached at its best parameters: PSNR and SSIM of each picture."""

    method: Method
    side: str
    parameters: Mapping[str, Any]
    scores: Sequence[filters.similarity.Quality]

    def mean(self) -> np.ndarray:
        """Mean PSNR and SSIM."""
        return np.mean(self.scores, axis=0)


OURS = {SKIMAGE: "tilegrad", OPENCV: "tilegrad.cv"}


def libraries() -> dict[str, tuple[str, Any]]:
    """By side: whose form it has, and where its functions are."""
    absent = missing(FILTER_RIVALS)
    if absent:
        raise TilegradError(absent)
    import cv2

    from .rivals.skimage import LIBRARY

    return {
        OURS[SKIMAGE]: (SKIMAGE, filters), SKIMAGE: (SKIMAGE, LIBRARY),
        OURS[OPENCV]: (OPENCV, filters.cv), OPENCV: (OPENCV, cv2),
    }  # fmt: skip


def pictures(folder: Path) -> dict[str, np.ndarray]:
    """The pictures of a folder by name, in gray."""
    paths = sorted(path for path in Path(folder).glob("*") if path.suffix.lower() in READ_SUFFIXES)
    if not paths:
        raise TilegradError(f"{folder} is no folder with pictures")
    return {path.stem: from_float(to_gray(read_image(path)), np.uint8) for path in paths}


def restored(method: Method, library: Any, noisy: np.ndarray, parameters: Mapping[str, Any]) -> np.ndarray:
    """What a library makes of a noisy picture, as bytes."""
    result = method.call(getattr(library, method.function), noisy, **parameters)
    return result if result.dtype == np.uint8 else from_float(result, np.uint8)


def best(method: Method, side: str, library: Any, pairs: Iterable[Pair]) -> Found:
    """The scores at that point of the grid whose mean PSNR is highest."""
    pairs = list(pairs)
    points = [dict(zip(method.grid, point, strict=True)) for point in itertools.product(*method.grid.values())]

    def at(parameters: Mapping[str, Any]) -> Found:
        results = (restored(method, library, pair.noisy, parameters) for pair in pairs)
        scores = [filters.psnr_and_ssim(pair.clean, result) for pair, result in zip(pairs, results, strict=True)]
        return Found(method, side, parameters, scores)

    return max(map(at, points), key=lambda found: found.mean()[0])


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def details(found: Sequence[Found], names: Sequence[str]) -> Iterable[str]:
    """Of one method: grids and parameters, then a line for each picture."""
    yield f"{found[0].method.name}, {found[0].method.damage}"
    for each in found:
        if each.side in (SKIMAGE, OPENCV):
            yield f"  grid of {each.method.function}: " + _words(each.method.grid)
    for each in found:
        yield f"  {each.side}: {_words(each.parameters)}"
    yield f"{'':<20}" + "".join(f"{each.side:>18}" for each in found)
    rows = [*zip(names, *(each.scores for each in found), strict=True), ("mean", *(each.mean() for each in found))]
    for name, *scores in rows:
        yield f"{name:<20}" + "".join(f"{psnr:11.3f}{ssim:7.3f}" for psnr, ssim in scores)


def verdict(found: Sequence[Found]) -> str:
    """The mean PSNR of a method: ours in its better form, both rivals, and whether ours is not below."""
    psnr = {each.side: each.mean()[0] for each in found}
    ours = max(psnr[side] for side in OURS.values() if side in psnr)
    reached = ours >= max(psnr[SKIMAGE], psnr[OPENCV]) - _EQUAL
    cells = f"{ours:12.3f}{psnr[SKIMAGE]:14.3f}{psnr[OPENCV]:10.3f}"
    return f"{found[0].method.name:<18}{found[0].method.damage:<26}{cells}{'yes' if reached else 'NO':>12}"


def table(images: Mapping[str, np.ndarray], methods: Sequence[Method], report: Callable[[str], Any]) -> None:
    """Report each method's scores, then a line for each method."""
    lines = [f"{'mean PSNR, dB':<44}{'tilegrad':>12}{SKIMAGE:>14}{OPENCV:>10}{'not below':>12}"]
    sides = libraries()
    rivals = f"opencv {sides[OPENCV][1].__version__} and scikit-image {version('scikit-image')}"
    report(f"tilegrad {__version__} beside {rivals}; {len(images)} pictures\n")
    for name in dict.fromkeys(method.name for method in methods):
        found = []
        for method in (method for method in methods if method.name == name):
            damage = DAMAGES[method.damage]
            pairs = [Pair(clean, damage(clean, seed)) for seed, clean in enumerate(images.values())]
            for side, (form, library) in sides.items():
                if form == method.form and hasattr(library, method.function):
                    found.append(best(method, side, library, pairs))
        for line in details(found, list(images)):
            report(line)
        report("")
        lines.append(verdict(found))
    for line in lines:
        report(line)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.restoration", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--data", metavar="FOLDER", type=Path, required=True, help="pictures, of any size")
    parser.add_argument("--out", metavar="FOLDER", help="also write the table, restoration.txt, into this folder")
    options = parser.parse_args(arguments)
    lines: list[str] = []

    def report(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    try:
        table(pictures(options.data), METHODS, report)
        if options.out:
            path = make_folder(options.out) / "restoration.txt"
            with replacing(path) as temporary:
                temporary.write_text("\n".join(lines) + "\n")
            print(f"wrote {path}")
    except TilegradError as error:
        print(f"benchmarks.restoration: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
