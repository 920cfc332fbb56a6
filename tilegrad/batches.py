"""Numbered batches of a set of images, made on a thread of their own while the network learns from the one before.

Batch ``i`` depends on the set, the seed and ``i`` alone. An epoch goes through all images in an order of its own; what
does not fill a batch is left for another epoch's order.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import numpy as np

from . import kernels

T = TypeVar("T")


class Shuffled:
    """Which images make batch ``i``.

    Parameters
    ----------
    count, batch : int
        Images in the set, and in a batch.
    seed, counter : int
        As in `kernels.random_permutation`; epoch ``e`` takes its order from behind ``counter``.

    Examples
    --------
    >>> order = Shuffled(6, 3, seed=0)
    >>> order.per_epoch, sorted([*order.indices(0), *order.indices(1)])
    (2, [0, 1, 2, 3, 4, 5])
    """

    def __init__(self, count: int, batch: int, *, seed: int, counter: int = 0) -> None:
        if not 1 <= batch <= count:
            raise ValueError(f"Shuffled: batch expects 1 to {count}, the number of images, but got {batch}")
        self.count, self.batch, self.seed, self.counter = count, batch, seed, counter
        self.per_epoch = count // batch
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def indices(self, number: int) -> list[int]:
        """The images of batch ``number``, counted from 0."""
        epoch, place = divmod(number, self.per_epoch)
        if epoch != self._epoch:
            blocks = kernels.random_blocks(self.count, "permutation")
            self._order = kernels.random_permutation(self.count, seed=self.seed, counter=self.counter + epoch * blocks)
            self._epoch = epoch
        return [int(i) for i in self._order[place * self.batch : (place + 1) * self.batch]]


class Ahead(Generic[T]):
    """Calls ``make(number)`` for the next number while the caller works with what the one before gave.

    ``take`` may be called with any number; numbers that follow each other are what it is quick at. An exception in
    ``make`` comes out of the ``take`` that asks for its result.

    >>> with Ahead(lambda number: number * number) as squares:
    ...     [squares.take(number) for number in (3, 4, 9)]
    [9, 16, 81]
    """

    def __init__(self, make: Callable[[int], T]) -> None:
        self._make = make
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tilegrad-data")
        self._next: tuple[int, Future[T]] | None = None

    def take(self, number: int) -> T:
        if self._next is not None and self._next[0] == number:
            future = self._next[1]
        else:
            future = self._thread.submit(self._make, number)
        self._next = (number + 1, self._thread.submit(self._make, number + 1))
        return future.result()

    def __enter__(self) -> "Ahead[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)
