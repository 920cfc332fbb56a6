"""One workload measured: results compared, work counted, then timed."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from tilegrad.kernels.machine.memory import empty

from tilegrad import kernels

from . import probe, processes, timing
from .contestant import Contestant
from .equality import difference
from .kinds import FreshProcess, Work
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
    limit : "fma" or "copy", whichever bounds this work, and the share of that limit that we reach
    others : the part of the processors' time that other processes took meanwhile, or None if unknown
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
    limit: str | None = None
    share: float | None = None
    others: float | None = None
    attempts: int = 0
    notes: str = ""

    @property
    def equal(self) -> bool:
        return all(error <= self.tolerance for error in self.errors.values())

    @property
    def noisy(self) -> bool:
        return self.others is not None and self.others >= timing.NOISY

    def ratio(self, rival: str) -> float | None:
        """How many times our time the rival takes: above 1, we are faster."""
        ours, theirs = self.timings.get(OURS.name), self.timings.get(rival)
        return None if ours is None or theirs is None else theirs.median / ours.median

    def record(self) -> dict[str, Any]:
        """The row as plain data for JSON."""
        facts = asdict(self)
        facts["timings"] = {name: {**t._asdict(), "spread": t.spread} for name, t in self.timings.items()}
        facts["errors"] = {n: error if np.isfinite(error) else None for n, error in self.errors.items()}
        facts["tolerance"] = self.tolerance if np.isfinite(self.tolerance) else None
        ratios = {name: self.ratio(name) for name in self.timings if name != OURS.name}
        return {"record": "row", **facts, "ratios": ratios, "equal": self.equal, "noisy": self.noisy}


def measure(work: Work, rivals: Sequence[Contestant], threads: int, settings: Settings) -> Row:
    """Compare the sides' results on a workload and, where they agree, time them."""
    row = Row(work.name, work.section, work.label, work.tolerance)
    if isinstance(work, FreshProcess):
        return _measure_processes(row, work, rivals, threads, settings)
    random = np.random.default_rng(0)
    # Where results of earlier operations would lie: rivals copy them to where theirs would.
    arrays = {name: empty(shape, np.float32) for name, shape in work.shapes.items()}
    for array in arrays.values():
        random.standard_normal(dtype=np.float32, out=array)
    prepared = {c.name: p for c in (OURS, *rivals) if (p := c.prepare(work, arrays)) is not None}
    results = {name: p.result() for name, p in prepared.items()}
    row.errors = {name: difference(results[OURS.name], r) for name, r in results.items() if name != OURS.name}
    del results
    if row.equal:
        _count(row, prepared[OURS.name].call)
        calls = [p.call for p in prepared.values()]
        found, row.others, row.attempts = timing.quietly(lambda: timing.interleaved(calls, settings), settings)
        row.timings = dict(zip(prepared, found, strict=True))
        _compare_with_limits(row, threads)
    del prepared
    gc.collect()
    kernels.memory_trim()
    return row


def _count(row: Row, call: Callable[[], Any]) -> None:
    with kernels.trace() as events:
        call()
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
