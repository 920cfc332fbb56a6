"""Kinds of workload: each knows its name, the shapes of its arrays and how close results must be.

A workload of any kind has a small version of itself (`tiny`), which the tests run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np

Shape = tuple[int, ...]


class Work(Protocol):
    """One row of the table."""

    @property
    def tolerance(self) -> float:
        """How far the sides' results may be apart, relative to the largest value."""

    @property
    def name(self) -> str:
        """``group/row``: what ``--only`` selects by."""

    @property
    def section(self) -> str:
        """The heading that the row stands under."""

    @property
    def label(self) -> str: ...

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """Arrays that all sides work on: normal values, or a picture for filters."""

    def tiny(self) -> "Work": ...


PASSES = ("forward", "input gradient", "weight gradient")


@dataclass(frozen=True)
class Convolution:
    """One pass of a convolution layer, or of a transposed one, with square kernels."""

    tolerance: ClassVar[float] = 1e-4  # Winograd's rounding, relative to the largest output
    layer: str
    network: str
    input: tuple[int, int, int, int]
    out_channels: int
    size: int
    stride: int = 1
    padding: int = 0
    transposed: bool = False
    groups: int = 1
    run: str = PASSES[0]
    variant: str | None = None
    """Of our kernels; None is the one that they choose."""

    @property
    def name(self) -> str:
        variant = f"-{self.variant}" if self.variant else ""
        return f"{self.layer}{variant}/{self.run.replace(' ', '-')}"

    @property
    def section(self) -> str:
        kind = "transposed convolution" if self.transposed else "convolution"
        stride = f" stride {self.stride}" if self.stride > 1 else ""
        groups = f" in {self.groups} groups" if self.groups > 1 else ""
        channels = f"{self.input[3]} -> {self.out_channels} channels{groups}"
        variant = f', "{self.variant}"' if self.variant else ""
        return f"{self.network}: {self.size}x{self.size}{stride} {kind}, {channels}, input {self.input}{variant}"

    @property
    def label(self) -> str:
        return self.run

    @property
    def output(self) -> tuple[int, int, int, int]:
        n, h, w, _ = self.input
        if self.transposed:
            p, q = ((side - 1) * self.stride + self.size - 2 * self.padding for side in (h, w))
        else:
            p, q = ((side + 2 * self.padding - self.size) // self.stride + 1 for side in (h, w))
        return n, p, q, self.out_channels

    @property
    def weight(self) -> tuple[int, int, int, int]:
        """OHWI; a transposed convolution has the weight of the convolution that it transposes."""
        c, k = self.input[3], self.out_channels
        if self.transposed:
            c, k = k, c
        return k, self.size, self.size, c // self.groups

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {"x": self.input, "w": self.weight, "bias": (self.out_channels,), "gy": self.output}

    def tiny(self) -> "Convolution":
        n, h, w, c = self.input
        groups = min(self.groups, 3)
        c, k = (groups * min(channels // self.groups, most) for channels, most in ((c, 5), (self.out_channels, 6)))
        return replace(self, input=(min(n, 2), min(h, 12), min(w, 12), c), out_channels=k, groups=groups)


@dataclass(frozen=True)
class Elementwise:
    """One function of every element of one or two arrays."""

    tolerance: ClassVar[float] = 1e-6
    function: str
    shape: tuple[int, int, int, int]

    @property
    def name(self) -> str:
        return f"elementwise-{self.shape[1]}/{self.function}"

    @property
    def section(self) -> str:
        return f"Element by element, {self.shape}"

    @property
    def label(self) -> str:
        return self.function

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {"x": self.shape, **({"y": self.shape} if self.function == "add" else {})}

    def tiny(self) -> "Elementwise":
        return replace(self, shape=(1, 5, 3, 7))


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalisation and relu in training: forward, then the gradients by input, weight and bias."""

    tolerance: ClassVar[float] = 1e-4  # sums over all pixels, in float32 on one side
    shape: tuple[int, int, int, int]

    @property
    def name(self) -> str:
        return f"batch-norm-{self.shape[1]}/training"

    @property
    def section(self) -> str:
        return f"Batch normalisation and relu in training, {self.shape}"

    @property
    def label(self) -> str:
        return "forward, backward"

    @property
    def shapes(self) -> Mapping[str, Shape]:
        channels = self.shape[3:]
        return {"x": self.shape, "gy": self.shape, "weight": channels, "bias": channels}

    def tiny(self) -> "BatchNorm":
        return replace(self, shape=(2, 5, 4, 6))


@dataclass(frozen=True)
class AdamStep:
    """One step of Adam over the parameters of a DnCNN, one after another."""

    tolerance: ClassVar[float] = 1e-5
    depth: int = 17
    channels: int = 64

    @property
    def name(self) -> str:
        return f"adam/dncnn-{self.depth}"

    @property
    def section(self) -> str:
        return f"Adam over the {len(self.parameters)} parameters of DnCNN-{self.depth}"

    @property
    def label(self) -> str:
        return "step"

    @property
    def parameters(self) -> list[Shape]:
        c = self.channels
        block: list[Shape] = [(c, 3, 3, c), (c,), (c,)]
        return [(c, 3, 3, 1), (c,), *(block * (self.depth - 2)), (1, 3, 3, c), (1,)]

    @property
    def shapes(self) -> Mapping[str, Shape]:
        numbered = list(enumerate(self.parameters))
        return {f"{role}{i}": shape for role in ("parameter", "gradient") for i, shape in numbered}

    def tiny(self) -> "AdamStep":
        return replace(self, depth=3, channels=4)


@dataclass(frozen=True)
class SmallCall:
    """One operation on arrays so small that its time is what a call costs."""

    tolerance: ClassVar[float] = 1e-5
    function: str

    @property
    def name(self) -> str:
        return f"call/{self.function.replace(' ', '-').replace(',', '')}"

    @property
    def section(self) -> str:
        return "Cost of a call: arrays of a few numbers"

    @property
    def label(self) -> str:
        return self.function

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {"x": (1, 4, 4, 2), "w": (2, 3, 3, 2), "gy": (1, 2, 2, 2), "a": (2, 2), "b": (2, 2)}

    def tiny(self) -> "SmallCall":
        return self


@dataclass(frozen=True)
class FreshProcess:
    """A program from its start to the end of its first inference or training step.

    Not ``warm`` is the first process ever on a machine: the kernel cache is empty.
    """

    tolerance: ClassVar[float] = np.inf
    training: bool
    warm: bool

    @property
    def name(self) -> str:
        return f"start/{'warm' if self.warm else 'first'}-{'training' if self.training else 'inference'}"

    @property
    def section(self) -> str:
        return "A fresh process, from its start to the end of the first inference or training step of DnCNN-17"

    @property
    def label(self) -> str:
        return f"{'training' if self.training else 'inference'}, {'warm' if self.warm else 'empty'} cache"

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {}

    def tiny(self) -> "FreshProcess":
        return self
