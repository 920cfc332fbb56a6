"""The classical filters that are measured: the list.

Integers agree bit for bit, but for one grey level where the filter's documentation says so; floats within rounding.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from .filter_kinds import OPENCV, PILLOW, SKIMAGE, Filter, Inputs
from .kinds import Work

SIZES = ((512, 512), (1080, 1920), (4096, 4096))

_ONE_LEVEL = 1 / 200  # of 255, where the brightest of the result is above 200
_ROUNDING = 2e-6  # of float32 sums in another order
_MEANS = 1e-12  # of float64 divided by counts, where all else is integers
# OpenCV's positions are float32, in 4096 columns some 2e-4 of a pixel off, and neighbours are up to 1 apart.
_POSITIONS = 1e-3
# scikit-image solves in the image's float32, and is 2e-5 from its own result in float64; ours is 3e-8 from that.
_SOLVED = 1e-4
_DRAWN = 2e-2  # of means and deviations of other random numbers
# What the rivals' scores of plain windows lose in float32, most where the template is small and the picture large.
# Where OpenCV is furthest from ours, by 1.9e-4 in 1080x1920 pixels, the definition in float64 is 3e-7 from ours;
# scikit-image is 1e-3 from it. Of a template of 64x64 in 4096x4096 pixels OpenCV is 8e-5 from ours, scikit-image 1e-2.
_SCORES = {OPENCV: 1e-3, SKIMAGE: 2e-2}

_opencv, _skimage, _pillow = partial(Filter, OPENCV), partial(Filter, SKIMAGE), partial(Filter, PILLOW)


def _median(size: int) -> Callable[..., Any]:
    return lambda cv, image: cv.medianBlur(image, size)


def _footprint(size: int) -> Callable[..., Any]:
    return lambda filters, image: filters.median(image, np.ones((size, size), np.uint8))


def _with_template(size: int) -> Callable[[np.ndarray], Inputs]:
    """An image and a square of it."""
    return lambda image: (image, image[8 : 8 + size, 8 : 8 + size].copy())


def _with_noise(image: np.ndarray) -> Inputs:
    noise = np.random.default_rng(1).standard_normal(image.shape, np.float32)
    return image, image + np.float32(0.1) * noise


def _bright(image: np.ndarray) -> Inputs:
    """The brighter half of an image, as 0 and 255."""
    return (np.where(image > np.median(image), np.uint8(255), np.uint8(0)),)


def _first_pixels(found: tuple[int, np.ndarray]) -> Inputs:
    """How many components there are, and each as its first pixel: libraries number them in different orders."""
    count, labels = found
    first = np.full(count, labels.size)
    np.minimum.at(first, labels.ravel(), np.arange(labels.size))
    return np.asarray(count), first[labels]


def _first_pixels_and_measures(found: tuple[int, np.ndarray, np.ndarray, np.ndarray]) -> Inputs:
    """The same, and the measures of each component, by its first pixel."""
    count, first = _first_pixels(found[:2])
    order = np.unique(first, return_index=True)[1]
    labels = found[1].ravel()[order]
    return count, first, *(measures[labels] for measures in found[2:])


def _points(found: tuple[tuple[np.ndarray, ...], np.ndarray]) -> Inputs:
    """Contours one behind the other, how long each is, and how they lie in each other."""
    contours, hierarchy = found
    return np.concatenate(contours), np.array([len(contour) for contour in contours]), hierarchy


def _grey(image: np.ndarray) -> Inputs:
    """All pixels grey: noise is what is left."""
    return (np.full_like(image, 0.5),)


def _spread(noisy: np.ndarray) -> Inputs:
    return (np.array([noisy.mean(dtype=np.float64), noisy.std(dtype=np.float64)]),)


def _colour(image: np.ndarray) -> Inputs:
    """(H, W, 3): the picture, and mirrored in both ways."""
    return (np.stack([image, image[::-1], image[:, ::-1]], axis=-1),)


def _tiles(image: np.ndarray) -> Inputs:
    """A batch of 32 images: those of 256x256 pixels in the picture of 2048x1024."""
    h, w = image.shape[0] // 8, image.shape[1] // 4
    tiles = image[: 8 * h, : 4 * w].reshape(8, h, 4, w).swapaxes(1, 2)
    return (np.ascontiguousarray(tiles.reshape(32, h, w)),)


def _with_scratches(image: np.ndarray) -> Inputs:
    """An image and a mask of slanting scratches, three pixels wide: one pixel of twenty."""
    rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
    return image, ((rows + 3 * columns) % 180 < 9).astype(np.uint8)


def _with_holes(image: np.ndarray) -> Inputs:
    """An image and a mask of square holes: one pixel of sixteen."""
    rows, columns = np.ogrid[: image.shape[0], : image.shape[1]]
    return image, (rows % 48 >= 36) & (columns % 48 >= 36)


def _with_disc(image: np.ndarray) -> Inputs:
    """An image, a square of it and a disc in that."""
    rows, columns = np.ogrid[:32, :32]
    disc = (rows - 15.5) ** 2 + (columns - 15.5) ** 2 <= 256
    return *_with_template(32)(image), disc.astype(np.float32)


def _turned(cv: Any, image: np.ndarray) -> Any:
    h, w = image.shape[:2]
    return cv.warpAffine(image, cv.getRotationMatrix2D((w / 2, h / 2), 10, 1), (w, h))


_SHARPEN = np.array([[0, 0, -1, 0, 0], [0, -1, -2, -1, 0], [-1, -2, 20, -2, -1], [0, -1, -2, -1, 0], [0, 0, -1, 0, 0]])
_KERNEL = (_SHARPEN / 4).astype(np.float32)
_SQUARE = np.ones((3, 3), np.uint8)

# OpenCV takes medians of more than bytes up to 5x5.
_MEDIANS = [("uint8", size) for size in (3, 5, 15)] + [
    (dtype, size) for dtype in ("uint16", "float32") for size in (3, 5)
]
_OPENCV = (
    *(_opencv(f"median-{size}x{size}", f"Median {size}x{size}", dtype, _median(size)) for dtype, size in _MEDIANS),
    *(
        _opencv("gaussian-5x5", "Gaussian 5x5", dtype, lambda cv, image: cv.GaussianBlur(image, (5, 5), 0), tolerance)
        for dtype, tolerance in (("uint8", _ONE_LEVEL), ("float32", _ROUNDING))
    ),
    _opencv("sobel-3x3", "Sobel 3x3 into int16", "uint8", lambda cv, image: cv.Sobel(image, cv.CV_16S, 1, 0)),
    *(
        _opencv("box-11x11", "Box 11x11", dtype, lambda cv, image: cv.blur(image, (11, 11)), tolerance)
        for dtype, tolerance in (("uint8", 0.0), ("float32", _ROUNDING))
    ),
    _opencv("dilate-3x3", "Dilation 3x3", "uint8", lambda cv, image: cv.dilate(image, _SQUARE)),
    _opencv("canny", "Canny 100/200", "uint8", lambda cv, image: cv.Canny(image, 100, 200)),
    *(
        _opencv(
            "resize-half", "Half the size, bilinear", dtype,
            lambda cv, image: cv.resize(image, (image.shape[1] // 2, image.shape[0] // 2)), tolerance,
        )
        for dtype, tolerance in (("uint8", _ONE_LEVEL), ("float32", _ROUNDING))
    ),
    *(
        _opencv(
            f"match-template-{size}", f"Template {size}x{size}, normalised coefficients", "float32",
            lambda cv, image, template: cv.matchTemplate(image, template, cv.TM_CCOEFF_NORMED),
            _SCORES[OPENCV], inputs=_with_template(size),
        )
        for size in (16, 32, 64)
    ),
    *(
        _opencv(
            "match-differences-32", "Template 32x32, normalised differences", dtype,
            lambda cv, image, template: cv.matchTemplate(image, template, cv.TM_SQDIFF_NORMED),
            _SCORES[OPENCV], inputs=_with_template(32),
        )
        for dtype in ("uint8", "float32")
    ),
    _opencv(
        "nl-means", "Non-local means, h = 10, patches 7x7, search 21x21", "uint8",
        lambda cv, image: cv.fastNlMeansDenoising(image, None, 10, 7, 21),
    ),
    _opencv(
        "bilateral", "Bilateral, d = 9", "uint8", lambda cv, image: cv.bilateralFilter(image, 9, 25, 3), _ONE_LEVEL
    ),
    _opencv("bilateral", "Bilateral, d = 9", "float32", lambda cv, image: cv.bilateralFilter(image, 9, 0.1, 3), 1e-5),
    _opencv(
        "clahe", "CLAHE, limit 2, 8x8 tiles", "uint8", lambda cv, image: cv.createCLAHE(2.0, (8, 8)).apply(image)
    ),
    _opencv("equalize", "Equalised histogram", "uint8", lambda cv, image: cv.equalizeHist(image)),
    _opencv(
        "threshold-otsu", "Threshold by Otsu's method", "uint8",
        lambda cv, image: cv.threshold(image, 0, 255, cv.THRESH_BINARY | cv.THRESH_OTSU),
    ),
    _opencv("integral", "Integral image", "uint8", lambda cv, image: cv.integral(image)),
    _opencv(
        "threshold", "Threshold", "uint8", lambda cv, image: cv.threshold(image, 100, 255, cv.THRESH_BINARY)[1],
    ),
    _opencv(
        "laplacian", "Laplacian 3x3 into int16", "uint8", lambda cv, image: cv.Laplacian(image, cv.CV_16S, ksize=3),
    ),
    _opencv(
        "border", "Border of 8 pixels, mirrored", "uint8",
        lambda cv, image: cv.copyMakeBorder(image, 8, 8, 8, 8, cv.BORDER_REFLECT_101),
    ),
    _opencv("pyramid-down", "A pyramid's next smaller picture", "uint8", lambda cv, image: cv.pyrDown(image)),
    _opencv("pyramid-up", "A pyramid's next larger picture", "uint8", lambda cv, image: cv.pyrUp(image)),
    _opencv(
        "resize-smaller", "Seven tenths of the size, bilinear", "uint8",
        lambda cv, image: cv.resize(image, (image.shape[1] * 7 // 10, image.shape[0] * 7 // 10)), _ONE_LEVEL,
    ),
    _opencv(
        "resize-twice", "Twice the size, bicubic", "uint8",
        lambda cv, image: cv.resize(image, (image.shape[1] * 2, image.shape[0] * 2), interpolation=cv.INTER_CUBIC),
        _ONE_LEVEL,
    ),
    _opencv(
        "components", "Connected components, 8 neighbours", "uint8", lambda cv, image: cv.connectedComponents(image),
        inputs=_bright, compared=_first_pixels,
    ),
    _opencv(
        "distance", "Distances, exact", "uint8",
        lambda cv, image: cv.distanceTransform(image, cv.DIST_L2, cv.DIST_MASK_PRECISE), _ROUNDING, inputs=_bright,
    ),
    *(
        _opencv("filter2d-5x5", "filter2D 5x5", dtype, lambda cv, image: cv.filter2D(image, -1, _KERNEL), tolerance)
        for dtype, tolerance in (("uint8", 0.0), ("float32", _ROUNDING))
    ),
    _opencv(
        "inpaint-telea", "Scratches inpainted by Telea's method", "uint8",
        lambda cv, image, mask: cv.inpaint(image, mask, 3, cv.INPAINT_TELEA), inputs=_with_scratches,
    ),
    _opencv(
        "components-stats", "Connected components and their measures", "uint8",
        lambda cv, image: cv.connectedComponentsWithStats(image), _MEANS, inputs=_bright,
        compared=_first_pixels_and_measures,
    ),
    _opencv(
        "contours", "Contours, all, as a tree of corners", "uint8",
        lambda cv, image: cv.findContours(image, cv.RETR_TREE, cv.CHAIN_APPROX_SIMPLE), inputs=_bright,
        compared=_points,
    ),
    *(
        _opencv("warp-affine", "Turned by ten degrees, bilinear", dtype, _turned, tolerance)
        for dtype, tolerance in (("uint8", _ONE_LEVEL), ("float32", _POSITIONS))
    ),
    _opencv(
        "match-masked-32", "Template 32x32 in a disc, normalised products", "float32",
        lambda cv, image, template, mask: cv.matchTemplate(image, template, cv.TM_CCORR_NORMED, mask=mask),
        _SCORES[OPENCV], inputs=_with_disc,
    ),
    _opencv("colour-median-5x5", "Median 5x5 of three channels", "uint8", _median(5), inputs=_colour),
    _opencv(
        "colour-gaussian-5x5", "Gaussian 5x5 of three channels", "uint8",
        lambda cv, image: cv.GaussianBlur(image, (5, 5), 0), _ONE_LEVEL, inputs=_colour,
    ),
    _opencv(
        "colour-resize-half", "Half the size, bilinear, of three channels", "uint8",
        lambda cv, image: cv.resize(image, (image.shape[1] // 2, image.shape[0] // 2)), _ONE_LEVEL, inputs=_colour,
    ),
    _opencv(
        "colour-bilateral", "Bilateral, d = 9, of three channels", "uint8",
        lambda cv, image: cv.bilateralFilter(image, 9, 25, 3), _ONE_LEVEL, inputs=_colour,
    ),
    _opencv(
        "batch-gaussian-5x5", "Gaussian 5x5 of 32 images of 256x256", "uint8",
        lambda cv, images, **batch: cv.GaussianBlur(images, (5, 5), 0, **batch), _ONE_LEVEL, inputs=_tiles, batch=True,
    ),
    _opencv(
        "batch-median-5x5", "Median 5x5 of 32 images of 256x256", "uint8",
        lambda cv, images, **batch: cv.medianBlur(images, 5, **batch), inputs=_tiles, batch=True,
    ),
)  # fmt: skip

_SKIMAGE = (
    _skimage(
        "ssim", "Structural similarity", "float32",
        lambda filters, a, b: filters.structural_similarity(a, b, data_range=1.0), 1e-5, inputs=_with_noise,
    ),
    _skimage(
        "tv-chambolle", "Total variation, 10 iterations", "float32",
        lambda filters, image: filters.denoise_tv_chambolle(image, eps=0.0, max_num_iter=10), 1e-5,
    ),
    _skimage("median-15x15", "Median 15x15", "uint8", _footprint(15)),
    _skimage("median-15x15", "Median 15x15", "uint16", _footprint(15)),
    _skimage("median-7x7", "Median 7x7", "float32", _footprint(7)),
    # Not of 16x16 pixels: there scikit-image's scores in float32 are 0.03 off in 1080x1920 pixels, 0.1 in 4096x4096.
    _skimage(
        "match-template-64", "Template 64x64", "float32",
        lambda filters, image, template: filters.match_template(image, template), _SCORES[SKIMAGE],
        inputs=_with_template(64),
    ),
    _skimage("canny", "Canny, sigma = 1", "float32", lambda filters, image: filters.canny(image, 1)),
    _skimage("gaussian", "Gaussian, sigma = 1", "float32", lambda filters, image: filters.gaussian(image, 1), 1e-5),
    _skimage(
        "gaussian-sobel", "The strength of edges, by Sobel's weights after a Gaussian, sigma = 1", "float32",
        lambda filters, image: filters.sobel(image, sigma=1), 1e-5,
    ),
    _skimage(
        "noise", "Gaussian noise", "float32", lambda util, image: util.random_noise(image, var=0.01), _DRAWN,
        inputs=_grey, compared=_spread,
    ),
    _skimage(
        "salt-and-pepper", "Salt and pepper", "float32", lambda util, image: util.random_noise(image, "s&p"), _DRAWN,
        inputs=_grey, compared=_spread,
    ),
    _skimage(
        "inpaint-biharmonic", "Square holes inpainted by the biharmonic equation", "float32",
        lambda filters, image, mask: filters.inpaint_biharmonic(image, mask), _SOLVED, inputs=_with_holes,
    ),
    _skimage(
        "batch-gaussian", "Gaussian, sigma = 1, of 32 images of 256x256", "float32",
        lambda filters, images, **batch: filters.gaussian(images, 1, **batch), 1e-5, inputs=_tiles, batch=True,
    ),
    _skimage(
        "batch-median", "Median 3x3 of 32 images of 256x256", "uint8",
        lambda filters, images, **batch: filters.median(images, **batch), inputs=_tiles, batch=True,
    ),
)  # fmt: skip

_PILLOW = (
    _pillow("jpeg", "Through a JPEG file of quality 75", "uint8", lambda filters, image: filters.jpeg(image, 75)),
    _pillow(
        "colour-jpeg", "Through a JPEG file of quality 75, in colour", "uint8",
        lambda filters, image: filters.jpeg(image, 75, channel_axis=-1), inputs=_colour,
    ),
)  # fmt: skip


def _sizes(each: Filter) -> tuple[tuple[int, int], ...]:
    """Those whose slowest call takes seconds rather than minutes."""
    if each.batch:
        return ((2048, 1024),)
    minutes = each.filter == "nl-means" or (each.rival == SKIMAGE and each.filter.startswith(("median", "inpaint")))
    return SIZES[:2] if minutes else SIZES


WORKLOADS: tuple[Work, ...] = tuple(
    replace(each, size=size) for each in (*_OPENCV, *_SKIMAGE, *_PILLOW) for size in _sizes(each)
)

SLOW = ("*/4096", "opencv-nl-means-*/1080", "skimage-median-*/1080")
"""Patterns of rows that a quick run leaves out unless they are asked for."""
