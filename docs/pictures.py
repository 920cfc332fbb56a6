"""The pictures of docs/filters, made by the filters themselves: ``python docs/pictures.py``.

Photographs are those that come with scikit-image, all of them free to use. One function makes one sheet.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from skimage import data
from tilegrad.filters import cv

from tilegrad import filters

FOLDER = Path(__file__).parent / "filters"
DPI = 100
TITLE, GAP = 18, 6  # pixels above a panel and beside it
COLOURS = 192  # of the palette: what keeps a sheet of photographs below 250 kB


class Panel:
    """An image under a title, with lines drawn over it."""

    def __init__(self, title: str, image: np.ndarray, lines: Sequence[np.ndarray] = ()) -> None:
        """Gray images and colours in [0, 1] or of 8 bits; ``lines`` are (points, 2) arrays of rows and columns."""
        self.title, self.image, self.lines = title, image, lines

    def draw(self, axes: Any) -> None:
        top = 255 if self.image.dtype == np.uint8 else 1.0
        axes.imshow(np.clip(self.image, 0, top), cmap="gray", vmin=0, vmax=top, interpolation="nearest")
        for line in self.lines:
            axes.plot(line[:, 1], line[:, 0], color="#D55E00", linewidth=1)
        axes.set(xlim=(-0.5, self.image.shape[1] - 0.5), ylim=(self.image.shape[0] - 0.5, -0.5))
        axes.set_title(self.title, fontsize=7.5, pad=3)
        axes.set_axis_off()


def save(name: str, panels: Sequence[Panel], columns: int) -> None:
    """Lay panels of one size out in rows, a pixel of an image on a pixel of the sheet, and write docs/filters/name."""
    height, width = panels[0].image.shape[:2]
    rows = -(-len(panels) // columns)
    size = columns * (width + GAP) + GAP, rows * (height + TITLE + GAP)
    figure = Figure(figsize=(size[0] / DPI, size[1] / DPI), dpi=DPI)
    for place, panel in enumerate(panels):
        row, column = divmod(place, columns)
        left, bottom = GAP + column * (width + GAP), size[1] - (row + 1) * (height + TITLE) - row * GAP
        panel.draw(figure.add_axes((left / size[0], bottom / size[1], width / size[0], height / size[1])))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    sheet = Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3])
    sheet.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / name, optimize=True)


def stretched(image: np.ndarray) -> np.ndarray:
    """From the least number, black, to the greatest, white."""
    return (image - image.min()) / (image.max() - image.min())


def enlarged(image: np.ndarray, factor: int) -> np.ndarray:
    """Every pixel as a square."""
    return image.repeat(factor, 0).repeat(factor, 1)


def box(top: int, left: int, height: int, width: int) -> np.ndarray:
    """The outline of a rectangle."""
    rows, columns = np.array([[0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])
    return np.stack([top - 0.5 + rows * height, left - 0.5 + columns * width], 1)


def borders() -> None:
    """A cat's eye, 48 pixels wide, and what each mode puts around it."""
    eye, width = data.chelsea()[94:142, 196:244], 52
    modes = {"symmetric": "reflect", "reflect": "mirror", "edge": "nearest", "wrap": "wrap", "constant": "constant"}
    frame = [box(width, width, *eye.shape[:2])]
    panels = [
        Panel(scipy_name, filters.pad(eye, ((width, width), (width, width), (0, 0)), mode=mode), frame)
        for mode, scipy_name in modes.items()
    ]
    save("borders.png", panels, 5)


def linear() -> None:
    image = data.camera()[64:256, 136:328]
    emboss = [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]
    panels = [
        Panel("camera", image),
        Panel("gaussian(sigma=3)", filters.gaussian(image, 3)),
        Panel("uniform(size=15)", filters.uniform(image, 15) / 255),
        Panel("unsharp_mask(radius=2, amount=2)", filters.unsharp_mask(image, 2, 2)),
        Panel("cv.filter2D, an embossing kernel", cv.filter2D(image, -1, emboss)),
        Panel("gaussian(sigma=(0, 8))", filters.gaussian(image, (0, 8))),
        Panel("motion_blur(length=15, angle=30)", filters.motion_blur(image / 255.0, 15, 30)),
        Panel("image - gaussian(sigma=3), + 1/2", image / 255 - filters.gaussian(image, 3) + 0.5),
    ]
    save("linear.png", panels, 4)


