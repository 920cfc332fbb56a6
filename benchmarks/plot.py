"""Ratios as a picture: a bar for each row and rival, and a mark at what must be reached."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tilegrad.errors import UsageError
from tilegrad.files import replacing

from .ours import OURS
from .rows import Row


def pyplot() -> Any:
    """matplotlib's, which draws without a screen; raises `UsageError` where it is not installed."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        raise UsageError('--plot needs matplotlib: python -m pip install "tilegrad[bench]"') from None
    return pyplot


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write the picture; rows without a rival are left out."""
    plots = pyplot()
    shown = [row for row in rows if len(row.timings) > 1][::-1]
    rivals = list(dict.fromkeys(name for row in rows for name in row.timings if name != OURS.name))
    figure, axes = plots.subplots(figsize=(9, 1.5 + 0.22 * max(1, len(shown)) * max(1, len(rivals)) / 2))
    height = 0.8 / max(1, len(rivals))
    for index, rival in enumerate(rivals):
        bars = [(at, ratio) for at, row in enumerate(shown) if (ratio := row.ratio(rival)) is not None]
        places = [at + 0.4 - (index + 0.5) * height for at, _ in bars]
        axes.barh(places, [ratio for _, ratio in bars], height, label=rival)
    goals = [(at, row.goal.must) for at, row in enumerate(shown) if row.goal and row.goal.rival]
    axes.vlines([must for _, must in goals], [at - 0.45 for at, _ in goals], [at + 0.45 for at, _ in goals],
                colors="black", label="must reach")  # fmt: skip
    axes.axvline(1.0, color="gray", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [row.name for row in shown], fontsize=7)
    axes.set_xscale("log")
    axes.set_ylim(-0.6, max(1, len(shown)) - 0.4)
    axes.set_xlabel("the rival's time over ours: right of 1, tilegrad is faster")
    axes.legend(fontsize=7)
    figure.tight_layout()
    with replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lstrip(".") or "png", dpi=120)
    plots.close(figure)
