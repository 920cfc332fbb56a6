"""Kinds of workload that move images more than they compute: pooling, resizing, padding, shuffling."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from .kinds import Shape

MOVES = ("max pool 2x2", "avg pool 2x2", "nearest x2", "bilinear x2", "pad 1 reflect", "pixel shuffle x2")


@dataclass(frozen=True)
class ImageMove:
    """One of `MOVES`, or its gradient. Max pooling keeps the places of its maxima, as for training."""

    tolerance: ClassVar[float] = 1e-6
    move: str
    shape: tuple[int, int, int, int]
    gradient: bool = False

    @property
    def name(self) -> str:
        return f"{self.move.replace(' ', '-')}-{self.shape[1]}/{'gradient' if self.gradient else 'forward'}"

    @property
    def section(self) -> str:
        return f"{self.move.capitalize()}, {self.shape}"

    @property
    def label(self) -> str:
        return "gradient" if self.gradient else "forward"

    @property
    def moved(self) -> Shape:
        """The shape of the result."""
        n, h, w, c = self.shape
        if "pool" in self.move:
            return n, h // 2, w // 2, c
        if "pad" in self.move:
            return n, h + 2, w + 2, c
        return n, 2 * h, 2 * w, c // 4 if "shuffle" in self.move else c

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {"x": self.shape, **({"gy": self.moved} if self.gradient else {})}

    def tiny(self) -> "ImageMove":
        return replace(self, shape=(2, 6, 4, 8))