def rank_and_morphology() -> None:
    image = data.camera()[64:256, 136:328]
    noisy = filters.random_noise(image, "s&p", seed=1, amount=0.15)
    text, square = data.page()[:, 100:292][:192], np.ones((5, 5))
    text = np.pad(text, ((0, 192 - len(text)), (0, 0)), mode="edge")
    panels = [
        Panel("salt and pepper on 15 % of the pixels", noisy),
        Panel("median, 3x3", filters.median(noisy)),
        Panel("gaussian(sigma=1)", filters.gaussian(noisy, 1)),
        Panel("percentile(90, size=9) of the image", filters.percentile(image, 90, 9)),
        Panel("page", text),
        Panel("erosion, 5x5", filters.erosion(text, square)),
        Panel("closing, 15x15", filters.closing(text, np.ones((15, 15)))),
        Panel("255 - black_tophat, 15x15", 255 - filters.black_tophat(text, np.ones((15, 15)))),
        Panel("dilation of the camera, 9x9", filters.dilation(image, np.ones((9, 9)))),
        Panel("opening, 9x9", filters.opening(image, np.ones((9, 9)))),
        Panel("white_tophat, 9x9", filters.white_tophat(image, np.ones((9, 9)))),
        Panel("morphological_gradient, 3x3", filters.morphological_gradient(image, np.ones((3, 3)))),
    ]
    save("rank-and-morphology.png", panels, 4)


def edges() -> None:
    image = data.camera()[64:256, 136:328]
    slope = filters.sobel(image)
    panels = [
        Panel("camera", image),
        Panel("sobel_v, + 1/2", filters.sobel_v(image) / 2 + 0.5),
        Panel("sobel, times 3", 3 * slope),
        Panel("laplace, + 1/2", filters.laplace(image) + 0.5),
        Panel("sobel > 0.15", slope > 0.15),
        Panel("hysteresis of sobel, 0.06 and 0.15", filters.apply_hysteresis_threshold(slope, 0.06, 0.15)),
        Panel("canny(sigma=1.5)", filters.canny(image, 1.5)),
        Panel("cv.Canny(100, 200)", cv.Canny(image, 100, 200)),
    ]
    save("edges.png", panels, 4)


def coloured(labels: np.ndarray) -> np.ndarray:
    """Labels in colours that are far apart for neighbouring numbers; the background is black."""
    shade = labels[..., None] * np.array([0.618, 0.382, 0.236]) + np.array([0.0, 0.33, 0.66])
    return np.where(labels[..., None] > 0, 0.35 + 0.65 * (shade % 1), 0)


def mask_of(coins: np.ndarray) -> np.ndarray:
    """Where coins lie: their dark parts filled, the background's slope compared with itself, specks taken away."""
    filled = filters.closing(coins, np.ones((9, 9)))
    return filters.opening(filled > filters.threshold_local(filled, 101, "mean"), np.ones((13, 13)))


def labels_and_histograms() -> None:
    page = data.page()[:, :191]
    moon = data.moon()[180:371, 160:351]
    coins = data.coins()[100:291, 20:211]
    objects = mask_of(coins)
    labels, number = filters.label(objects, return_num=True)
    chelsea, coffee = data.chelsea()[60:251, 130:321], data.coffee()[150:341, 230:421]
    panels = [
        Panel("page", page),
        Panel("page > threshold_otsu(page)", page > filters.threshold_otsu(page)),
        Panel("page > threshold_local(page, 35, ...)", page > filters.threshold_local(page, 35, offset=10)),
        Panel("threshold_local alone", filters.threshold_local(page, 35, offset=10) / 255),
        Panel("moon", moon),
        Panel("equalize_hist", filters.equalize_hist(moon)),
        Panel("equalize_adapthist", filters.equalize_adapthist(moon)),
        Panel("cv.createCLAHE(4).apply", cv.createCLAHE(4).apply(moon)),
        Panel("coins", coins),
        Panel("closed, thresholded, opened", objects),
        Panel(f"label: {number} components", coloured(labels)),
        Panel("distance_transform_edt", stretched(filters.distance_transform_edt(objects))),
        Panel("chelsea", chelsea),
        Panel("coffee", coffee),
        Panel("match_histograms(chelsea, coffee)", filters.match_histograms(chelsea, coffee, channel_axis=-1)),
    ]
    save("labels-and-histograms.png", panels, 4)


