"""One workload measured: results compared, work counted, then timed."""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from tilegrad.kernels.machine.memory import empty

from tilegrad import kernels

from . import memory, probe, processes, timing
from .contestant import Contestant
from .equality import difference
from .filter_kinds import Filter, picture
from .goals import Goal, goal_of
from .kinds import FreshProcess, Work
from .network_kinds import Network
from .ours import OURS
from .timing import Settings, Timing


@dataclass
class Row:
    """What was found out about one workload.

    Attributes
    ----------
    timings : by contestant; empty where results differ
    errors : by rival: largest error of our result, relative to the rival's largest value
    operations, flops, bytes_moved : of one call, from the kernels' declarations
    variants : of the kernels that ran
    mappings : how often the pool of large arrays asked the system for memory in one call, after a first one
    peak_bytes : by contestant: the most memory that a fresh process took for this work, beyond its libraries
    threads : that worked on it
    limit : "fma" or "copy", whichever bounds this work, and the share of that limit that we reach
    round_trip : seconds in which a word went from one thread to another and back, just after the timing
    others : the part of the processors' time that other processes took meanwhile, or None if unknown
    one_thread : timings of a filter, by contestant, where each has one thread
    """

    name: str
    section: str
    label: str
    tolerance: float
    timings: dict[str, Timing] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    operations: int = 0
    flops: float = 0.0
    bytes_moved: float = 0.0
    variants: tuple[str, ...] = ()
    mappings: int = 0
    peak_bytes: dict[str, int] = field(default_factory=dict)
    threads: int = 1
    limit: str | None = None
    share: float | None = None
    round_trip: float | None = None
    others: float | None = None
    attempts: int = 0
    one_thread: dict[str, Timing] = field(default_factory=dict)
    notes: str = ""

    @property
    def equal(self) -> bool:
        return all(error <= self.tolerance for error in self.errors.values())

    @property
    def noisy(self) -> bool:
        return self.others is not None and self.others >= timing.NOISY

    def ratio(self, rival: str) -> float | None:
        """How many times our time the rival takes: above 1, we are faster."""
        return _ratio(self.timings, rival)

    def ratio_on_one_thread(self, rival: str) -> float | None:
        """The same where each side has one thread."""
        return _ratio(self.one_thread, rival)

    def add_one_thread(self, alone: "Row") -> None:
        """Take over what was found where each side has one thread; results that differ there are wrong too."""
        self.errors = {name: max(error, alone.errors[name]) for name, error in self.errors.items()}
        if self.equal:
            self.one_thread = alone.timings
        else:
            self.timings = {}

    @property
    def goal(self) -> Goal | None:
        """What must be reached, if anything is stated."""
        return goal_of(self.name)

    @property
    def share_of_goal(self) -> float | None:
        """How much of what must be reached is reached; None where nothing is stated or the rival was not measured."""
        ours = self.timings.get(OURS.name)
        if self.goal is None or ours is None:
            return None
        return self.goal.share(self.ratio(self.goal.rival or ""), ours.median)

    def verdict(self) -> str:
        """``met``, ``short by x %``, or nothing where there is no goal or no measurement."""
        share = self.share_of_goal
        if share is None:
            return ""
        return "met" if share >= 1 else f"short by {max(1, round(100 * (1 - share)))} %"

    def record(self) -> dict[str, Any]:
        """The row as plain data for JSON."""
        facts = asdict(self)
        facts["timings"], facts["one_thread"] = (
            {name: {**t._asdict(), "spread": t.spread} for name, t in timings.items()}
            for timings in (self.timings, self.one_thread)
        )
        facts["errors"] = {n: error if np.isfinite(error) else None for n, error in self.errors.items()}
        facts["tolerance"] = self.tolerance if np.isfinite(self.tolerance) else None
        rivals = [name for name in self.timings if name != OURS.name]
        ratios: dict[str, Any] = {"ratios": {name: self.ratio(name) for name in rivals}}
        if self.one_thread:
            ratios["ratios_on_one_thread"] = {name: self.ratio_on_one_thread(name) for name in rivals}
        goal = {"goal": self.goal and self.goal._asdict(), "share_of_goal": self.share_of_goal}
        found = {"verdict": self.verdict(), "equal": self.equal, "noisy": self.noisy}
        return {"record": "row", **facts, **ratios, **goal, **found}


