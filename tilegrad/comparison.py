"""A restored picture held against the clean one, and against the best that a Gaussian filter can do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from . import filters

_SHOWN = 4  # pictures that get a column of their own in the table

# Standard deviations in pixels among which the best Gaussian filter is sought.
GAUSSIAN_SIGMAS = tuple(float(sigma) for sigma in np.arange(3, 41) / 10)


@dataclass(frozen=True)
class Scores:
    """PSNR in dB and SSIM (1 is identity), with a data range of 1."""

    psnr: float
    ssim: float


@dataclass(frozen=True)
class Pair:
    """A clean picture and the same with noise; (H, W), float32. The noisy one may leave [0, 1]."""

    clean: np.ndarray
    noisy: np.ndarray


@dataclass(frozen=True)
class Filtered:
    """A picture after the Gaussian filter of standard deviation ``sigma`` pixels."""

    sigma: float
    image: np.ndarray
    scores: Scores


def measure(clean: np.ndarray, image: np.ndarray) -> Scores:
    """PSNR and SSIM of an (H, W) image after clipping it to [0, 1], as writing it to a file would.

    Equal to skimage.metrics.peak_signal_noise_ratio and structural_similarity with ``data_range=1``.
    """
    clipped = np.clip(image, 0.0, 1.0)
    found = filters.psnr_and_ssim(clean, clipped, data_range=1.0)
    return Scores(psnr=float(found.psnr), ssim=float(found.ssim))


def best_gaussian(pair: Pair) -> Filtered:
    """The Gaussian filter with the highest PSNR on this very picture: no smoothing chosen in advance does better."""
    found = None
    for sigma in GAUSSIAN_SIGMAS:
        image = np.clip(filters.gaussian(pair.noisy, sigma=sigma), 0.0, 1.0)
        psnr = float(filters.peak_signal_noise_ratio(pair.clean, image, data_range=1.0))
        if found is None or psnr > found[0]:
            found = psnr, sigma, image
    assert found is not None
    return Filtered(found[1], found[2], measure(pair.clean, found[2]))


def mean(scores: Iterable[Scores]) -> Scores:
    """The mean PSNR (of the decibels) and the mean SSIM.

    >>> mean([Scores(20.0, 0.5), Scores(30.0, 0.7)])
    Scores(psnr=25.0, ssim=0.6)
    """
    listed = list(scores)
    return Scores(float(np.mean([s.psnr for s in listed])), float(np.mean([s.ssim for s in listed])))


def table(rows: Mapping[str, Mapping[str, Scores]]) -> str:
    """Lines of a table: a row for each method, columns for the mean and for each picture where they are few.

    >>> print(table({"noisy": {"camera": Scores(20.31, 0.351)}, "network": {"camera": Scores(29.5, 0.84)}}))
                 camera
             PSNR dB    SSIM
    noisy      20.31  0.3510
    network    29.50  0.8400
    """
    pictures = list(next(iter(rows.values())))
    columns = {name: {label: row[name] for label, row in rows.items()} for name in pictures[:_SHOWN]}
    if len(pictures) > 1:
        everything = {label: mean(row.values()) for label, row in rows.items()}
        title = f"mean of {len(pictures)}"
        columns = {title: everything, **(columns if len(pictures) <= _SHOWN else {})}
    width = max(len(label) for label in rows)
    lines = [
        " " * width + "".join(f"  {_short(name):^15}" for name in columns),
        " " * width + "".join("  PSNR dB    SSIM" for _ in columns),
    ]
    for label in rows:
        cells = "".join(f"  {column[label].psnr:7.2f}  {column[label].ssim:6.4f}" for column in columns.values())
        lines.append(f"{label:<{width}}{cells}")
    return "\n".join(line.rstrip() for line in lines)


def _short(name: str) -> str:
    return name if len(name) <= 15 else name[:12] + "..."
