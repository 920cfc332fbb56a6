"""What rows must reach, and what is aimed at: a table of patterns, apart from the workloads.

Most goals are ratios: how many times our time a rival takes. Where there is no fair rival, or where users wait, a goal
is a time.
"""

import fnmatch
from typing import NamedTuple

from .filter_kinds import OPENCV, SKIMAGE


class Goal(NamedTuple):
    """``must`` and ``aim``, ratios to a rival, or seconds that may pass where ``rival`` is None.

    >>> Goal(2.0, 3.0).share(ratio=1.5, seconds=1.0)
    0.75
    >>> Goal(0.8, 0.5, rival=None).share(ratio=None, seconds=1.0)
    0.8
    """

    must: float
    aim: float
    rival: str | None = "channels_last"

    def share(self, ratio: float | None, seconds: float) -> float | None:
        """How much of ``must`` is reached, 1 if just so; None where the rival was not measured."""
        if self.rival is None:
            return self.must / seconds
        return None if ratio is None else ratio / self.must

    def words(self, scale: float = 1.0) -> str:
        """``must/aim``; times are multiplied by ``scale``."""
        factor = scale if self.rival is None else 1.0
        return f"{self.must * factor:g}/{self.aim * factor:g}"


_ONE_CHANNEL = ("dncnn-first-*", "dncnn-last-*", "dcgan-1-64", "dcgan-64-1", "srcnn-9x9", "srcnn-5x5")
_CALL = Goal(15e-6, 8e-6, rival=None)
_DOWN, _UP = Goal(1.45, 1.8), Goal(2.0, 2.3)
_WIDE_DOWN, _WIDE_UP, _WIDE_WEIGHT = Goal(1.5, 1.9), Goal(1.7, 2.0), Goal(1.9, 2.6)


def _wide(few: int, many: int) -> dict[str, Goal]:
    """A 4x4 stride 2 convolution and the transposed one: each one's input gradient is the other's forward pass."""
    down, up = f"dcgan-{few}-{many}", f"dcgan-{many}-{few}"
    return {
        f"{down}/forward": _WIDE_DOWN, f"{down}/input-gradient": _WIDE_UP, f"{down}/weight-gradient": _WIDE_WEIGHT,
        f"{up}/forward": _WIDE_UP, f"{up}/input-gradient": _WIDE_DOWN, f"{up}/weight-gradient": _WIDE_WEIGHT,
    }  # fmt: skip


def _beside(rival: str, prefix: str, goals: dict[str, tuple[float, float]]) -> dict[str, Goal]:
    """Filters on a picture of 1080x1920."""
    return {f"{prefix}-{row}/1080": Goal(must, aim, rival) for row, (must, aim) in goals.items()}


_FILTERS = {
    **_beside(OPENCV, "opencv", {
        "median-3x3-uint8": (1.5, 2.0), "median-5x5-uint8": (2.5, 4.0), "median-[35]x[35]-float32": (1.7, 3.0),
        "gaussian-5x5-float32": (1.7, 2.2), "gaussian-5x5-uint8": (2.0, 3.0), "sobel-3x3-*": (3.5, 5.0),
        "box-11x11-*": (4.0, 7.0), "dilate-3x3-*": (3.0, 5.0), "canny-*": (3.0, 5.0), "resize-half-*": (2.5, 4.0),
        "match-template-*": (2.5, 6.0), "nl-means-*": (2.3, 5.0), "bilateral-*": (1.8, 3.0), "clahe-*": (0.8, 1.5),
        "equalize-*": (0.8, 1.5), "components-*": (0.8, 1.5), "distance-*": (0.8, 1.5),
    }),
    **_beside(SKIMAGE, "skimage", {
        "median-*": (10.0, 20.0), "ssim-*": (10.0, 20.0), "tv-chambolle-*": (10.0, 20.0),
        "match-template-*": (3.0, 5.0),
    }),
}  # fmt: skip

GOALS: dict[str, Goal] = {
    "dncnn-17/training": Goal(1.7, 2.5),
    "dcgan-28/training": Goal(1.5, 2.2),
    "cnn-28/training": Goal(1.2, 1.8),
    "dncnn-40/*": Goal(2.0, 3.0),
    "dncnn-256/*": Goal(2.0, 3.0),
    "dncnn-*-direct/*": Goal(0.95, 1.05),
    **{f"{layer}/*": Goal(1.2, 5.0) for layer in _ONE_CHANNEL},
    "dcgan-64-128/*": _DOWN,
    "dcgan-128-64/forward": _UP,
    "dcgan-128-64/*": _DOWN,
    **_wide(128, 256),
    **_wide(256, 512),
    "batch-norm-*/training": Goal(1.3, 2.0),
    "adam/*": Goal(1.2, 2.0),
    **{f"call/{name}": _CALL for name in ("add", "relu", "matmul", "conv2d", "conv2d-weight-grad")},
    "start/warm-inference": Goal(0.8, 0.55, rival=None),
    "start/first-training": Goal(20.0, 8.0, rival=None),
    **_FILTERS,
}
"""By row name or pattern; the first that matches a row is its goal."""


def goal_of(name: str) -> Goal | None:
    """The goal of a row, or None.

    >>> goal_of("dcgan-128-64/forward").must, goal_of("elementwise-40/relu")
    (2.0, None)
    """
    return next((goal for pattern, goal in GOALS.items() if fnmatch.fnmatchcase(name, pattern)), None)
