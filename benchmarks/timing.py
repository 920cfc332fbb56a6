"""Times that can be compared: interleaved bursts, medians, and who else used the processors meanwhile.

Two libraries in one process have a thread pool each, and the workers of the one that ran last spin for some ten
milliseconds (GNU OpenMP's own choice) before they sleep, which the other would pay for.
So the sides take turns in bursts, and the first calls of each burst, at least one and until the other's workers are
asleep, are not counted. Turns follow each other closely enough that a slow moment of the machine meets all sides.
Where a call is slow, what it would pay is little beside it, and every call counts.
"""

import math
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

_SAMPLE = 1e-4  # a sample is at least this long, so that reading the clock does not count
_MOST_SAMPLES = 20  # in one burst
_SLOW = 0.25  # seconds of a call


@dataclass(frozen=True)
class Settings:
    """How long to measure: at least ``seconds``, and ``rounds`` unless ``most`` seconds are over, of all sides."""

    seconds: float = 1.0
    rounds: int = 6
    most: float = 30.0
    settle: float = 0.02
    retries: int = 3
    memory: bool = True
    processes: int = 5
    first_processes: int = 2
    patience: float = 20.0


FULL = Settings()
QUICK = Settings(seconds=0.2, rounds=2, most=8.0, retries=0, memory=False, processes=2, first_processes=1, patience=0.0)


class Timing(NamedTuple):
    """Seconds of one call: the median, and half of the samples lie between ``low`` and ``high``."""

    median: float
    low: float
    high: float
    samples: int

    @property
    def spread(self) -> float:
        """Width of that middle half, relative to the median."""
        return (self.high - self.low) / self.median

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Timing":
        """The timing that these samples, in seconds, amount to.

        >>> Timing.of([2.0, 1.0, 3.0])
        Timing(median=2.0, low=1.5, high=2.5, samples=3)
        """
        ordered = sorted(samples)
        if len(ordered) == 1:
            return cls(ordered[0], ordered[0], ordered[0], 1)
        low, middle, high = statistics.quantiles(ordered, n=4, method="inclusive")
        return cls(middle, low, high, len(ordered))


def interleaved(calls: Sequence[Callable[[], Any]], settings: Settings) -> list[Timing]:
    """Time calls in turns; see the head of this file."""
    clock, rounds = time.perf_counter, 0
    start = clock()
    samples: list[list[float]] = [[] for _ in calls]
    repeats = [_repeats(call, found) for call, found in zip(calls, samples, strict=True)]
    while not all(samples) or clock() - start < (settings.most if rounds < settings.rounds else settings.seconds):
        for call, count, found in zip(calls, repeats, samples, strict=True):
            if count == 0:
                time.sleep(settings.settle)
                found.append(_seconds(call))
            else:
                _burst(call, count, found, settings.settle)
        rounds += 1
    return [Timing.of(found) for found in samples]


def _burst(call: Callable[[], Any], count: int, found: list[float], settle: float) -> None:
    """Add samples of ``count`` calls each."""
    clock = time.perf_counter
    settled = clock() + settle
    call()
    while clock() < settled:
        call()
    burst, taken = clock() + settle, 0
    while taken < 2 or (taken < _MOST_SAMPLES and clock() < burst):
        begin = clock()
        for _ in range(count):
            call()
        found.append((clock() - begin) / count)
        taken += 1


def _seconds(call: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _repeats(call: Callable[[], Any], found: list[float]) -> int:
    """How many calls make a sample, or 0 where a call is slow; its result was asked for, so the first counts then."""
    seconds = _seconds(call)
    if seconds >= _SLOW:
        found.append(seconds)
        return 0
    return max(1, math.ceil(_SAMPLE / max(_seconds(call), 1e-9)))


def _processors_busy() -> tuple[float, float] | None:
    """Seconds that all processors together have been busy, and have existed, since the machine started."""
    try:
        words = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    except OSError:
        return None
    ticks = [int(word) for word in words]  # user nice system idle iowait irq softirq steal
    per_second = os.sysconf("SC_CLK_TCK")
    return (sum(ticks) - ticks[3] - ticks[4]) / per_second, sum(ticks) / per_second


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Watch:
    """Measures what others did on the processors since it was made."""

    def __init__(self) -> None:
        self.before = _processors_busy()
        self.own = _own_seconds()

    def others(self) -> float | None:
        """The part of all processors' time that other processes took; None where the system does not say."""
        after, own = _processors_busy(), _own_seconds()
        if self.before is None or after is None or after[1] <= self.before[1]:
            return None
        busy, existed = after[0] - self.before[0], after[1] - self.before[1]
        return min(1.0, max(0.0, (busy - (own - self.own)) / existed))


NOISY = 0.05
"""The part of the processors' time from which other work makes a row noisy."""


def wait_until_quiet(patience: float) -> None:
    """Wait until others leave the processors alone, for at most ``patience`` seconds."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        watch = Watch()
        time.sleep(0.25)
        if (watch.others() or 0.0) < NOISY:
            return


def quietly(measure: Callable[[], list[Timing]], settings: Settings) -> tuple[list[Timing], float | None, int]:
    """Measure, again if others were busy; return the quietest attempt, how busy they were, how many attempts."""
    attempts: list[tuple[list[Timing], float | None]] = []
    while len(attempts) <= settings.retries:
        wait_until_quiet(settings.patience)
        watch = Watch()
        found = measure()
        attempts.append((found, watch.others()))
        if (attempts[-1][1] or 0.0) < NOISY:
            break
    best, others = min(attempts, key=lambda attempt: attempt[1] or 0.0)
    return best, others, len(attempts)
