"""Random tensors, counter-based: a seed gives the same numbers on every device and with any number of threads."""

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .. import kernels
from ..kernels.arrays import check_device, empty_on_cuda
from .replay import again
from .tensor import Tensor


class Generator:
    """A stream of random numbers: a seed, and how much of its stream was used.

    >>> generator = Generator(7)
    >>> state = generator.get_state()
    >>> first = generator.normal((3,))
    >>> generator.set_state(state)
    >>> bool((generator.normal((3,)) == first).all())
    True
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> "Generator":
        """Start the stream of ``seed``, a non-negative integer below 2**64."""
        if not 0 <= seed < 1 << 64:
            raise ValueError(f"manual_seed: seed expects an integer in [0, 2**64) but got {seed}")
        self.seed, self.counter = int(seed), 0
        return self

    def get_state(self) -> dict[str, int]:
        """What `set_state` takes to continue from here."""
        return {"seed": self.seed, "counter": self.counter}

    def set_state(self, state: dict[str, int]) -> None:
        self.seed, self.counter = int(state["seed"]), int(state["counter"])

    def advance(self, count: int, kind: str, dtype: DTypeLike = np.float32) -> Mapping[str, Any]:
        """The place in the stream for a call that draws ``count`` numbers; the next call's lies behind it."""
        return again(partial(self._advance, kernels.random_blocks(count, kind, dtype)))

    def _advance(self, blocks: int) -> dict[str, int]:
        with self._lock:
            place = self.get_state()
            self.counter += blocks
        return place

    def uniform(
        self,
        shape: Sequence[int],
        low: float = 0.0,
        high: float = 1.0,
        dtype: DTypeLike = np.float32,
        device: str = "cpu",
    ) -> Any:
        """An array of numbers from [low, high)."""
        shape = tuple(shape)
        place, out = self.advance(_size(shape), "uniform", dtype), _new(shape, dtype, device)
        return kernels.random_uniform(shape, **place, low=low, high=high, dtype=dtype, out=out)

    def normal(
        self,
        shape: Sequence[int],
        mean: float = 0.0,
        std: float = 1.0,
        dtype: DTypeLike = np.float32,
        device: str = "cpu",
    ) -> Any:
        """An array of normally distributed numbers."""
        shape = tuple(shape)
        place, out = self.advance(_size(shape), "normal", dtype), _new(shape, dtype, device)
        return kernels.random_normal(shape, **place, mean=mean, std=std, dtype=dtype, out=out)

    def permutation(self, n: int) -> Any:
        """The integers below ``n`` in random order."""
        return kernels.random_permutation(n, **self.advance(n, "permutation"))


def _new(shape: tuple[int, ...], dtype: DTypeLike, device: str) -> Any:
    """Where to draw numbers on CUDA; the CPU's draws make their own array."""
    if device == "cpu":
        return None
    check_device(device)
    return empty_on_cuda(shape, np.dtype(dtype))


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


default_generator = Generator()
"""The stream that initialisers and `randn` draw from where none is given."""


def manual_seed(seed: int) -> Generator:
    """Seed the default generator and return it."""
    return default_generator.manual_seed(seed)


def rand(
    shape: Sequence[int],
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = np.float32,
    device: str = "cpu",
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of uniform numbers from [0, 1)."""
    return Tensor(
        (generator or default_generator).uniform(shape, dtype=dtype, device=device), requires_grad=requires_grad
    )


def randn(
    shape: Sequence[int],
    *,
    generator: Generator | None = None,
    dtype: DTypeLike = np.float32,
    device: str = "cpu",
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of standard normal numbers.

    >>> from tilegrad import nn
    >>> nn.randn((2, 3), requires_grad=True).shape
    (2, 3)
    """
    return Tensor(
        (generator or default_generator).normal(shape, dtype=dtype, device=device), requires_grad=requires_grad
    )
