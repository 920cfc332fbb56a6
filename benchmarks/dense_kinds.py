"""Kinds of workload that know no images: matrix products, linear layers and sums."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from .kinds import PASSES, Shape


@dataclass(frozen=True)
class Matmul:
    """A matrix product ``(M, K) x (K, N)``."""

    tolerance: ClassVar[float] = 1e-5  # thousands of terms, added in another order
    m: int
    k: int
    n: int

    @property
    def name(self) -> str:
        return f"matmul/{self.m}x{self.k}x{self.n}"

    @property
    def section(self) -> str:
        return "Matrix products, (M, K) x (K, N)"

    @property
    def label(self) -> str:
        return f"{self.m} x {self.k} x {self.n}"

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {"a": (self.m, self.k), "b": (self.k, self.n)}

    def tiny(self) -> "Matmul":
        return replace(self, m=min(self.m, 7), k=min(self.k, 13), n=min(self.n, 18))


@dataclass(frozen=True)
class Linear:
    """One pass of a linear layer."""

    tolerance: ClassVar[float] = 1e-5
    batch: int
    inputs: int
    outputs: int
    run: str = PASSES[0]

    @property
    def name(self) -> str:
        return f"linear-{self.inputs}-{self.outputs}-{self.batch}/{self.run.replace(' ', '-')}"

    @property
    def section(self) -> str:
        return f"Linear layer, {self.inputs} -> {self.outputs}, batch {self.batch}"

    @property
    def label(self) -> str:
        return self.run

    @property
    def shapes(self) -> Mapping[str, Shape]:
        n, c, k = self.batch, self.inputs, self.outputs
        return {"x": (n, c), "w": (k, c), "bias": (k,), "gy": (n, k)}

    def tiny(self) -> "Linear":
        return replace(self, batch=min(self.batch, 5), inputs=min(self.inputs, 13), outputs=min(self.outputs, 18))


@dataclass(frozen=True)
class Sum:
    """The sum of an NHWC image over some axes."""

    tolerance: ClassVar[float] = 1e-5  # relative to the largest sum; a rival may add in float32
    shape: tuple[int, int, int, int]
    axes: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"sum-{self.shape[1]}/{'-'.join('NHWC'[axis] for axis in self.axes)}"

    @property
    def section(self) -> str:
        return f"Sums over axes of {self.shape}"

    @property
    def label(self) -> str:
        return ", ".join("NHWC"[axis] for axis in self.axes)

    @property
    def shapes(self) -> Mapping[str, Shape]:
        return {"x": self.shape}

    def tiny(self) -> "Sum":
        return replace(self, shape=(2, 5, 3, 7))
