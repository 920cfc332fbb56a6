"""Pictures of a training run: curves over the epochs, and clean, noisy and restored side by side.

Drawn with matplotlib's `Figure` alone: no window, no `pyplot`, no global state.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .extras import require
from .files import replacing

# Okabe and Ito's palette, which people who do not see red from green can read as well.
_BLUE, _VERMILION, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#666666"


def save_curves(
    path: str | os.PathLike[str],
    epochs: Sequence[Mapping[str, float]],
    baselines: Mapping[str, Mapping[str, float]],
    *,
    title: str,
) -> None:
    """Draw loss, PSNR and SSIM over the epochs into a PNG.

    Parameters
    ----------
    path : path
        Written whole or not at all.
    epochs : sequence of mappings
        One for each epoch, with "epoch", "loss", "psnr" (dB) and "ssim".
    baselines : mapping
        Label -> {"psnr": ..., "ssim": ...}: drawn as level lines to compare with.
    title : str
        Stands above the three panels.
    """
    figure = _figure((12.0, 3.8))
    figure.suptitle(title, fontsize=11)
    panels = figure.subplots(1, 3)
    x = [record["epoch"] for record in epochs]
    titles = {"loss": "training loss (mean squared error)", "psnr": "PSNR on held-out pictures (dB)",
              "ssim": "SSIM on held-out pictures"}  # fmt: skip
    for axes, (key, label) in zip(panels, titles.items(), strict=True):
        axes.plot(x, [record[key] for record in epochs], color=_BLUE, marker="o", markersize=3, label="network")
        axes.set_title(label, fontsize=10)
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        if key == "loss":
            axes.set_yscale("log")
            continue
        for (name, values), colour in zip(baselines.items(), (_VERMILION, _GREEN, _GREY), strict=False):
            axes.axhline(values[key], color=colour, linestyle="--", linewidth=1.2, label=name)
        axes.legend(fontsize=8)
    _save(figure, path)


def save_losses(
    path: str | os.PathLike[str], epochs: Sequence[Mapping[str, float]], names: Sequence[str], *, title: str
) -> None:
    """Draw numbers of the epochs' records, under ``names``, as lines into one PNG, written whole or not at all."""
    figure = _figure((6.0, 3.8))
    figure.suptitle(title, fontsize=11)
    axes = figure.subplots()
    for name, colour in zip(names, (_BLUE, _VERMILION, _GREEN, _GREY), strict=False):
        x, y = [record["epoch"] for record in epochs], [record[name] for record in epochs]
        axes.plot(x, y, color=colour, marker="o", markersize=3, label=name)
    axes.set_xlabel("epoch")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    _save(figure, path)


def save_mistakes(path: str | os.PathLike[str], images: Any, numbers: np.ndarray, taken_for: np.ndarray) -> None:
    """Draw images of a labelled set that were taken for another class, with both names above each, into a PNG."""
    columns = 8
    rows = max(1, -(-len(numbers) // columns))
    figure = _figure((1.3 * columns, 1.5 * rows))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, number, wrong in zip(panels, numbers, taken_for, strict=False):
        image = images.take([number])[0]
        axes.imshow(image[:, :, 0] if image.shape[2] == 1 else image, cmap="gray", vmin=0, vmax=255)
        axes.set_title(f"{images.classes[images.labels[number]]}, not {images.classes[wrong]}", fontsize=8)
    _save(figure, path)


def save_before_after(
    path: str | os.PathLike[str], rows: Sequence[Sequence[tuple[str, np.ndarray]]], *, zoom: int = 96
) -> None:
    """Draw gray pictures side by side into a PNG, each row above an enlarged square of itself.

    Parameters
    ----------
    path : path
        Written whole or not at all.
    rows : sequence of rows
        Each row a sequence of (label, image); the images of a row are (H, W) in [0, 1], of one shape.
    zoom : int
        Side in pixels of the square that is shown enlarged; where the first picture of a row has most detail.
    """
    columns = max(len(row) for row in rows)
    width = 3.6
    heights = []
    for row in rows:
        H, W = row[0][1].shape
        heights += [width * H / W, width]
    figure = _figure((columns * width, sum(heights) + 0.5 * len(rows)))
    grid = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    for r, row in enumerate(rows):
        side = min(zoom, *row[0][1].shape)
        top, left = _busiest(row[0][1], side)
        for c, (label, image) in enumerate(row):
            whole = figure.add_subplot(grid[2 * r, c])
            whole.imshow(image, cmap="gray", vmin=0.0, vmax=1.0, interpolation="antialiased")
            whole.set_title(label, fontsize=11)
            frame = require("matplotlib.patches", "tilegrad train").Rectangle
            whole.add_patch(frame((left, top), side, side, fill=False, edgecolor=_VERMILION, linewidth=1.2))
            part = figure.add_subplot(grid[2 * r + 1, c])
            part.imshow(image[top : top + side, left : left + side], cmap="gray", vmin=0.0, vmax=1.0,
                        interpolation="nearest")  # fmt: skip
            for axes in (whole, part):
                axes.set_xticks([])
                axes.set_yticks([])
            for spine in part.spines.values():
                spine.set_edgecolor(_VERMILION)
    _save(figure, path)


def _busiest(image: np.ndarray, side: int) -> tuple[int, int]:
    """Top and left of the square of ``side`` pixels with most edges (in steps of a quarter).

    Differences are taken between means of 4 x 4 pixels, which edges survive and grain does not.
    """
    means = sliding_window_view(image, (4, 4)).mean(axis=(2, 3))
    detail = np.abs(means[4:, 4:] - means[:-4, 4:]) + np.abs(means[4:, 4:] - means[4:, :-4])
    step = max(side // 4, 1)
    places = [
        (top, left)
        for top in range(0, image.shape[0] - side + 1, step)
        for left in range(0, image.shape[1] - side + 1, step)
    ]
    return max(places, key=lambda place: detail[place[0] : place[0] + side, place[1] : place[1] + side].sum())


def _figure(size: tuple[float, float]) -> Any:
    return require("matplotlib.figure", "tilegrad train").Figure(figsize=size, dpi=110, layout="constrained")


def _save(figure: Any, path: str | os.PathLike[str]) -> None:
    canvas = require("matplotlib.backends.backend_agg", "tilegrad train").FigureCanvasAgg(figure)
    with replacing(path) as temporary, temporary.open("wb") as file:
        canvas.print_png(file, metadata={"Software": None})  # the same run gives the same bytes
