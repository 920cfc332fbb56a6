"""OpenCV: its filters on the same pictures."""

from typing import Any

import cv2

from ..contestant import Arrays, Contestant, Prepared
from ..filter_kinds import OPENCV, Filter


def contestants(threads: int, compiled: bool) -> list[Contestant]:
    """OpenCV with this many threads."""
    cv2.setNumThreads(threads)
    return [Contestant(OPENCV, f"opencv {cv2.__version__}", prepare, lambda work: None)]


def prepare(work: Any, arrays: Arrays) -> Prepared | None:
    """Make a filter in OpenCV's form ready; see `Contestant`."""
    return work.prepare(cv2, arrays) if isinstance(work, Filter) and work.rival == OPENCV else None