def _ratio(timings: Mapping[str, Timing], rival: str) -> float | None:
    ours, theirs = timings.get(OURS.name), timings.get(rival)
    return None if ours is None or theirs is None else theirs.median / ours.median


def arrays_of(work: Work) -> dict[str, np.ndarray]:
    """The arrays that all sides work on, where results of our earlier operations would lie: rivals copy them.

    Filters have a picture, which both sides copy.
    """
    if isinstance(work, Filter):
        return {"picture": picture(*work.size)}
    random = np.random.default_rng(0)
    arrays = {name: empty(shape, np.float32) for name, shape in work.shapes.items()}
    for array in arrays.values():
        random.standard_normal(dtype=np.float32, out=array)
    return arrays


def measure(work: Work, rivals: Sequence[Contestant], threads: int, settings: Settings) -> Row:
    """Compare the sides' results on a workload and, where they agree, time them."""
    row = Row(work.name, work.section, work.label, work.tolerance, threads=threads)
    if isinstance(work, FreshProcess):
        return _measure_processes(row, work, rivals, threads, settings)
    arrays = arrays_of(work)
    prepared = {c.name: p for c in (OURS, *rivals) if (p := c.prepare(work, arrays)) is not None}
    results = {name: p.result() for name, p in prepared.items()}
    row.errors = {name: difference(results[OURS.name], r) for name, r in results.items() if name != OURS.name}
    del results
    if row.equal:
        _count(row, prepared[OURS.name].call)
        calls = [p.call for p in prepared.values()]
        found, row.others, row.attempts = timing.quietly(lambda: timing.interleaved(calls, settings), settings)
        row.timings = dict(zip(prepared, found, strict=True))
        row.round_trip = probe.round_trip(threads)
        _compare_with_limits(row, threads)
    sides = list(prepared)
    del prepared, arrays
    gc.collect()
    kernels.memory_trim()
    if isinstance(work, Network) and work.threads is None and settings.memory and row.equal:
        row.peak_bytes = memory.peaks(work, sides, threads)
    return row


def _count(row: Row, call: Callable[[], Any]) -> None:
    mappings = kernels.memory_report()["mappings"]
    with kernels.trace() as events:
        call()
    row.mappings = kernels.memory_report()["mappings"] - mappings
    row.operations = len(events)
    row.flops = float(sum(event.flops for event in events))
    row.bytes_moved = float(sum(event.bytes_moved for event in events))
    row.variants = tuple(dict.fromkeys(event.variant for event in events))


def _compare_with_limits(row: Row, threads: int) -> None:
    """How close we come to the least time that this work can take: of its arithmetic, or of its memory traffic."""
    least = {
        "fma": row.flops / probe.multiply_add_peak(threads),
        "copy": row.bytes_moved / probe.copy_bandwidth(row.bytes_moved / max(1, row.operations), threads),
    }
    row.limit = max(least, key=lambda limit: least[limit])
    row.share = least[row.limit] / row.timings[OURS.name].median


def _measure_processes(
    row: Row, work: FreshProcess, rivals: Sequence[Contestant], threads: int, settings: Settings
) -> Row:
    programs = {c.name: source for c in (OURS, *rivals) if (source := c.program(work)) is not None}
    last: list[processes.Process] = []

    def timed() -> list[Timing]:
        found, last[:] = processes.times(list(programs.values()), work.warm, threads, settings)
        return found

    found, row.others, row.attempts = timing.quietly(timed, settings)
    row.timings = dict(zip(programs, found, strict=True))
    memory = " / ".join(f"{process.peak_bytes / 2**20:.0f}" for process in last)
    row.notes = ", ".join([note for process in last if (note := process.said)] + [f"peak {memory} MiB"])
    return row
