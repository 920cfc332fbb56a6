"""What a replay of a captured step must do besides launching its graph, and what it may write.

A graph repeats what the step did on the GPU. What it did in Python is gone, but for two things that report here:

* `again`: counters and numbers that change with every step (how many steps an optimiser took, its learning rate, the
  place in a random stream). They are read and moved on before each replay, in the order in which the step did so.
* `will_write`: arrays that are written in place, before they are. Whoever compares a graph with the step that it was
  made from can put them back.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

Numbers = Mapping[str, Any]


class Script:
    """The Python side of a captured step: effects in order, and the numbers that each gave last."""

    def __init__(self) -> None:
        self.effects: list[Callable[[], Numbers]] = []
        self.numbers: list[Numbers] = []

    def record(self, effect: Callable[[], Numbers]) -> Numbers:
        """Run an effect now and before every replay; its numbers as functions that give those of the replay."""
        place = len(self.effects)
        self.effects.append(effect)
        self.numbers.append(effect())
        return {name: lambda name=name: self.numbers[place][name] for name in self.numbers[place]}

    def run(self) -> None:
        """Run all effects, for the next replay."""
        for place, effect in enumerate(self.effects):
            self.numbers[place] = effect()


class Rerun:
    """Gives the numbers of a script to a step that runs a second time, without its effects."""

    def __init__(self, script: Script) -> None:
        self.script, self.place = script, 0

    def record(self, effect: Callable[[], Numbers]) -> Numbers:
        """The numbers that the effect in this place gave before."""
        if self.place == len(self.script.numbers):
            raise RuntimeError("capture: the step does more when it runs again; it must do the same every time")
        self.place += 1
        return self.script.numbers[self.place - 1]


class Written:
    """The arrays that a step writes in place; it keeps them alive, so that no other takes over an identity."""

    def __init__(self) -> None:
        self.arrays: dict[int, Any] = {}

    def add(self, array: Any) -> None:
        self.arrays.setdefault(id(array), array)


_recorder: ContextVar[Script | Rerun | None] = ContextVar("script of the captured step", default=None)
_written: ContextVar[Written | None] = ContextVar("arrays that a step writes", default=None)


def again(effect: Callable[[], Numbers]) -> Numbers:
    """The numbers that ``effect()`` returns; while a step is captured they are functions that give a replay's numbers.

    ``effect`` may also count something up. It runs before each replay, in its place among the others.
    """
    recorder = _recorder.get()
    return effect() if recorder is None else recorder.record(effect)


def will_write(array: Any) -> None:
    """Say that an array, which was there before, is about to be written in place.

    Of a view the array is noted that has the memory: a view is another object in every run of a step.
    """
    written = _written.get()
    if written is not None:
        written.add(array if array.base is None else array.base)


@contextlib.contextmanager
def recorded_by(recorder: Script | Rerun) -> Iterator[None]:
    """Inside the block effects are recorded by a script, or taken from it."""
    token = _recorder.set(recorder)
    try:
        yield
    finally:
        _recorder.reset(token)


@contextlib.contextmanager
def watched_by(written: Written) -> Iterator[None]:
    """Inside the block arrays that are written are noted."""
    token = _written.set(written)
    try:
        yield
    finally:
        _written.reset(token)
