"""Numbers that differ from call to call, such as a learning rate or a place in a random stream.

A CUDA graph repeats launches with the very arguments they had when it was captured. What may change from one replay to
the next must therefore lie in device memory, and be written there before. So the public functions take such numbers as
they are, or as functions that give them (`asked`), and hand kernels an array made by `changing`: while a graph is
captured it is a *slot*, a few bytes of one block of device memory, which `Slots.fill` writes before each replay by one
copy.
"""

import contextlib
import importlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar

import numpy as np

T = TypeVar("T")
Changing: TypeAlias = T | Callable[[], T]
"""A number, or a function that gives the number for a replay."""

_ALIGNMENT = 16


class Slots:
    """The numbers of one captured graph that change: where they lie, and how to make them.

    Parameters
    ----------
    size : int
        Bytes of device memory for them all.
    """

    def __init__(self, size: int = 1 << 16) -> None:
        self.block = importlib.import_module("cupy").empty(size, np.uint8)
        self.host = np.zeros(size, np.uint8)
        self.end = 0
        self.makers: list[tuple[int, Callable[[], np.ndarray]]] = []
        self.kept: list[Any] = []
        """Arrays whose addresses the graph holds, and that others may let go of."""

    def place(self, make: Callable[[], np.ndarray]) -> Any:
        """A slot for an array like ``make()``."""
        numbers = make()
        start, end = self.end, self.end + numbers.nbytes
        if end > self.host.size:
            raise RuntimeError(f"capture: numbers that change take more than {self.host.size} bytes")
        self.makers.append((start, make))
        self.end = -(-end // _ALIGNMENT) * _ALIGNMENT
        return self.block[start:end].view(numbers.dtype).reshape(numbers.shape)

    def fill(self) -> None:
        """Write all numbers as they are now."""
        for start, make in self.makers:
            numbers = make()
            self.host[start : start + numbers.nbytes] = numbers.reshape(-1).view(np.uint8)
        if self.makers:
            self.block[: self.end].set(self.host[: self.end])


_slots: ContextVar[Slots | None] = ContextVar("slots of the graph that is captured", default=None)


@contextlib.contextmanager
def changing_in(slots: Slots) -> Iterator[None]:
    """Inside the block a graph is captured, and what `changing` makes lies in its slots."""
    token = _slots.set(slots)
    try:
        yield
    finally:
        _slots.reset(token)


def kept(array: T) -> T:
    """The array; a graph that is captured keeps it alive, since its launches have the address."""
    slots = _slots.get()
    if slots is not None:
        slots.kept.append(array)
    return array


def asked(value: Changing[T]) -> T:
    """The number now."""
    return value() if callable(value) else value


def changing(make: Callable[[], np.ndarray], *, on_cuda: bool, by_value: bool = False) -> Any:
    """What ``make`` gives, for a kernel to read: in main memory for the CPU, in device memory for CUDA.

    ``by_value`` says that the kernel also takes numbers from main memory, which a launch outside of a graph copies
    among its arguments.
    """
    slots = _slots.get()
    if slots is not None and on_cuda:
        return slots.place(make)
    numbers = make()
    return numbers if by_value or not on_cuda else importlib.import_module("cupy").asarray(numbers)