def template_and_shape() -> None:
    coins = data.coins()[90:290, 10:210]
    top, left, side = 12, 12, 46
    template = coins[top : top + side, left : left + side]
    score = filters.match_template(coins, template, pad_input=True)
    peaks = (score == filters.maximum(score, side)) & (score > 0.5)
    boxes = [box(row - side // 2, column - side // 2, side, side) for row, column in np.argwhere(peaks)]
    outlines, _ = cv.findContours(mask_of(coins).astype(np.uint8), cv.RETR_EXTERNAL, cv.CHAIN_APPROX_NONE)
    panels = [
        Panel("coins, and the template", coins, [box(top, left, side, side)]),
        Panel("match_template", (score + 1) / 2),
        Panel("peaks above 0.5", coins, boxes),
        Panel("find_contours(gaussian(coins, 3), 0.5)", coins, filters.find_contours(filters.gaussian(coins, 3), 0.5)),
        Panel("cv.findContours of a mask", coins, [outline[:, 0, ::-1] for outline in outlines]),
        Panel("integral_image", stretched(filters.integral_image(coins))),
    ]
    save("template-and-shape.png", panels, 3)


def denoising() -> None:
    whole, inner = data.astronaut()[:232, 110:342] / 255.0, (slice(20, 212), slice(20, 212))
    image = whole[inner]
    noisy = filters.random_noise(image, seed=1, var=0.01)
    sigma = filters.estimate_sigma(noisy, average_sigmas=True, channel_axis=-1)
    blurred = filters.motion_blur(whole, 11, 20, channel_axis=-1)
    blurred = filters.random_noise(blurred, seed=2, var=1e-5)
    psf = filters.damage.motion_kernel(11, 20)
    results = {
        "noise of sigma 0.1": noisy,
        "gaussian(1)": filters.gaussian(noisy, 1, channel_axis=-1),
        "denoise_bilateral": filters.denoise_bilateral(noisy, sigma_color=0.25, sigma_spatial=2, channel_axis=-1),
        "denoise_nl_means": filters.denoise_nl_means(noisy, 5, 9, 0.8 * sigma, sigma=sigma, channel_axis=-1),
        "denoise_tv_chambolle": filters.denoise_tv_chambolle(noisy, 0.1, channel_axis=-1),
        "moved by 11 pixels": blurred[inner],
        "wiener": filters.wiener(blurred, psf, 0.02, channel_axis=-1)[inner],
        "richardson_lucy": filters.richardson_lucy(blurred, psf, 30, channel_axis=-1)[inner],
    }
    panels = [
        Panel(f"{name}: {filters.peak_signal_noise_ratio(image, result, data_range=1):.1f} dB", result)
        for name, result in results.items()
    ]
    save("denoising.png", panels, 4)


def geometry() -> None:
    eye = data.chelsea()[94:142, 196:244]
    wall = data.brick()
    page = data.page()[:, 150:341]
    tilted = np.array([[1.0, 0.3, -20], [0.1, 1.1, -20], [0.0008, 0.0016, 1]])
    panels = [
        *(
            Panel(f"resize(order={order})", filters.resize(eye, (192, 192), order=order, mode="edge", channel_axis=-1))
            for order in (0, 1, 3)
        ),
        Panel("cv.resize, INTER_LANCZOS4", cv.resize(eye, (192, 192), interpolation=cv.INTER_LANCZOS4)),
        Panel("brick to 64x64, order 0", enlarged(filters.resize(wall, (64, 64), 0, anti_aliasing=False), 3)),
        Panel("resize to 64x64, anti-aliased", enlarged(filters.resize(wall, (64, 64)), 3)),
        Panel("rotate(20)", filters.rotate(data.camera()[64:256, 136:328], 20)),
        Panel("warp by a projective matrix", filters.warp(np.pad(page, ((0, 1), (0, 1)), mode="edge"), tilted)),
    ]
    save("geometry.png", panels, 4)


def metrics_and_degradation() -> None:
    image = data.astronaut()[20:212, 130:322]
    damaged = {
        "random_noise(var=0.01)": filters.random_noise(image, seed=1),
        'random_noise("s&p")': filters.random_noise(image, "s&p", seed=1),
        'random_noise("poisson")': filters.random_noise(image, "poisson", seed=1),
        "jpeg(quality=8)": filters.jpeg(image, 8, channel_axis=-1),
        "motion_blur(11, 20)": filters.motion_blur(image / 255.0, 11, 20, channel_axis=-1),
        "drop_blocks": filters.drop_blocks(image, 16, 0.08, seed=1, channel_axis=-1)[0],
        "scratches": filters.scratches(image, 8, seed=1, channel_axis=-1)[0],
        "tears(count=3)": filters.tears(image, 3, 10, seed=2, channel_axis=-1)[0],
    }
    panels = [Panel("astronaut", image)]
    for name, result in damaged.items():
        as_bytes = result if result.dtype == np.uint8 else np.rint(255 * np.clip(result, 0, 1)).astype(np.uint8)
        quality = filters.psnr_and_ssim(image, as_bytes, channel_axis=-1)
        panels.append(Panel(f"{name}: {quality.psnr:.1f} dB, {quality.ssim:.2f}", result))
    save("metrics-and-degradation.png", panels, 3)


def inpainting() -> None:
    """Damage in red, and what each method makes of it; decibels are those of the damaged pixels."""
    panels = []
    for picture, make in (
        (data.chelsea()[60:208, 130:278], lambda image: filters.scratches(image, 12, 3, seed=3, channel_axis=-1)[1]),
        (data.gravel()[:148, :148], lambda image: filters.tears(image, 2, 14, seed=2)[1]),
        (data.brick()[36:184, 100:248], lambda image: holes_of(image.shape)),
    ):
        mask = make(picture)
        channel_axis = -1 if picture.ndim == 3 else None
        red = np.where(mask[..., None], [213, 94, 0], picture.reshape(*mask.shape, -1)).astype(np.uint8)
        empty = np.where(mask.reshape(mask.shape + (1,) * (picture.ndim - 2)), 0, picture).astype(np.uint8)
        smooth = filters.inpaint_biharmonic(empty, mask, channel_axis=channel_axis)
        results = {
            "inpaint_exemplar": filters.inpaint_exemplar(empty, mask, channel_axis=channel_axis),
            "inpaint_biharmonic": np.rint(255 * smooth).astype(np.uint8),
            "INPAINT_TELEA": cv.inpaint(empty, mask.astype(np.uint8), 3, cv.INPAINT_TELEA),
        }
        panels.append(Panel("damaged", red))
        for name, result in results.items():
            quality = filters.peak_signal_noise_ratio(picture[mask], result[mask])
            panels.append(Panel(f"{name}: {quality:.1f} dB", result))
    save("inpainting.png", panels, 4)


def holes_of(shape: tuple[int, ...]) -> np.ndarray:
    """Four squares of 30 pixels."""
    mask = np.zeros(shape[:2], bool)
    for top in (24, 96):
        for left in (24, 96):
            mask[top : top + 30, left : left + 30] = True
    return mask


SHEETS = (
    borders,
    linear,
    rank_and_morphology,
    edges,
    labels_and_histograms,
    template_and_shape,
    denoising,
    geometry,
    metrics_and_degradation,
    inpainting,
)


def main() -> None:
    """Make all sheets, or those whose functions are named: ``python docs/pictures.py edges``."""
    FOLDER.mkdir(exist_ok=True)
    for sheet in SHEETS:
        if sheet.__name__ in sys.argv[1:] or not sys.argv[1:]:
            sheet()


if __name__ == "__main__":
    main()
